"""What changed between two points."""

from dp_assets.domains.backup.point_diff import Change, TableChange, diff_points
from dp_assets_tests.domains.backup.manifests import line, manifest


def test_every_kind_of_change_is_told():
    earlier = manifest(
        line("raw.gone", rows=7, size=70),
        line("raw.same"),
        line("raw.grown", rows=10, size=100),
        line("raw.again", uuid="u-1"),
        line("raw.unknown"),
    )
    later = manifest(
        line("raw.same"),
        line("raw.new", rows=5, size=50),
        line("raw.grown", pointer="/t/2.json", rows=15, size=90, files=6, snapshots=2),
        line("raw.again", uuid="u-2", pointer="/t/9.json"),
        line("raw.unknown", pointer="/t/2.json", rows=None),
    )
    assert diff_points(earlier, later) == (
        TableChange("raw.again", Change.REPLACED, rows=0, bytes=0, files=0, snapshots=0),
        TableChange("raw.gone", Change.REMOVED, rows=-7, bytes=-70, files=-4, snapshots=-1),
        TableChange("raw.grown", Change.CHANGED, rows=5, bytes=-10, files=2, snapshots=1),
        TableChange("raw.new", Change.ADDED, rows=5, bytes=50, files=4, snapshots=1),
        TableChange("raw.unknown", Change.CHANGED, rows=None, bytes=0, files=0, snapshots=0),
    )


def test_a_point_does_not_differ_from_itself():
    one = manifest(line("raw.a"), line("raw.b", problem="lost"))
    assert diff_points(one, one) == ()


def test_a_table_that_became_incomplete_differs():
    (found,) = diff_points(manifest(line("raw.a")), manifest(line("raw.a", problem="lost")))
    assert found.change is Change.CHANGED
