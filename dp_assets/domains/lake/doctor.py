"""What is wrong with a lakehouse and what to do about it; pure decisions over measured facts.

One file per area: here the catalog, beside it the machine, the tables and the leftovers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dp_assets.domains.lake.identity import Identity, Place, differences
from dp_assets.ports.doctor import Database, DatabaseState

SHOWN = 5


class Severity(StrEnum):
    """OK: as it should be, or nothing to do; WARN: look at it; ERROR: something does not work."""

    OK = "ok"
    WARN = "warn"
    ERROR = "error"


class Area(StrEnum):
    """What a finding is about; the order of the report."""

    MACHINE = "machine"
    CATALOG = "catalog"
    TABLES = "tables"
    RECOVERY = "recovery"
    LEFTOVERS = "leftovers"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer: how bad, on which object, what it is, and what to do about it."""

    severity: Severity
    area: Area
    subject: str
    what: str
    hint: str = ""


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether anything does not work."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def counted(count: int, noun: str) -> str:
    """``1 table``, ``2 tables``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


_DATABASE_HINTS = {
    DatabaseState.GOOD: "",
    DatabaseState.MISSING: "'dp init' makes one; if there was one, put its last dump back",
    DatabaseState.UNREADABLE: "give this user access to it, or correct catalog.uri",
    DatabaseState.LOCKED: "wait until that process is done, or end it; nothing was changed",
    DatabaseState.READ_ONLY: "make the file and its folder writable for this user",
    DatabaseState.DAMAGED: "keep a copy of it, then put the last dump back. The tables' files are "
    "not touched: without a dump, 'dp init' a new catalog and "
    "'dp register' each table's newest metadata.json",
    DatabaseState.FOREIGN: "correct catalog.uri; 'dp init' makes a new catalog at a new address",
}


def check_database(database: Database) -> Finding:
    """The file behind a SQLite catalog."""
    good = database.state is DatabaseState.GOOD
    return Finding(
        Severity.OK if good else Severity.ERROR,
        Area.CATALOG,
        "database",
        f"{database.path} {'is whole and not locked' if good else database.detail}",
        _DATABASE_HINTS[database.state],
    )


def check_identity(identity: Identity | None, actual: Place) -> Finding:
    """Whether the catalog is the one that these settings were made for."""
    subject = "identity"
    if identity is None:
        what = f"the catalog at {actual.catalog_address} has no lakehouse identity"
        hint = "'dp init' records one; until then everything that changes or deletes is refused"
        return Finding(Severity.WARN, Area.CATALOG, subject, what, hint)
    if found := differences(identity, actual):
        what = f"this is not lakehouse {identity.lakehouse_id} itself: {'; '.join(found)}"
        hint = "correct lakehouse.yaml, or give a copy its own identity: 'dp init --new-identity'"
        return Finding(Severity.ERROR, Area.CATALOG, subject, what, hint)
    what = f"lakehouse {identity.lakehouse_id}, at its recorded address and warehouse"
    return Finding(Severity.OK, Area.CATALOG, subject, what)
