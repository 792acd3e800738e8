"""What `dp why` says, for programs."""

from typing import TYPE_CHECKING

from dp_assets.cli import cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dp_assets.domains.maintenance.due import Decision
    from dp_assets.domains.maintenance.measures import Subject
    from dp_assets.ports.maintenance import Attempt
    from dp_assets.usecases.maintenance.deciding import Explanation

SHOWN_ATTEMPTS = 5


def last_attempts(subject: "Subject", decisions: "Sequence[Decision]") -> "list[Attempt]":
    """The last ones of each operation, newest first."""
    return [
        attempt
        for decision in decisions
        for attempt in reversed(subject.of(decision.operation)[-SHOWN_ATTEMPTS:])
    ]


def why_document(
    found: "Explanation", decisions: "Sequence[Decision]", *, now_ms: int
) -> dict[str, object]:
    """As JSON: decisions with their triggers, policies and attempts."""
    from dataclasses import asdict

    from dp_assets.domains.maintenance.hot import hot_now

    subject, policy = found.subject, found.subject.policy
    return {
        "table": str(subject.table),
        "adopted": subject.adopted,
        "workload": policy.workload,
        "left_leases": [
            {"name": one.name, "owner": one.owner, "until": cells.time(one.expires_at_ms)}
            for one in found.left
        ],
        "hot_partitions": [
            {"partition": hot.words, "conflicts": hot.conflicts, "until": cells.time(hot.until_ms)}
            for hot in hot_now(subject.history, now_ms=now_ms).values()
        ],
        "operations": [
            {
                "operation": decision.operation,
                "due": decision.due,
                "score": decision.score,
                "reasons": decision.reasons,
                "next": cells.time(decision.next_ms),
                "triggers": [
                    [
                        {
                            "trigger": finding.limit.trigger,
                            "measured": finding.measured,
                            "threshold": finding.limit.threshold,
                            "reached": finding.holds,
                            "text": str(finding),
                        }
                        for finding in clause
                    ]
                    for clause in decision.findings
                ],
                "policy": [asdict(said) for said in policy.operations[decision.operation].said],
                "attempts": [asdict(a) for a in last_attempts(subject, [decision])],
            }
            for decision in decisions
        ],
    }
