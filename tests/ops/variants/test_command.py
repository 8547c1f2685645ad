"""`seawall variants` reads logs as they are, writes reports, and ends as it should."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from common.errors import EXIT_FOUND, UserError
from ops.variants.command import app
from tests.ops.variants.test_compare import pairs
from tests.ops.variants.test_exposures import users


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def log_of(path: Path, lines: list[dict[str, object]], **told: str) -> str:
    path.write_text("\n".join(["starting", *(json.dumps({**each, **told}) for each in lines)]), encoding="utf-8")
    return str(path)


def test_a_comparison_that_passes_is_told_and_written(tmp_path: Path) -> None:
    log, out = log_of(tmp_path / "log", pairs(300)), tmp_path / "report.md"
    code, said = run("compare", log, "--out", str(out))
    assert (code, "# b beside stable: the same" in said) == (0, True)
    assert out.read_text(encoding="utf-8") == said


def test_a_comparison_that_fails_ends_with_1_and_says_why(tmp_path: Path) -> None:
    code, said = run("compare", log_of(tmp_path / "log", pairs(300, label="low")), "--json")
    assert code == EXIT_FOUND
    assert json.loads(said)["outputs"]["label"]["flips"] == {"high → low": 300}


def test_exposures_are_judged_by_the_shares_given(tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", users(700, 300), log="seawall-exposure")
    assert run("exposures", log, "--share", "b=30")[0] == 0
    code, said = run("exposures", log, "--share", "b=50")
    assert (code, "not as asked" in said) == (EXIT_FOUND, True)


@pytest.mark.parametrize("share", ["b", "b=x", "b=101", "stable=10", "b=-1", "b=nan", "=10"])
def test_a_share_that_is_none_is_refused(tmp_path: Path, share: str) -> None:
    with pytest.raises(UserError, match="share"):
        run("exposures", log_of(tmp_path / "log", users(7, 3), log="seawall-exposure"), "--share", share)


@pytest.mark.parametrize("rest", ['"id"', f'"id": {"[" * 100_000}'])
def test_a_line_that_is_cut_off_is_refused_with_its_place(rest: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f'{{"log": "seawall-answer", {rest}', encoding="utf-8")
    with pytest.raises(UserError) as refused:
        run("compare", str(tmp_path / "log"))
    assert refused.value.where.endswith("log:1")


def test_a_missing_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        run("compare", str(tmp_path / "none"))


def test_more_challengers_than_an_experiment_has_are_refused(tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", users(7, 3), log="seawall-exposure")
    with pytest.raises(UserError, match="shares"):
        run("exposures", log, "--share", "b=10", "--share", "c=10", "--share", "d=10")


@pytest.mark.parametrize(
    ("command", "line", "lacks"),
    [
        (("exposures", "--share", "b=10"), {"log": "seawall-exposure", "experiment": "x", "user": "u"}, "variant"),
        (("exposures", "--share", "b=10"), {"log": "seawall-exposure", "variant": "b", "user": "u"}, "experiment"),
        (("compare",), {"log": "seawall-answer", "id": "1", "variant": "b", "ms": 1, "outputs": {"p": {}}}, "shape"),
        (("compare",), {"log": "seawall-answer", "id": "1", "variant": "b", "ms": 1, "outputs": 3}, "not iterable"),
    ],
)
def test_half_a_line_is_refused(
    tmp_path: Path, command: tuple[str, ...], line: dict[str, object], lacks: str
) -> None:
    with pytest.raises(UserError, match=lacks):
        run(*command, log_of(tmp_path / "log", [line]))
