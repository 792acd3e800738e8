"""What is refused, each with its reason, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from dp_assets.domains.maintenance.refusals import refusals, table_refusals
from dp_assets.ports.closure import BrokenFile, TableClosure
from dp_assets.ports.recovery import FileKind
from dp_assets_tests.domains.maintenance.closures import closure_of, data, deletes, entry

ALL = [
    *("boolean", "int", "long", "float", "double", "date", "time", "timestamp", "timestamptz"),
    *("string", "uuid", "binary", "decimal(38,10)"),
]


def field(number: int, kind: Any, name: str = "", **more: Any) -> dict[str, Any]:
    return {"id": number, "name": name or f"c{number}", "type": kind, "required": False, **more}


def struct(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "struct", "fields": list(fields)}


def with_columns(*fields: dict[str, Any]) -> TableClosure:
    return closure_of(data("/f", 1), schemas=[{"schema-id": 3, "fields": list(fields)}])


def test_every_type_that_version_2_has_is_rewritten():
    listed = {"type": "list", "element-id": 90, "element": "uuid", "element-required": False}
    mapped = {"type": "map", "key-id": 91, "key": "string", "value-id": 92, "value": listed}
    kinds = [*ALL, struct(*(field(n + 50, kind) for n, kind in enumerate(ALL))), listed, mapped]
    assert refusals(with_columns(*(field(n, kind) for n, kind in enumerate(kinds)))) == ()
    assert refusals(with_columns(field(1, "fixed[4]"), field(2, "uuid"))) == ()
    assert refusals(with_columns(field(1, "timestamp_ns"))) == ()


@pytest.mark.parametrize(
    ("closure", "reason"),
    [
        (closure_of(format_version=4), "format version 4 is not compacted yet"),
        (closure_of(encrypted=True), "it is encrypted"),
        (closure_of(properties={"encryption.key-id": "k"}), "it is encrypted"),
        (closure_of(encryption_keys=[{}]), "it is encrypted"),
        (
            closure_of(manifest_list=""),
            "its head is a version 1 snapshot without a manifest list",
        ),
        (
            closure_of(
                default_sort_order_id=1,
                sort_orders=[
                    {"order-id": 1, "fields": [{"transform": "bucket[4]", "source-id": 1}]}
                ],
            ),
            "the table is sorted by a bucket",
        ),
        (with_columns(field(1, "timestamptz_ns")), "column c1 of type timestamptz_ns"),
        (with_columns(field(1, "variant")), "column c1 of type variant"),
        (with_columns(field(1, struct(field(2, "unknown")))), "column c1 of type unknown"),
        (
            with_columns(field(1, "int", "a"), field(2, "int", "A")),
            "columns named a that differ only in case",
        ),
        (
            with_columns(field(1, struct(field(2, "int", "x"), field(3, "int", "X")), "s")),
            "columns named s.x that differ only in case",
        ),
        (
            with_columns(field(1, {"type": "list", "element-id": 2, "element": "fixed[4]"})),
            "column c1 holds a nested fixed",
        ),
        (
            with_columns(field(1, "fixed[4]"), field(2, struct(field(3, "int")))),
            "a fixed column beside a nested one",
        ),
        (
            with_columns(field(1, struct({**field(2, "int"), "initial-default": 1}))),
            "column c1 has a nested default",
        ),
    ],
)
def test_a_table_is_refused_with_its_reason(closure, reason):
    assert table_refusals(closure) == (reason,)
    assert refusals(closure) == (reason,)


def test_files_are_refused_one_by_one():
    found = refusals(
        closure_of(
            data("/good", 1),
            data("/orc", 1, format="ORC"),
            data("/avro", 1, format="AVRO"),
            data("/avro2", 1, format="AVRO"),
            data("/secret", 1, encrypted=True),
            data("/a", 1),
            deletes("/d1", referenced="/a", format="ORC"),
            deletes("/d2", referenced="/good"),
            data("/b", 1),
            deletes("/d3", referenced="/b", encrypted=True),
            data("/c", 1),
            entry("/d4", FileKind.DELETION_VECTORS, sequence=5, referenced="/c", format="PUFFIN"),
        )
    )
    assert found == (
        "2 files: data in AVRO",
        "1 file: data in ORC",
        "1 file: data is encrypted",
        "1 file: position deletes in ORC apply",
        "1 file: position deletes that apply are encrypted",
    )


def test_a_table_that_cannot_be_read_whole_is_refused():
    """Deletes in what is not read would be lost."""
    broken = (BrokenFile("/m9", FileKind.MANIFEST, (42,), "gone"),)
    closure = replace(closure_of(data("/f", 1)), broken=broken)
    assert refusals(closure) == ("a manifest of it cannot be read",)


@pytest.mark.parametrize(
    ("ids", "known", "reason"),
    [
        ((1,), {}, ""),
        ((1, 3), {}, ""),
        ((1,), {"format": "AVRO"}, "equality deletes in AVRO apply"),
        ((1,), {"encrypted": True}, "equality deletes that apply are encrypted"),
        ((1,), {"sequence": 3}, ""),
        ((), {}, "equality deletes that name no column apply"),
        ((1, 2), {}, "equality deletes by a column of type double apply"),
        ((4,), {}, "equality deletes by an unknown or nested column apply"),
        ((9,), {}, "equality deletes by an unknown or nested column apply"),
    ],
)
def test_equality_deletes_compare_what_can_be_compared(ids, known, reason: str):
    """By columns that the table has or had."""
    old = {"schema-id": 0, "fields": [field(3, "int"), field(1, "int")]}
    now = [field(1, "long"), field(2, "double"), field(4, struct(field(5, "int")))]
    found = refusals(
        closure_of(
            data("/f", 1),
            entry("/e", FileKind.EQUALITY_DELETES, **{"sequence": 5, "equality_ids": ids, **known}),
            schemas=[old, {"schema-id": 3, "fields": now}],
        )
    )
    assert found == ((f"1 file: {reason}",) if reason else ())
