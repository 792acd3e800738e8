"""Which glob is the most specific: exactly the rule in the docstring."""

import random
from fnmatch import fnmatchcase

import pytest

from dp_assets.domains.maintenance.globs import matching, specificity


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ("raw.flights", "raw.flights*"),
        ("raw.flights", "raw.flight?"),
        ("raw.flights*", "*.flights"),
        ("*.flights", "raw.*"),
        ("raw.flight[s]", "raw.flight?"),
        ("raw.?", "raw.*"),
        ("raw.?*", "raw.*"),
        ("raw.*", "raw.**"),
        ("raw.*", "*"),
        ("raw.[!a]", "raw.?"),
        ("a[", "a?"),
    ],
)
def test_more_specific(more, less):
    assert specificity(more) > specificity(less)


@pytest.mark.parametrize(
    ("one", "other"),
    [("raw.f*", "ra*w.f"), ("*.ab", "*b.a"), ("a[bc]", "a[xyz]"), ("x[]]", "x[a]")],
)
def test_level(one, other):
    assert specificity(one) == specificity(other)


def test_only_globs_that_match_the_most_specific_first():
    globs = ["*", "raw.*", "curated.*", "*.flights", "raw.flights", "RAW.flights", "raw.[a-f]*"]
    assert matching("raw.flights", globs) == [
        *("raw.flights", "*.flights", "raw.[a-f]*", "raw.*", "*")
    ]


@pytest.mark.parametrize("seed", range(50))
def test_a_name_itself_beats_every_glob_that_it_matches(seed):
    pick = random.Random(seed)  # noqa: S311 - no secret
    name = "".join(pick.choice("ab.") for _ in range(pick.randrange(1, 6)))
    for _ in range(200):
        glob = "".join(pick.choice("ab.?*") for _ in range(pick.randrange(1, 7)))
        if glob != name and fnmatchcase(name, glob):
            assert specificity(name) > specificity(glob), (name, glob)
