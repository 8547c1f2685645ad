"""Measures the offline plan against importing the SDKs, all stacks against one, and the check against the plan."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from common.paths import repo_root
from ops.bench.measure import child, in_turns
from ops.bench.model import Result, Sample, Series, Target, times_of

STACK: Final = "prod-aws"
PLAN_TO_IMPORT: Final = Target("at most", 1.3, "×")
PLAN_MEMORY: Final = Target("at most", 300, "MB")
ALL_TO_ONE: Final = Target("at most", 2, "×")
CHECK_TO_PLAN: Final = Target("at most", 10, "%")

IMPORT_CODE: Final = """
import importlib, sys
for name in sys.argv[1:]:
    module, _, attribute = name.rpartition(":")
    getattr(importlib.import_module(module), attribute)
"""
"""Importing an SDK's module loads nothing until an attribute is asked for; a plan asks for its resources' classes."""

CHECK_CODE: Final = """
import sys, time
from datetime import date
from ops.check.command import check_inventories, load_waivers
from ops.plan.planner import plan_stack
from policies import waivers
start = time.perf_counter()
inventory = plan_stack(sys.argv[1])
planned = time.perf_counter()
check_inventories([inventory], load_waivers(waivers.DEFAULT_FILE), date.today())
print(planned - start, time.perf_counter() - planned, file=open(sys.argv[2], "w"))
"""


CUSTOM_GROUPS: Final = frozenset({"gateway.networking.k8s.io"})
"""Kubernetes' own groups whose objects come by definitions: the SDK has no class for them."""


def sdk_classes(tokens: Iterable[str]) -> tuple[str, ...]:
    """`module:class` of every SDK class that makes resources of these types."""
    return tuple(sorted({_sdk_class(token) for token in tokens}))


def _sdk_class(token: str) -> str:
    package, module, name = token.split(":")
    if package == "pulumi":  # pulumi:providers:aws
        return f"pulumi_{name}:Provider"
    if package == "kubernetes":  # kubernetes:rbac.authorization.k8s.io/v1:Role lies in pulumi_kubernetes.rbac.v1
        group, _, version = module.partition("/")
        is_builtin = "." not in group or (group.endswith(".k8s.io") and group not in CUSTOM_GROUPS)
        if not is_builtin:  # kubernetes:cloud.google.com/v1:ComputeClass
            return "pulumi_kubernetes.apiextensions:CustomResource"
        return f"pulumi_kubernetes.{group.split('.')[0]}.{version}:{name}"
    return f"pulumi_{package}.{module.partition('/')[0]}:{name}"


def measure_plan(repeats: int) -> list[Result]:
    """The plan of one stack beside the bare import of its SDK classes, and the plan's memory."""
    from ops.plan.planner import plan_stack  # imports the SDKs

    classes = sdk_classes(resource.type for resource in plan_stack(STACK).resources if resource.custom)
    subject, baseline = in_turns(
        {
            f"seawall plan {STACK} --json": lambda: child(seawall("plan", STACK, "--json")),
            f"import of the plan's {len(classes)} SDK classes": lambda: child(
                [sys.executable, "-c", IMPORT_CODE, *classes]
            ),
        },
        repeats,
    )
    memory = Result(
        "memory of a plan",
        f"peak resident memory of `seawall plan {STACK} --json`",
        subject.peak_mb,
        PLAN_MEMORY,
        (subject,),
    )
    return [
        times_of("plan of one stack", "its time ÷ importing what it uses", subject, baseline, PLAN_TO_IMPORT),
        memory,
    ]


def measure_all_stacks(repeats: int) -> list[Result]:
    """The plan of every stack in one command beside the plan of one."""
    subject, baseline = in_turns(
        {
            "seawall plan --json": lambda: child(seawall("plan", "--json")),
            f"seawall plan {STACK} --json": lambda: child(seawall("plan", STACK, "--json")),
        },
        repeats,
    )
    return [times_of("plan of all stacks", "its time ÷ the plan of one", subject, baseline, ALL_TO_ONE)]


def measure_check(repeats: int) -> list[Result]:
    """Judging a planned stack beside planning it, in the same fresh process each time."""
    plans, checks = [], []
    for number in range(repeats + 1):
        plan_s, check_s = _plan_and_check()
        if number:
            plans.append(Sample(plan_s))
            checks.append(Sample(check_s))
    plan, check = Series(f"planning {STACK}", tuple(plans)), Series(f"judging {STACK}", tuple(checks))
    percent = 100 * check.median_s / plan.median_s
    return [Result("policy check", "judging a planned stack ÷ planning it", percent, CHECK_TO_PLAN, (check, plan))]


def seawall(*arguments: str) -> list[str]:
    """The `seawall` command of this environment."""
    return [str(Path(sys.executable).with_name("seawall")), *arguments]


def _plan_and_check() -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as scratch:
        told = Path(scratch) / "seconds"
        child([sys.executable, "-c", CHECK_CODE, STACK, told], cwd=repo_root())
        plan_s, check_s = told.read_text(encoding="utf-8").split()
    return float(plan_s), float(check_s)
