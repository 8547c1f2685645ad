"""Reads what each arm has earned from Prometheus, or says why that cannot be known.

Resets of counters, as of a pod that was replaced, are Prometheus' to handle: `increase` adds what was counted before
and after one. Each interval of the window is asked for by itself, so that evidence can be discounted by its age.
"""

from __future__ import annotations

import http.client
import json
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .deciding import Earned
from .settings import Settings

TIMEOUT_S = 10.0


class MissingError(Exception):
    """The evidence is not there; its text says what is missing."""


class Prometheus(Protocol):
    """The two questions of its HTTP API that are asked; each answer is `data.result`."""

    def at(self, query: str, moment: float) -> Sequence[Mapping[str, Any]]: ...

    def between(self, query: str, start: float, end: float, step: int) -> Sequence[Mapping[str, Any]]: ...


class HttpPrometheus:
    """Prometheus' API, version 1; without a proxy, as it lies in the cluster."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def at(self, query: str, moment: float) -> Sequence[Mapping[str, Any]]:
        return self._ask("query", {"query": query, "time": f"{moment:.3f}"})

    def between(self, query: str, start: float, end: float, step: int) -> Sequence[Mapping[str, Any]]:
        asked = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": str(step)}
        return self._ask("query_range", asked)

    def _ask(self, question: str, asked: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        url = f"{self._url}/api/v1/{question}?{urllib.parse.urlencode(asked)}"
        try:
            with self._open(url, timeout=TIMEOUT_S) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            said = " ".join(error.read(300).decode(errors="replace").split())
            raise MissingError(f"Prometheus refuses {asked['query']!r}: {error.code} {said}") from error
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            raise MissingError(f"Prometheus at {self._url} gives no answer: {error}") from error


def earned(prometheus: Prometheus, settings: Settings, now: float) -> dict[str, list[Earned]]:
    """Arm → what it earned in each interval of the window that ends at `now` (seconds since 1970), oldest first.

    Raises:
        MissingError: an arm has no counter, or one that was last seen too long ago, or Prometheus does not answer.
    """
    try:
        for what, selector in (("successes", settings.successes), ("trials", settings.trials)):
            _check_seen(prometheus, settings, what, selector, now)
        successes = _increases(prometheus, settings, settings.successes, now)
        trials = _increases(prometheus, settings, settings.trials, now)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise MissingError(f"Prometheus answers with what is no series: {error!r}") from error
    return {arm: [Earned(*pair) for pair in zip(successes[arm], trials[arm], strict=True)] for arm in settings.arms}


def _check_seen(prometheus: Prometheus, settings: Settings, what: str, selector: str, now: float) -> None:
    seen = prometheus.at(f"max by ({settings.label}) (timestamp({selector}))", now)
    last = {_label(series, settings): _number(series["value"][1]) for series in seen}
    for arm in settings.arms:
        if arm not in last:
            raise MissingError(
                f"{selector} has no {what} of {arm}: export the counter from 0 on, with the label {settings.label}"
            )
        age = now - last[arm]
        if age < -settings.stale_after:
            raise MissingError(f"the {what} of {arm} were last seen {-age:.0f} s from now: the clock went back")
        if not age <= settings.stale_after:  # NaN is stale too
            raise MissingError(f"the {what} of {arm} were last seen {age:.0f} s ago, not {settings.stale_after} s")


def _increases(prometheus: Prometheus, settings: Settings, selector: str, now: float) -> dict[str, list[float]]:
    count = max(1, settings.window // settings.interval)
    start = now - (count - 1) * settings.interval
    query = f"sum by ({settings.label}) (increase({selector}[{settings.interval}s]))"
    # An arm whose counters are younger than the window has earned nothing before.
    found = {arm: [0.0] * count for arm in settings.arms}
    for series in prometheus.between(query, start, now, settings.interval):
        row = found.get(_label(series, settings))
        if row is None:
            continue  # of a variant that is no arm
        for moment, value in series["values"]:
            place = round((float(moment) - start) / settings.interval)
            if 0 <= place < count:
                row[place] = _number(value)
    return found


def _label(series: Mapping[str, Any], settings: Settings) -> str:
    return str(series["metric"].get(settings.label, ""))


def _number(text: object) -> float:
    """Prometheus writes numbers as text, NaN and infinities among them, which `deciding.fault` refuses."""
    try:
        return float(str(text))
    except ValueError:
        return math.nan
