"""A framework's coverage table: each control's verdict on the checked stacks, and what is not covered and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from common.errors import UserError
from ops.check.markdown import COMMENT_LIMIT, code, escaped, fitted
from ops.check.report import CheckReport
from ops.check.words import one_line
from policies.controls import Catalogue, Control, Coverage, catalogues
from policies.model import Finding, Verdict
from policies.settings_view import SettingsView
from policies.verdicts import StackVerdict

FORMATS: Final = ("text", "json", "markdown")
_SHORT: Final = {
    Coverage.WHOLE: "in whole",
    Coverage.PART: "in part",
    Coverage.OUTSIDE: "outside the platform",
    Coverage.MANUAL: "manual",
    Coverage.NOT_YET: "not yet",
}


@dataclass(frozen=True)
class Row:
    """One control, as the checked stacks stand."""

    control: Control
    verdict: Verdict | None
    """The worst of its rules' verdicts; None where no rule covers it."""
    violations: tuple[tuple[str, Finding], ...]
    """Stack and finding."""


@dataclass(frozen=True)
class Table:
    """All controls of a framework on the stacks that it is about."""

    catalogue: Catalogue
    stacks: tuple[str, ...]
    left_out: tuple[str, ...]
    """Checked stacks of other clouds."""
    rows: tuple[Row, ...]
    elsewhere: int
    """Violations of rules that no control of the framework names."""

    @property
    def counts(self) -> Mapping[Coverage, int]:
        """How many controls are covered in which way."""
        counted = Counter(row.control.coverage for row in self.rows)
        return {coverage: counted[coverage] for coverage in Coverage}


def catalogue_named(name: str) -> Catalogue:
    """The catalogue of that id.

    Raises:
        UserError: there is none.
    """
    known = catalogues()
    if name not in known:
        raise UserError(f"there is no framework {name!r}", "--framework", f"Choose one of {', '.join(known)}.")
    return known[name]


def tabled(catalogue: Catalogue, report: CheckReport) -> Table:
    """The framework's controls by the verdicts of the report."""
    concerned = [v for v in report.verdicts if _concerns(catalogue, report, v.stack)]
    findings: dict[str, list[tuple[str, Finding]]] = {}
    failing: dict[str, list[tuple[str, Finding]]] = {}
    for verdict in concerned:
        for finding in verdict.findings:
            findings.setdefault(finding.rule.id, []).append((verdict.stack, finding))
        for finding in verdict.violations:
            failing.setdefault(finding.rule.id, []).append((verdict.stack, finding))
    named = {rule for control in catalogue.controls for rule in control.rules}
    return Table(
        catalogue,
        tuple(verdict.stack for verdict in concerned),
        tuple(v.stack for v in report.verdicts if v not in concerned),
        tuple(_row(control, findings, failing) for control in catalogue.controls),
        sum(len(found) for rule, found in failing.items() if rule not in named) + _others(report.verdicts, concerned),
    )


def _others(verdicts: Sequence[StackVerdict], concerned: Sequence[StackVerdict]) -> int:
    return sum(len(verdict.violations) for verdict in verdicts if verdict not in concerned)


def _concerns(catalogue: Catalogue, report: CheckReport, stack: str) -> bool:
    inventory = report.inventories.get(stack)
    cloud = SettingsView.of(inventory.settings).cloud if inventory else None
    told = str(cloud or stack.rpartition("-")[2])
    return not catalogue.clouds or told in catalogue.clouds or told not in ("aws", "gcp")


def _row(
    control: Control,
    findings: Mapping[str, Sequence[tuple[str, Finding]]],
    failing: Mapping[str, Sequence[tuple[str, Finding]]],
) -> Row:
    if not control.is_covered:
        return Row(control, None, ())
    violations = tuple(each for rule in control.rules for each in failing.get(rule, ()))
    seen = {finding.verdict for rule in control.rules for _, finding in findings.get(rule, ())}
    order = (Verdict.WAIVED, Verdict.UNKNOWN, Verdict.PASS)
    verdict = Verdict.FAIL if violations else next((v for v in order if v in seen), Verdict.NOT_APPLICABLE)
    return Row(control, verdict, violations)


def as_json(table: Table, report: CheckReport) -> dict[str, Any]:
    """The table as a document."""
    catalogue = table.catalogue
    return {
        "schema": 1,
        "tool": {"name": "seawall", "version": report.version},
        "date": report.date.isoformat(),
        "framework": {
            "id": catalogue.id,
            "title": catalogue.title,
            "version": catalogue.version,
            "source": catalogue.source,
        },
        "stacks": list(table.stacks),
        "stacks_left_out": list(table.left_out),
        "counts": {str(coverage): count for coverage, count in table.counts.items()},
        "violations_elsewhere": table.elsewhere,
        "controls": [
            {
                "id": row.control.id,
                "title": row.control.title,
                "coverage": str(row.control.coverage),
                "verdict": str(row.verdict) if row.verdict else None,
                "rules": list(row.control.rules),
                "reason": row.control.reason,
                "violations": [
                    {"stack": stack, "rule": f.rule.id, "urn": f.urn, "name": f.name, "reason": f.reason}
                    for stack, f in row.violations
                ],
            }
            for row in table.rows
        ],
    }


def as_text(table: Table) -> str:
    """The table for a terminal: each control, and below it what fails or what is left."""
    width = max(len(row.control.id) for row in table.rows)
    lines = [
        f"{table.catalogue.title} {table.catalogue.version}  on {', '.join(table.stacks) or 'no checked stack'}",
        "",
    ]
    for row in table.rows:
        lines += _lines(row, width)
    return "\n".join([*lines, "", *_conclusion(table)])


def _lines(row: Row, width: int) -> Iterator[str]:
    control = row.control
    yield f"{control.id:<{width}}  {_word(row):<14}  {_SHORT[control.coverage]:<20}  {control.title}"
    indent = " " * (width + 2)
    if control.rules:
        yield f"{indent}rules: {', '.join(control.rules)}"
    for stack, finding in row.violations:
        said = one_line(f"{finding.name}: {finding.reason}")
        yield f"{indent}FAIL {one_line(stack)}  {finding.rule.id}  {said}"
    if control.reason:
        yield f"{indent}{'not covered' if not control.is_covered else 'left'}: {control.reason}"


def _word(row: Row) -> str:
    if row.verdict is None:
        return "-"
    return "FAIL" if row.verdict is Verdict.FAIL else str(row.verdict).replace("_", " ")


def _conclusion(table: Table) -> Iterator[str]:
    counts = table.counts
    covered = counts[Coverage.WHOLE] + counts[Coverage.PART]
    yield (
        f"{covered} of {len(table.rows)} controls have rules: {counts[Coverage.WHOLE]} in whole, "
        f"{counts[Coverage.PART]} in part. Not covered: {counts[Coverage.OUTSIDE]} outside the platform, "
        f"{counts[Coverage.MANUAL]} manual, {counts[Coverage.NOT_YET]} not yet."
    )
    yield "A rule that passes helps to meet a control; no rule meets one by itself."
    if table.left_out:
        yield f"Not about {', '.join(table.left_out)}, which are of another cloud."
    if table.elsewhere:
        yield f"{table.elsewhere} violations are of rules or stacks that it does not name: see `seawall check`."


def as_markdown(table: Table, limit: int = COMMENT_LIMIT) -> str:
    """The table for a comment or a page, at most `limit` characters."""
    head = [
        f"## {escaped(table.catalogue.title)} {escaped(table.catalogue.version)}",
        "",
        f"On {', '.join(code(stack) for stack in table.stacks) or 'no checked stack'}.",
        "",
        *(escaped(line) for line in _conclusion(table)),
        "",
        "| control | verdict | covered | what it asks | rules | what is left |",
        "|---|---|---|---|---|---|",
    ]
    rows = []
    for row in table.rows:
        rules = ", ".join(code(rule) for rule in row.control.rules)
        failing = "; ".join(
            f"{escaped(stack)}: {code(f.rule.id)} on {code(f.name)}" for stack, f in row.violations[:5]
        )
        more = f" and {len(row.violations) - 5} more" if len(row.violations) > 5 else ""
        word = f"**FAIL**: {failing}{more}" if failing else _word(row)
        cells = (escaped(row.control.id), word, _SHORT[row.control.coverage], escaped(row.control.title), rules)
        rows.append(f"| {' | '.join(cells)} | {escaped(row.control.reason)} |")
    return fitted("\n".join(head), rows, limit)
