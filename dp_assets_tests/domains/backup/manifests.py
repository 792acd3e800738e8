"""Manifests of recovery points with nothing in them but what a decision looks at."""

from dp_assets.ports.recovery import History, ObjectRef, PointManifest, PointTable

REF = ObjectRef("a" * 64, "a" * 64, 1, "a" * 64, 1)


def line(table, *, size=100, uuid="u-1", pointer="/t/1.json", problem="", rows=10, **more):
    """One table of a point."""
    given = {"files": 4, "snapshots": 1, "head": 1, "content": REF, "references": REF, **more}
    return PointTable(
        table=table, uuid=uuid, pointer=pointer, bytes=size, problem=problem, rows=rows, **given
    )


def manifest(*tables, number=2, history=History.ALL, include=("*",), exclude=()):
    """A point of these tables."""
    return PointManifest(
        number=number,
        lakehouse_id="l-1",
        origin="test",
        catalog_address="sqlite:///x",
        warehouse="/w",
        started_at_ms=1000,
        finished_at_ms=3500,
        cut="exact",
        cut_at_ms=1500,
        skew_ms=0,
        history=history,
        include=include,
        exclude=exclude,
        tables=tables,
        namespaces={},
        views={},
        dump=None,
        settings=None,
    )
