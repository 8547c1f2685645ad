"""A drill's record while it runs: phases on a clock that nobody sets, checks, controls, and how it ended."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from common.console import Steps
from common.errors import UserError
from ops.drill.judging import findings, recorded, verdict
from ops.drill.model import SCHEMA_VERSION, Check, Control, Phase

THE_START = "the start"


class Record:
    """Filled by a scenario, and read out once as the predicate.

    Args:
        about: what is known beforehand: drill, stack, scenario, who and where.
    """

    def __init__(self, about: Mapping[str, Any], steps: Steps) -> None:
        self._about = about
        self._steps = steps
        self._began = time.monotonic()
        self._phases: list[Phase] = []
        self._phase = THE_START
        self._checks: list[Check] = []
        self._controls: list[Control] = []
        self._facts: dict[str, Any] = {}
        self._failure: dict[str, Any] | None = None
        self._lost_s: float | None = None
        self._proven_s: float | None = None
        self.lost_at: datetime | None = None
        """When the primary was lost, by this machine's clock."""

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a block, and show it; a block that fails is timed too."""
        self._phase, start, began = name, datetime.now(UTC), self.now_s()
        try:
            with self._steps.step(name):
                yield
        finally:
            self._phases.append(Phase(name, start, round(began, 3), round(self.now_s() - began, 3)))

    def now_s(self) -> float:
        """Seconds since the drill's beginning."""
        return time.monotonic() - self._began

    def check(self, *checks: Check) -> None:
        """Write checks down; one that fails does not end the drill."""
        self._checks.extend(checks)

    def control(self, *controls: Control) -> None:
        """Write controls down."""
        self._controls.extend(controls)

    def fact(self, **facts: Any) -> None:
        """Write down what is not judged: JSON by its name in the predicate."""
        self._facts.update(facts)

    def checked(self, name: str) -> list[Check]:
        """The checks of a name that are written down."""
        return [check for check in self._checks if check.name == name]

    def lost(self) -> float:
        """The loss has happened; when, on the drill's clock."""
        self._lost_s, self.lost_at = self.now_s(), datetime.now(UTC)
        return self._lost_s

    def proven(self, target_s: float) -> None:
        """The service answers again as it must: the recovery time ends now."""
        self._proven_s = self.now_s()
        if self._lost_s is not None:
            seconds = round(round(self._proven_s, 3) - round(self._lost_s, 3), 3)
            self.check(Check("rto.measured", "at most", target_s, seconds))

    def failed(self, error: BaseException) -> None:
        """What kept the drill from going on."""
        known = isinstance(error, UserError)
        self._failure = {
            "what": error.what if known else f"{type(error).__name__}: {error}",
            "where": error.where if known else "unexpected",
            "remedy": error.remedy if known else "Look at the drill's log.",
            "phase": self._phase,
            "after_the_loss": self._lost_s is not None,
        }

    @property
    def has_failed(self) -> bool:
        """Whether something kept the drill from going on."""
        return self._failure is not None

    def passed(self, names: Iterable[str]) -> bool:
        """Whether every check of these names that is written down passes."""
        wanted = set(names)
        return all(recorded(check)["passed"] for check in self._checks if check.name in wanted)

    def predicate(self) -> dict[str, Any]:
        """Everything as plain JSON, with its findings and verdict."""
        document = {
            "schema_version": SCHEMA_VERSION,
            **self._about,
            "t_failure": self.lost_at and self.lost_at.isoformat(),
            "lost_at_s": _rounded(self._lost_s),
            "proven_at_s": _rounded(self._proven_s),
            "failure": self._failure,
            "phases": [
                {"name": p.name, "start": p.start.isoformat(), "start_s": p.start_s, "seconds": p.seconds}
                for p in self._phases
            ],
            "checks": [recorded(check) for check in self._checks],
            "controls": [_control(control) for control in self._controls],
            **self._facts,
        }
        plain = json.loads(json.dumps(document))
        told = findings(plain)
        return {**plain, "findings": list(told), "verdict": verdict(told)}


def _control(control: Control) -> dict[str, Any]:
    planted, undone = recorded(control.planted), [recorded(check) for check in control.undone]
    return {
        "name": control.name,
        "fault": control.fault,
        "detected": not planted["passed"] and all(check["passed"] for check in undone),
        "planted": planted,
        "undone": undone,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
