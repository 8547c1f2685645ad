"""Claims about which engine is used, and what is said when there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from common.console import Steps
from common.errors import UserError
from common.versions import PULUMI_CLI
from localcloud.engine.build import built_entry
from localcloud.engine.download import downloaded_entry
from localcloud.engine.find import FORCE_VARIABLE, WAYS, Way, allowed_ways, engine_in_cache, find_engine
from localcloud.engine.model import ORIGINS, PROGRAMS, Attempt, Engine, Origin
from localcloud.toolchain.cache import Entry

pytestmark = pytest.mark.usefixtures("own_cache")


def ways(tried: list[Origin], works: Origin | None) -> Mapping[Origin, Way]:
    def way(origin: Origin) -> Way:
        def take(_: Steps) -> Engine | Attempt:
            tried.append(origin)
            if origin == works:
                return Engine(Path("/e"), "1.2.3", origin, Path("/e/host"), "it works")
            return Attempt(origin, f"the reason of {origin}")

        return take

    return {origin: way(origin) for origin in ORIGINS}


def put_in_cache(entry: Entry) -> Path:
    entry.path.mkdir(parents=True)
    for name in PROGRAMS:
        program = entry.path / name
        program.write_text("x")
        program.chmod(0o755)
    return entry.path


@pytest.mark.parametrize("works", ORIGINS)
def test_the_ways_are_tried_in_order_up_to_the_first_that_works(works: Origin, steps: Steps) -> None:
    tried: list[Origin] = []
    find_engine(steps, ways(tried, works), {})
    assert tuple(tried) == ORIGINS[: ORIGINS.index(works) + 1]


def test_the_engine_carries_the_reasons_of_the_ways_before_it(steps: Steps) -> None:
    found = find_engine(steps, ways([], "download"), {})
    assert found.passed_over == (Attempt("path", "the reason of path"), Attempt("cache", "the reason of cache"))


def test_without_any_engine_every_reason_is_told(steps: Steps) -> None:
    with pytest.raises(UserError) as caught:
        find_engine(steps, ways([], None), {})
    assert [origin for origin in ORIGINS if f"{origin}: the reason of {origin}" in caught.value.what] == [*ORIGINS]


def test_without_any_engine_the_remedies_are_told(steps: Steps) -> None:
    with pytest.raises(UserError) as caught:
        find_engine(steps, ways([], None), {})
    assert f"pulumi {PULUMI_CLI} or newer" in caught.value.remedy
    assert FORCE_VARIABLE not in caught.value.remedy


@pytest.mark.parametrize("forced", ORIGINS)
def test_a_forced_way_is_the_only_one_tried(forced: Origin, steps: Steps) -> None:
    tried: list[Origin] = []
    with pytest.raises(UserError, match=f"the reason of {forced}") as caught:
        find_engine(steps, ways(tried, None), {FORCE_VARIABLE: forced})
    assert tried == [forced]
    assert f"Unset {FORCE_VARIABLE}" in caught.value.remedy


def test_a_forced_way_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(UserError, match="'brew' is no way") as caught:
        allowed_ways("brew")
    assert "path, cache, download, build" in caught.value.remedy


def test_an_empty_force_is_none() -> None:
    assert allowed_ways("") == ORIGINS


def test_an_empty_cache_is_a_reason() -> None:
    assert isinstance(engine_in_cache(), Attempt)


@pytest.mark.parametrize(("entry", "how"), [(downloaded_entry, "downloaded"), (built_entry, "built with Go")])
def test_an_engine_in_the_cache_says_how_it_came_there(entry: Callable[[], Entry], how: str) -> None:
    folder = put_in_cache(entry())
    found = engine_in_cache()
    assert isinstance(found, Engine)
    assert (found.bin_dir, found.origin, found.version) == (folder, "cache", PULUMI_CLI)
    assert how in found.reason


@pytest.mark.parametrize("missing", PROGRAMS)
def test_half_an_engine_in_the_cache_is_not_used(missing: str) -> None:
    (put_in_cache(built_entry()) / missing).unlink()
    found = engine_in_cache()
    assert isinstance(found, Attempt)
    assert missing in found.reason


def test_a_way_that_fails_becomes_a_reason(steps: Steps, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("SEAWALL_CACHE", str(blocked))
    attempt = WAYS["build"](steps)
    assert isinstance(attempt, Attempt)
    assert str(blocked) in attempt.reason
