"""Objects of a cluster are judged whatever carries them, and by no more than what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from policies.cluster_objects import canonical, expanded
from policies.evaluation import evaluate
from policies.inventory import Inventory, Resource
from policies.model import Verdict
from policies.rules import RULES

BAD: Mapping[str, Any] = {"hostNetwork": True, "containers": [{"name": "a", "securityContext": {"privileged": True}}]}
JUDGES = [rule for rule in RULES if rule.id == "k8s-pods-off-the-machine"]
DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": BAD}}}
TEXT = "apiVersion: v1\nkind: Pod\nspec: {hostNetwork: true, containers: [{name: a}]}\n---\nkind: ConfigMap\n"


def judged(token: str, inputs: Mapping[str, Any]) -> tuple[Verdict, str]:
    stack = Inventory("prod", {}, (Resource("urn", token, "one", True, inputs=inputs),))
    finding = next(iter(evaluate(stack, JUDGES)))
    assert finding.urn in ("", "urn"), "a finding is the registered resource's"
    return finding.verdict, finding.reason


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("kubernetes:apps/v1beta2:Deployment", "kubernetes:apps/v1:Deployment"),
        ("kubernetes:extensions/v1beta1:DaemonSet", "kubernetes:apps/v1:DaemonSet"),
        ("kubernetes:apps/v1:StatefulSetPatch", "kubernetes:apps/v1:StatefulSet"),
        (
            "kubernetes:rbac.authorization.k8s.io/v1alpha1:ClusterRole",
            "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
        ),
        (
            "kubernetes:gateway.networking.k8s.io/v1beta1:HTTPRoute",
            "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
        ),
        ("kubernetes:example.com/v1beta1:Thing", "kubernetes:example.com/v1beta1:Thing"),
        ("kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v3:Release"),
        ("aws:s3/bucket:Bucket", "aws:s3/bucket:Bucket"),
    ],
)
def test_a_kind_has_one_name_whatever_its_version_or_form(written: str, named: str) -> None:
    assert canonical(written) == named


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        ("kubernetes:core/v1:Pod", {"spec": BAD}),
        ("kubernetes:core/v1:PodTemplate", {"template": {"spec": BAD}}),
        ("kubernetes:core/v1:PodList", {"items": [{"spec": BAD}]}),
        ("kubernetes:core/v1:List", {"items": [DEPLOYMENT]}),
        ("kubernetes:core/v1:ReplicationController", {"spec": {"template": {"spec": BAD}}}),
        ("kubernetes:apps/v1:ReplicaSet", {"spec": {"template": {"spec": BAD}}}),
        ("kubernetes:apps/v1:DaemonSetPatch", {"spec": {"template": {"spec": BAD}}}),
        ("kubernetes:apps/v1:DeploymentList", {"items": [{"spec": {"template": {"spec": BAD}}}]}),
        ("kubernetes:apps/v1beta1:Deployment", {"spec": {"template": {"spec": BAD}}}),
        ("kubernetes:batch/v1:Job", {"spec": {"template": {"spec": BAD}}}),
        ("kubernetes:batch/v1beta1:CronJob", {"spec": {"jobTemplate": {"spec": {"template": {"spec": BAD}}}}}),
        ("kubernetes:argoproj.io/v1alpha1:Rollout", {"spec": {"template": {"spec": BAD}}}),
        ("kubernetes:monitoring.coreos.com/v1:Prometheus", {"spec": BAD}),
        ("kubernetes:example.com/v1:Deep", {"spec": {"roles": [{"template": {"metadata": {}, "spec": BAD}}]}}),
        ("kubernetes:yaml/v2:ConfigGroup", {"objs": [DEPLOYMENT]}),
        ("kubernetes:yaml/v2:ConfigGroup", {"yaml": TEXT}),
        ("kubernetes:yaml/v2:ConfigGroup", {"yaml": ["kind: x", TEXT]}),
        ("kubernetes:yaml:ConfigGroup", {"objs": DEPLOYMENT}),
    ],
)
def test_a_pod_is_found_wherever_it_stands(token: str, inputs: Mapping[str, Any]) -> None:
    verdict, reason = judged(token, inputs)
    assert verdict is Verdict.FAIL and "hostNetwork is true" in reason


def test_what_an_envoy_proxy_says_of_its_pod_is_laid_over_the_gateways_own() -> None:
    token = "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy"
    shape = {"container": {"image": "envoy"}, "pod": {"volumes": []}}

    def of(shape: Mapping[str, Any]) -> Verdict:
        return judged(token, {"spec": {"provider": {"kubernetes": {"envoyDeployment": shape}}}})[0]

    assert of(shape) is Verdict.PASS
    assert of({"container": {"securityContext": {"privileged": True}}}) is Verdict.FAIL
    assert of({"pod": {"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}}) is Verdict.FAIL


def test_a_patch_of_labels_alone_judges_nothing_and_one_of_a_pod_is_never_a_pass() -> None:
    token = "kubernetes:apps/v1:DeploymentPatch"
    assert judged(token, {"metadata": {"labels": {"team": "ml"}}})[0] is Verdict.NOT_APPLICABLE
    assert judged(token, {"spec": {"template": {"spec": {"priorityClassName": "x"}}}})[0] is Verdict.UNKNOWN


@pytest.mark.parametrize("odd", [None, 7, "text", [], {}, [None], {"items": 3}, [{"spec": []}]])
@pytest.mark.parametrize(
    "token", ["kubernetes:core/v1:List", "kubernetes:core/v1:PodList", "kubernetes:yaml/v2:ConfigGroup"]
)
def test_odd_contents_of_what_carries_objects_crash_nothing(token: str, odd: Any) -> None:
    stack = Inventory(
        "prod", {}, (Resource("urn", token, "one", True, inputs={"items": odd, "objs": odd, "yaml": odd}),)
    )
    assert expanded(stack).inventory.resources and evaluate(stack)
