"""Changes of pods, the door, charts and bounds that harm nobody, which no rule may find."""

from __future__ import annotations

from typing import Final

from tests.policies.mutations.changes import GONE, Mutation, put

_ONE: Final = "spec.template.spec.containers.0"
_POD: Final = "spec.template.spec"
_BACKENDS: Final = ("BackendTrafficPolicy", "backendtrafficpolicy-door")
_CLIENTS: Final = ("ClientTrafficPolicy", "clienttrafficpolicy-door")
_PROXY: Final = ("EnvoyProxy", "envoyproxy-door")
_ROUTE: Final = ("HTTPRoute", "httproute-tumour-risk")
_RULE: Final = "spec.rules.0"
_SCALER: Final = ("HorizontalPodAutoscaler", "tumour-risk")
_SERVING: Final = ("Deployment", "tumour-risk")

HARMLESS: Final = (
    *(
        Mutation(f"fine: {name}", put(*of, (path, value)))
        for name, of, path, value in (
            ("names by the cluster", _SERVING, f"{_POD}.dnsPolicy", "ClusterFirst"),
            ("pulled if absent", _SERVING, f"{_ONE}.imagePullPolicy", "IfNotPresent"),
            ("a wait of ten minutes", _SERVING, f"{_POD}.terminationGracePeriodSeconds", 600),
            ("a mount of its own", _SERVING, f"{_ONE}.volumeMounts.+", {"name": "scratch", "mountPath": "/var/x"}),
            (
                "an endpoint of the cloud",
                _SERVING,
                f"{_ONE}.env.+",
                {"name": "AWS_ENDPOINT_URL_STS", "value": "https://sts.eu-central-1.amazonaws.com"},
            ),
            ("fewer per client", _BACKENDS, "spec.rateLimit.local.rules.0.limit.requests", 1000),
            ("smaller bodies", _BACKENDS, "spec.requestBuffer.limit", "4Mi"),
            ("a shorter end", _BACKENDS, "spec.timeout.http.requestTimeout", "20s"),
            ("pods in turn", _BACKENDS, "spec.loadBalancer.type", "RoundRobin"),
            ("put out for less", _BACKENDS, "spec.healthCheck.passive.baseEjectionTime", "10s"),
            ("newer TLS", _CLIENTS, "spec.tls.minVersion", "1.3"),
            ("fewer streams", _CLIENTS, "spec.http2.maxConcurrentStreams", 100),
            ("idle for less", _CLIENTS, "spec.timeout.http.idleTimeout", "60s"),
            ("three Envoys", _PROXY, "spec.provider.kubernetes.envoyDeployment.replicas", 3),
            ("a longer drain", _PROXY, "spec.shutdown.drainTimeout", "120s"),
            ("one more field of the log", _PROXY, "spec.telemetry.accessLog.settings.0.format.json.zone", "%ZONE%"),
            ("a shorter route", _ROUTE, f"{_RULE}.timeouts", {"request": "10s"}),
            (
                "one more header of answers",
                _ROUTE,
                f"{_RULE}.filters.0.responseHeaderModifier.set.+",
                {"name": "x-frame-options", "value": "DENY"},
            ),
            ("more of the one Service", _ROUTE, f"{_RULE}.backendRefs.0.weight", 100),
            ("fewer a minute", _SCALER, "spec.behavior.scaleDown.stabilizationWindowSeconds", 900),
            ("more pods at a step", _SCALER, "spec.behavior.scaleUp.policies.0.value", 6),
            ("busy earlier", _SCALER, "spec.metrics.0.pods.target.averageValue", "2"),
            ("a longer key", ("Certificate", "certificate-door"), "spec.privateKey.size", 384),
            ("a shorter certificate", ("Certificate", "certificate-door"), "spec.duration", "1440h"),
            ("more patience for a chart", ("Release", "cert-manager"), "timeout", 1200),
            ("a longer history of a chart", ("Release", "cert-manager"), "maxHistory", 10),
            ("more memory of a chart", ("Release", "cert-manager"), "values.resources.limits.memory", "512Mi"),
            ("three of a chart", ("Release", "cert-manager"), "values.replicaCount", 3),
            ("a Service's port by number", ("Service", "tumour-risk"), "spec.ports.0.targetPort", 8000),
            ("a Service's kind left out", ("Service", "tumour-risk"), "spec.type", GONE),
            ("fewer GPUs of the quota", ("ResourceQuota", "gpus"), "spec.hard.requests\\.nvidia\\.com/gpu", "12"),
            ("all that cannot be reached kept", ("kubernetes", "cluster"), "deleteUnreachable", "false"),
        )
    ),
)
