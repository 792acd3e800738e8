"""`dp repo`: the repository of recovery points: made, described, and kept readable."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dp_assets.cli import cells
from dp_assets.cli.output import JsonFlag, Output, Panel, examples

if TYPE_CHECKING:
    from dp_assets.settings import Settings
    from dp_assets.usecases.backup.making_repository import MadeRepository, NewKeys
    from dp_assets.usecases.backup.repositories import RepositoryInfo

KeyFlag = Annotated[
    list[Path] | None, typer.Option("--key", help="A file of a private age key; may be repeated.")
]
KEEP_IT = """
!! The private key is in {identity}, and nowhere else.
!! Without it nobody can ever read a recovery point of this repository; we cannot help.
!! Move it now to where it outlives this machine and where no writer can read it
!! (a password safe and a sheet of paper), and try it once: 'dp repo rebuild-index --key FILE'.
!! The naming key is needed by every writer; keep a copy of it in the same place."""
ONE_WRITER = (
    "create-if-absent is ignored there: one writer only, and repository.only_writer: true says so"
)
REMOVED = """
who was removed still reads everything stored until now. To take that back, make a
new repository and destroy this one. Who has the naming key can still tell
whether content he has is in it."""
NEW_KEY = """
the private key is in {path}, and nowhere else: move it to where it
outlives this machine. It reads what is stored from now on; what is there already
still needs a key that it was sealed for."""


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="The repository of recovery points: made, described, kept readable.",
        rich_markup_mode=None,
    )
    verbs = {
        "init": (
            init,
            ("dp repo init", "dp repo init --encrypt --naming-key n.key --identity i.key"),
        ),
        "info": (info, ("dp repo info", "dp repo info --repository s3://bucket/prefix --json")),
        "rebuild-index": (rebuild_index, ("dp repo rebuild-index --key identity.key",)),
        "leases": (leases, ("dp repo leases",)),
        "recipients": (
            recipients,
            (
                "dp repo recipients",
                "dp repo recipients --new-key new.key --comment 'safe, first floor'",
                "dp repo recipients --add age1...",
            ),
        ),
    }
    for name, (function, shown) in verbs.items():
        group.command(name, epilog=examples(*shown))(function)
    app.add_typer(group, name="repo", rich_help_panel=Panel.SET_UP)


def init(
    *,
    encrypt: Annotated[
        bool, typer.Option("--encrypt", help="Seal everything with age; cannot be changed later.")
    ] = False,
    naming_key: Annotated[
        Path | None, typer.Option(help="File of the key that names objects; made if missing.")
    ] = None,
    identity: Annotated[
        Path | None, typer.Option(help="File of the private age key; made if missing.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make the repository that the settings name.

    Harmless when it is there.
    """
    from dp_assets.core.units import now_ms
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup.making_repository import NewKeys, init_repository

    out = Output(json=as_json)
    settings = load_settings()
    wanted = encrypt or naming_key or identity
    keys = NewKeys(_absolute(naming_key), _absolute(identity)) if wanted else None
    done = init_repository(settings, keys=keys, now_ms=now_ms())
    facts = {
        "repository": done.address,
        "id": done.description.repository_id,
        "names": done.description.naming,
        "one winner": done.description.one_winner,
    }
    if as_json:
        out.document({**facts, "recipients": list(done.recipients), "made": list(done.made)})
        return
    for made in done.made:
        out.line(f"made {made}")
    if not done.made:
        out.line("the repository is there already; nothing was changed")
    out.line("")
    out.facts(facts)
    if not done.description.one_winner:
        out.line(f"\n{ONE_WRITER}")
    if done.made and keys:
        _explain_keys(out, settings, keys, done)


def _explain_keys(
    out: Output, settings: "Settings", keys: "NewKeys", done: "MadeRepository"
) -> None:
    """What to write into the settings, and what to do with the private key."""
    out.line("\nput this into lakehouse.yaml:\n\nrepository:")
    out.line(f"  url: {settings.repository.url.redacted}")
    out.line(f"  recipients: [{', '.join(done.recipients)}]")
    if keys.naming_key:
        out.line(f"  naming_key: file:{keys.naming_key}")
    if keys.identity:
        out.line(f"  # identity_files: [{keys.identity}]   # only where restores and drills run")
    if keys.identity and any(made.startswith("private key") for made in done.made):
        out.line(KEEP_IT.format(identity=keys.identity))


def info(
    *,
    repository: Annotated[
        str, typer.Option(help="Its address; default: that of lakehouse.yaml.")
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Show what a repository is and holds.

    No key is needed.
    """
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup import repositories

    out = Output(json=as_json)
    opened = (
        repositories.open_at(repository)
        if repository
        else repositories.open_for_reading(load_settings())
    )
    found = repositories.describe_repository(opened)
    if as_json:
        out.document(_document(found))
        return
    out.facts(
        {
            "repository": found.address,
            "id": found.description.repository_id,
            "format": found.description.format,
            "made": cells.time(found.description.created_at_ms),
            "names": found.description.naming,
            "encrypted": found.description.encrypted,
            "points": cells.count(found.points),
            "newest": found.newest,
            "newest at": cells.time(found.newest_at_ms),
            "objects": cells.count(found.objects),
            "size": cells.size(found.bytes),
        }
    )
    for one in found.recipients:
        out.line(f"sealed for {one.key}  {one.comment}".rstrip())
    if not found.description.one_winner:
        out.line(f"\n{ONE_WRITER}")


def _document(found: "RepositoryInfo") -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(found), "encrypted": found.description.encrypted}


def rebuild_index(*, key: KeyFlag = None, as_json: JsonFlag = False) -> None:
    """Make this machine's index of it again.

    The index is a cache: nothing is lost with it.
    """
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup.indexing import rebuild_index as rebuild
    from dp_assets.usecases.backup.repositories import open_for_reading

    out = Output(json=as_json)
    settings = load_settings()
    opened = open_for_reading(settings, key_files=key or ())
    with out.progress(0, "points") as advance:
        done = rebuild(settings, opened, progress=advance)
    out.facts(
        {"points": done.points, "files": done.files, "points without files": done.files_unread}
    )
    if done.files_unread:
        out.line(
            "\nwithout a private key only the objects could be learnt, not which source files they"
            "\ncame from: the next backup reads every source file once. --key FILE avoids that."
        )


def leases(*, as_json: JsonFlag = False) -> None:
    """List who may write or prune, and until when."""
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup.repositories import leases_of, open_for_reading

    held = leases_of(open_for_reading(load_settings()).store).held()
    rows = [(one.name, one.owner, one.fencing, cells.time(one.expires_at_ms)) for one in held]
    Output(json=as_json).table("", ("lease", "owner", "fencing", "expires"), rows)


def recipients(
    *,
    add: Annotated[
        list[str] | None, typer.Option(help="A public key, age1...; may be repeated.")
    ] = None,
    new_key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Make a private key here and add its public one."),
    ] = None,
    comment: Annotated[str, typer.Option(help="Whose key is added.")] = "",
    remove: Annotated[list[str] | None, typer.Option(help="A public key; may be repeated.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show or change whom new objects are sealed for.

    What is stored stays as it was sealed.
    """
    from dp_assets.core.units import now_ms
    from dp_assets.domains.backup.recipients import Recipient
    from dp_assets.settings import load_settings
    from dp_assets.usecases.backup.making_repository import (
        change_recipients,
        current_recipients,
        new_recipient,
    )

    out = Output(json=as_json)
    settings = load_settings()
    if not (add or remove or new_key):
        now = current_recipients(settings)
    else:
        keys = list(add or ())
        if new_key:
            keys.append(new_recipient(settings, _absolute(new_key) or new_key, now_ms=now_ms()))
        new = [Recipient(one, comment) for one in keys]
        now = change_recipients(settings, add=new, remove=remove or (), now_ms=now_ms()).recipients
    out.table("", ("public key", "comment"), [(one.key, one.comment) for one in now])
    if remove:
        out.line(REMOVED)
    if new_key:
        out.line(NEW_KEY.format(path=_absolute(new_key)))
    if (add or remove or new_key) and settings.repository.recipients:
        out.line(
            f"\nrepository.recipients: [{', '.join(one.key for one in now)}]  # for every writer"
        )


def _absolute(path: Path | None) -> Path | None:
    return path.expanduser().resolve() if path else None
