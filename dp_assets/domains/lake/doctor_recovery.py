"""Findings about recovery: where the repository is, what is in it, and who could read its keys."""

from collections.abc import Iterator, Sequence

from dp_assets.core.units import format_seconds, iso_utc
from dp_assets.domains.backup.recovery_state import RecoveryState
from dp_assets.domains.lake.doctor import Area, Finding, Severity
from dp_assets.ports.doctor import Folder, KeyFile

REPOSITORY = "repository"


def no_repository(address: str) -> Finding:
    """A lakehouse that has none yet: said, and no fault."""
    what = f"there is none at {address}: nothing could be brought back"
    hint = "'dp repo init' makes one, then 'dp backup' a recovery point"
    return Finding(Severity.OK, Area.RECOVERY, REPOSITORY, what, hint)


def check_repository_folder(repository: Folder, others: Sequence[Folder]) -> Iterator[Finding]:
    """A repository in a folder: whether backups can write there, and what else is on its disk."""
    if repository.refusal:
        what = f"{repository.path} cannot be written: {repository.refusal}"
        hint = "backups fail until this user can write there; reading and restoring still work"
        yield Finding(Severity.ERROR, Area.RECOVERY, REPOSITORY, what, hint)
    else:
        what = f"{repository.path} is writable"
        yield Finding(Severity.OK, Area.RECOVERY, REPOSITORY, what)
    beside = [f.name for f in others if f.device == repository.device]
    if beside:
        what = f"{repository.path} is on the disk of {' and '.join(beside)}: it may go with them"
        hint = "another disk or a bucket for repository.url, or a second place as replica.url"
        yield Finding(Severity.OK, Area.RECOVERY, "repository's disk", what, hint)


def check_key_files(files: Sequence[KeyFile]) -> Iterator[Finding]:
    """A private key that others can read opens every point for them."""
    for file in files:
        if file.mode & 0o077:
            what = f"{file.path} is open to others, mode {file.mode:04o}"
            hint = f"chmod 600 {file.path}; who has read it can read every point made so far"
            yield Finding(Severity.WARN, Area.RECOVERY, "private key", what, hint)


def check_recovery(state: RecoveryState) -> Iterator[Finding]:
    """Points, proofs, dump and replica against what was promised."""
    problems = [
        *_check_points(state),
        *_check_proofs(state),
        *_check_dump(state),
        *_check_replica(state),
    ]
    newest = state.newest
    if newest and not problems:
        what = f"point {newest.number} of {iso_utc(newest.cut_at_ms)}, proven, all within limits"
        yield Finding(Severity.OK, Area.RECOVERY, "recovery points", what)
    yield from problems


def _warn(subject: str, what: str, hint: str) -> Finding:
    return Finding(Severity.WARN, Area.RECOVERY, subject, what, hint)


def _check_points(state: RecoveryState) -> Iterator[Finding]:
    subject, newest = "recovery points", state.newest
    if newest is None:
        what = f"{state.repository} holds no complete recovery point"
        yield _warn(subject, what, "'dp backup' makes one")
    elif not state.rpo_within:
        what = f"the newest, {newest.number}, is {_late(newest.age_ms, state.rpo_ms)}"
        hint = "'dp backup' makes one now; 'dp status' says why none was made"
        yield _warn(subject, what, hint)
    if state.incomplete:
        numbers = ", ".join(map(str, state.incomplete))
        hint = "'dp points show NUMBER' names the tables that could not be copied, and why"
        yield _warn("incomplete points", f"{numbers}, newer than every complete one", hint)


def _check_proofs(state: RecoveryState) -> Iterator[Finding]:
    subject, proof = "drills", state.proof
    if state.newest is None:
        return
    if proof is None:
        what = "no drill has proven any point: nobody knows whether it can be restored"
        yield _warn(subject, what, "'dp drill' holds one")
        return
    if not state.proven_within:
        what = f"the last proof is {_late(proof.age_ms, state.max_unproven_ms)}"
        yield _warn(subject, what, "'dp drill' holds one now; 'dp status' says why none was held")
    if state.restore_seconds is not None and not state.rto_within:
        takes, limit = format_seconds(state.restore_seconds), format_seconds(state.rto_ms / 1000)
        hint = "a faster disk or network, less history in the lakehouse, or another promise: "
        hint += "recovery.rto_minutes"
        yield _warn("restore time", f"a restore takes {takes}, {limit} are promised", hint)


def _check_dump(state: RecoveryState) -> Iterator[Finding]:
    if state.dump and state.dump.restores is False:
        hint = "'dp dump' makes another; 'dp dump --list' says what is wrong and which are good"
        yield _warn("metastore dump", f"the newest, {state.dump.name}, does not restore", hint)


def _check_replica(state: RecoveryState) -> Iterator[Finding]:
    replica = state.replica
    if replica is None or replica.is_good:
        return
    hint = "'dp replicate' copies what is missing; 'dp status' says why it was not done"
    if replica.problem:
        hint = "check replica.url and access to it; points are in one place until it answers"
    late = f"{format_seconds(replica.lag_ms / 1000)} behind"
    limit = f"{format_seconds(replica.max_lag_ms / 1000)} are allowed"
    yield _warn("replica", f"{replica.address}: {replica.problem or f'{late}, {limit}'}", hint)


def _late(age_ms: int, limit_ms: int) -> str:
    return f"{format_seconds(age_ms / 1000)} old, {format_seconds(limit_ms / 1000)} are promised"
