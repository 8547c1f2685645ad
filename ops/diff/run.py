"""Plans both sides of a change side by side, and tells what it does, stack by stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from common.console import Steps
from common.errors import UserError
from common.paths import repo_root
from common.sdk.replacement import deletes_first, replace_on, takes_list
from ops.diff import here
from ops.diff.causes import ChangedFile, Origins, find_causes, whole_stack
from ops.diff.compare import Providers, compare, compare_resources
from ops.diff.completing import completed
from ops.diff.model import Cause, StackDiff
from ops.diff.pins import LOCK, Pin, pins_changed, told
from ops.diff.scope import SETTINGS, program_files
from ops.diff.settings_lines import SettingChange, as_file, setting_changes
from ops.diff.worktree import Checkout, changed_files, checkout, commits_of, resolve, stacks_at, text_at
from ops.options import known_stack
from ops.plan.planner import check_settings
from policies.evaluation import evaluate
from policies.inventory import Inventory
from stacks.settings import stack_file, stack_names

PROVIDERS: Final = Providers(replace_on, takes_list, deletes_first)
PlanWith = Callable[[str, str], Inventory | None]
"""Stack, and the text of its settings file → head's program with these; None if they are refused."""


@dataclass(frozen=True)
class Change:
    """What a person changed between two commits, or a commit and the working tree."""

    base: str
    head: str | None
    """None: the working tree."""
    files: tuple[str, ...]

    @staticmethod
    def between(base: str, head: str | None) -> Change:
        """From one commit to the other.

        Raises:
            UserError: there is no such commit.
        """
        first, last = resolve(base), resolve(head) if head else None
        return Change(first, last, changed_files(first, last))

    def before(self, stack: str) -> str:
        """The stack's settings file as base has it."""
        return text_at(self.base, settings_path(stack)) or ""

    def after(self, stack: str) -> str:
        """The stack's settings file as head has it."""
        if self.head:
            return text_at(self.head, settings_path(stack)) or ""
        file = stack_file(stack)
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def program(self, stack: str) -> tuple[str, ...]:
        """The changed files that the plan of a stack may depend on, beside its settings."""
        return program_files(self.files, stack)

    def touches(self, stack: str) -> bool:
        """Whether the plan of a stack may differ."""
        return settings_path(stack) in self.files or bool(self.program(stack) or self.pins(stack))

    def pins(self, stack: str) -> tuple[Pin, ...]:
        """The packages of Pulumi, among those that a stack may use, that are pinned otherwise."""
        if LOCK not in self.files:
            return ()
        here = repo_root() / LOCK
        now = text_at(self.head, LOCK) if self.head else here.read_text(encoding="utf-8") if here.is_file() else ""
        found = pins_changed(text_at(self.base, LOCK) or "", now or "")
        return tuple(pin for pin in found if pin.concerns(stack))

    def origins(self, stack: str) -> Origins:
        """What may have caused a change of a stack."""
        files = tuple(ChangedFile(path, commits_of(path, self.base, self.head)) for path in self.program(stack))
        return Origins(settings_path(stack), setting_changes(self.before(stack), self.after(stack)), files)


@dataclass(frozen=True)
class Planned:
    """Both sides' plans of the stacks that a change touches, and a way to try others."""

    before: Mapping[str, Inventory]
    after: Mapping[str, Inventory]
    plan_with: PlanWith
    trials: Mapping[str, Inventory]
    """Head's program with base's settings, of the stacks where both changed; planned with the rest, side by side."""


def settings_path(stack: str) -> str:
    """Where a stack's settings lie, relative to the checkout."""
    return f"{SETTINGS}Pulumi.{stack}.yaml"


def diff_stacks(
    base: str, head: str | None, stacks: Sequence[str], steps: Steps
) -> tuple[tuple[StackDiff, ...], tuple[str, str]]:
    """The diffs of `stacks`, and what the sides are called.

    Args:
        stacks: all that either side has where none is named.

    Raises:
        UserError: a side does not exist or cannot be planned, or neither has a stack that is named. Settings that
            are refused in the working tree are said before anything is planned.
    """
    change = Change.between(base, head)
    in_base = stacks_at(change.base)
    in_head = stacks_at(change.head) if change.head else stack_names()
    known = sorted({*in_base, *in_head})
    for stack in stacks:
        known_stack(stack, known, f"{base} and {head or 'the working tree'}")
    wanted = [stack for stack in stacks or known if change.touches(stack)]
    if not change.head:
        check_settings([stack for stack in stacks or known if stack in in_head])
    names = (f"{base} ({change.base[:12]})", f"{head} ({change.head[:12]})" if change.head else "working tree")
    if not wanted:
        steps.note("no stack's settings or program differ, so none is planned")
        return (), names
    past = [stack for stack in wanted if stack in in_base]
    present = [stack for stack in wanted if stack in in_head]
    with planned(change, past, present, steps) as both, steps.step("Find what caused each change"):
        found = tuple(_told(stack, change, both) for stack in sorted(wanted))
    return found, names


@contextmanager
def planned(change: Change, past: Sequence[str], present: Sequence[str], steps: Steps) -> Iterator[Planned]:
    """The plans of `past` stacks at base and of `present` ones at head, made at the same time.

    Raises:
        UserError: a side cannot be planned.
    """
    # Base's settings go through this very program where it is the same: no checkout, and no second import.
    same = [] if change.head else [s for s in past if s in present and not change.program(s)]
    own = [stack for stack in past if stack not in same]
    mixed = [] if change.head else [s for s in own if s in present and settings_path(s) in change.files]
    title = f"Plan {change.base[:12]} and {change.head[:12] if change.head else 'the working tree'}"
    with ExitStack() as opened:
        base = opened.enter_context(checkout(change.base)) if own else None
        head = opened.enter_context(checkout(change.head)) if change.head else None
        with steps.step(title), ThreadPoolExecutor(1) as beside:
            theirs = beside.submit(base.plan, own) if base else None
            mine, again = _of_head(head, present, change, same, mixed)
            before = {**{s: again[s] for s in same}, **(theirs.result() if theirs else {})}
        trials = {stack: again[stack] for stack in mixed if stack in again}
        yield Planned(before, mine, head.plan_with if head else here.plan_with, trials)


def _of_head(
    head: Checkout | None, stacks: Sequence[str], change: Change, same: Sequence[str], mixed: Sequence[str]
) -> tuple[Mapping[str, Inventory], Mapping[str, Inventory]]:
    """Head's plans of `stacks`, and those of its program with base's settings; of `mixed` only if none is refused."""
    if head:
        return head.plan(stacks), {}
    needed = {stack: change.before(stack) for stack in same}
    if mixed:
        with suppress(UserError):  # the new program may refuse the old settings; then what is refused is found below
            return here.plan_both(stacks, {**needed, **{stack: change.before(stack) for stack in mixed}})
    return here.plan_both(stacks, needed)


def _told(stack: str, change: Change, both: Planned) -> StackDiff:
    before, after = both.before.get(stack), both.after.get(stack)
    found = compare(stack, before, after, providers=PROVIDERS, evaluate=evaluate)
    causes = causes_of(found, before, after, change, both)
    notes = _unseen(change, stack) if found.is_empty else ()
    pinned = told(replace(found, causes=causes, notes=notes), after, change.pins(stack))
    return completed(pinned, before, after)


def _unseen(change: Change, stack: str) -> tuple[str, ...]:
    """That settings changed of which the plan shows nothing, as it shows no secret's value."""
    names = [setting.name for setting in setting_changes(change.before(stack), change.after(stack))]
    told = ", ".join(f"`{name}`" for name in names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return (f"Nothing in the plan changes with {told}; of a secret, no plan shows the value.",) if names else ()


def causes_of(
    found: StackDiff, before: Inventory | None, after: Inventory | None, change: Change, both: Planned
) -> tuple[Cause, ...]:
    """The causes of a stack's changes."""
    stack = found.stack
    if before is None or after is None:
        return whole_stack(found.fate, settings_path(stack), found.changes)
    origins = change.origins(stack)

    def plan(some: tuple[SettingChange, ...]) -> Inventory | None:
        if not some and stack in both.trials:
            return both.trials[stack]
        return both.plan_with(stack, as_file(change.before(stack), some))

    return find_causes(
        found.changes, before, after, origins, plan, lambda old, new: compare_resources(old, new, PROVIDERS)
    )


def compare_all(before: Mapping[str, Inventory], after: Mapping[str, Inventory]) -> tuple[StackDiff, ...]:
    """One diff for each stack that either side has, by name; without causes, which take more than two plans."""
    return tuple(
        completed(
            compare(stack, before.get(stack), after.get(stack), providers=PROVIDERS, evaluate=evaluate),
            before.get(stack),
            after.get(stack),
        )
        for stack in sorted({*before, *after})
    )


def needs_care(diffs: Sequence[StackDiff]) -> bool:
    """Whether any stack's state is at risk or any verdict got worse."""
    return any(diff.at_risk or any(v.worse for v in diff.verdicts) for diff in diffs)
