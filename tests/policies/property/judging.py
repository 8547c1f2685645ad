"""Judges every change of rules' examples, and holds what no rule sees against the reviewed exceptions.

Usage, also by `make property`: the whole table, by rule, and what is missed; the exit code says whether anything is.

    python -m tests.policies.property.judging [RULE…]

A change is *seen* if the rule fails or leaves undecided something that it passed before; else *by another* if a rule
of the pack does so in the stack of all examples; else *excused* if `exceptions.toml` says why it harms no one, or
*open* if it says that it may, else *missed*. An exception that covers no change, or one that is seen, is a fault.
"""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Final

from policies.evaluation import evaluate
from policies.inventory import Inventory
from policies.model import Rule, Verdict
from policies.rules import RULES
from tests.policies.property.mutations import Mutation, meaning
from tests.policies.property.readers import readers
from tests.policies.together import whole

FILE: Final = Path(__file__).with_name("exceptions.toml")
FINDS: Final = (Verdict.FAIL, Verdict.UNKNOWN)

Found = frozenset[tuple[str, str]]


class Fate(StrEnum):
    """What becomes of a change."""

    OWN = "seen"
    OTHER = "by another"
    EXCUSED = "excused"
    OPEN = "open"
    MISSED = "missed"


@dataclass(frozen=True)
class Excuse:
    """Changes of one rule's example that harm no one: kinds of change at the places that a pattern names."""

    rule: str
    where: str
    """As `Mutation.where`, with `*` for anything; a resource's name is part of it."""
    kinds: frozenset[str]
    reason: str
    fate: Fate = Fate.EXCUSED

    def covers(self, rule: Rule, change: Mutation) -> bool:
        """Whether the excuse speaks of this change."""
        return rule.id == self.rule and change.kind in self.kinds and fnmatchcase(change.where, self.where)

    def __str__(self) -> str:
        return f"{self.rule} = {self.where}: {' '.join(sorted(self.kinds))}"


@dataclass
class Tally:
    """The fates of all changes of one rule's example."""

    rule: Rule
    fates: Counter[Fate] = field(default_factory=Counter)
    missed: list[Mutation] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    """Excuses that speak of nothing, or of changes that are seen."""


def tally(rule: Rule, excuses: Sequence[Excuse]) -> Tally:
    """Judge every change of a rule's example."""
    made = Tally(rule)
    ours = [excuse for excuse in excuses if excuse.rule == rule.id]
    used: dict[Excuse, bool] = dict.fromkeys(ours, False)
    before = rule.examples().scene()
    known = _found(before.inventory(), (rule,))
    for change in meaning(before):
        excusing = [excuse for excuse in ours if excuse.covers(rule, change)]
        if _found(change.change(before).inventory(), (rule,)) - known:
            fate = Fate.OWN
        elif _others_see(before.cloud, change):
            fate = Fate.OTHER
        else:
            fate = excusing[0].fate if excusing else Fate.MISSED
        made.fates[fate] += 1
        if fate is Fate.MISSED:
            made.missed.append(change)
        for excuse in excusing:
            used[excuse] = True
            if fate in (Fate.OWN, Fate.OTHER):
                made.stale.append(f"{excuse} covers {change}, which is {fate}")
    made.stale.extend(f"{excuse} covers nothing" for excuse, hit in used.items() if not hit)
    return made


@cache
def excuses() -> tuple[Excuse, ...]:
    """The reviewed exceptions."""
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return tuple(
        Excuse(rule, where, frozenset(kinds.split()), entry["reason"], fate)
        for table, fate in (("harmless", Fate.EXCUSED), ("open", Fate.OPEN))
        for entry in data.get(table, ())
        for rule, lines in entry["changes"].items()
        for where, _, kinds in (line.partition(": ") for line in lines)
    )


def _found(inventory: Inventory, rules: Iterable[Rule] = RULES) -> Found:
    return frozenset(finding.key for finding in evaluate(inventory, rules) if finding.verdict in FINDS)


def _others_see(cloud: str, change: Mutation) -> bool:
    rules = readers(cloud, change.token)
    return bool(_found(change.change(whole(cloud)).inventory(), rules) - _before(cloud))


@cache
def _before(cloud: str) -> Found:
    return _found(whole(cloud).inventory())


def main(ids: Sequence[str]) -> int:
    """Print the table of the rules with these ids, or of all."""
    known = excuses()
    tallies = [tally(rule, known) for rule in RULES if not ids or rule.id in ids]
    total: Counter[Fate] = Counter()
    print(f"{'rule':<40} {'changes':>8} " + " ".join(f"{fate:>10}" for fate in Fate))
    for made in tallies:
        total += made.fates
        print(_line(made.rule.id, made.fates))
    print(_line("all", total))
    for made in tallies:
        lines = [*(f"missed  {change}" for change in made.missed), *(f"stale   {words}" for words in made.stale)]
        print("".join(f"{made.rule.id}  {line}\n" for line in lines), end="")
    return int(any(made.missed or made.stale for made in tallies))


def _line(name: str, fates: Counter[Fate]) -> str:
    return f"{name:<40} {fates.total():>8} " + " ".join(f"{fates[fate]:>10}" for fate in Fate)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
