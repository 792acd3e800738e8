"""Checks on an operation: the table is read again, its own commits against what they began from.

Each takes what `find_work` found and answers with a `Judged`; what cannot be measured raises a
LakeError and is never a pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.core.units import format_bytes
from dp_assets.domains.lake.doctor import counted
from dp_assets.domains.maintenance.expiry import plan_expiry
from dp_assets.domains.maintenance.operation_checks import Judged, OperationCheck, lost_refs
from dp_assets.ports.closure import ParsedFiles, one_spelling
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets.ports.recovery import History
from dp_assets.usecases.backup.row_counts import RowCounts
from dp_assets.usecases.backup.table_checking import Looking, TableCheck
from dp_assets.usecases.maintenance.checking_sizes import judge_small_files
from dp_assets.usecases.maintenance.deciding import policy_at
from dp_assets.usecases.maintenance.own_work import AGAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dp_assets.usecases.backup.table_checking import Checked
    from dp_assets.usecases.maintenance.own_work import OwnWork, State, Step

SHOWN = 20
LOOKS = 3
NOTHING = "nothing was done to the table"


def judge_rows(work: OwnWork) -> Judged:
    """As many rows after each of its commits as before it, deletes applied."""
    if not work.steps:
        return Judged(True, NOTHING)
    known, rows = ParsedFiles(), dict[str, int]()
    with RowCounts(work.lake, work.lake.files) as counts:
        for state in (one for step in work.steps for one in (step.before, step.after)):
            if state.pointer not in rows:
                rows[state.pointer] = _rows(work, state, counts, known)
    wrong = tuple(
        f"{_name(step)}: {rows[step.before.pointer]:,} rows before, "
        f"{rows[step.after.pointer]:,} after"
        for step in work.steps
        if rows[step.before.pointer] != rows[step.after.pointer]
    )
    last = rows[work.steps[-1].after.pointer]
    return Judged(not wrong, "; ".join(wrong) or f"{last:,} rows before and after", wrong)


def judge_refs(work: OwnWork) -> Judged:
    """Every branch and tag is where it was; an expiry may take those past their own age."""
    if not work.steps:
        return Judged(True, NOTHING)
    wrong = tuple(
        f"{_name(step)}: {lost}"
        for step in work.steps
        for lost in lost_refs(
            step.before.metadata,
            step.after.metadata,
            own=step.own,
            expired=_expired(work, step),
        )
    )
    count = len(work.steps[-1].after.metadata.get("refs") or {})
    return Judged(not wrong, "; ".join(wrong) or f"{counted(count, 'ref')}, as before", wrong)


def judge_closure(work: OwnWork) -> Judged:
    """Every file that the table names is there in its size, and none of them is in the trash."""
    checked = _looked_at(work)
    unread = [one for one in checked.findings if not one.is_damage]
    if unread or checked.closure is None:
        first = (*unread, *checked.findings)[0]
        raise PermanentError(
            f"the files of {work.table} could not be checked: {first.what}", hint=first.hint
        )
    wrong = [f"{one.path}: {one.what}" for one in checked.findings]
    named = {one_spelling(file.path) for file in checked.closure.files}
    wrong += [
        f"{file.path}: it is in the trash, and the table needs it"
        for file in (work.record.files if work.record else ())
        if one_spelling(file.path) in named
    ]
    count = f"{len(named):,} files, {format_bytes(checked.bytes)}"
    said = f"{count}: {len(wrong)} are not as they should be" if wrong else f"{count}, all there"
    return Judged(not wrong, said, tuple(wrong[:SHOWN]))


def judge_memory(work: OwnWork) -> Judged:
    """The work took no more than the policy gives it, on top of what its process had before."""
    attempt = work.attempt
    if attempt.memory_bytes is None:
        raise PermanentError(
            f"the memory of {attempt.operation} of {work.table} was not measured",
            hint="this system does not tell a process its memory; Linux and macOS do",
        )
    policy = policy_at(work.lake, work.table, work.now.pointer, now_ms=attempt.started_at_ms)
    limit = policy.operations[attempt.operation].memory_bytes
    took, allowed = format_bytes(attempt.memory_bytes), format_bytes(limit)
    said = f"{took} more at its peak, {allowed} are allowed"
    return Judged(attempt.memory_bytes <= limit, said)


def judge_sizes(work: OwnWork) -> Judged:
    """Small files became fewer in every partition that was touched."""
    return judge_small_files(work) if work.steps else Judged(True, NOTHING)


def judge_refusal(work: OwnWork) -> Judged:
    """It was done, or there was nothing to do; a refusal is a warning with its reason."""
    outcome, problem = work.attempt.outcome, work.attempt.problem
    is_refused = outcome is Outcome.REFUSED
    said = f"{outcome}: {problem}" if problem else str(outcome)
    return Judged(not is_refused, said, is_warning=is_refused)


JUDGES: Mapping[OperationCheck, Callable[[OwnWork], Judged]] = {
    OperationCheck.ROWS: judge_rows,
    OperationCheck.REFS: judge_refs,
    OperationCheck.CLOSURE: judge_closure,
    OperationCheck.SMALL_FILES: judge_sizes,
    OperationCheck.MEMORY: judge_memory,
    OperationCheck.NOT_REFUSED: judge_refusal,
}


def _rows(work: OwnWork, state: State, counts: RowCounts, known: ParsedFiles) -> int:
    if state.head is None:
        return 0
    closure = read_closure(work.lake.files, state.pointer, history=History.CURRENT, known=known)
    found = counts.of(work.table, closure, [state.head])
    if state.head not in found:
        raise PermanentError(
            f"the rows of snapshot {state.head} of {work.table} cannot be counted", hint=AGAIN
        )
    return found[state.head][0]


def _expired(work: OwnWork, step: Step) -> frozenset[str]:
    """What an expiry may take, decided again from what it found."""
    if work.attempt.operation is not Operation.EXPIRY or work.record is None:
        return frozenset()
    at_ms = work.record.at_ms
    policy = policy_at(work.lake, work.table, step.before.pointer, now_ms=at_ms)
    plan = plan_expiry(step.before.metadata, policy.retention, now_ms=at_ms)
    return frozenset(name for name, _ in plan.refs)


def _looked_at(work: OwnWork) -> Checked:
    """Once more when the table moved meanwhile: another engine may delete what it replaced."""
    looking = Looking(work.lake.files, workers=work.lake.settings.backup.workers)
    check, pointer = TableCheck(looking, work.table), work.now.pointer
    for _ in range(LOOKS):
        checked = check.run(pointer)
        now = existing_pointer(work.lake.catalog, work.table)
        if not checked.findings or now == pointer:
            return checked
        pointer = now
    raise TransientError(f"{work.table} moved whenever its files were looked at", hint=AGAIN)


def _name(step: Step) -> str:
    return "the expiry" if step.own is None else f"snapshot {step.own}"
