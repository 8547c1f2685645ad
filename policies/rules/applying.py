"""How the cluster's objects are applied: to this cluster, whole, and never by letting go of what is not reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policies.checks import all_of, failed, not_applicable, read, shown
from policies.cluster_objects import EVERY_OBJECT
from policies.examples import Hidden, examples, given, option, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.shapes import Shape, exactly, known_fields
from policies.tokens import DEPLOYMENT

family = Family("How objects are applied")

_PROVIDER: Final = "pulumi:providers:kubernetes"
_SHAPE: Final[Shape] = {
    "kubeconfig": None,
    "clusterIdentifier": None,
    "version": None,
    "pluginDownloadURL": None,
    "enableServerSideApply": exactly(True),
    "enableConfigMapMutable": exactly(True),
    "enableSecretMutable": exactly(True),
    "enablePatchForce": exactly(False),
    "deleteUnreachable": exactly(False),
    "skipUpdateUnreachable": exactly(False),
    "suppressDeprecationWarnings": exactly(False),
    "suppressHelmHookWarnings": None,
    "upgradeClients": None,
}
_ANNOTATIONS: Final = ("pulumi.com/skipAwait", "pulumi.com/patchForce", "pulumi.com/deletionPropagationPolicy")
_MOVED: Final = ("spec.rules", "spec.replicas", "status")
"""What controllers move, so that the engine keeps what is there: weights of routes and numbers of replicas."""


@family.rule(
    "k8s-provider-applies",
    Severity.HIGH,
    "The cluster's provider applies to this cluster, by server-side apply, and deletes nothing that it cannot reach",
    types=(_PROVIDER,),
    rationale="With one option an outage of the control plane removes the fleet from the state, objects go to a "
    "folder instead of the cluster, or the next apply goes to whichever cluster a laptop is set to.",
    remedy="Build it by components.kubernetes.provider.",
    examples=lambda: examples(
        given(_PROVIDER, {"clusterIdentifier": "stays"}, "applies"),
        broken={
            "enableServerSideApply is false": put("enableServerSideApply", False),
            "deleteUnreachable is true": put("deleteUnreachable", True),
            'skipUpdateUnreachable is "true"': put("skipUpdateUnreachable", "true"),
            'renderYamlToDirectory is "out"': put("renderYamlToDirectory", "out"),
            'namespace is "default"': put("namespace", "default"),
            'context is "minikube"': put("context", "minikube"),
            'kubeconfig is "config", a file of whoever deploys': put("kubeconfig", "config"),
        },
        undecided={"enableServerSideApply is known only to the provider": put("enableServerSideApply", Hidden())},
        accepted={"": put("deleteUnreachable", False)},
    ),
)
def provider_applies(provider: Resource, _: Inventory) -> Judgement:
    judged = [known_fields(provider, _SHAPE, "")]
    config = provider.inputs.get("kubeconfig")
    if isinstance(config, str) and config and "[" not in config and "{" not in config and "\n" not in config:
        judged.append(failed("", f"kubeconfig is {shown(config)}, a file of whoever deploys", "the cluster's own"))
    return all_of(judged)


@family.rule(
    "k8s-objects-applied-whole",
    Severity.MEDIUM,
    "Objects are applied as they are written, awaited, and removed with what they made",
    types=(DEPLOYMENT, EVERY_OBJECT),
    rationale="A change that the engine was told to ignore is reviewed and never made; what is not awaited fails "
    "after the deployment was called done.",
    remedy="Ignore only what a controller moves (weights of routes), and leave Pulumi's annotations out.",
    examples=lambda: examples(
        given(DEPLOYMENT, {"metadata.name": "applied", "metadata.namespace": "serving"}, "applied"),
        broken={
            "spec is among what is ignored": option("ignore_changes", ("spec",)),
            "* is among what is ignored": option("ignore_changes", ("*",)),
            "it stays when it is removed": option("retain_on_delete", True),
            'metadata.annotations is {"pulumi.com/skipAwait": "true"}': put(
                "metadata.annotations", {"pulumi.com/skipAwait": "true"}
            ),
        },
        accepted={"": option("ignore_changes", ("spec.replicas",))},
    ),
)
def objects_applied_whole(found: Resource, _: Inventory) -> Judgement:
    judged = [
        failed("", f"{path} is among what is ignored", "only what a controller moves")
        for path in found.ignore_changes
        if not path.startswith(_MOVED)
    ]
    if found.retain_on_delete:
        judged.append(failed("", "it stays when it is removed", "removed with the stack"))
    notes: Any = read(found, "metadata.annotations")
    if isinstance(notes, Mapping) and any(each in notes for each in _ANNOTATIONS):
        judged.append(failed("metadata.annotations", shown(notes), "none of Pulumi's that change how it is applied"))
    if not judged and found.type != DEPLOYMENT:
        return not_applicable("applied as it is written")
    return all_of(judged)
