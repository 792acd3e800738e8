"""What a restore does to the catalog: namespaces first; tables, then views, when all is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pyiceberg.catalog.sql import SqlCatalog

from dp_assets.adapters.iceberg_json import read_metadata
from dp_assets.adapters.namespace_properties import write_properties
from dp_assets.adapters.pyiceberg_create import refuse_foreign
from dp_assets.adapters.pyiceberg_inventory import UNREADABLE
from dp_assets.adapters.pyiceberg_pointer import read_pointer, swap_pointer
from dp_assets.adapters.pyiceberg_register import register_table, require_served
from dp_assets.adapters.reading_io import ReadingIO
from dp_assets.adapters.recovery.pyiceberg_views import create_view
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.units import now_ms
from dp_assets.domains.backup.restore_plan import Refused, moved_namespace
from dp_assets.usecases.backup.restore_journal import Replaced, record_replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dp_assets.core.ids import TableId
    from dp_assets.domains.backup.points import Points
    from dp_assets.domains.backup.restore_plan import RestorePlan, TablePlan
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.settings import Settings

IN_A_DATABASE = ("sql", "in-memory")


class Registration:
    """The tables of ``plan`` in the catalog of ``lake``.

    Args:
        guard: asked right before each change; raises when this run has lost its lease.
    """

    def __init__(
        self, lake: Lakehouse, plan: RestorePlan, points: Points, *, guard: Callable[[], None]
    ) -> None:
        self._lake = lake
        self._plan = plan
        self._manifest = points.manifest(points.record(plan.point))
        self._guard = guard

    def is_done(self, table: TablePlan) -> bool:
        """Whether an earlier run registered it; somebody may have written to it since."""
        pointer = read_pointer(self._lake.catalog, table.target)
        if pointer is None or pointer == table.replaces:
            return False
        return pointer == table.pointer or self._uuid(pointer) == table.uuid

    def run(self, tables: Sequence[TablePlan]) -> tuple[Refused, ...]:
        """Make them visible, one after the other; gives those that the catalog does not serve.

        Raises:
            PermanentError: a name was taken meanwhile.
            TransientError: the lease is lost, or the table to be replaced has moved.
        """
        refused: list[Refused] = []
        for table in tables:
            if not self.is_done(table):
                self._guard()
                self._register(table)
            try:
                require_served(self._lake.catalog, table.target, table.uuid)
            except PermanentError as error:
                refused.append(Refused(str(table.source), error.what))
        return tuple(refused)

    def make_views(self) -> tuple[str, ...]:
        """Those of the whole lake, once its tables are there; gives those that cannot come back."""
        if not self._plan.everything:
            return ()
        return tuple(
            name
            for name, view in sorted(self._manifest.views.items())
            if not create_view(self._lake.catalog, name, view)
        )

    def _uuid(self, pointer: str) -> str:
        try:
            return str(
                read_metadata(ReadingIO(self._lake.catalog.properties), pointer)["table-uuid"]
            )
        except UNREADABLE:
            return ""

    def make_namespaces(self) -> None:
        """Those that are missing, each with the properties of the one that its tables come from.

        The whole lake brings its empty namespaces, too. They come before any file: the buckets of
        some catalogs take none for a namespace that they do not know.
        """
        known = self._manifest.namespaces
        wanted = {name: name for name in known} if self._plan.everything else {}
        for table in self._plan.tables:
            wanted.setdefault(table.target.namespace, table.source.namespace)
        for name in sorted(wanted):
            if self._lake.catalog.namespace_exists(tuple(name.split("."))):
                continue
            self._guard()
            properties = moved_namespace(
                known.get(wanted[name], {}),
                old_root=self._manifest.warehouse,
                new_root=self._plan.warehouse,
            )
            write_properties(self._lake.catalog, name, properties)

    def _register(self, table: TablePlan) -> None:
        if table.replaces:
            replace_pointer(
                self._lake,
                table.target,
                old=table.replaces,
                new=table.pointer,
                why=f"dp restore of recovery point {self._plan.point}",
            )
        else:
            register_table(self._lake.catalog, table.target, table.pointer)


def require_replaceable(settings: Settings, doing: str) -> None:
    """Asked before anything is written.

    Raises ConfigurationError when the catalog's pointers are not in a database of ours.
    """
    if settings.catalog.type not in IN_A_DATABASE:
        raise ConfigurationError(
            f"{doing}: a {settings.catalog.type} catalog keeps its pointers itself",
            hint="drop the table there, or restore it under another name with --rename",
        )


def replace_pointer(lake: Lakehouse, table: TableId, *, old: str, new: str, why: str) -> None:
    """Move a table's pointer to a restored metadata file, if it still is where it was.

    The old pointer is recorded first; none of its files is touched.

    Raises:
        PermanentError: this is not certainly the lakehouse itself, or the table is foreign.
        TransientError: somebody holds or changed the table.
        ConfigurationError: the catalog's pointers are not in a database of ours.
    """
    doing = f"replace {table}"
    lake.require_identity(doing)
    require_replaceable(lake.settings, doing)
    catalog = cast("SqlCatalog", lake.catalog)
    with lake.lease(f"table/{table}", doing=why) as lease:
        _refuse_foreign(lake, table, old)
        record_replaced(lake.settings, Replaced(now_ms(), str(table), old, new, why))
        lake.leases.check(lease)
        swap_pointer(catalog, table, old=old, new=new)


def _refuse_foreign(lake: Lakehouse, table: TableId, pointer: str) -> None:
    """A table whose metadata cannot be read may be replaced: there is nothing left of it."""
    try:
        metadata = read_metadata(ReadingIO(lake.catalog.properties), pointer)
    except UNREADABLE:
        return
    refuse_foreign(table, metadata.get("properties") or {})
