"""Changes of the door's limits and proxy that would harm production, each with the rule that must find it."""

from __future__ import annotations

from typing import Final

from tests.policies.mutations.changes import GONE, Mutation, put

HARMFUL: Final = (
    Mutation(
        "traffic: a billion a minute",
        put(
            "BackendTrafficPolicy",
            "backendtrafficpolicy-door",
            ("spec.rateLimit.local.rules.0.limit.requests", 1000000000),
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: 3000 a second",
        put(
            "BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.rateLimit.local.rules.0.limit.unit", "Second")
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: ten times the settings",
        put(
            "BackendTrafficPolicy",
            "backendtrafficpolicy-door",
            ("spec.rateLimit.local.rules.0.limit.requests", 60000),
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: nobody may ask",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.rateLimit.local.rules.0.limit.requests", 0)),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: nameless without a bound",
        put(
            "BackendTrafficPolicy",
            "backendtrafficpolicy-door",
            ("spec.rateLimit.local.rules.1.limit.requests", 1000000000),
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: nameless not bounded",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.rateLimit.local.rules.1", GONE)),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: a rate for some",
        put(
            "BackendTrafficPolicy",
            "backendtrafficpolicy-door",
            ("spec.rateLimit.local.rules.0.clientSelectors.0.headers.+", {"name": "x", "value": "y"}),
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: a rate by what the client says",
        put(
            "BackendTrafficPolicy",
            "backendtrafficpolicy-door",
            ("spec.rateLimit.local.rules.0.clientSelectors.0.headers.0.name", "user-agent"),
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: a rate for no addresses",
        put(
            "BackendTrafficPolicy",
            "backendtrafficpolicy-door",
            ("spec.rateLimit.local.rules.1.clientSelectors.0.sourceCIDR.value", "192.0.2.0/24"),
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: a rate by a server",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.rateLimit.type", "Global")),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: bodies of 10 GiB",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.requestBuffer.limit", "10Gi")),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: four billion at once",
        put(
            "BackendTrafficPolicy",
            "backendtrafficpolicy-door",
            ("spec.circuitBreaker.maxParallelRequests", 4294967295),
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: one at once",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.circuitBreaker.maxParallelRequests", 1)),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: four billion that wait",
        put(
            "BackendTrafficPolicy",
            "backendtrafficpolicy-door",
            ("spec.circuitBreaker.maxPendingRequests", 4294967295),
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: no end",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.timeout.http.requestTimeout", "0s")),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: an end after a day",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.timeout.http.requestTimeout", "24h")),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: all pods put out",
        put(
            "BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.healthCheck.passive.maxEjectionPercent", 100)
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: put out for a day",
        put(
            "BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.healthCheck.passive.baseEjectionTime", "24h")
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: never in panic",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.healthCheck.panicThreshold", 0)),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: failures put in",
        put(
            "BackendTrafficPolicy",
            "backendtrafficpolicy-door",
            ("spec.faultInjection", {"abort": {"httpStatus": 500, "percentage": 100}}),
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: delays put in",
        put(
            "BackendTrafficPolicy",
            "backendtrafficpolicy-door",
            ("spec.faultInjection", {"delay": {"fixedDelay": "10s", "percentage": 100}}),
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: answers put in",
        put(
            "BackendTrafficPolicy",
            "backendtrafficpolicy-door",
            (
                "spec.responseOverride",
                [{"match": {"statusCodes": [{"value": 500}]}, "response": {"body": {"inline": "ok"}}}],
            ),
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: upgrades",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.httpUpgrade", [{"type": "websocket"}])),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: one pod for each address",
        put(
            "BackendTrafficPolicy",
            "backendtrafficpolicy-door",
            ("spec.loadBalancer", {"type": "ConsistentHash", "consistentHash": {"type": "SourceIP"}}),
        ),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: a header of the proxy's",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.proxyProtocol", {"version": "V1"})),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: buffers of a GiB",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.connection", {"bufferLimit": "4Gi"})),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: names as told by DNS",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.dns", {"dnsRefreshRate": "1ms"})),
        "k8s-door-backends-as-settled",
    ),
    Mutation(
        "traffic: TLS 1.0",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.tls.minVersion", "1.0")),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: TLS 1.1",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.tls.minVersion", "1.1")),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: weak ciphers",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.tls.ciphers", ["ECDHE-RSA-AES128-SHA"])),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: old signatures",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.tls.signatureAlgorithms", ["rsa_pkcs1_sha1"])),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: clients as they say",
        put(
            "ClientTrafficPolicy",
            "clienttrafficpolicy-door",
            ("spec.clientIPDetection", {"xForwardedFor": {"numTrustedHops": 5}}),
        ),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: clients by a header",
        put(
            "ClientTrafficPolicy",
            "clienttrafficpolicy-door",
            ("spec.clientIPDetection", {"customHeader": {"name": "x-ip"}}),
        ),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: the proxy's protocol",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.enableProxyProtocol", True)),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: the client's name added",
        put(
            "ClientTrafficPolicy",
            "clienttrafficpolicy-door",
            ("spec.headers.earlyRequestHeaders.add", [{"name": "x-seawall-client", "value": "x"}]),
        ),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: underscores",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.headers.withUnderscoresAction", "Allow")),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: a client's certificate as told",
        put(
            "ClientTrafficPolicy",
            "clienttrafficpolicy-door",
            ("spec.headers.xForwardedClientCert.mode", "ForwardOnly"),
        ),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: Envoy's headers",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.headers.enableEnvoyHeaders", True)),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: slashes as they are",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.path.escapedSlashesAction", "KeepUnchanged")),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: slashes not merged",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.path.disableMergeSlashes", True)),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: a billion connections",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.connection.connectionLimit.value", 1000000000)),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: one connection",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.connection.connectionLimit.value", 1)),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: buffers of clients",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.connection.bufferLimit", "4Gi")),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: headers for ever",
        put(
            "ClientTrafficPolicy",
            "clienttrafficpolicy-door",
            ("spec.timeout.http.requestHeadersReceivedTimeout", "0s"),
        ),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: bodies for ever",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.timeout.http.requestReceivedTimeout", "0s")),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: idle for ever",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.timeout.http.idleTimeout", "0s")),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: streams idle for ever",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.timeout.http.streamIdleTimeout", "0s")),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: handshakes for a day",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.timeout.tcp.tlsHandshakeTimeout", "24h")),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: streams without bound",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.http2.maxConcurrentStreams", 2147483647)),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: HTTP/1.0",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.http1", {"http10": {"useDefaultHost": True}})),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: HTTP/3",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.http3", {})),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: certificates of clients if they like",
        put(
            "ClientTrafficPolicy",
            "clienttrafficpolicy-door",
            ("spec.tls.clientValidation", {"optional": True, "caCertificateRefs": [{"name": "x"}]}),
        ),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: a request's id as told",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.headers.requestID", "PreserveOrGenerate")),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: an answer for anyone",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.healthCheck", {"path": "/"})),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: HTTP/1 alone",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.tls.alpnProtocols", ["http/1.0"])),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: sessions resumed",
        put(
            "ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.tls.session", {"resumption": {"stateless": {}}})
        ),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "traffic: for another",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.targetRefs.0.name", "other")),
        "k8s-door-fenced",
    ),
    Mutation(
        "traffic: no rates",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.rateLimit", GONE)),
        "k8s-door-limits",
    ),
    Mutation(
        "traffic: no rules of rates",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.rateLimit.local.rules", [])),
        "k8s-door-limits",
    ),
    Mutation(
        "traffic: bodies of any size",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.requestBuffer", GONE)),
        "k8s-door-limits",
    ),
    Mutation(
        "traffic: a circuit without bounds",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.circuitBreaker", GONE)),
        "k8s-door-limits",
    ),
    Mutation(
        "traffic: no end said",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.timeout", GONE)),
        "k8s-door-limits",
    ),
    Mutation(
        "traffic: failing pods kept",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.healthCheck.passive", GONE)),
        "k8s-door-limits",
    ),
    Mutation(
        "traffic: no bound of connections",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.connection.connectionLimit", GONE)),
        "k8s-door-limits",
    ),
    Mutation(
        "proxy: another balancer",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            ("spec.provider.kubernetes.envoyService.loadBalancerClass", "example.com/x"),
        ),
        "k8s-door-narrow",
    ),
    Mutation(
        "traffic: reserved headers kept",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.headers.earlyRequestHeaders", GONE)),
        "k8s-door-reserved-headers",
    ),
    Mutation(
        "traffic: a hundred retries each",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.retry.numRetries", 100)),
        "k8s-door-retries",
    ),
    Mutation(
        "traffic: retries of everything",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.retry.retryOn.triggers.+", "5xx")),
        "k8s-door-retries",
    ),
    Mutation(
        "traffic: no budget of retries",
        put("BackendTrafficPolicy", "backendtrafficpolicy-door", ("spec.circuitBreaker.retryBudget", GONE)),
        "k8s-door-retries",
    ),
    Mutation(
        "traffic: retries of all",
        put(
            "BackendTrafficPolicy",
            "backendtrafficpolicy-door",
            ("spec.circuitBreaker.retryBudget.percent.numerator", 100),
        ),
        "k8s-door-retries",
    ),
    Mutation(
        "proxy: one Envoy",
        put("EnvoyProxy", "envoyproxy-door", ("spec.provider.kubernetes.envoyDeployment.replicas", 1)),
        "k8s-door-stays-up",
    ),
    Mutation(
        "proxy: Envoys that must stay",
        put("EnvoyProxy", "envoyproxy-door", ("spec.provider.kubernetes.envoyPDB", {"minAvailable": "100%"})),
        "k8s-door-stays-up",
    ),
    Mutation(
        "proxy: no budget of Envoy",
        put("EnvoyProxy", "envoyproxy-door", ("spec.provider.kubernetes.envoyPDB", GONE)),
        "k8s-door-stays-up",
    ),
    Mutation(
        "proxy: Envoy without priority",
        put(
            "EnvoyProxy", "envoyproxy-door", ("spec.provider.kubernetes.envoyDeployment.pod.priorityClassName", GONE)
        ),
        "k8s-door-stays-up",
    ),
    Mutation("proxy: no drain", put("EnvoyProxy", "envoyproxy-door", ("spec.shutdown", GONE)), "k8s-door-stays-up"),
    Mutation(
        "traffic: TLS gone",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.tls", GONE)),
        "k8s-door-tls",
    ),
    Mutation(
        "traffic: for another Gateway's clients",
        put("ClientTrafficPolicy", "clienttrafficpolicy-door", ("spec.targetRefs.0.name", "other")),
        "k8s-door-tls",
    ),
    Mutation(
        "proxy: a patch of its Deployment",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            (
                "spec.provider.kubernetes.envoyDeployment.patch",
                {"type": "StrategicMerge", "value": {"spec": {"template": {"spec": {"hostNetwork": True}}}}},
            ),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: a patch of its Service",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            (
                "spec.provider.kubernetes.envoyService.patch",
                {"type": "StrategicMerge", "value": {"spec": {"type": "NodePort"}}},
            ),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: a variable of Envoy",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            (
                "spec.provider.kubernetes.envoyDeployment.container.env",
                [{"name": "HTTPS_PROXY", "value": "http://203.0.113.9"}],
            ),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: a container before Envoy",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            ("spec.provider.kubernetes.envoyDeployment.initContainers", [{"name": "x", "image": "busybox"}]),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: a bootstrap of one's own",
        put("EnvoyProxy", "envoyproxy-door", ("spec.bootstrap", {"type": "Replace", "value": "x"})),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: arguments of Envoy",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            ("spec.extraArgs", ["--disable-extensions", "envoy.filters.http.jwt_authn"]),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: no Envoy",
        put("EnvoyProxy", "envoyproxy-door", ("spec.provider.kubernetes.envoyDeployment.replicas", 0)),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: 10,000 Envoys",
        put("EnvoyProxy", "envoyproxy-door", ("spec.provider.kubernetes.envoyDeployment.replicas", 10000)),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: Envoys without bound",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            ("spec.provider.kubernetes.envoyHpa", {"minReplicas": 1, "maxReplicas": 10000}),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: Envoy tolerates all",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            ("spec.provider.kubernetes.envoyDeployment.pod.tolerations", [{"operator": "Exists"}]),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: Envoy re-created",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            ("spec.provider.kubernetes.envoyDeployment.strategy", {"type": "Recreate"}),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: Envoy with a volume of the machine",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            ("spec.provider.kubernetes.envoyDeployment.pod.volumes", [{"name": "x", "hostPath": {"path": "/"}}]),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: Envoy beside the cluster",
        put("EnvoyProxy", "envoyproxy-door", ("spec.provider.type", "Host")),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: requests cut",
        put("EnvoyProxy", "envoyproxy-door", ("spec.shutdown.drainTimeout", "0s")),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: no access log",
        put("EnvoyProxy", "envoyproxy-door", ("spec.telemetry.accessLog", GONE)),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: the access log off",
        put("EnvoyProxy", "envoyproxy-door", ("spec.telemetry.accessLog.disable", True)),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: the access log elsewhere",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            (
                "spec.telemetry.accessLog.settings.0.sinks",
                [{"type": "OpenTelemetry", "openTelemetry": {"host": "203.0.113.9", "port": 4317}}],
            ),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: an access log of bodies",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            ("spec.telemetry.accessLog.settings.0.format.json.token", "%REQ(AUTHORIZATION)%"),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: an access log of some",
        put(
            "EnvoyProxy", "envoyproxy-door", ("spec.telemetry.accessLog.settings.0.matches", ["response.code >= 500"])
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: no metrics of Envoy",
        put("EnvoyProxy", "envoyproxy-door", ("spec.telemetry.metrics", {"prometheus": {"disable": True}})),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: metrics sent elsewhere",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            ("spec.telemetry.metrics.sinks", [{"type": "OpenTelemetry", "openTelemetry": {"host": "203.0.113.9"}}]),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: traces elsewhere",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            (
                "spec.telemetry.tracing",
                {"samplingRate": 100, "provider": {"type": "OpenTelemetry", "host": "203.0.113.9"}},
            ),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: all that Envoy knows",
        put("EnvoyProxy", "envoyproxy-door", ("spec.logging", {"level": {"default": "trace"}})),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: tokens read late",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            ("spec.filterOrder", [{"name": "envoy.filters.http.jwt_authn", "after": "envoy.filters.http.router"}]),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: Gateways merged",
        put("EnvoyProxy", "envoyproxy-door", ("spec.mergeGateways", True)),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: addresses of clients lost",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            ("spec.provider.kubernetes.envoyService.externalTrafficPolicy", "Cluster"),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: subnets of one's own",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            (
                "spec.provider.kubernetes.envoyService.annotations.service\\.beta\\.kubernetes\\.io/aws-load-balancer-subnets",
                "subnet-public",
            ),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: logs of the balancer elsewhere",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            (
                "spec.provider.kubernetes.envoyService.annotations.service\\.beta\\.kubernetes\\.io/aws-load-balancer-attributes",
                "access_logs.s3.enabled=true,access_logs.s3.bucket=other",
            ),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: groups of one's own",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            (
                "spec.provider.kubernetes.envoyService.annotations.service\\.beta\\.kubernetes\\.io/aws-load-balancer-security-groups",
                "sg-1",
            ),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: an address of one's own",
        put("EnvoyProxy", "envoyproxy-door", ("spec.provider.kubernetes.envoyService.loadBalancerIP", "203.0.113.7")),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: a DNS name for the door",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            (
                "spec.provider.kubernetes.envoyService.annotations.external-dns\\.alpha\\.kubernetes\\.io/hostname",
                "models.example.com",
            ),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: any TLS to backends",
        put("EnvoyProxy", "envoyproxy-door", ("spec.backendTLS", {"minVersion": "1.0"})),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: the admin's port opened",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            (
                "spec.provider.kubernetes.envoyDeployment.container.volumeMounts",
                [{"name": "x", "mountPath": "/etc/envoy"}],
            ),
        ),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: Envoys on each machine",
        put("EnvoyProxy", "envoyproxy-door", ("spec.provider.kubernetes.envoyDaemonSet", {})),
        "k8s-envoy-as-known",
    ),
    Mutation(
        "proxy: Envoys together",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            ("spec.provider.kubernetes.envoyDeployment.pod.topologySpreadConstraints", GONE),
        ),
        "k8s-essential-apart",
    ),
    Mutation(
        "proxy: another Envoy",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            ("spec.provider.kubernetes.envoyDeployment.container.image", "docker.io/envoyproxy/envoy:latest"),
        ),
        "k8s-images-by-digest",
    ),
    Mutation(
        "proxy: Envoy as root",
        put(
            "EnvoyProxy",
            "envoyproxy-door",
            ("spec.provider.kubernetes.envoyDeployment.container.securityContext", {"runAsUser": 0}),
        ),
        "k8s-pods-restricted",
    ),
    Mutation(
        "proxy: Envoy without limits",
        put("EnvoyProxy", "envoyproxy-door", ("spec.provider.kubernetes.envoyDeployment.container.resources", GONE)),
        "k8s-resources-sized",
    ),
)
