"""`make bench`: measures, prints a table, writes out/bench.json, and exits 1 if a target is missed.

python -m ops.bench                   everything, 5 runs each
python -m ops.bench --only plan       one group
python -m ops.bench --record          also put the figures into docs/bench.json and the README
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Final

import typer
from rich.console import Console

from common.console import Steps
from common.errors import EXIT_CLEAN, EXIT_COULD_NOT_RUN, EXIT_FOUND, EXIT_INTERRUPTED, UserError
from common.files import write_whole
from common.os_errors import as_user_error
from common.paths import out_dir, repo_root
from ops.bench import report
from ops.bench.model import Result, all_met


def _plan(repeats: int, _steps: Steps) -> list[Result]:
    from ops.bench.planning import measure_all_stacks, measure_check, measure_plan  # imports the SDKs

    return [*measure_plan(repeats), *measure_all_stacks(repeats), *measure_check(repeats)]


def _judge(repeats: int, steps: Steps) -> list[Result]:
    from ops.bench.judging import measure_judging, measure_sarif  # imports the rules

    return [*measure_judging(repeats, steps), *measure_sarif(repeats)]


def _diff(repeats: int, _steps: Steps) -> list[Result]:
    from ops.bench.diffing import measure_diff

    return measure_diff(repeats)


def _engine(repeats: int, steps: Steps) -> list[Result]:
    from ops.bench.engine import ensure_ready, measure_preview  # with it comes Pulumi's whole SDK

    ensure_ready(steps)
    return measure_preview(repeats, steps)


def _transfer(repeats: int, _steps: Steps) -> list[Result]:
    from ops.bench.transfer import measure_transfers  # with it comes boto3

    return measure_transfers(repeats)


def _memory(_repeats: int, _steps: Steps) -> list[Result]:
    from ops.bench.memory import measure_memory  # with it comes boto3

    return measure_memory()


def _fetch(repeats: int, steps: Steps) -> list[Result]:
    from ops.bench.fetching import measure_fetches  # with it comes the local cloud

    return measure_fetches(repeats, steps)


def _serving(repeats: int, steps: Steps) -> list[Result]:
    from ops.bench.serving import measure_serving  # with it comes the local cloud

    return measure_serving(repeats, steps)


def _capacity(repeats: int, _steps: Steps) -> list[Result]:
    from ops.bench.simulating import measure_simulation  # imports the SDKs

    return measure_simulation(repeats)


def _door(repeats: int, steps: Steps) -> list[Result]:
    from ops.bench.door import measure_door  # with it comes Triton

    return measure_door(repeats, steps)


Groups = Mapping[str, Callable[[int, Steps], list[Result]]]

GROUPS: Final[Groups] = {
    "plan": _plan,
    "judge": _judge,
    "diff": _diff,
    "engine": _engine,
    "transfer": _transfer,
    "memory": _memory,
    "fetch": _fetch,
    "serving": _serving,
    "capacity": _capacity,
    "door": _door,
}


def bench(
    context: typer.Context,
    only: Annotated[list[str] | None, typer.Option(metavar="GROUP", help=f"One of {', '.join(GROUPS)}.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each thing, after one that warms up.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON instead of the table.")] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Also write docs/bench.json and the README's table from it.")
    ] = False,
) -> None:
    """Measure speed and memory, as ratios of things that run in turns; exit 1 if a target is missed."""
    groups: Groups = context.obj or GROUPS
    unknown = [name for name in only or () if name not in groups]
    if unknown:
        raise UserError(f"there is no group {unknown[0]!r}", "--only", f"Choose one of {', '.join(groups)}.")
    if record and only:
        raise UserError("a part of the figures cannot be recorded", "--record", "Leave --only out.")
    steps = Steps()
    results: list[Result] = []
    for name in only or groups:
        with steps.step(f"Measure: {name}"):
            results += groups[name](repeats, steps)
    told = report.document(results)
    out_dir().mkdir(parents=True, exist_ok=True)
    write_whole(out_dir() / "bench.json", report.as_json(told))
    if record:
        readme = repo_root() / "README.md"
        text = report.with_figures(readme.read_text(encoding="utf-8"), told)
        write_whole(report.recorded_file(), report.as_json(told))
        write_whole(readme, text)
    if as_json:
        typer.echo(report.as_json(told), nl=False)
    else:
        console = Console(highlight=False)
        console = console if console.is_terminal else Console(highlight=False, width=200)
        console.print(report.table(results))
    raise typer.Exit(EXIT_CLEAN if all_met(results) else EXIT_FOUND)


def main() -> None:
    """Run, with a user's mistake told in three plain lines."""
    try:
        typer.run(bench)
    except (UserError, OSError) as error:
        told = as_user_error(error) if isinstance(error, OSError) else error
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"error: {told}", markup=False)
        sys.exit(EXIT_COULD_NOT_RUN)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
