"""Limits joined by and, or: how they are read and shown."""

import pytest

from dp_assets.core.units import DAY_MS, GIB, HOUR_MS, MIB
from dp_assets.domains.maintenance.conditions import Limit, Trigger, parse_condition, quantity


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("small_files >= 10", [[(Trigger.SMALL_FILES, 10)]]),
        ("delete_ratio>=30%", [[(Trigger.DELETE_RATIO, 0.3)]]),
        ("small_share >= 1", [[(Trigger.SMALL_SHARE, 1)]]),
        ("age >= 12 h", [[(Trigger.AGE, 12 * HOUR_MS)]]),
        ("age >= 1.5 d", [[(Trigger.AGE, 36 * HOUR_MS)]]),
        ("bytes >= 0.1 GiB", [[(Trigger.BYTES, 107374182)]]),
        ("metadata_bytes >= 0.1 GiB", [[(Trigger.METADATA_BYTES, 107374182)]]),
        (
            "manifests >= 5 or snapshots >= 20 and bytes >= 512 MiB",
            [[(Trigger.MANIFESTS, 5)], [(Trigger.SNAPSHOTS, 20), (Trigger.BYTES, 512 * MIB)]],
        ),
    ],
)
def test_a_condition_is_any_of_its_clauses(text, clauses):
    expected = tuple(tuple(Limit(*one) for one in clause) for clause in clauses)
    assert parse_condition(text).clauses == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "small_files", "small_files > 10", "small_files >= 0", "small_files >= 1.5"),
        *("small_files >= 10 h", "files >= 10", "delete_ratio >= 1.1", "delete_ratio >= 30 h"),
        *("age >= 12", "age >= 12 weeks", "bytes >= 1", "bytes >= 1 GB", "or", "age >= 0 h"),
        *("small_files >= 10 or", "small_files >= 10, manifests >= 2", "small_files >= -1"),
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the type of the setting has the words
        parse_condition(text)


@pytest.mark.parametrize(
    ("trigger", "value", "shown"),
    [
        (Trigger.AGE, 7 * DAY_MS, "7 d"),
        (Trigger.AGE, 12 * HOUR_MS, "12 h"),
        (Trigger.AGE, 1.5 * HOUR_MS, "1 h 30 min"),
        (Trigger.BYTES, GIB, "1.00 GiB"),
        (Trigger.DELETE_RATIO, 0.3, "30%"),
        (Trigger.SMALL_FILES, 12_000, "12,000"),
    ],
)
def test_quantities_read_well(trigger, value, shown):
    assert quantity(trigger, value) == shown
