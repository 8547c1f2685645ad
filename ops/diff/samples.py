"""Writes the sample comments in docs/previews: five typical changes of a production stack, as a review sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from common.paths import repo_root
from ops.diff import here
from ops.diff.blast import FORMULA
from ops.diff.causes import Origins, find_causes
from ops.diff.compare import compare, compare_resources
from ops.diff.completing import completed
from ops.diff.markdown import render
from ops.diff.model import StackDiff
from ops.diff.run import PROVIDERS, settings_path
from ops.diff.settings_lines import SettingChange, as_file, setting_changes
from ops.gates.decide import required
from ops.gates.markdown import section
from ops.gates.reading import Change, items_of
from ops.gates.settings import FILE as GATES
from ops.gates.settings import parse
from policies.evaluation import evaluate
from policies.inventory import Inventory
from stacks.settings import stack_file

FOLDER: Final = repo_root() / "docs" / "previews"


@dataclass(frozen=True)
class Sample:
    """One edit of a committed stack's settings."""

    title: str
    stack: str
    edits: Mapping[str, str]
    """Text that stands once in the file → what stands there instead."""


SAMPLES: Final[Mapping[str, Sample]] = {
    "new-pool": Sample(
        "A new pool",
        "prod-aws",
        {
            "    backup:\n": (
                "      cpu:\n        machine_types: [m7i.2xlarge]\n"
                "        min_nodes: 0\n        max_nodes: 4\n    backup:\n"
            )
        },
    ),
    "moved-backup-region": Sample("A moved backup region", "prod-aws", {"region: eu-north-1": "region: eu-west-2"}),
    "key-rotation": Sample(
        "Keys that rotate less often",
        "prod-gcp",
        {"    pools:\n": "    keys:\n      rotation_days: 180\n    pools:\n"},
    ),
    "public-endpoint": Sample(
        "A public endpoint",
        "prod-aws",
        {
            "        certificate:\n": (
                "        public:\n          source_ranges: [203.0.113.0/24]\n"
                "          firewall_because: only two partners' networks may come in\n        certificate:\n"
            )
        },
    ),
    "version-upgrade": Sample(
        "A version upgrade of the cluster", "prod-aws", {"    cluster:\n": '    cluster:\n      version: "1.36"\n'}
    ),
}


def edited(sample: Sample) -> tuple[str, str]:
    """The stack's file as it is, and with the edit."""
    before = after = stack_file(sample.stack).read_text(encoding="utf-8")
    for old, new in sample.edits.items():
        if before.count(old) != 1:
            raise ValueError(f"{old!r} stands {before.count(old)} times in the settings of {sample.stack}")
        after = after.replace(old, new)
    return before, after


def told(sample: Sample, before: Inventory, after: Inventory) -> StackDiff:
    """The diff of a sample, with its causes."""
    old, new = edited(sample)
    found = compare(sample.stack, before, after, providers=PROVIDERS, evaluate=evaluate)

    def plan(some: tuple[SettingChange, ...]) -> Inventory | None:
        return here.plan_with(sample.stack, as_file(old, some))

    origins = Origins(settings_path(sample.stack), setting_changes(old, new))
    causes = find_causes(found.changes, before, after, origins, plan, lambda a, b: compare_resources(a, b, PROVIDERS))
    return completed(replace(found, causes=causes), before, after)


def comment(name: str, plans: Mapping[str, Inventory]) -> str:
    """The sample as it lies in docs/previews; `plans` has the committed stacks."""
    sample = SAMPLES[name]
    after = here.plan_with(sample.stack, edited(sample)[1])
    if after is None:
        raise ValueError(f"the settings of the sample {name} are refused")
    diff = told(sample, plans[sample.stack], after)
    asked = required(sample.stack, items_of(Change(diff)), parse((repo_root() / GATES).read_text(encoding="utf-8")))
    extra = {sample.stack: section(asked)}
    return f"# {sample.title}\n\n{render([diff], base='main', head='a pull request', extra=extra)}"


def index() -> str:
    """The page that lists the samples."""
    lines = [
        "# What a preview says",
        "",
        "`seawall diff` and `seawall preview` write one comment. These are written by `make docs` from the committed",
        "production stacks, each with one edit of its settings:",
        "",
        *(f"- [{sample.title}]({name}.md), {sample.stack}" for name, sample in SAMPLES.items()),
        "",
        "Each begins with what a reviewer decides on: what is at risk, what is reached from outside and was not",
        "before, verdicts that changed, and [who must agree](../approvals.md). Its cause, its steps, how far it",
        "reaches and its cost come after that; what is long is folded. A report longer than a comment may be is",
        "cut at lines, the picture first and the decisions last, and says how much it lacks.",
        "",
        "## The score of a change's reach",
        "",
        "The score is a sum, and its terms stand beside it:",
        "",
        *(f"- {term}" for term in FORMULA.split("; ")),
        "",
        "From 30 on the reach is medium, from 100 on high. It helps to compare changes, and decides nothing.",
        "",
    ]
    return "\n".join(lines)


def main(folder: Path = FOLDER) -> None:
    """Write them all."""
    from ops.plan.several import plan_stacks

    stacks = sorted({sample.stack for sample in SAMPLES.values()})
    plans = dict(zip(stacks, plan_stacks(stacks), strict=True))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(index(), encoding="utf-8")
    for name in SAMPLES:
        (folder / f"{name}.md").write_text(comment(name, plans), encoding="utf-8")


if __name__ == "__main__":
    main()
