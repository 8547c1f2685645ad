"""Measures judging beside checkov on the same objects, and the SARIF of a plan with 5,000 resources."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from filelock import FileLock
from uv import find_uv_bin

from common.console import Steps
from common.errors import UserError
from common.paths import cache_dir
from common.versions import CHECKOV
from ops.bench.measure import in_turns, timed
from ops.bench.model import Result, Sample, Series, Target
from policies.inventory import Inventory, Resource

STACK: Final = "prod-aws"
SCANNER_TO_RULES: Final = Target("at least", 1, "×")
LARGE: Final = 5000
SMALL: Final = 500
LARGE_TO_SMALL: Final = Target("at most", 1.5, "×")
_LONGEST_S: Final = 120

RULES_CODE: Final = """
import json, sys, time
from datetime import date
from policies.inventory import Inventory
from policies.model import Verdict
from policies.verdicts import judge
start = time.perf_counter()
inventory = Inventory.from_json(json.load(open(sys.argv[1])))
findings = judge(inventory, (), date.today()).findings
seconds = time.perf_counter() - start
judged = [f for f in findings if f.urn and f.verdict is not Verdict.NOT_APPLICABLE]
json.dump({"seconds": seconds, "judged": len(judged)}, open(sys.argv[2], "w"))
"""
CHECKOV_CODE: Final = """
import json, sys, time
from checkov.kubernetes.runner import Runner
from checkov.runner_filter import RunnerFilter
start = time.perf_counter()
report = Runner().run(root_folder=sys.argv[1], runner_filter=RunnerFilter(framework=["kubernetes"]))
seconds = time.perf_counter() - start
judged = len(report.passed_checks) + len(report.failed_checks)
json.dump({"seconds": seconds, "judged": judged}, open(sys.argv[2], "w"))
"""
"""Both are timed from reading the objects to the last verdict, without Python's start and imports."""


@dataclass(frozen=True)
class Judged:
    """One tool on all objects."""

    series: Series
    count: int
    """Verdicts of a rule on an object that say pass, fail or unknown."""

    def per_second(self) -> float:
        """Verdicts a second, by the median."""
        return self.count / self.series.median_s


def measure_judging(repeats: int, steps: Steps) -> list[Result]:
    """Verdicts a second on a stack's Kubernetes objects, of the rules and of checkov."""
    from ops.plan.planner import plan_stack  # imports the SDKs

    checkov = ensure_checkov(steps)
    inventory = in_cluster(plan_stack(STACK))
    with tempfile.TemporaryDirectory(prefix="seawall-bench-") as scratch:
        plan, objects = Path(scratch) / "plan.json", Path(scratch) / "objects"
        plan.write_text(json.dumps(inventory.to_json()), encoding="utf-8")
        write_objects(inventory, objects)
        counts: dict[str, int] = {}
        own, other = (
            f"seawall's rules on {len(inventory.resources)} Kubernetes objects of {STACK}",
            f"checkov {CHECKOV} on the same objects",
        )
        series = in_turns(
            {
                own: _told(own, [sys.executable, "-P", "-c", RULES_CODE, plan], counts),
                other: _told(other, [checkov, "-P", "-c", CHECKOV_CODE, objects], counts),
            },
            repeats,
        )
    rules, scanner = (Judged(each, counts[each.what]) for each in series)
    return [compared(rules, scanner, len(inventory.resources))]


def compared(rules: Judged, scanner: Judged, objects: int) -> Result:
    """How many verdicts a second the rules give for each that the scanner gives, on the same objects."""
    rates = {
        each.series.what: {
            "verdicts_per_s": round(each.per_second(), 1),
            "verdicts_per_object": round(each.count / objects, 2),
            "ms_per_object": round(1000 * each.series.median_s / objects, 3),
        }
        for each in (rules, scanner)
    }
    name, what = "verdicts a second", "seawall's verdicts in a second ÷ checkov's, on the same objects"
    ratio = rules.per_second() / scanner.per_second()
    return Result(name, what, ratio, SCANNER_TO_RULES, (rules.series, scanner.series), rates)


def measure_sarif(repeats: int) -> list[Result]:
    """The SARIF of a large plan beside that of a small one, for each resource."""
    from ops.check.command import check_inventories
    from ops.check.sarif import as_sarif

    large, small = (check_inventories([violating(count)], (), date.today()) for count in (LARGE, SMALL))
    many, few = in_turns(
        {
            f"SARIF of {LARGE} resources, each violating": lambda: timed(lambda: as_sarif(large)),
            f"SARIF of {SMALL} resources, each violating": lambda: timed(lambda: as_sarif(small)),
        },
        repeats,
    )
    ratio = (many.median_s / LARGE) / (few.median_s / SMALL)
    what = f"its time for each of {LARGE} resources ÷ for each of {SMALL}"
    return [Result("SARIF of a large plan", what, ratio, LARGE_TO_SMALL, (many, few))]


def in_cluster(inventory: Inventory) -> Inventory:
    """Only the stack's Kubernetes objects."""
    return replace(inventory, resources=tuple(r for r in inventory.resources if _is_object(r)))


def _is_object(resource: Resource) -> bool:
    return resource.type.startswith("kubernetes:") and {"apiVersion", "kind"} <= set(resource.inputs)


def write_objects(inventory: Inventory, folder: Path) -> None:
    """One file for each object, as a scanner reads it."""
    from ops.render.manifests import as_yaml

    folder.mkdir()
    for number, resource in enumerate(inventory.resources):
        (folder / f"{number:04}.yaml").write_text(as_yaml(dict(resource.inputs)), encoding="utf-8")


def violating(count: int) -> Inventory:
    """A plan of `count` services, each open to the internet."""
    services = (
        Resource(
            urn=f"urn:pulumi:{STACK}::seawall::kubernetes:core/v1:Service::s{number}",
            type="kubernetes:core/v1:Service",
            name=f"s{number}",
            custom=True,
            inputs={"spec": {"type": "LoadBalancer"}},
            made_at="stacks/compose.py:1",
        )
        for number in range(count)
    )
    return Inventory(STACK, {"cloud": "aws", "environment": "dev"}, tuple(services))


def _told(what: str, command: list[str | Path], counts: dict[str, int]) -> Callable[[], Sample]:
    """Runs a command that writes its seconds and its count of verdicts into a last argument."""

    def run() -> Sample:
        with tempfile.TemporaryDirectory(prefix="seawall-bench-") as scratch:
            told = Path(scratch) / "told.json"
            done = subprocess.run(
                [*command, told],
                cwd=scratch,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                env=_quiet(),
                timeout=_LONGEST_S,
                check=False,
            )
            if done.returncode:
                last = " / ".join(done.stderr.strip().splitlines()[-3:])
                raise UserError(f"exit code {done.returncode}: {last}", what, "Run the bench again.")
            result = json.loads(told.read_text(encoding="utf-8"))
        counts[what] = result["judged"]
        return Sample(result["seconds"])

    return run


def _quiet() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "LOG_LEVEL": "ERROR", "CHECKOV_RUN_SCA_PACKAGE_SCAN": "false"}


def ensure_checkov(steps: Steps) -> Path:
    """The interpreter of an environment with checkov alone, in the cache: it pins older libraries than the project.

    Raises:
        UserError: it cannot be installed.
    """
    folder = cache_dir() / "checkov" / f"{CHECKOV}-py{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / ".ready").exists():
            with steps.step(f"Install checkov {CHECKOV}"):
                shutil.rmtree(folder, ignore_errors=True)
                _install([find_uv_bin(), "venv", "-q", "--python", sys.executable, folder])
                _install([find_uv_bin(), "pip", "install", "-q", "--python", python, f"checkov=={CHECKOV}"])
                (folder / ".ready").touch()
    return python


def _install(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = " / ".join(done.stderr.strip().splitlines()[-3:])
        remedy = "Let this machine reach a package index, or measure other groups with --only."
        raise UserError(f"checkov cannot be installed: {last}", "uv", remedy)
