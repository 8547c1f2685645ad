"""Kubernetes' Pod Security Standards, control by control, as the API server's own admission judges a pod.

The controls, fields and allowed values are those of k8s.io/pod-security-admission v0.35.4 (policy/check_*.go, read
2026-11-22), the minor version that the stacks run; kubernetes.io, "Pod Security Standards", says them in words. Three
things are stricter here: a pod in a user namespace of its own (`hostUsers: false`) is not let off, groups are not
root's either, and one that asks for Windows is judged as any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policies.checks import failed, is_hidden, shown, unknown
from policies.model import Judgement
from policies.nodes import Node, must, must_be_false, must_be_true, must_not_be_true, none_but

SAFE_SYSCTLS: Final = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
)
"""Those of 1.32 and later (`sysctlsAllowedV1Dot32`)."""
VOLUMES: Final = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
)
SELINUX_TYPES: Final = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
PROFILES: Final = ("RuntimeDefault", "Localhost")
HOST_FLAGS: Final = ("hostNetwork", "hostPID", "hostIPC")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS: Final = ("postStart", "preStop")
_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP: Final = ("seccomp.security.alpha.kubernetes.io/", "container.seccomp.security.alpha.kubernetes.io/")


def on_the_machine(pod: Node, annotations: Node, containers: list[Node]) -> Iterator[Judgement]:
    """The controls of the baseline profile: what a pod shares with, or takes from, its machine."""
    for flag in HOST_FLAGS:
        yield must_not_be_true(pod.at(flag))
    for volume in pod.at("volumes").members():
        path = volume.at("hostPath")
        if path.hidden:
            yield unknown(path.path, "no volume of the machine")
        elif not path.absent:
            yield failed(path.path, shown(path.value), "no volume of the machine")
    for sysctl in pod.at("securityContext", "sysctls").members():
        yield must(sysctl.at("name"), "a safe sysctl", lambda value: value in SAFE_SYSCTLS)
    yield from _profiles(pod.at("securityContext"))
    yield from _annotated(annotations)
    for container in containers:
        own = container.at("securityContext")
        yield must_not_be_true(own.at("privileged"))
        yield must(own.at("procMount"), "Default", lambda value: value == "Default", given=False)
        yield from _profiles(own)
        for port in container.at("ports").members():
            yield must(port.at("hostPort"), "no port of the machine", lambda value: value in (0, "0"), given=False)
            yield must(port.at("hostIP"), "no address of the machine", lambda value: value == "", given=False)
        for handler in _handlers(container):
            yield must(handler.at("host"), "the pod's own address", lambda value: value == "", given=False)


def _profiles(context: Node) -> Iterator[Judgement]:
    """What may be said for a pod and for a container alike: Windows, SELinux and AppArmor."""
    yield must_not_be_true(context.at("windowsOptions", "hostProcess"))
    labels = context.at("seLinuxOptions")
    yield must(labels.at("type"), "a type for containers", lambda value: value in SELINUX_TYPES, given=False)
    for field in ("user", "role"):
        yield must(labels.at(field), "the runtime's own", lambda value: value == "", given=False)
    profile = context.at("appArmorProfile")
    yield must(profile.at("type"), " or ".join(PROFILES), lambda value: value in PROFILES, given=False)


def _annotated(annotations: Node) -> Iterator[Judgement]:
    if annotations.hidden:
        yield unknown(annotations.path, "annotations that the plan knows")
    if not isinstance(annotations.value, Mapping):
        return
    for key, value in annotations.value.items():
        path, text = f"{annotations.path}[{key}]", str(value)
        if not str(key).startswith((_APPARMOR, *_SECCOMP)):
            continue
        if is_hidden(value):
            yield unknown(path, "runtime/default")
        elif text not in ("", "runtime/default", "docker/default") and not text.startswith("localhost/"):
            yield failed(path, shown(value), "runtime/default")


def _handlers(container: Node) -> Iterator[Node]:
    spots = [container.at(probe) for probe in _PROBES]
    spots += [container.at("lifecycle", hook) for hook in _HOOKS]
    for spot in spots:
        yield from (spot.at("httpGet"), spot.at("tcpSocket"))


def restricted(pod: Node, containers: list[Node]) -> Iterator[Judgement]:
    """The controls of the restricted profile: what a pod could do to gain more."""
    for volume in pod.at("volumes").members():
        yield from _volume(volume)
    context = pod.at("securityContext")
    yield from _not_root(context)
    for group in context.at("supplementalGroups").members():
        yield must(group, "no group of root", _not_zero)
    yield must(context.at("fsGroup"), "no group of root", _not_zero, given=False)
    for container in containers:
        own = container.at("securityContext")
        yield must_be_false(own.at("allowPrivilegeEscalation"))
        dropped = own.at("capabilities", "drop")
        yield must(dropped, '["ALL"]', lambda value: "ALL" in ([value] if isinstance(value, str) else value))
        yield from none_but(own.at("capabilities", "add"), ("NET_BIND_SERVICE",), "none but NET_BIND_SERVICE")
        yield from _not_root(own)
        yield must_be_true(_effective(own, context, "runAsNonRoot"))
        profile = _effective(own, context, "seccompProfile")
        yield must(profile.at("type"), " or ".join(PROFILES), lambda value: value in PROFILES)


def _volume(volume: Node) -> Iterator[Judgement]:
    required = f"one of {', '.join(VOLUMES)}"
    if not isinstance(volume.value, Mapping):
        yield unknown(volume.path, required)
        return
    for key, value in volume.value.items():
        # The baseline says so of a path of the machine.
        if key not in ("name", "hostPath", *VOLUMES) and value is not None:
            yield failed(f"{volume.path}.{key}", shown(value), required)


def _not_root(context: Node) -> Iterator[Judgement]:
    yield must(context.at("runAsUser"), "an ordinary user", _not_zero, given=False)
    yield must(context.at("runAsGroup"), "an ordinary group", _not_zero, given=False)


def _not_zero(value: object) -> bool:
    number = int(value) if isinstance(value, str) else value
    return isinstance(number, int | float) and not isinstance(number, bool) and number > 0


def _effective(own: Node, context: Node, field: str) -> Node:
    """The container's own field where it has one, else the pod's."""
    found = own.at(field)
    return context.at(field) if found.absent else found
