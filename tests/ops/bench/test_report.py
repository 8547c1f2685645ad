"""How figures are told and kept."""

from __future__ import annotations

import pytest

from common.errors import UserError
from ops.bench.model import Result, Sample, Series, Target, speed_of
from ops.bench.report import README_BEGIN, README_END, document, markdown, table, with_figures

SERIES = Series("ours", (Sample(1.0),))


def result(figure: float) -> Result:
    return Result("plan", "its time ÷ import", figure, Target("at most", 2, "×"), (SERIES,))


def test_the_document_says_whether_each_target_is_met() -> None:
    told = document([result(1.5), result(2.5)])
    assert [entry["is_met"] for entry in told["results"]] == [True, False]


def test_the_table_has_a_row_for_each_figure() -> None:
    assert table([result(1.5), result(2.5)]).row_count == 2


@pytest.mark.parametrize(("seconds", "told"), [(0.0042, "4.2 / 4.2 / 4.2 ms"), (1.5, "1.50 / 1.50 / 1.50 s")])
def test_times_are_told_in_what_shows_them(seconds: float, told: str) -> None:
    one = Result("plan", "c", 1.0, Target("at most", 2, "×"), (Series("ours", (Sample(seconds),)),))
    assert list(table([one]).columns[-1].cells) == [f"ours: {told}"]


def test_a_missed_target_is_told_as_missed_in_the_readme() -> None:
    text = markdown(document([result(2.5)]))
    assert "| plan | its time ÷ import | 2.50 × | at most 2 × | no |" in text


def test_rates_are_told_for_both_sides() -> None:
    plain = Series("plain", (Sample(2.0),))
    moved = speed_of(
        "publish, 10 × 1 MiB", "c", SERIES, plain, objects=10, size=10**7, target=Target("at least", 1, "×")
    )
    text = markdown(document([moved]))
    assert "| 10 × 1 MiB | ours | 10 | 10.0 |" in text
    assert "| 10 × 1 MiB | plain | 5 | 5.0 |" in text


def test_figures_replace_only_what_is_between_the_marks() -> None:
    told = document([result(1.5)])
    once = with_figures(f"before\n{README_BEGIN}\nold\n{README_END}\nafter", told)
    assert once.startswith("before\n") and once.endswith("\nafter") and "old" not in once
    assert with_figures(once, told) == once


def test_a_readme_without_the_marks_is_refused() -> None:
    with pytest.raises(UserError, match="no place for the figures"):
        with_figures("text", document([result(1.5)]))
