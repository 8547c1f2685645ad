"""The door's proxy and its certificate hold what rules know, within what the settings say."""

from __future__ import annotations

from typing import Final

from policies.checks import all_of, failed, items, read
from policies.examples import Hidden, drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.rules.door_settled import extra
from policies.shapes import Field, Shape, between, exactly, known_fields, lasting
from policies.shapes import setting as settled
from policies.tokens import ENVOY_PROXY

family = Family("The door's proxy and certificate as the settings have them")

CERTIFICATE: Final = "kubernetes:cert-manager.io/v1:Certificate"
_ENVOY: Final = "spec.provider.kubernetes"


@family.rule(
    "k8s-envoy-as-known",
    Severity.HIGH,
    "The door's Envoy is told what rules know, and tells only the stack's own",
    types=(ENVOY_PROXY,),
    rationale="A bootstrap, an argument or a patch changes each filter behind the policies; a log sent elsewhere "
    "tells who asked what; without a log nobody can say afterwards.",
    remedy="Build it by components.kubernetes.gateway.objects; for a new field, write down what it may hold.",
    examples=lambda: examples(
        given(ENVOY_PROXY, {"spec.provider.type": "Kubernetes"}, "told"),
        broken=dict(
            (
                extra("spec.provider.type", "Host", '"Host"'),
                extra("spec.extraArgs", ["--disable-extensions", "a"], '["--disable-extensions", "a"]'),
                extra("spec.mergeGateways", True, "true"),
                extra(f"{_ENVOY}.envoyService.externalTrafficPolicy", "Cluster", '"Cluster"'),
                extra(f"{_ENVOY}.envoyService.loadBalancerIP", "203.0.113.7", '"203.0.113.7"'),
                extra("spec.telemetry.tracing.provider.host", "203.0.113.9", '"203.0.113.9"'),
                extra("spec.telemetry.accessLog.disable", True, "true"),
                extra("spec.telemetry.metrics.prometheus.disable", True, "true"),
            )
        )
        | {
            "spec.telemetry.accessLog.settings has no log of all requests": (
                setting("fleet.door.domain", "models.example.com"),
                put("spec.telemetry.accessLog.settings", [{"matches": ["false"]}]),
            )
        },
        undecided={"spec.telemetry is known only to the provider": put("spec.telemetry", Hidden())},
        accepted={"": drop("spec.provider")},
    ),
)
def envoy_as_known(proxy: Resource, inventory: Inventory) -> Judgement:
    notes = (
        "service.beta.kubernetes.io/aws-load-balancer-additional-resource-tags",
        "service.beta.kubernetes.io/aws-load-balancer-cross-zone-load-balancing-enabled",
        "service.beta.kubernetes.io/aws-load-balancer-internal",
        "service.beta.kubernetes.io/aws-load-balancer-scheme",
        "service.beta.kubernetes.io/aws-load-balancer-type",
        "networking.gke.io/load-balancer-type",
        "cloud.google.com/l4-rbs",
    )
    pod = "envoyDeployment"
    kubernetes: dict[str, Field | None] = {
        f"{pod}.replicas": between(1, 100),
        f"{pod}.name": None,
        f"{pod}.patch.**": None,
        "envoyService.patch.**": None,
        "envoyPDB.patch.**": None,
        f"{pod}.strategy.type": exactly("RollingUpdate"),
        f"{pod}.strategy.rollingUpdate.**": None,
        f"{pod}.pod.priorityClassName": None,
        f"{pod}.pod.topologySpreadConstraints.**": None,
        f"{pod}.pod.securityContext.**": None,
        f"{pod}.container.image": None,
        f"{pod}.container.resources.**": None,
        f"{pod}.container.securityContext.**": None,
        "envoyPDB.**": None,
        "envoyService.type": None,
        "envoyService.name": None,
        "envoyService.externalTrafficPolicy": exactly("Local"),
        "envoyService.loadBalancerClass": None,
        "envoyService.loadBalancerSourceRanges.**": None,
        "envoyService.annotations": (
            f"none but {', '.join(notes)}",
            lambda told: all(each in notes for each in told),
        ),
    }
    shape: Shape = {
        "provider.type": exactly("Kubernetes"),
        **{f"provider.kubernetes.{path}": field for path, field in kubernetes.items()},
        "bootstrap.**": None,
        "routingType": exactly("Endpoint", "Service"),
        "shutdown.drainTimeout": lasting(0, 900),
        "shutdown.minDrainDuration": lasting(1, 600),
        "telemetry.accessLog.disable": exactly(False),
        "telemetry.accessLog.settings.*.format.type": None,
        "telemetry.accessLog.settings.*.format.json": (
            "no token, no cookie",
            lambda told: (
                not any(
                    secret in str(text).upper() for text in told.values() for secret in ("AUTHORIZATION", "COOKIE")
                )
            ),
        ),
        "telemetry.accessLog.settings.*.matches.*": None,
        "telemetry.accessLog.settings.*.sinks.*.type": exactly("File"),
        "telemetry.accessLog.settings.*.sinks.*.file.path": exactly("/dev/stdout", "/dev/stderr"),
        "telemetry.metrics.prometheus.disable": exactly(False),
        "telemetry.metrics.prometheus.compression.**": None,
    }
    judged = [known_fields(proxy, shape)]
    logs = list(items(proxy, "spec.telemetry.accessLog.settings"))
    whole = any(not isinstance(read(proxy, f"{each}.matches"), list | str) for each in logs)
    if (logs or settled(inventory, "fleet", "door", "domain")) and not whole:
        lacks = "spec.telemetry.accessLog.settings has no log of all requests"
        judged.append(failed("", lacks, "a line for each request"))
    return all_of(judged)


@family.rule(
    "k8s-certificates-sound",
    Severity.HIGH,
    "Certificates are short-lived, for the door's own names, with strong keys that change",
    types=(CERTIFICATE,),
    rationale="A certificate of ten years, for every name or with the right to sign is worth stealing; one that is "
    "renewed at the last minute, or by another issuer, shuts the door.",
    remedy="Build it by components.kubernetes.gateway.objects, and change fleet.door.certificate.",
    examples=lambda: examples(
        given(
            CERTIFICATE, {"spec.privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"}}, "own"
        ),
        broken=dict(
            (
                extra("spec.duration", "87600h", '"87600h"'),
                extra("spec.renewBefore", "1m", '"1m"'),
                extra("spec.privateKey.size", 1024, "1024"),
                extra("spec.privateKey.rotationPolicy", "Never", '"Never"'),
                extra("spec.isCA", True, "true"),
                extra("spec.usages", ["cert sign"], '["cert sign"]'),
                extra("spec.secretTemplate.annotations.a", "b", '"b"'),
                extra("spec.dnsNames", ["*.com"], '["*.com"]'),
            )
        )
        | {
            "spec.dnsNames is absent": setting("fleet.door.domain", "models.example.com"),
            "spec.privateKey.rotationPolicy is absent": drop("spec.privateKey.rotationPolicy"),
        },
        undecided={"spec.privateKey.size is known only to the provider": put("spec.privateKey.size", Hidden())},
        accepted={"": put("spec.duration", "2160h")},
    ),
)
def certificates_sound(certificate: Resource, inventory: Inventory) -> Judgement:
    door = settled(inventory, "fleet", "door")
    door = door if isinstance(door, dict) else {}
    domain, asked = door.get("domain"), door.get("certificate")
    asked = asked if isinstance(asked, dict) else {}
    issuer = {part: asked.get(name) for part, name in (("name", "issuer"), ("kind", "issuer_kind"))}
    usages = ("digital signature", "server auth", "key encipherment")
    shape: Shape = {
        "secretName": exactly("door-certificate"),
        "dnsNames": (
            f"*.{domain} alone" if domain else "names of three parts or more",
            lambda names: (
                bool(names)
                and all(n == f"*.{domain}" if domain else len(n.removeprefix("*.").split(".")) > 2 for n in names)
            ),
        ),
        "duration": lasting(3600, 398 * 86400),
        "renewBefore": lasting(86400, 398 * 86400),
        "usages": (f"none but {', '.join(usages)}", lambda found: all(each in usages for each in found)),
        "privateKey.algorithm": exactly("ECDSA", "RSA"),
        "privateKey.size": (
            "256 or more of ECDSA, 2048 or more of RSA",
            lambda size: int(size) in ((256, 384) if _ecdsa(certificate) else (2048, 3072, 4096)),
        ),
        "privateKey.rotationPolicy": exactly("Always"),
        "isCA": exactly(False),
        "issuerRef.group": None,
        "issuerRef.kind": exactly(issuer["kind"]) if issuer["kind"] else None,
        "issuerRef.name": exactly(issuer["name"]) if issuer["name"] else None,
    }
    judged = [known_fields(certificate, shape)]
    needed = ("privateKey.rotationPolicy", *(("dnsNames",) if domain else ()))
    for path in (f"spec.{each}" for each in needed):
        if not isinstance(read(certificate, path), str | list):
            judged.append(failed(path, "absent", "said"))
    return all_of(judged)


def _ecdsa(certificate: Resource) -> bool:
    return read(certificate, "spec.privateKey.algorithm") == "ECDSA"
