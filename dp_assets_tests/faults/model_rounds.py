"""What the two processes do in a round, by chance; and what must be read of it afterwards.

In a round either both write rows, each only those of its own numbers, so that the order does not
matter; or one compacts what the other one deletes from; or one writes anything, while the other one
maintains the table; or both maintain it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from dp_assets.usecases.maintenance.maintaining import PLANNERS
from dp_assets_tests.faults.model_manifests import VERSION
from dp_assets_tests.faults.model_rows import Model, Rows
from dp_assets_tests.faults.model_writes import FIELDS, KINDS, Said

PARTS = ("a", "b")
MOST_REFS = 4
MAINTENANCE = ("empty", *PLANNERS, "compaction")  # that one has most to lose


@dataclass
class Round:
    """Orders for the two processes; ``ordered``: only the first one writes, in its order."""

    orders: tuple[list[Said], list[Said]]
    ordered: bool


@dataclass
class Chance:
    """Chooses rounds; everything follows from the seed and from what the table said."""

    random: random.Random
    version: int
    _number: int = 0
    _stamp: int = 0
    _names: int = 0
    _free: list[int] = field(default_factory=list[int])

    def round(self, model: Model) -> Round:
        kinds = {"writers": 25, "collision": 20, "writer": 45, "maintainers": 10}
        (kind,) = self.random.choices(list(kinds), list(kinds.values()))
        live = list(model.rows)
        self.random.shuffle(live)
        half = len(live) // 2
        if self.version == VERSION and model.ids is None and self.random.random() < 1 / 2:
            upgrade = {**self._append(), "do": self.random.choice(("upgrade", "upgrade_with_rows"))}
            after = Model(model.rows, refs=model.refs)
            orders = [upgrade, *self._anything(after, live)]
            return Round((orders, self._maintenance()), ordered=True)
        match kind:
            case "writers":
                first = [*self._maybe_maintenance(), *self._writes(live[:half])]
                second = [*self._writes(live[half:]), *self._maybe_maintenance()]
                return Round((first, second), ordered=False)
            case "collision":
                return Round(self._collision(live), ordered=False)
            case "writer":
                return Round((list(self._anything(model, live)), self._maintenance()), ordered=True)
            case _:
                return Round((self._maintenance(), self._maintenance()), ordered=True)

    def _collision(self, live: list[int]) -> tuple[list[Said], list[Said]]:
        """A compaction that has work, while the rows that it moves are deleted one by one."""
        appends = [self._append() for _ in range(5)]
        deletes: list[Said] = [
            {"do": "delete_positions" if self.version > 1 else "delete", "ids": [one]}
            for one in live[: self.random.randint(3, 8)]
        ]
        return [*appends, {"do": "maintain", "operation": "compaction"}], [
            *self._writes(live[8:]),
            *deletes,
        ]

    def _maintenance(self) -> list[Said]:
        return [self._one_maintenance() for _ in range(self.random.randint(1, 3))]

    def _maybe_maintenance(self) -> list[Said]:
        return [self._one_maintenance()] if self.random.random() < 1 / 2 else []

    def _one_maintenance(self) -> Said:
        what = self.random.choice(MAINTENANCE)
        return {"do": "empty"} if what == "empty" else {"do": "maintain", "operation": str(what)}

    def _writes(self, live: list[int]) -> list[Said]:
        """Appends and changes of rows, each row at most once."""
        self._free = live
        return [self._write() for _ in range(self.random.randint(1, 6))]

    def _write(self) -> Said:
        kinds = ["append"] * 4 + ["update", "delete"]
        if self.version > 1:
            kinds += ["delete_positions", "delete_positions"]
        kind = self.random.choice(kinds)
        ids = self._take(self.random.randint(1, 4)) if kind != "append" else []
        if not ids:
            return self._append()
        self._stamp += 1
        return {"do": kind, "ids": ids, "part": self._part(), "stamp": self._stamp}

    def _append(self) -> Said:
        first = self._number + 1
        self._number += self.random.randint(1, 6)
        self._stamp += 1
        ids = list(range(first, self._number + 1))
        return {"do": "append", "ids": ids, "part": self._part(), "stamp": self._stamp}

    def _take(self, count: int) -> list[int]:
        taken, self._free = self._free[:count], self._free[count:]
        return taken

    def _part(self) -> str:
        return self.random.choice(PARTS)

    def _anything(self, model: Model, live: list[int]) -> Iterator[Said]:
        self._free = live
        for _ in range(self.random.randint(1, 6)):
            if self.random.random() < 1 / 2:
                yield self._write()
            else:
                yield self._change(model)

    def _change(self, model: Model) -> Said:
        self._names += 1
        nth, name = self.random.randrange(100), f"n{self._names}"
        choices: list[Said] = [
            {"do": "add_column", "name": name, "kind": self.random.choice(list(KINDS))},
            {"do": "rename_column", "nth": nth, "name": name},
            {"do": "widen_column", "nth": nth},
            {"do": "drop_column", "nth": nth},
            {"do": "change_spec", "field": self.random.choice(list(FIELDS))},
        ]
        if len(model.refs) < MOST_REFS:
            choices += [{"do": kind, "name": f"{kind}-{name}"} for kind in ("tag", "tag", "branch")]
        branches = [ref for ref in model.refs if ref.startswith("branch")]
        tags = [ref for ref in model.refs if ref.startswith("tag")]
        if branches:
            choices.append({**self._append(), "branch": self.random.choice(branches)})
        if len(tags) > MOST_REFS // 2:
            choices.append({"do": "untag", "name": self.random.choice(tags)})
        if model.contents:
            back = {"do": "rollback", "to": self.random.choice(sorted(model.contents))}
            choices += [back, back]
        return self.random.choice(choices)


def learn(model: Model, order: Said, said: Said, *, ordered: bool) -> None:
    """What an answer means for the model. ``ordered``: nobody else wrote rows meanwhile."""
    if said["did"] != "done" or order["do"] in ("maintain", "empty"):
        return
    if order["do"] == "rollback":
        model.roll_back(order["to"])
        return
    if order["do"] == "untag":
        del model.refs[order["name"]]
        return
    if order["do"] in ("tag", "branch"):
        model.refs[order["name"]] = model.rows
    rows: Rows = {
        int(n): {int(at): value for at, value in row.items()}
        for n, row in (said.get("rows") or {}).items()
    }
    if "branch" in order:
        model.refs[order["branch"]] = {**model.refs[order["branch"]], **rows}
        return
    if order["do"].startswith("upgrade"):
        model.upgrade(said.get("at"))
    model.take(said.get("gone") or ())
    model.put(rows)
    if ordered:
        model.known(said.get("snapshot"))
