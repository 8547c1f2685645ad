"""The rules as a set: found by being there, described, and about resource types and inputs that exist."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

import policies
from common.sdk.types import check_inputs, schema_of
from localcloud.kubernetes.recorded import RECORDED
from policies import rules
from policies.cluster_objects import EVERY_OBJECT
from policies.family import Family
from policies.model import Framework, Rule
from policies.rules import FAMILIES, RULES
from policies.rules.beside_the_door import UNJUDGED

FILES = sorted(path for path in Path(str(rules.__file__)).parent.glob("*.py") if path.stem != "__init__")
MOST_LINES = 250
TOKEN = re.compile(r"(aws|gcp|kubernetes):[\w./-]+:[A-Za-z]\w*")
CONTROL = {
    Framework.AWS_FSBP: r"[A-Z][A-Za-z0-9]+\.\d+",
    Framework.CIS_EKS: r"\d(\.\d+){2}",
    Framework.CIS_GKE: r"\d(\.\d+){2}",
    Framework.NIST_800_53: r"[A-Z]{2}-\d+",
    Framework.CHECKOV: r"CKV2?_(AWS|GCP|K8S)_\d+",
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_of_rules_is_one_family_that_is_registered(file: Path) -> None:
    module = importlib.import_module(f"{rules.__name__}.{file.stem}")
    made = [value for value in vars(module).values() if isinstance(value, Family)]
    assert made == [module.family] and module.family.rules and any(module.family is known for known in FAMILIES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_family_fits_in_a_file_that_a_reviewer_reads_at_once(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MOST_LINES, "make it two families"


def test_a_type_token_of_two_modules_stands_with_the_tokens() -> None:
    written = Counter(
        token
        for module in Path(str(policies.__file__)).parent.rglob("*.py")
        for token in {n.value for n in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(n, ast.Constant)}
        if isinstance(token, str) and TOKEN.fullmatch(token)
    )
    assert [token for token, count in written.items() if count > 1] == []


def test_no_two_rules_share_an_id() -> None:
    assert [rule for rule, count in Counter(r.id for r in RULES).items() if count > 1] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_looks_at_types_that_the_installed_sdks_or_the_local_cloud_know(rule: Rule) -> None:
    known = {EVERY_OBJECT, "aws:*", "gcp:*", *RECORDED, *UNJUDGED}
    assert [token for token in rule.types if schema_of(token) is None and token not in known] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_an_example_has_only_inputs_that_the_installed_sdks_know(rule: Rule) -> None:
    recorded = [given.recorded() for given in rule.examples().compliant]
    problems = [(r.type, problem) for r in recorded for problem in check_inputs(r.type, r.inputs)]
    assert [(token, p.path, p.reason) for token, p in problems if p.kind != "missing"] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_explains_itself_in_whole_sentences(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z].{10,}[^.]", rule.title), "a title states what must hold, without a full stop"
    assert re.fullmatch(r".{15,}\.", rule.rationale), "an auditor reads this"
    assert re.fullmatch(r"[A-Z][a-z]+ .{5,}\.", rule.remedy), "a remedy starts with what to do"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_control_has_the_form_that_its_framework_uses(rule: Rule) -> None:
    wrong = [c for f, ids in rule.frameworks.items() for c in ids if not re.fullmatch(CONTROL[f], c)]
    assert wrong == []
