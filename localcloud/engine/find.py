"""Which Pulumi engine is used: on PATH, in the cache, Pulumi's download, or built with Go, in that order."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from common.console import Steps
from common.errors import UserError
from common.files import can_be_written
from common.paths import cache_dir
from common.versions import PULUMI_CLI
from localcloud.engine.build import build_engine, built_entry
from localcloud.engine.download import download_engine, downloaded_entry
from localcloud.engine.model import LANGUAGE_HOST, ORIGINS, Attempt, Engine, Origin, folder_problem
from localcloud.engine.path import engine_on_path
from localcloud.toolchain.cache import Entry

FORCE_VARIABLE = "SEAWALL_ENGINE"
"""Names the one way to an engine that may be taken."""

Way = Callable[[Steps], Engine | Attempt]


def engine_in_cache() -> Engine | Attempt:
    """An engine that an earlier download or build left, or why there is none."""
    reasons: list[str] = []
    for entry, how in ((downloaded_entry(), "downloaded"), (built_entry(), "built with Go")):
        problem = _entry_problem(entry)
        if problem is None:
            reason = f"{how} earlier, and kept in the cache"
            return Engine(entry.path, PULUMI_CLI, "cache", entry.path / LANGUAGE_HOST, reason)
        reasons.append(problem)
    return Attempt("cache", "; ".join(reasons))


def _entry_problem(entry: Entry) -> str | None:
    return folder_problem(entry.path) if entry.path.is_dir() else f"no {entry.path}"


def _attempted(way: Origin, take: Callable[[Steps], Engine]) -> Way:
    def attempt(steps: Steps) -> Engine | Attempt:
        try:
            return take(steps)
        except UserError as error:
            return Attempt(way, f"{error.what} ({error.where})")

    return attempt


WAYS: Mapping[Origin, Way] = {
    "path": lambda _: engine_on_path(),
    "cache": lambda _: engine_in_cache(),
    "download": _attempted("download", download_engine),
    "build": _attempted("build", build_engine),
}


def allowed_ways(forced: str | None) -> tuple[Origin, ...]:
    """All ways in their order, or the one that `SEAWALL_ENGINE` names.

    Raises:
        UserError: it names no way.
    """
    if not forced:
        return ORIGINS
    for origin in ORIGINS:
        if origin == forced:
            return (origin,)
    raise UserError(
        f"{forced!r} is no way to an engine",
        FORCE_VARIABLE,
        f"Set it to one of {', '.join(ORIGINS)}, or leave it unset to try them in this order.",
    )


def find_engine(
    steps: Steps | None = None,
    ways: Mapping[Origin, Way] = WAYS,
    environment: Mapping[str, str] | None = None,
) -> Engine:
    """The first engine that the ways lead to, with the reason why each earlier way did not.

    Raises:
        UserError: none leads to one; the text has every way's reason.
    """
    steps = steps or Steps()
    forced = (os.environ if environment is None else environment).get(FORCE_VARIABLE)
    attempts: list[Attempt] = []
    for way in allowed_ways(forced):
        found = ways[way](steps)
        if isinstance(found, Engine):
            return replace(found, passed_over=tuple(attempts))
        attempts.append(found)
    reasons = "".join(f"\n  {attempt.way}: {attempt.reason}" for attempt in attempts)
    raise UserError(f"no Pulumi engine can be had:{reasons}", "PATH, cache, download, build", remedies(attempts))


def remedies(attempts: list[Attempt]) -> str:
    """What to do when no way works."""
    forced = f"unset {FORCE_VARIABLE}, which allows one way only; or " if len(attempts) == 1 else ""
    writable = "set SEAWALL_CACHE to a folder that you may write; or " if not can_be_written(cache_dir()) else ""
    text = (
        f"{forced}{writable}install pulumi {PULUMI_CLI} or newer and put it on PATH; or give this machine access to "
        "Pulumi's download site, or to a Go module proxy and, where Go is missing, to a Python package index."
    )
    return text[0].upper() + text[1:]


_ready: list[Engine] = []


def ensure_engine(steps: Steps | None = None) -> Engine:
    """The engine to use, ready; looked for once per process.

    Args:
        steps: where a download or a build shows its progress.

    Raises:
        UserError: see `find_engine`.
    """
    if not _ready:
        _ready.append(find_engine(steps))
    return _ready[0]
