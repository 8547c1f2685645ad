"""The rules as a set: listed once, described, and about resource types that exist."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from policies.model import Framework, Rule
from policies.rules import RULES

_COUNT = 82
_CONTROL = {
    Framework.AWS_FSBP: r"[A-Z][A-Za-z0-9]+\.\d+",
    Framework.CIS_EKS: r"\d(\.\d+){2}",
    Framework.CIS_GKE: r"\d(\.\d+){2}",
    Framework.NIST_800_53: r"[A-Z]{2}-\d+",
    Framework.CHECKOV: r"CKV2?_(AWS|GCP|K8S)_\d+",
}


@cache
def _known_tokens(package: str) -> frozenset[str]:
    module = importlib.import_module(f"pulumi_{package}")
    text = Path(str(module.__file__)).read_text(encoding="utf-8")
    return frozenset(re.findall(rf'"({package}:[\w./]+:\w+)"', text))


def test_the_pack_holds_as_many_rules_as_it_says() -> None:
    assert len(RULES) == _COUNT, "a rule was added or lost: say so here"


def test_no_two_rules_share_an_id() -> None:
    assert [rule for rule, count in Counter(r.id for r in RULES).items() if count > 1] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_looks_at_types_that_the_installed_sdks_know(rule: Rule) -> None:
    unknown = [token for token in rule.types if token not in _known_tokens(token.split(":")[0])]
    assert unknown == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_explains_itself(rule: Rule) -> None:
    texts = (rule.title, rule.rationale, rule.remedy)
    assert [text for text in texts if len(text) < 15] == [], "an auditor reads these"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_control_has_the_form_that_its_framework_uses(rule: Rule) -> None:
    wrong = [c for f, ids in rule.frameworks.items() for c in ids if not re.fullmatch(_CONTROL[f], c)]
    assert wrong == []
