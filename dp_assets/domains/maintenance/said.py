"""Who says what about one operation on one table: properties, globs, workload, defaults."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, MIB
from dp_assets.domains.maintenance.globs import matching, specificity
from dp_assets.domains.maintenance.retention import MAX_AGE, MIN_COUNT, PROPERTY
from dp_assets.domains.maintenance.rules import OperationRules, TableRules, checked
from dp_assets.domains.maintenance.workload import Workload, fixed_target, kept_snapshots
from dp_assets.ports.maintenance import Operation

PREFIX = "dp.maintenance."
ENABLED = "enabled"
OPS = "ops"
OPS_INTERVAL_HOURS = 24
DEFAULT, OPS_LIMIT = "default", "limit of ops tables"

_BASE: Mapping[str, object] = {
    "enabled": True,
    "window": "always",
    "min_interval_hours": 6,
    "timeout_minutes": 120,
    "memory_mib": 400,
}
DEFAULTS: Mapping[Operation, Mapping[str, object]] = {
    Operation.EXPIRY: {**_BASE, "when": "snapshots >= 10 or age >= 7 d", "keep_days": 7},
    Operation.MANIFESTS: {**_BASE, "when": "manifests >= 100"},
    Operation.COMPACTION: {
        **_BASE,
        "when": "small_files >= 10 or delete_ratio >= 0.3",
        "min_inputs": 5,
    },
    Operation.ORPHANS: {**_BASE, "when": "age >= 7 d", "older_than_hours": 72},
}
# What Iceberg has properties of its own for; `expiry` obeys them whatever a policy says.
ICEBERG: Mapping[str, tuple[str, int]] = {
    "keep_days": (f"{PROPERTY}{MAX_AGE}", DAY_MS),
    "keep_snapshots": (f"{PROPERTY}{MIN_COUNT}", 1),
}
Layer = tuple[str, TableRules]


@dataclass(frozen=True, slots=True)
class Said:
    """One key of a policy, its value, and where it came from."""

    key: str
    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that says something about one table.

    Attributes:
        layers: globs that match with their rules, the most specific first.
        own: the table's properties ``dp.maintenance.*``, without that prefix.
        iceberg: its properties of Iceberg's own, by our key.
    """

    table: TableId
    layers: Sequence[Layer]
    own: Mapping[str, str]
    iceberg: Mapping[str, str]
    workload: Workload

    def of(self, operation: Operation) -> tuple[Said, ...]:
        """Every key of an operation; properties that cannot be understood say nothing."""
        model = type(TableRules().of(operation))
        said = [self._said(operation, key, model) for key in sorted(model.model_fields)]
        return tuple(map(self._limited, said))

    def enabled(self) -> Said:
        """Whether the table is maintained at all."""
        for origin, value in self._candidates(ENABLED, TableRules):
            return Said(ENABLED, value, origin)
        for glob, rules in self.layers:
            if rules.enabled is not None:
                return Said(ENABLED, rules.enabled, in_settings(glob))
        return Said(ENABLED, True, DEFAULT)

    def problems(self, operation: Operation) -> tuple[str, ...]:
        """What is wrong with properties that mean this operation, or might mean it."""
        others = {str(other) for other in Operation} - {operation}
        mine = (name for name in sorted(self.own) if name.partition(".")[0] not in others)
        wrong = [(f"{PREFIX}{name}", self._wrong(name)) for name in mine]
        if operation is Operation.EXPIRY:
            wrong += [
                (ICEBERG[key][0], f"{text!r} is not a whole number")
                for key, text in self.iceberg.items()
                if not text.isdecimal()
            ]
        return tuple(f"property {name}: {problem}" for name, problem in wrong if problem)

    def _said(self, operation: Operation, key: str, model: type[OperationRules]) -> Said:
        text = self.iceberg.get(key, "")
        if text.isdecimal():
            name, unit = ICEBERG[key]
            value = int(text) / unit
            return Said(key, int(value) if value.is_integer() else value, f"property {name}")
        for origin, value in self._candidates(f"{operation}.{key}", model):
            return Said(key, value, origin)
        for glob, rules in self.layers:
            value = getattr(rules.of(operation), key)
            if value is not None:
                return Said(key, value, in_settings(glob))
        by_workload = _by_workload(key, self.workload)
        if by_workload is not None:
            return Said(key, by_workload, f"workload {self.workload}")
        return Said(key, DEFAULTS[operation][key], DEFAULT)

    def _limited(self, said: Said) -> Said:
        """Facts about ourselves are written by what they describe: once a day is enough."""
        is_interval = said.key == "min_interval_hours"
        is_ops = self.table.namespace.partition(".")[0] == OPS
        if is_interval and is_ops and int(str(said.value)) < OPS_INTERVAL_HOURS:
            return Said(said.key, OPS_INTERVAL_HOURS, OPS_LIMIT)
        return said

    def _candidates(
        self, name: str, model: type[OperationRules] | type[TableRules]
    ) -> Iterator[tuple[str, object]]:
        """The property of that name, if it is there and can be understood."""
        if name in self.own and not self._wrong(name):
            key = name.rpartition(".")[2]
            yield f"property {PREFIX}{name}", checked(model, key, self.own[name])

    def _wrong(self, name: str) -> str:
        """What is wrong with one property; empty when nothing."""
        first, dot, key = name.partition(".")
        operation = next((op for op in Operation if op == first), None)
        if operation is None and (dot or name != ENABLED):
            return f"begins with none of {', '.join(Operation)}; nor is it {ENABLED}"
        model = type(TableRules().of(operation)) if operation else TableRules
        try:
            checked(model, key or name, self.own[name])
        except ValueError as error:
            return str(error)
        return ""


def sources(
    table: TableId,
    *,
    rules: Mapping[str, TableRules],
    properties: Mapping[str, str],
    workload: Workload,
) -> Sources:
    """Everything that says something about ``table``.

    Raises:
        ConfigurationError: two globs are equally specific and contradict each other.
    """
    globs = matching(str(table), rules)
    for pair in combinations(globs, 2):
        if specificity(pair[0]) == specificity(pair[1]):
            _refuse_contradiction(table, pair, rules)
    own = {key[len(PREFIX) :]: v for key, v in properties.items() if key.startswith(PREFIX)}
    return Sources(
        table=table,
        layers=tuple((glob, rules[glob]) for glob in globs),
        own=own,
        iceberg={key: properties[name] for key, (name, _) in ICEBERG.items() if name in properties},
        workload=workload,
    )


def in_settings(glob: str) -> str:
    """Where a rule is."""
    return f"maintenance.policies, {glob!r}"


def _refuse_contradiction(
    table: TableId, globs: tuple[str, str], rules: Mapping[str, TableRules]
) -> None:
    first, second = (_flat(rules[glob]) for glob in globs)
    different = sorted(key for key in first.keys() & second if first[key] != second[key])
    if different:
        raise ConfigurationError(
            f"maintenance.policies {globs[0]!r} and {globs[1]!r} are equally specific for {table} "
            f"and differ in {', '.join(different)}",
            hint=f"add a rule for {str(table)!r} itself, or make one glob more specific",
        )


def _flat(rules: TableRules) -> dict[str, object]:
    """What a rule says, by dotted key."""
    said: dict[str, object] = {}
    if rules.enabled is not None:
        said[ENABLED] = rules.enabled
    for operation in Operation:
        for key, value in rules.of(operation).model_dump().items():
            said[f"{operation}.{key}"] = value
    return said


def _by_workload(key: str, workload: Workload) -> object:
    """What the way a table is written says about a key; None for most keys."""
    if key == "keep_snapshots":
        return kept_snapshots(workload)
    if key == "target_mib":
        target = fixed_target(workload)
        return "auto" if target is None else target // MIB
    return None
