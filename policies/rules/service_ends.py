"""Where Services and service accounts lead: to the stack's own pods, and to identities of its own account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import ABSENT, PASS, all_of, failed, is_hidden, items, read, shown, unknown
from policies.examples import Hidden, drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.shapes import Shape, exactly, known_fields
from policies.shapes import setting as settled
from policies.tokens import DEPLOYMENT, SERVICE, SERVICE_ACCOUNT
from policies.workloads import CONTROLLED, containers, pod_labels

family = Family("Where Services and accounts lead")

_AWS: Final = "eks.amazonaws.com/role-arn"
_GOOGLE: Final = "iam.gke.io/gcp-service-account"
_ONE: Final = "spec.template.spec.containers.0"
_SHAPE: Final[Shape] = {
    "type": ("no name of another host", lambda kind: kind != "ExternalName"),
    "selector": None,
    "ports.**": None,
    "sessionAffinity": None,
    "sessionAffinityConfig.**": None,
    "publishNotReadyAddresses": exactly(False),
    "internalTrafficPolicy": exactly("Cluster"),
    "externalTrafficPolicy": None,
    "externalIPs.**": None,
    "ipFamilies.*": None,
    "ipFamilyPolicy": None,
    "loadBalancerClass": None,
    "loadBalancerSourceRanges.**": None,
    "allocateLoadBalancerNodePorts": None,
}


@family.rule(
    "k8s-services-lead-to-pods",
    Severity.HIGH,
    "Services lead to the stack's own pods that are ready, at ports that these have",
    types=(SERVICE,),
    rationale="A Service that selects another's pods, none, or a host by its name answers by whoever is there; one "
    "that passes requests to pods which are not ready answers with errors.",
    remedy="Select the labels of a workload beside it, and name a port of its containers.",
    examples=lambda: examples(
        given(
            SERVICE,
            {
                "metadata.namespace": "serving",
                "spec.selector": {"leads": "to"},
                "spec.ports.0": {"name": "http", "port": 8000, "targetPort": "http"},
            },
            "leads",
        ),
        given(
            DEPLOYMENT,
            {
                "metadata.namespace": "serving",
                "spec.template.metadata.labels": {"leads": "to", "more": "said"},
                f"{_ONE}.ports.0": {"name": "http", "containerPort": 8000},
            },
            "ends",
        ),
        broken={
            'spec.type is "ExternalName"': put("spec.type", "ExternalName"),
            'spec.externalName is "example.org"': put("spec.externalName", "example.org"),
            "spec.publishNotReadyAddresses is true": put("spec.publishNotReadyAddresses", True),
            'spec.internalTrafficPolicy is "Local"': put("spec.internalTrafficPolicy", "Local"),
            'spec.selector is {"leads": "away"}': put("spec.selector", {"leads": "away"}),
            'spec.ports.0.targetPort is "gone"': put("spec.ports.0.targetPort", "gone"),
            'metadata.annotations is {"external-dns.alpha.kubernetes.io/hostname": "a.b"}': put(
                "metadata.annotations", {"external-dns.alpha.kubernetes.io/hostname": "a.b"}
            ),
            "spec.selector is absent": (
                drop("spec.selector"),
                put("spec.selector", {}),
            ),
        },
        undecided={"spec.selector is known only to the provider": put("spec.selector", Hidden())},
        accepted={"": put("spec.ports.0.targetPort", 8000)},
    ),
)
def services_lead_to_pods(service: Resource, inventory: Inventory) -> Judgement:
    judged = [known_fields(service, _SHAPE)]
    notes = read(service, "metadata.annotations")
    if is_hidden(notes):
        judged.append(unknown("metadata.annotations", "no name that the outside knows"))
    if isinstance(notes, Mapping) and any("external-dns" in str(key) for key in notes):
        judged.append(failed("metadata.annotations", shown(notes), "no name that the outside knows"))
    return all_of((*judged, *_ends(service, inventory)))


def _ends(service: Resource, inventory: Inventory) -> Iterator[Judgement]:
    selector, required = read(service, "spec.selector"), "labels of a workload of the stack, in its namespace"
    for path in ("spec.selector", "metadata.namespace"):
        if is_hidden(read(service, path)):
            yield unknown(path, required)
            return
    if not isinstance(selector, Mapping) or not selector:
        yield failed("spec.selector", "absent", required)
        return
    behind = [
        each
        for each in inventory.of_type(*CONTROLLED)
        if read(each, "metadata.namespace") == read(service, "metadata.namespace")
        and all(pod_labels(each).get(key) == value for key, value in selector.items())
    ]
    if not behind:
        yield failed("spec.selector", shown(selector), required)
        return
    ports = {
        str(read(each, f"{port}.{key}"))
        for each in behind
        for container in containers(each)
        for port in items(each, f"{container}.ports")
        for key in ("name", "containerPort")
    }
    for port in items(service, "spec.ports"):
        path = f"{port}.targetPort" if read(service, f"{port}.targetPort") is not ABSENT else f"{port}.port"
        target = read(service, path)
        if is_hidden(target):
            yield unknown(path, "a port of the pods")
        elif str(target) not in ports and (ports or not str(target).isdigit()):
            yield failed(path, shown(target), "a port of the pods")


@family.rule(
    "k8s-accounts-of-the-account",
    Severity.CRITICAL,
    "Service accounts act as identities of the stack's own account, and bring no credentials of registries",
    types=(SERVICE_ACCOUNT,),
    rationale="An annotation is all that makes a pod act as a role of the cloud: one of another account takes its "
    "orders from there, and credentials of a registry lead to images that nobody mirrored.",
    remedy="Leave annotations to the component that makes the identity, and pull from the stack's own registry.",
    examples=lambda: examples(
        given(SERVICE_ACCOUNT, {"metadata.annotations": {_AWS: "arn:aws:iam::111122223333:role/fleet"}}, "acts"),
        broken={
            f'metadata.annotations.{_AWS} is "arn:aws:iam::999999999999:role/fleet"': put(
                "metadata.annotations", {_AWS: "arn:aws:iam::999999999999:role/fleet"}
            ),
            f'metadata.annotations.{_GOOGLE} is "a@other.iam.gserviceaccount.com"': put(
                "metadata.annotations", {_GOOGLE: "a@other.iam.gserviceaccount.com"}
            ),
            f'metadata.annotations.{_AWS} is "arn:aws:iam::111122223333:role/fleet"': setting("account", "1"),
            'imagePullSecrets is [{"name": "x"}]': put("imagePullSecrets", [{"name": "x"}]),
        },
        undecided={
            f"metadata.annotations.{_AWS} is known only to the provider": put(
                "metadata.annotations", {_AWS: Hidden()}
            )
        },
        accepted={"": put("metadata.annotations", {_GOOGLE: "a@111122223333.iam.gserviceaccount.com"})},
    ),
)
def accounts_of_the_account(account: Resource, inventory: Inventory) -> Judgement:
    own: Any = str(settled(inventory, "account") or "")
    judged: list[Judgement] = [PASS]
    notes = read(account, "metadata.annotations")
    if is_hidden(notes):
        judged.append(unknown("metadata.annotations", f"an identity of {own}"))
    ends = {_AWS: (f"arn:aws:iam::{own}:role/", ""), _GOOGLE: ("", f"@{own}.iam.gserviceaccount.com")}
    for key, (begins, ending) in ends.items():
        told = notes.get(key) if isinstance(notes, Mapping) else None
        path, required = f"metadata.annotations.{key}", f"an identity of {own}"
        if is_hidden(told):
            linked = inventory.linked(account, "metadata")
            judged += [] if linked else [unknown(path, required)]
        elif told is not None and not (str(told).startswith(begins) and str(told).endswith(ending)):
            judged.append(failed(path, shown(told), required))
    pulled = read(account, "imagePullSecrets")
    if pulled not in (ABSENT, []):
        judged.append(failed("imagePullSecrets", shown(pulled), "absent"))
    return all_of(judged)
