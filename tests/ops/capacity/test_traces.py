"""Loads to simulate, built in and from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import UserError
from ops.capacity.traces import diurnal, flash_crowd, read, scaled

HEAD = "seconds,requests_per_second\n"


def test_a_day_is_a_day_and_fits_the_fleet() -> None:
    day = diurnal(100)
    rates = [day.rps(600 * n) for n in range(144)]
    assert day.seconds == 86_400 and max(rates) == pytest.approx(85, rel=0.01)
    assert rates.index(max(rates)) == 14 * 6 and rates.index(min(rates)) == 2 * 6
    assert day.rps(0) == pytest.approx(day.rps(86_400))


def test_a_crowd_comes_at_once_and_leaves_time_to_shrink() -> None:
    crowd = flash_crowd(10, 100, 600)
    assert (crowd.rps(0), crowd.rps(1260), crowd.rps(crowd.seconds)) == (8, 32, 8)
    assert crowd.phases[-1].seconds > 600


def test_a_crowd_stays_within_what_all_replicas_serve() -> None:
    assert max(p.last_rps for p in flash_crowd(30, 60, 600).phases) == pytest.approx(51)


def test_a_peak_is_set() -> None:
    assert max(p.last_rps for p in scaled(diurnal(100), 7).phases) == pytest.approx(7)


def test_a_file_is_followed_evenly_between_its_rows(tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    file.write_text(f"\ufeff{HEAD}0,10\n60,20\n\n180,0\n")
    trace = read(file)
    assert [trace.rps(at) for at in (0, 30, 60, 120, 180, 999)] == [10, 15, 20, 10, 0, 0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "first line"),
        ("time,load\n0,1\n60,1\n", "first line"),
        (HEAD, "0 rows"),
        (f"{HEAD}0,1\n", "1 rows"),
        (f"{HEAD}0,1\n60,many\n", "line 3: '60,many' is not two numbers"),
        (f"{HEAD}0,1\n60\n", "is not two numbers"),
        (f"{HEAD}0,1,2\n60,1,2\n", "is not two numbers"),
        (f"{HEAD}0,1\n60,-1\n", "is no rate"),
        (f"{HEAD}0,nan\n60,1\n", "is no rate"),
        (f"{HEAD}0,1\ninf,1\n", "is no rate"),
        (f"{HEAD}0,1e9\n60,1\n", "is no rate"),
        (f"{HEAD}5,1\n60,1\n", "begins at 5"),
        (f"{HEAD}0,1\n60,1\n60,2\n", "line 4 is at 60"),
        (f"{HEAD}0,1\n30,1\n", "lasts 30"),
        (f"{HEAD}0,1\n9999999,1\n", "lasts"),
        (f"{HEAD}0,0\n60,0\n", "no request"),
        ("a" * 200_000, "larger than field limit"),
        (f"{HEAD}0,1\n60,{'1' * 200_000}\n", "larger than field limit"),
    ],
)
def test_what_is_no_trace_is_refused_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    file.write_text(text)
    with pytest.raises(UserError, match=said) as refused:
        read(file)
    assert refused.value.where == str(file) and refused.value.remedy.endswith(".")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not UTF-8"):
        read(file)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a folder"):
        read(tmp_path)


def test_what_is_neither_a_name_nor_a_file_is_refused_with_the_names(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no trace") as refused:
        read(tmp_path / "weekly")
    assert "flash-crowd" in refused.value.remedy
