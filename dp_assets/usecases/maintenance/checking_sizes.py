"""Whether small files became fewer by a compaction's own commits."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.domains.maintenance.heads import head_of
from dp_assets.domains.maintenance.operation_checks import Judged
from dp_assets.domains.maintenance.sizing import is_small
from dp_assets.ports.closure import ParsedFiles
from dp_assets.ports.recovery import History
from dp_assets.usecases.maintenance.deciding import policy_at

if TYPE_CHECKING:
    from dp_assets.domains.maintenance.heads import Head, Scope
    from dp_assets.domains.maintenance.policies import TablePolicy
    from dp_assets.usecases.maintenance.own_work import OwnWork, State, Step


@dataclass(slots=True)
class _Small:
    """Small files of one partition that a commit took away, and that it brought."""

    gone: int = 0
    new: int = 0

    @property
    def fell(self) -> bool:
        """What was rewritten for its deletes or its size alone may leave one small file."""
        return self.new < self.gone if self.gone > 1 else self.new <= 1


def judge_small_files(work: OwnWork) -> Judged:
    """In each partition that a commit of the run touched.

    Raises LakeError when the table before or after a commit cannot be read.
    """
    known = ParsedFiles()
    started_ms = work.attempt.started_at_ms
    policy = policy_at(work.lake, work.table, work.now.pointer, now_ms=started_ms)
    gone, new, wrong = 0, 0, list[str]()
    for step in work.steps:
        before, after = (_head(work, state, known) for state in (step.before, step.after))
        for place, small in _small(before, after, policy).items():
            gone, new = gone + small.gone, new + small.new
            if not small.fell:
                wrong.append(f"{_words(step, place)}: {small.gone} small files became {small.new}")
    return Judged(not wrong, f"{gone:,} small files became {new:,}", tuple(wrong))


def _head(work: OwnWork, state: State, known: ParsedFiles) -> Head:
    closure = read_closure(work.lake.files, state.pointer, history=History.CURRENT, known=known)
    return head_of(closure)


def _small(before: Head, after: Head, policy: TablePolicy) -> dict[Scope, _Small]:
    sizes: defaultdict[Scope, int] = defaultdict(int)
    for placed in before.data.values():
        sizes[placed.scope] += placed.entry.size
    targets = {place: policy.target(size) for place, size in sizes.items()}
    found: defaultdict[Scope, _Small] = defaultdict(_Small)
    for path in before.data.keys() ^ after.data.keys():
        is_new = path in after.data
        placed = (after if is_new else before).data[path]
        counts = found[placed.scope]
        small = is_small(placed.entry.size, targets.get(placed.scope, 0))
        counts.new += small and is_new
        counts.gone += small and not is_new
    return dict(found)


def _words(step: Step, place: Scope) -> str:
    return f"snapshot {step.own}, spec {place[0]}, partition {', '.join(place[1]) or '-'}"
