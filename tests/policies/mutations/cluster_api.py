"""Changes of webhooks, aggregated APIs and disruption budgets that would harm production."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.policies.mutations.changes import GONE, HIDDEN, Change, Mutation, add, drop, put

META: Final = {"name": "new", "namespace": "serving"}
WEBHOOKS: Final = "k8s-webhooks-guard-and-do-not-block"
APIS: Final = "k8s-apis-served-as-listed"
KINDS: Final = "k8s-objects-known"
_ADMISSION: Final = "kubernetes:admissionregistration.k8s.io"
_NAME: Final = "kubernetes.io/metadata.name"
_RULE: Final[Mapping[str, Any]] = {
    "apiGroups": ["apps"],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["deployments"],
}
_HOOK: Final[Mapping[str, Any]] = {
    "name": "guard.example.com",
    "admissionReviewVersions": ["v1"],
    "clientConfig": {"caBundle": "Q0E=", "service": {"name": "prometheus", "namespace": "autoscaling-metrics"}},
    "failurePolicy": "Fail",
    "namespaceSelector": {"matchLabels": {_NAME: "serving"}},
    "rules": [_RULE],
    "sideEffects": "None",
    "timeoutSeconds": 5,
}


def hooked(kind: str = "v1:ValidatingWebhookConfiguration", **more: Any) -> Change:
    """A configuration of one webhook that is fine but for what is said."""
    told = {key: value for key, value in {**_HOOK, **more}.items() if value is not GONE}
    return add(f"{_ADMISSION}/{kind}", {"metadata": {"name": "new"}, "webhooks": [told]})


def _with(key: str, value: Any) -> Change:
    told: dict[str, Any] = {key: value}
    return hooked(**told)


def _client(**told: Any) -> Mapping[str, Any]:
    return {**_HOOK["clientConfig"], **told}


def _selecting(operator: str, *values: str) -> Mapping[str, Any]:
    return {"matchExpressions": [{"key": _NAME, "operator": operator, "values": list(values)}]}


_WEBHOOKS = (
    *(
        Mutation(f"a webhook with {what}", _with(key, value), WEBHOOKS)
        for what, key, value in (
            ("an address elsewhere", "clientConfig", _client(url="https://example.com/admit")),
            ("an address alone", "clientConfig", {"url": "https://169.254.169.254/", "caBundle": "Q0E="}),
            ("nobody to ask", "clientConfig", GONE),
            ("another namespace's service", "clientConfig", _client(service={"name": "x", "namespace": "default"})),
            ("no CA", "clientConfig", _client(caBundle="")),
            ("failures ignored", "failurePolicy", "Ignore"),
            ("failures left to the default", "failurePolicy", GONE),
            ("side effects", "sideEffects", "Unknown"),
            ("half a minute of patience", "timeoutSeconds", 30),
            ("patience as text", "timeoutSeconds", "30"),
            ("every namespace", "namespaceSelector", GONE),
            ("an empty selector", "namespaceSelector", {}),
            ("all but one namespace", "namespaceSelector", _selecting("NotIn", "serving")),
            ("kube-system named", "namespaceSelector", _selecting("In", "serving", "kube-system")),
            ("any name", "namespaceSelector", _selecting("Exists")),
            ("any resource", "rules", [{**_RULE, "resources": ["*"]}]),
            ("any subresource", "rules", [{**_RULE, "resources": ["pods/*"]}]),
            ("any group", "rules", [{**_RULE, "apiGroups": ["*"]}]),
            ("any operation", "rules", [{**_RULE, "operations": ["*"]}]),
            ("a wide second rule", "rules", [_RULE, {**_RULE, "resources": ["*/*"]}]),
            ("no rules", "rules", []),
            ("an operation that is none", "rules", [{**_RULE, "operations": ["LOOK"]}]),
            ("a namespace that is not there", "namespaceSelector", _selecting("In", "gone")),
            ("a label that passes by", "objectSelector", {"matchLabels": {"checked": "yes"}}),
            ("a condition", "matchConditions", [{"name": "a", "expression": "false"}]),
        )
    ),
    *(
        Mutation(f"a webhook ignored in {token}", hooked(token, failurePolicy="Ignore"), WEBHOOKS)
        for token in (
            "v1:MutatingWebhookConfiguration",
            "v1beta1:MutatingWebhookConfiguration",
            "v1beta1:ValidatingWebhookConfiguration",
            "v1:MutatingWebhookConfigurationPatch",
            "v1:ValidatingWebhookConfigurationPatch",
        )
    ),
    Mutation(
        "a list of webhooks",
        add(
            f"{_ADMISSION}/v1:MutatingWebhookConfigurationList",
            {"items": [{"metadata": {"name": "x"}, "webhooks": [{**_HOOK, "failurePolicy": "Ignore"}]}]},
        ),
        WEBHOOKS,
    ),
    *(
        Mutation(f"new {token}", add(f"{_ADMISSION}/{token}", {"metadata": {"name": "x"}, "spec": spec}), KINDS)
        for token, spec in (
            ("v1:ValidatingAdmissionPolicyBinding", {"policyName": "x", "validationActions": ["Audit"]}),
            ("v1:ValidatingAdmissionPolicy", {"failurePolicy": "Ignore"}),
            ("v1beta1:MutatingAdmissionPolicy", {"failurePolicy": "Ignore"}),
            ("v1beta1:MutatingAdmissionPolicyBinding", {"policyName": "x"}),
        )
    ),
)


def _api(*edits: tuple[str, Any]) -> Change:
    return put("APIService", "custom.metrics.k8s.io", *edits)


_APIS = (
    *(
        Mutation(what, _api((path, value)), APIS)
        for what, path, value in (
            ("metrics served from default", "spec.service.namespace", "default"),
            ("metrics served by another", "spec.service.name", "prometheus"),
            ("metrics served by nobody", "spec.service", GONE),
            ("metrics' service unknown", "spec.service", HIDDEN),
            ("a group of Kubernetes' own", "spec.group", "apps"),
            ("the group of node metrics", "spec.group", "metrics.k8s.io"),
            ("another version", "spec.version", "v1beta2"),
            ("another API's name", "metadata.name", "v1.apps"),
            ("before Kubernetes' own groups", "spec.groupPriorityMinimum", 20000),
            ("first as text", "spec.groupPriorityMinimum", "20000"),
            ("before other versions", "spec.versionPriority", 9000),
            ("neither a CA nor without", "spec.insecureSkipTLSVerify", False),
        )
    ),
    *(
        Mutation(
            f"one more API by {token}",
            add(
                f"kubernetes:apiregistration.k8s.io/{token}",
                {
                    "metadata": {"name": "v1.apps"},
                    "spec": {
                        "group": "apps",
                        "version": "v1",
                        "insecureSkipTLSVerify": True,
                        "service": {"name": "prometheus-adapter", "namespace": "autoscaling-metrics"},
                        "groupPriorityMinimum": 100,
                        "versionPriority": 100,
                    },
                },
            ),
            APIS,
        )
        for token in ("v1:APIService", "v1beta1:APIService", "v1:APIServicePatch")
    ),
    Mutation("no API of metrics", drop("APIService", "custom.metrics.k8s.io"), "k8s-autoscaler-metrics-served"),
)
_ONE: Final = "k8s-budget-of-one-workload"
_HAS: Final = "k8s-workloads-budgeted"
_SELECTOR: Final = "spec.selector"


def budget(**spec: Any) -> Change:
    """One more budget of the serving namespace."""
    told = {"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow", **spec}
    return add("kubernetes:policy/v1:PodDisruptionBudget", {"metadata": META, "spec": told})


_ALL: Final = {"matchLabels": {"app.kubernetes.io/part-of": "seawall"}}
_BUDGETS = (
    *(
        Mutation(what, put("PodDisruptionBudget", "tumour-risk", (path, value)), _ONE)
        for what, path, value in (
            ("a budget for nothing", f"{_SELECTOR}.matchLabels", {"a": "b"}),
            ("a budget with one label too many", f"{_SELECTOR}.matchLabels.gone", "x"),
            ("a budget for everything", _SELECTOR, {}),
            ("a budget without selector", _SELECTOR, GONE),
            ("a budget for what lacks a label", _SELECTOR, {"matchExpressions": [{"key": "a", "operator": "In"}]}),
            ("a budget's selector unknown", _SELECTOR, HIDDEN),
            ("a budget in another namespace", "metadata.namespace", "autoscaling-metrics"),
            ("a budget of 300 pods", "spec.maxUnavailable", 300),
            ("a budget of 300 pods as text", "spec.maxUnavailable", "300"),
            ("a budget of all replicas", "spec.maxUnavailable", 3),
            ("a budget of all replicas as a part", "spec.maxUnavailable", "100%"),
            ("a budget of nearly all, rounded up", "spec.maxUnavailable", "67%"),
        )
    ),
    Mutation("one budget for two", put("PodDisruptionBudget", "prometheus", (_SELECTOR, _ALL)), _ONE),
    *(
        Mutation(f"no budget for {name}", drop("PodDisruptionBudget", name), _HAS, clouds)
        for name, clouds in (
            ("tumour-risk", ("aws", "gcp")),
            ("prometheus", ("aws", "gcp")),
            ("prometheus-adapter", ("aws", "gcp")),
            ("cluster-autoscaler", ("aws",)),
        )
    ),
    Mutation("two budgets for the fleet", budget(selector=_ALL), _HAS),
    Mutation(
        "two budgets by another version",
        add(
            "kubernetes:policy/v1beta1:PodDisruptionBudget",
            {"metadata": META, "spec": {"maxUnavailable": 1, "selector": _ALL}},
        ),
        _HAS,
    ),
    Mutation(
        "another label than its budget's",
        put("Deployment", "prometheus", ("spec.template.metadata.labels.app\\.kubernetes\\.io/name", "metrics")),
        _HAS,
    ),
)
HARMFUL: Final = (*_WEBHOOKS, *_APIS, *_BUDGETS)
HARMLESS: Final = (
    Mutation("fine: a webhook that guards", hooked()),
    Mutation("fine: a webhook that changes", hooked("v1:MutatingWebhookConfiguration")),
    Mutation("fine: a webhook with the default patience", hooked(timeoutSeconds=GONE)),
    Mutation("fine: a webhook for namespaces by name", hooked(namespaceSelector=_selecting("In", "serving"))),
    Mutation("fine: an API with its CA", _api(("spec.insecureSkipTLSVerify", GONE), ("spec.caBundle", "Q0E="))),
    Mutation("fine: an API of lower priority", _api(("spec.groupPriorityMinimum", 10))),
    Mutation("fine: two of three may go", put("PodDisruptionBudget", "tumour-risk", ("spec.maxUnavailable", 2))),
    Mutation("fine: a part may go", put("PodDisruptionBudget", "tumour-risk", ("spec.maxUnavailable", "34%"))),
)
