"""The cloud identities of pods: a pod that has one starts after it is bound."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks import ABSENT, PASS, failed, is_hidden, not_applicable, read, unknown
from policies.examples import Given, Hidden, Output, both, drop, examples, given, plus, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import DEPLOYMENT, EKS_POD_IDENTITY, GCP_ACCOUNT_MEMBER, SERVICE_ACCOUNT
from policies.workloads import WORKLOADS, pod_path

family = Family("Identities of pods")

_BECOMES = "roles/iam.workloadIdentityUser"
_NONE = "the service account has no cloud identity"


def _google() -> Given:
    return given(
        GCP_ACCOUNT_MEMBER, {"role": _BECOMES, "member": "serviceAccount:111122223333.svc.id.goog[serving/triton]"}
    )


@family.rule(
    "k8s-pods-start-after-identity",
    Severity.HIGH,
    "Pods start after their cloud identity is bound",
    types=WORKLOADS,
    rationale=(
        "EKS Pod Identity puts a pod's credentials in place when the pod is admitted: one that is admitted before "
        "its association has none, and restarting its containers does not help."
    ),
    remedy="Let the workload depend on its service account, and that on the binding.",
    examples=lambda: examples(
        given(
            DEPLOYMENT,
            {
                "metadata.namespace": "serving",
                "spec.template.spec.serviceAccountName": Output(SERVICE_ACCOUNT, value="triton"),
            },
            "bound",
        ),
        given(SERVICE_ACCOUNT, {"metadata.annotations": {"seawall.dev/identity": Output(EKS_POD_IDENTITY)}}),
        given(EKS_POD_IDENTITY, {"namespace": "serving", "serviceAccount": "triton"}),
        broken={
            "the workload does not wait for the binding example of serving/triton": (
                put("spec.template.spec.serviceAccountName", "triton"),
                put("metadata.annotations", {}, on=SERVICE_ACCOUNT),
                both(
                    put("spec.template.spec.serviceAccountName", "triton"), without(EKS_POD_IDENTITY), plus(_google())
                ),
            ),
        },
        undecided={
            "spec.template.spec.serviceAccountName is known only to the provider": put(
                "spec.template.spec.serviceAccountName", Hidden()
            ),
        },
        accepted={
            _NONE: (
                put("serviceAccount", "other", on=EKS_POD_IDENTITY),
                put("namespace", "other", on=EKS_POD_IDENTITY),
                drop("spec.template.spec.serviceAccountName"),
            ),
        },
    ),
)
def start_after_identity(workload: Resource, inventory: Inventory) -> Judgement:
    path = f"{pod_path(workload)}.serviceAccountName"
    account, namespace = read(workload, path), read(workload, "metadata.namespace")
    if account is ABSENT:
        return not_applicable(_NONE)
    if is_hidden(account) or is_hidden(namespace):
        return unknown(path if is_hidden(account) else "metadata.namespace", "a name that the plan knows")
    bindings = list(_bindings(inventory, str(namespace), str(account)))
    if not bindings:
        return not_applicable(_NONE)
    before = set(_before(inventory, workload))
    late = next((binding for binding in bindings if binding.urn not in before), None)
    if late is None:
        return PASS
    subject = f"{namespace}/{account}"
    return failed("", f"the workload does not wait for the binding {late.name} of {subject}", "a dependency on it")


def _bindings(inventory: Inventory, namespace: str, account: str) -> Iterator[Resource]:
    for association in inventory.of_type(EKS_POD_IDENTITY):
        if (read(association, "namespace"), read(association, "serviceAccount")) == (namespace, account):
            yield association
    for grant in inventory.of_type(GCP_ACCOUNT_MEMBER):
        if read(grant, "role") == _BECOMES and str(read(grant, "member")).endswith(f"[{namespace}/{account}]"):
            yield grant


def _before(inventory: Inventory, resource: Resource) -> Iterator[str]:
    """URNs of everything that is made before `resource`."""
    seen: set[str] = set()
    waiting = [resource]
    while waiting:
        found = waiting.pop()
        for urn in found.dependencies:
            if urn not in seen:
                seen.add(urn)
                yield urn
                if urn in inventory.by_urn:
                    waiting.append(inventory.by_urn[urn])
