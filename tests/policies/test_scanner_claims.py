"""A scanner's check is claimed whole only where it is judged whole."""

from __future__ import annotations

from policies.model import Framework, Rule
from policies.rules import RULES
from policies.scanner_claims import IN_PART


def claims() -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in RULES:
        for check in rule.frameworks.get(Framework.CHECKOV, ()):
            found.setdefault(check, []).append(rule)
    return found


def test_what_is_judged_in_part_says_what_is_missing() -> None:
    assert len(IN_PART.keys() & claims().keys()) > 10
    assert all(IN_PART.values())


def test_a_report_tells_whole_checks_and_parts_apart() -> None:
    for check, rules in claims().items():
        for rule in rules:
            told = rule.to_json()["frameworks"]
            assert (check in told.get("checkov", ())) is (check not in IN_PART), check
            assert (check in told.get("checkov, in part", ())) is (check in IN_PART), check


def test_no_limit_of_cpu_is_claimed_for_none_is_asked() -> None:
    assert "CKV_K8S_11" not in claims()
