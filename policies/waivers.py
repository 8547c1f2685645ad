"""Waivers: violations that a person accepts for a reason until a date. An invalid waiver fails the check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from common.urns import urn_parts
from policies.model import Finding, Verdict
from policies.rules import RULES
from policies.wording import is_owner, is_reason

DEFAULT_FILE: Final = Path(__file__).resolve().parent / "waivers.yaml"
_REQUIRED: Final = ("rule", "stack", "expires")
_OPTIONAL: Final = ("urn", "type", "name", "reason", "owner")
LONGEST: Final = timedelta(days=366)
"""How far ahead the last day of a waiver may lie: a year, be it a leap year."""
_RULES: Final = {rule.id: rule for rule in RULES}


class WaiversFileError(ValueError):
    """The waivers file cannot be read; `where` names the file and line, `remedy` what to do."""

    def __init__(self, what: str, where: str, remedy: str) -> None:
        super().__init__(f"{where}: {what}")
        self.what = what
        self.where = where
        self.remedy = remedy


@dataclass(frozen=True)
class Waiver:
    """One accepted violation."""

    rule: str
    stack: str
    expires: date
    """The last day on which it holds."""
    urn: str = ""
    type: str = ""
    name: str = ""
    reason: str = ""
    owner: str = ""
    where: str = ""
    """File and line, for a person."""
    file: Path | None = field(default=None, compare=False)
    line: int = field(default=1, compare=False)

    @property
    def resource(self) -> str:
        """The resource as the file names it."""
        return self.urn or f"{self.type} {self.name}"

    def covers(self, finding: Finding) -> bool:
        """Whether this waiver speaks of that finding (of its own stack)."""
        if finding.rule.id != self.rule or not finding.urn:
            return False
        return finding.urn == self.urn if self.urn else (finding.type, finding.name) == (self.type, self.name)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as reports carry it."""
        return {
            "rule": self.rule,
            "stack": self.stack,
            "resource": self.resource,
            "reason": self.reason,
            "owner": self.owner,
            "expires": self.expires.isoformat(),
            "where": self.where,
        }


@dataclass(frozen=True)
class WaiverProblem:
    """Why a waiver is invalid."""

    waiver: Waiver
    problem: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as reports carry it."""
        return {"problem": self.problem, "waiver": self.waiver.to_json()}


@dataclass(frozen=True)
class Waived:
    """The findings of one stack after waivers, the waivers that hold, and the invalid ones."""

    findings: tuple[Finding, ...]
    applied: Mapping[tuple[str, str], Waiver]
    """Finding's key → the waiver that covers it."""
    problems: tuple[WaiverProblem, ...]


def load(path: Path = DEFAULT_FILE) -> tuple[Waiver, ...]:
    """Read a waivers file; no file means no waivers.

    Raises:
        WaiversFileError: it is not YAML, or an entry lacks a key, has an unknown one, or a value of the wrong type.
    """
    try:
        document = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        what = str(error.problem or "not YAML")
        raise WaiversFileError(what, f"{path}{line}", "Fix the YAML at that line.") from None
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise WaiversFileError(why, str(path), "Write the file as UTF-8 YAML.") from None
    if not isinstance(document, Mapping) or set(document) != {"waivers"}:
        raise WaiversFileError("not an object with the one key `waivers`", str(path), "Write `waivers: []`.")
    entries = document["waivers"]
    if not isinstance(entries, list):
        raise WaiversFileError(
            "`waivers` is not a list", str(path), "Write `waivers: []`, or entries that start with -."
        )
    return tuple(_parse(path, _line(entries, index), entry) for index, entry in enumerate(entries))


def _line(entries: Any, index: int) -> int:
    return int(entries.lc.item(index)[0]) + 1


def _parse(path: Path, line: int, entry: object) -> Waiver:
    where = f"{path.name}:{line}"
    keys = ", ".join((*_REQUIRED, *_OPTIONAL))
    if not isinstance(entry, Mapping):
        raise WaiversFileError("a waiver that is not an object", where, f"Write the keys {keys}.")
    unknown = [str(key) for key in entry if key not in (*_REQUIRED, *_OPTIONAL)]
    if unknown:
        raise WaiversFileError(f"unknown key {unknown[0]!r}", where, f"Use the keys {keys}.")
    missing = [key for key in _REQUIRED if entry.get(key) is None]
    if missing:
        raise WaiversFileError(f"{missing[0]!r} is missing", where, f"Write the keys {keys}.")
    expires = entry["expires"]
    if not isinstance(expires, date):
        raise WaiversFileError(f"expires is {expires!r}, which is not a date", where, "Write a date, as 2026-12-31.")
    texts = {key: entry.get(key) for key in ("rule", "stack", *_OPTIONAL)}
    wrong = [key for key, value in texts.items() if value is not None and not isinstance(value, str)]
    if wrong:
        raise WaiversFileError(f"{wrong[0]} is not text", where, "Quote the value.")
    named = {key: str(value or "").strip() for key, value in texts.items()}
    if not named["urn"] and not (named["type"] and named["name"]):
        raise WaiversFileError("no resource is named", where, "Give urn, or type and name.")
    if named["urn"] and (named["type"] or named["name"]):
        raise WaiversFileError("the resource is named twice", where, "Give urn, or type and name, not both.")
    return Waiver(
        rule=named["rule"],
        stack=named["stack"],
        expires=date(expires.year, expires.month, expires.day),
        urn=named["urn"],
        type=named["type"],
        name=named["name"],
        reason=named["reason"],
        owner=named["owner"],
        where=where,
        file=path,
        line=line,
    )


def apply(waivers: Sequence[Waiver], stack: str, findings: Iterable[Finding], today: date) -> Waived:
    """Mark what the stack's waivers cover, and list the invalid ones as of `today`.

    An invalid waiver covers nothing, so its violation shows again.
    """
    listed = tuple(findings)
    own = [waiver for waiver in waivers if waiver.stack == stack]
    of_rule: dict[str, list[Finding]] = {}
    for finding in listed if own else ():
        of_rule.setdefault(finding.rule.id, []).append(finding)
    applied: dict[tuple[str, str], Waiver] = {}
    problems: list[WaiverProblem] = []
    for waiver in own:
        covered = [finding for finding in of_rule.get(waiver.rule, ()) if waiver.covers(finding)]
        problem = problem_in_itself(waiver, today) or _problem_here(covered, applied)
        if problem:
            problems.append(WaiverProblem(waiver, problem))
        else:
            applied[covered[0].key] = waiver
    marked = tuple(replace(f, verdict=Verdict.WAIVED) if f.key in applied else f for f in listed)
    return Waived(marked, applied, tuple(problems))


def problem_in_itself(waiver: Waiver, today: date) -> str:
    """What is wrong with a waiver whatever its stack holds; empty where nothing is."""
    rule = _RULES.get(waiver.rule)
    said = (waiver.owner, waiver.rule, rule.title if rule else "")
    if waiver.expires < today:
        return f"it expired on {waiver.expires.isoformat()}"
    if not is_reason(waiver.reason, said):
        return "it gives no reason: say in a few words of your own why this is acceptable here"
    if not is_owner(waiver.owner):
        return "it names no owner: name the team or person who answers for it"
    if waiver.expires > today + LONGEST:
        return f"it lasts until {waiver.expires.isoformat()}, more than a year ahead: decide anew each year"
    if rule is None:
        return f"it matches no resource, for there is no rule {waiver.rule!r}"
    named = urn_parts(waiver.urn)
    if waiver.urn and named.stack != waiver.stack:
        return f"it matches no resource: the URN is not one of stack {waiver.stack}"
    if (named.type or waiver.type) not in rule.types:
        return f"it matches no resource that this rule looks at: it looks at {', '.join(rule.types)}"
    return ""


def _problem_here(covered: Sequence[Finding], applied: Mapping[tuple[str, str], Waiver]) -> str:
    if not covered:
        return "it matches no resource that this rule looks at. Remove it, or name the resource as it is now."
    if len(covered) > 1:
        return f"it matches {len(covered)} resources. Name one by its URN."
    if covered[0].key in applied:
        return f"it repeats {applied[covered[0].key].where}"
    if covered[0].verdict not in (Verdict.FAIL, Verdict.UNKNOWN):
        return f"there is nothing to waive: the verdict is {covered[0].verdict}. Remove it."
    return ""


def invalid_elsewhere(waivers: Iterable[Waiver], judged: Iterable[str], today: date) -> tuple[WaiverProblem, ...]:
    """Waivers of stacks that were not judged and that are invalid whatever those stacks hold."""
    seen = set(judged)
    found = ((waiver, problem_in_itself(waiver, today)) for waiver in waivers if waiver.stack not in seen)
    return tuple(WaiverProblem(waiver, problem) for waiver, problem in found if problem)


def unknown_stacks(waivers: Iterable[Waiver], known: Iterable[str]) -> tuple[WaiverProblem, ...]:
    """Waivers for stacks that do not exist: no run would ever look at them."""
    names = set(known)
    return tuple(
        WaiverProblem(waiver, f"there is no stack {waiver.stack!r}")
        for waiver in waivers
        if waiver.stack not in names
    )
