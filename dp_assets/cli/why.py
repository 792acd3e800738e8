"""`dp why TABLE [OPERATION]`: what is due, what is not, and when it may be."""

from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.explaining import Explaining
from dp_assets.cli.output import Cell, JsonFlag, Output, Panel, examples
from dp_assets.cli.why_document import last_attempts, why_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dp_assets.domains.maintenance.due import Decision
    from dp_assets.domains.maintenance.measures import Subject
    from dp_assets.ports.maintenance import Attempt, Operation
    from dp_assets.usecases.maintenance.deciding import Explanation


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "why",
        rich_help_panel=Panel.MAINTAIN,
        epilog=examples("dp why raw.flights", "dp why raw.flights compaction --json"),
    )(why)


def why(
    name: Annotated[str, typer.Argument(metavar="TABLE", help="namespace.table")],
    operation: Annotated[
        str,
        typer.Argument(
            metavar="OPERATION", help="expiry, manifests, compaction or orphans; default: all."
        ),
    ] = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """Say why maintenance of a table begins now or not, and when it may; changes nothing."""
    from dp_assets.core.units import now_ms
    from dp_assets.lakehouse import opened

    out, now = Output(json=as_json), now_ms()
    wanted = operation_called(operation)
    with opened(doing="dp why") as lake:
        found = Explaining(lake, now_ms=now).table(name)
    asked = [d for d in found.decisions if wanted in (None, d.operation)]
    if as_json:
        out.document(why_document(found, asked, now_ms=now))
    else:
        _show(out, found, asked, now_ms=now)


def operation_called(text: str) -> "Operation | None":
    """The operation of that name; None for "". Raises ConfigurationError for no such one."""
    from dp_assets.core.errors import ConfigurationError
    from dp_assets.ports.maintenance import Operation

    if not text:
        return None
    try:
        return Operation(text)
    except ValueError:
        raise ConfigurationError(
            f"there is no operation {text}", hint=f"it is one of {', '.join(Operation)}"
        ) from None


def _show(
    out: Output, found: "Explanation", decisions: "Sequence[Decision]", *, now_ms: int
) -> None:
    from dp_assets.domains.maintenance.why import hot_texts, left_text, standing_text

    subject = found.subject
    out.line(f"{subject.table}: {standing_text(subject)}\n")
    for lease in found.left:
        out.line(f"{left_text(lease)}\n")
    for text in hot_texts(subject, now_ms=now_ms):
        out.line(f"{text}\n")
    out.table("Decision", ("operation", "due", "next", "because"), map(_decision_row, decisions))
    out.table(
        "\nTriggers",
        ("operation", "trigger", "measured", "enough", "reached"),
        (row for decision in decisions for row in _trigger_rows(decision)),
    )
    out.table(
        "\nPolicy",
        ("operation", "setting", "value", "from"),
        (row for decision in decisions for row in _policy_rows(subject, decision)),
    )
    done = last_attempts(subject, decisions)
    if done:
        columns = ("operation", "ended", "outcome", "problem", "run")
        out.table("\nLast attempts", columns, map(_attempt_row, done))
    else:
        out.line("\nNo attempt is recorded.")


def _decision_row(decision: "Decision") -> tuple[Cell, ...]:
    from dp_assets.domains.maintenance.why import next_text, reason_text

    return str(decision.operation), decision.due, next_text(decision), reason_text(decision)


def _trigger_rows(decision: "Decision") -> "Iterator[tuple[Cell, ...]]":
    """A limit that must hold together with those above it begins with ``and``."""
    from dp_assets.domains.maintenance.conditions import quantity

    for clause in decision.findings:
        for position, finding in enumerate(clause):
            trigger, measured = finding.limit.trigger, finding.measured
            yield (
                str(decision.operation),
                f"and {trigger}" if position else str(trigger),
                "never done" if measured is None else quantity(trigger, measured),
                quantity(trigger, finding.limit.threshold),
                finding.holds,
            )


def _policy_rows(subject: "Subject", decision: "Decision") -> "Iterator[tuple[Cell, ...]]":
    from dp_assets.domains.maintenance.why import said_rows

    operation = decision.operation
    for said in said_rows(subject.policy.operations[operation]):
        value = said.value
        text = str(value).lower() if isinstance(value, bool) else str(value)
        yield str(operation), said.key, text, said.origin


def _attempt_row(attempt: "Attempt") -> tuple[Cell, ...]:
    return (
        str(attempt.operation),
        cells.time(attempt.finished_at_ms),
        str(attempt.outcome),
        attempt.problem or None,
        attempt.run_id,
    )
