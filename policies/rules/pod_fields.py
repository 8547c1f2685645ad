"""Pods: fields that lead them, their names or their requests elsewhere, or keep them from coming up or going."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import all_of, failed, is_hidden, shown, unknown
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.nodes import Node, must, must_not_be_true, node
from policies.quantities import quantity
from policies.tokens import DEPLOYMENT
from policies.workloads import WORKLOADS, container_nodes, pod_path, unreadable_containers

family = Family("What pods are told")

_POD: Final = "spec.template.spec"
_ONE: Final = f"{_POD}.containers.0"
_CRITICAL_SECONDS: Final = 3600
_DAY: Final = 86400
_STEERING: Final = re.compile(
    r"(https?|all|ftp)_proxy|ld_preload|ld_library_path|ld_audit|pythonpath|pythonstartup|pythonhome|bash_env|"
    r"aws_ca_bundle|ssl_cert_(file|dir)|requests_ca_bundle|node_(options|extra_ca_certs)|"
    r"aws_container_credentials_(full|relative)_uri|aws_ec2_metadata_service_endpoint|"
    r"google_application_credentials|gce_metadata_(host|ip|root)|java_tool_options",
    re.IGNORECASE,
)
"""Variables that lead each program of a container elsewhere, whichever program it is."""
_OWN: Final = re.compile(r"https?://[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|api\.aws|googleapis\.com)(/.*)?")
_NODE_TAINTS: Final = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
_DOOR_SECRETS: Final = ("door-certificate",)


@family.rule(
    "k8s-pods-told-nothing-odd",
    Severity.HIGH,
    "Pods resolve names, find programs and end as Kubernetes has it, and hold nobody else's secrets",
    types=WORKLOADS,
    rationale="A resolver, an alias, a proxy or a library of one's own takes each request of a pod elsewhere; shared "
    "processes, foreign secrets and tokens of a year give one pod what is another's.",
    remedy="Remove the field; where a pod needs it, write down in the rule what it may hold.",
    examples=lambda: examples(
        given(DEPLOYMENT, {f"{_ONE}.name": "told"}, "told"),
        broken={
            f"{_POD}.shareProcessNamespace is true": put(f"{_POD}.shareProcessNamespace", True),
            f'{_POD}.dnsPolicy is "None"': put(f"{_POD}.dnsPolicy", "None"),
            f'{_POD}.dnsConfig is {{"nameservers": ["8.8.8.8"]}}': put(
                f"{_POD}.dnsConfig", {"nameservers": ["8.8.8.8"]}
            ),
            f'{_POD}.hostAliases.0.hostnames.0 is "dynamodb.eu-west-1.amazonaws.com"': put(
                f"{_POD}.hostAliases", [{"ip": "203.0.113.9", "hostnames": ["dynamodb.eu-west-1.amazonaws.com"]}]
            ),
            f'{_POD}.runtimeClassName is "direct"': put(f"{_POD}.runtimeClassName", "direct"),
            f'{_POD}.imagePullSecrets is [{{"name": "x"}}]': put(f"{_POD}.imagePullSecrets", [{"name": "x"}]),
            f"{_POD}.terminationGracePeriodSeconds is 86400": put(f"{_POD}.terminationGracePeriodSeconds", _DAY),
            f"{_POD}.priority is 2000001000": put(f"{_POD}.priority", 2000001000),
            f'{_POD}.tolerations.0.key is "node.kubernetes.io/unreachable"': put(
                f"{_POD}.tolerations", [{"key": "node.kubernetes.io/unreachable", "operator": "Exists"}]
            ),
            f'{_ONE}.imagePullPolicy is "Never"': put(f"{_ONE}.imagePullPolicy", "Never"),
            f'{_ONE}.env.0 is "LD_PRELOAD"': put(f"{_ONE}.env", [{"name": "LD_PRELOAD", "value": "x.so"}]),
            f'{_ONE}.env.0.value is "http://203.0.113.9"': put(
                f"{_ONE}.env", [{"name": "AWS_ENDPOINT_URL", "value": "http://203.0.113.9"}]
            ),
            f'{_ONE}.envFrom is [{{"secretRef": {{"name": "x"}}}}]': put(
                f"{_ONE}.envFrom", [{"secretRef": {"name": "x"}}]
            ),
            f'{_ONE}.volumeMounts.0.mountPropagation is "Bidirectional"': put(
                f"{_ONE}.volumeMounts", [{"name": "a", "mountPath": "/a", "mountPropagation": "Bidirectional"}]
            ),
            f'{_ONE}.volumeMounts.0.subPathExpr is "$(X)"': put(
                f"{_ONE}.volumeMounts", [{"name": "a", "mountPath": "/a", "subPathExpr": "$(X)"}]
            ),
            f'{_ONE}.volumeMounts.0.mountPath is "/usr/bin"': put(
                f"{_ONE}.volumeMounts", [{"name": "a", "mountPath": "/usr/bin"}]
            ),
            f'{_POD}.volumes.0.secret.secretName is "door-certificate"': put(
                f"{_POD}.volumes", [{"name": "a", "secret": {"secretName": "door-certificate"}}]
            ),
            f"{_POD}.volumes.0.projected.sources.0.serviceAccountToken.expirationSeconds is 31536000": put(
                f"{_POD}.volumes",
                [
                    {
                        "name": "a",
                        "projected": {"sources": [{"serviceAccountToken": {"expirationSeconds": 31536000}}]},
                    }
                ],
            ),
            f'{_ONE}.lifecycle.postStart.exec is {{"command": ["a"]}}': put(
                f"{_ONE}.lifecycle.postStart", {"exec": {"command": ["a"]}}
            ),
        },
        undecided={f"{_POD}.dnsPolicy is known only to the provider": put(f"{_POD}.dnsPolicy", Hidden())},
        accepted={"": (put(f"{_POD}.dnsPolicy", "ClusterFirst"), drop(f"{_ONE}.name"))},
    ),
)
def pods_told_nothing_odd(workload: Resource, _: Inventory) -> Judgement:
    hidden = unreadable_containers(workload)
    if hidden and not list(container_nodes(workload)):
        return hidden
    pod = node(workload, pod_path(workload))
    judged = [*_of_pod(pod), *(each for one in container_nodes(workload) for each in _of_container(one))]
    return hidden or all_of(judged)


def _absent(found: Node) -> Judgement:
    return must(found, "absent", lambda value: value in ("", [], {}), given=False)


def _of_pod(pod: Node) -> Iterator[Judgement]:
    yield must_not_be_true(pod.at("shareProcessNamespace"))
    yield must(pod.at("dnsPolicy"), '"ClusterFirst"', lambda value: value == "ClusterFirst", given=False)
    for field in ("dnsConfig", "runtimeClassName", "imagePullSecrets", "priority", "resourceClaims", "overhead"):
        yield _absent(pod.at(field))
    most = f"at most {_CRITICAL_SECONDS} seconds"
    yield must(
        pod.at("terminationGracePeriodSeconds"), most, lambda v: (quantity(v) or 0) <= _CRITICAL_SECONDS, given=False
    )
    for alias in pod.at("hostAliases").members():
        for name in alias.at("hostnames").words():
            yield must(name, "a name without a domain", lambda value: "." not in str(value))
    for toleration in pod.at("tolerations").members():
        key = toleration.at("key")
        yield must(key, "no taint of sick machines", lambda v: not str(v).startswith(_NODE_TAINTS), given=False)
    for volume in pod.at("volumes").members():
        yield from _of_volume(volume)


def _of_volume(volume: Node) -> Iterator[Judgement]:
    required = "none of the door's secrets"
    yield must(volume.at("secret", "secretName"), required, lambda v: v not in _DOOR_SECRETS, given=False)
    yield _absent(volume.at("csi"))
    for source in volume.at("projected", "sources").members():
        yield must(source.at("secret", "name"), required, lambda v: v not in _DOOR_SECRETS, given=False)
        lasting = source.at("serviceAccountToken", "expirationSeconds")
        yield must(lasting, "a day at most", lambda v: (quantity(v) or 0) <= _DAY, given=False)
    size = volume.at("emptyDir", "sizeLimit")
    if volume.at("emptyDir", "medium").value == "Memory":
        yield must(size, "at most 64Gi of memory", lambda v: (quantity(v) or 0) <= 64 * 2**30, given=False)


def _of_container(container: Node) -> Iterator[Judgement]:
    yield must(container.at("imagePullPolicy"), "not Never", lambda value: value != "Never", given=False)
    yield _absent(container.at("lifecycle", "postStart", "exec"))
    yield must_not_be_true(container.at("tty"))
    for source in container.at("envFrom").members():
        if source.hidden or isinstance(source.value, Mapping):
            yield failed(container.at("envFrom").path, shown(container.at("envFrom").value), "variables by name")
            break
    for variable in container.at("env").members():
        yield from _of_variable(variable)
    for mount in container.at("volumeMounts").members():
        yield must(mount.at("mountPropagation"), '"None"', lambda v: v in ("None", "HostToContainer"), given=False)
        yield _absent(mount.at("subPathExpr"))
        yield must(mount.at("mountPath"), "beside the image's own programs", _beside, given=False)


def _beside(path: Any) -> bool:
    parts = [each for each in str(path).split("/") if each]
    return (
        bool(parts)
        and parts[0] not in ("bin", "sbin", "lib", "lib64", "boot", "proc", "sys", "root")
        and not (parts[0] == "usr" or parts == ["etc"] or parts == ["opt"])
    )


def _of_variable(variable: Node) -> Iterator[Judgement]:
    name, value = variable.at("name"), variable.at("value")
    if name.hidden or variable.hidden:
        yield unknown(variable.path, "a variable that the plan knows")
    elif isinstance(name.value, str) and _STEERING.fullmatch(name.value):
        yield failed(variable.path, shown(name.value), "none that leads programs elsewhere")
    elif (
        isinstance(name.value, str)
        and name.value.upper().startswith("AWS_ENDPOINT_URL")
        and not is_hidden(value.value)
    ):
        yield must(value, "an address of the cloud", lambda told: bool(_OWN.fullmatch(str(told))), given=False)
    yield must(
        variable.at("valueFrom", "secretKeyRef", "name"),
        "none of the door's secrets",
        lambda told: told not in _DOOR_SECRETS,
        given=False,
    )
