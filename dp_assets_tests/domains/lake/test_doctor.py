"""Judging a catalog."""

import pytest

from dp_assets.domains.lake.doctor import (
    Area,
    Finding,
    Severity,
    check_database,
    check_identity,
    has_errors,
    some,
)
from dp_assets.domains.lake.identity import Identity, Place
from dp_assets.ports.doctor import Database, DatabaseState

HERE = Place("sqlite:////a/catalog.db", "file:///a/warehouse")


def test_a_recorded_identity_at_its_place_is_fine():
    found = check_identity(Identity("1234", HERE, ""), HERE)
    assert (found.severity, found.hint) == (Severity.OK, "")
    assert "1234" in found.what


@pytest.mark.parametrize(
    ("place", "named"),
    [
        (
            Place("sqlite:////b/catalog.db", "file:///a/warehouse"),
            "recorded sqlite:////b/catalog.db",
        ),
        (Place("sqlite:////a/catalog.db", "file:///b/w"), "recorded file:///b/w"),
    ],
)
def test_another_place_is_an_error_that_names_what_differs(place, named):
    found = check_identity(Identity("1234", place, ""), HERE)
    assert found.severity is Severity.ERROR
    assert named in found.what
    assert "'dp init --new-identity'" in found.hint


def test_no_identity_is_a_warning_with_the_command():
    found = check_identity(None, HERE)
    assert found.severity is Severity.WARN
    assert "'dp init'" in found.hint


@pytest.mark.parametrize("state", DatabaseState)
def test_every_state_of_a_database_but_one_is_an_error_that_says_what_to_do(state):
    found = check_database(Database("/a/catalog.db", state, "is so and so"))
    good = state is DatabaseState.GOOD
    assert found.severity is (Severity.OK if good else Severity.ERROR)
    assert bool(found.hint) is not good
    assert "/a/catalog.db" in found.what


@pytest.mark.parametrize(
    ("severities", "errors"), [(["ok", "warn"], False), (["ok", "error"], True), ([], False)]
)
def test_warnings_are_no_errors(severities, errors):
    findings = [Finding(Severity(s), Area.MACHINE, "x", "y") for s in severities]
    assert has_errors(findings) is errors


def test_long_lists_are_cut():
    assert some(["a", "b"]) == "a, b"
    assert some(list("abcdefg")) == "a, b, c, d, e and 2 more"
