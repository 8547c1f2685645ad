"""An experiment's salt stands where Envoy Gateway reads it, and nowhere else in plain sight."""

from __future__ import annotations

from typing import Any, Final

import pytest

from policies.evaluation import evaluate
from policies.inventory import SECRET, UNKNOWN, Inventory, Resource
from policies.model import Verdict
from policies.rules import RULES

RULE: Final = "k8s-no-secrets-in-plain-text"
POLICY: Final = "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyExtensionPolicy"
CONFIG: Final = "kubernetes:core/v1:ConfigMap"


def told(token: str, inputs: dict[str, Any]) -> Verdict:
    inventory = Inventory("prod", {}, (Resource("urn", token, "salted", custom=True, inputs=inputs),))
    (finding,) = evaluate(inventory, [rule for rule in RULES if rule.id == RULE])
    return finding.verdict


def filtering(**context: Any) -> dict[str, Any]:
    return {"spec": {"lua": [{"type": "Inline", "filterContext": context}]}}


@pytest.mark.parametrize("salt", [SECRET, UNKNOWN])
def test_a_salt_that_the_program_marks_as_a_secret_is_let_be(salt: str) -> None:
    assert told(POLICY, filtering(salt=salt)) is not Verdict.FAIL


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        (POLICY, filtering(salt="0123456789abcdef")),
        (POLICY, filtering(pepper=SECRET)),
        (POLICY, filtering(nested={"salt": SECRET})),
        (POLICY, {"spec": {"lua": [{"inline": SECRET}]}}),
        (POLICY, {"metadata": {"annotations": {"salt": SECRET}}}),
        (CONFIG, filtering(salt=SECRET)),
        (CONFIG, {"data": {"salt": SECRET}}),
    ],
)
def test_any_other_secret_in_plain_sight_is_found(token: str, inputs: dict[str, Any]) -> None:
    assert told(token, inputs) is Verdict.FAIL
