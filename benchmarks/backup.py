"""Case ``backup``: recovery points against rclone and restic, local disk to local disk."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import lakes
from benchmarks.lakes import Lake, Shape, start_of, starting
from benchmarks.measure import Rounds, Sample, Side, environment, middle, shuffled_rounds
from benchmarks.options import Options
from benchmarks.report import Findings, Goal

FILES = (400, 8, 20_000)
PEAK_MIB = 200
OURS = ("full", "unchanged", "verify", "restore")
VERBS: Mapping[str, tuple[str, ...]] = {
    "full": ("backup",),
    "unchanged": ("backup",),
    "verify": ("verify", "--full"),
    "restore": ("restore", "--to", "{state}/restored"),
}
# verb of ours -> (program, its words, the largest ratio of seconds)
PEERS: Mapping[str, tuple[tuple[str, tuple[str, ...], float], ...]] = {
    "full": (
        ("rclone", ("copy", "{warehouse}", "{state}/copy"), 0.8),
        ("restic", ("backup", "--quiet", "{warehouse}"), 0.3),
    ),
    "unchanged": (("restic", ("backup", "--quiet", "{warehouse}"), 0.2),),
    "verify": (("restic", ("check", "--quiet", "--read-data"), 0.3),),
    "restore": (("restic", ("restore", "latest", "--target", "{state}/restored"), 0.5),),
}
NOTES = (
    "ours hashes with SHA-256 and syncs every file and folder to the disk; restic also syncs its",
    "  packs; rclone compares MD5 of both sides and syncs nothing. Each as it comes, with its own",
    "  default number of threads.",
    "interpreter start and imports are measured (': start', the modules that this very verb loads)",
    "  and subtracted, for ours only, in what follows; the table has the whole processes.",
    "page cache: warm for all; the disk is synced before each process starts, unmeasured.",
    "restic's `init` and our `repo init` are not measured. Its cache is kept between the runs.",
    "unchanged, verify and restore work on a repository of one full backup made just before.",
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A lakehouse with a repository of each tool, made for one run of the case."""

    lake: Lake
    ours: Path
    restic: Path


def measured(options: Options) -> Findings:
    """Every shape, one after the other; goals and rounds are named by their files."""
    rounds: dict[str, Sequence[Sample]] = {}
    goals: list[Goal] = []
    notes = [*NOTES, *missing_programs()]
    sizes: dict[str, str] = {"versions": ", ".join(versions(options.work))}
    for files in options.files:
        shape = Shape(files=files, size_bytes=round(options.gb * 1e9))
        found = one_shape(shape, options)
        sizes[f"{files}"] = str(shape)
        rounds |= {f"{files}: {name}": samples for name, samples in found.items()}
        goals += _goals(found, files)
        notes += _table(found, shape)
    return Findings("backup", sizes, rounds, goals, notes)


def one_shape(shape: Shape, options: Options) -> Rounds:
    """All sides of one shape in shuffled rounds, after a warm-up."""
    work = options.work
    lake = lakes.lake(shape, work)
    kept = Kept(lake, work / "kept-ours", work / "kept-restic")
    try:
        _keep(kept, work)
        return shuffled_rounds(
            sides(kept, work),
            rounds=options.rounds,
            warmups=options.warmups,
            work=work,
            order=options.order,
        )
    finally:
        for folder in (kept.ours, kept.restic):
            shutil.rmtree(folder, ignore_errors=True)


def sides(kept: Kept, work: Path) -> list[Side]:
    """Ours with their starts, and the peers that are installed."""
    made: list[Side] = []
    for verb in OURS:
        side = _ours(verb, kept)
        made += [side, starting(side, work, state=_trial(verb, kept, work))]
        made += [_peer(verb, program, words, kept) for program, words, _ in _installed(verb)]
    return made


def _ours(verb: str, kept: Kept) -> Side:
    def new_repository(state: Path) -> None:
        kept.lake.dp(state, "repo", "init")

    words = ("-m", lakes.DP, *VERBS[verb], "--json")
    variables = kept.lake.variables
    if verb == "full":
        return Side("ours full", words, new_repository, environment=variables)
    # The restore goes into the state folder of the round; repository and index are the kept ones.
    return Side(f"ours {verb}", words, environment={**variables, "DP_STATE": str(kept.ours)})


def _peer(verb: str, program: str, words: tuple[str, ...], kept: Kept) -> Side:
    def new_repository(state: Path) -> None:
        lakes.run(["restic", "init"], {**environment(state), **_restic(state, kept)})

    words = tuple(word.replace("{warehouse}", str(kept.lake.warehouse)) for word in words)
    if program == "rclone":
        variables = {"RCLONE_CONFIG": "/dev/null"}
        return Side(f"{program} {verb}", words, program=program, environment=variables)
    if verb == "full":
        variables = {**_restic(kept.restic, kept), "RESTIC_REPOSITORY": "{state}/restic"}
        return Side("restic full", words, new_repository, program=program, environment=variables)
    variables = _restic(kept.restic, kept)
    return Side(f"restic {verb}", words, program=program, environment=variables)


def _restic(state: Path, kept: Kept) -> dict[str, str]:
    return {
        "RESTIC_REPOSITORY": f"{state}/restic",
        "RESTIC_PASSWORD": "benchmark",
        "RESTIC_CACHE_DIR": f"{kept.restic}/cache",
    }


def _keep(kept: Kept, work: Path) -> None:
    """One full backup by each tool."""
    for folder in (kept.ours, kept.restic):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    kept.lake.dp(kept.ours, "repo", "init")
    kept.lake.dp(kept.ours, "backup")
    if shutil.which("restic"):
        variables = environment(work) | _restic(kept.restic, kept)
        lakes.run(["restic", "init"], variables)
        lakes.run(["restic", "backup", "--quiet", str(kept.lake.warehouse)], variables)


def _trial(verb: str, kept: Kept, work: Path) -> Path:
    """A state folder in which the verb can be run to learn what it imports."""
    state = work / "trial"
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)
    if verb == "full":
        kept.lake.dp(state, "repo", "init")
    return state


def _installed(verb: str) -> list[tuple[str, tuple[str, ...], float]]:
    return [peer for peer in PEERS[verb] if shutil.which(peer[0])]


def missing_programs() -> list[str]:
    """A line for each peer that cannot be measured here."""
    programs = sorted({program for peers in PEERS.values() for program, _, _ in peers})
    return [f"NOT MEASURED: {one} is not installed" for one in programs if not shutil.which(one)]


def versions(work: Path) -> list[str]:
    """What the peers say they are."""
    import subprocess

    asked = [name for name in ("rclone", "restic") if shutil.which(name)]
    said = (
        subprocess.run(
            [name, "version"], env=environment(work), capture_output=True, text=True, check=False
        ).stdout
        for name in asked
    )
    return [line.splitlines()[0] for line in said if line]


def net(rounds: Rounds, name: str, figure: str = "seconds") -> float:
    """The median of ours above that of its start and imports."""
    return middle(rounds[name], figure) - middle(rounds[start_of(name)], figure)


def _goals(rounds: Rounds, files: int) -> list[Goal]:
    goals = [
        Goal(
            f"{files} files: {verb}, ours / {program}",
            net(rounds, f"ours {verb}") / middle(rounds[f"{program} {verb}"]),
            limit,
            "x",
        )
        for verb in OURS
        for program, _, limit in _installed(verb)
    ]
    peaks = {verb: max(sample.peak_mib for sample in rounds[f"ours {verb}"]) for verb in OURS}
    return goals + [
        Goal(f"{files} files: peak memory, {verb}", peak, PEAK_MIB, " MiB")
        for verb, peak in peaks.items()
        if verb != "unchanged"
    ]


def _table(rounds: Rounds, shape: Shape) -> list[str]:
    """Seconds of ours without the start, and what the start was; wall and CPU."""
    lines = [f"{shape}: seconds above start and imports (CPU), then of start and imports"]
    for verb in OURS:
        name, size = f"ours {verb}", shape.size_bytes / 1e9
        cpu, began = net(rounds, name, "cpu_seconds"), middle(rounds[start_of(name)])
        peers = ", ".join(
            f"{program} {middle(rounds[f'{program} {verb}']):.2f}"
            f" ({middle(rounds[f'{program} {verb}'], 'cpu_seconds'):.2f})"
            for program, _, _ in _installed(verb)
        )
        wall = net(rounds, name)
        lines.append(
            f"  {verb:<10}{wall:.2f} ({cpu:.2f}), start {began:.2f}; {wall / size:.2f} s/GB;"
            f" {peers}"
        )
    return lines
