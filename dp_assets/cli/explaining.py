"""Why operations on tables begin or not, for `dp why` and `dp maintain --explain`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dp_assets.core.ids import TableId
    from dp_assets.domains.maintenance.due import Decision
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.maintenance import Operation
    from dp_assets.usecases.maintenance.deciding import Explanation


class Explaining:
    """Decisions on tables; by :meth:`decision` as they were before anything was done to them.

    Args:
        lake: open.
        now_ms: what ages, windows and waits are judged by.
    """

    def __init__(self, lake: "Lakehouse", *, now_ms: int) -> None:
        from dp_assets.usecases.maintenance.journaling import read_journal

        self._lake = lake
        self._now_ms = now_ms
        self._journal = read_journal(lake, now_ms=now_ms)
        self._known: dict[TableId, dict[Operation, Decision]] = {}

    def table(self, name: str) -> "Explanation":
        """All that is known of one. Raises LakeError when it cannot be read."""
        from dp_assets.usecases.maintenance.deciding import explain
        from dp_assets.usecases.maintenance.measuring import measure_health

        return explain(
            self._lake,
            name,
            health=lambda one: measure_health(self._lake, one, now_ms=self._now_ms),
            attempts=self._journal.of,
            recent=self._journal.recent,
            now_ms=self._now_ms,
        )

    def decision(self, table: "TableId", operation: "Operation") -> "Decision":
        """Raises LakeError when the table cannot be read."""
        if table not in self._known:
            found = self.table(str(table))
            self._known[table] = {one.operation: one for one in found.decisions}
        return self._known[table][operation]


def decision_text(decision: "Decision") -> str:
    """One line: due or not, and why."""
    from dp_assets.domains.maintenance.why import next_text, reason_text

    title = f"{decision.operation} of {decision.table}"
    if decision.due:
        return f"{title} is due: {reason_text(decision)}"
    return f"{title} is not due (next: {next_text(decision)}): {reason_text(decision)}"


def decision_document(decision: "Decision") -> dict[str, object]:
    """The same as JSON."""
    from dp_assets.cli import cells

    return {
        "due": decision.due,
        "reasons": list(decision.reasons),
        "next": cells.time(decision.next_ms),
    }
