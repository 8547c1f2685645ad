"""What passes the fleet's door, and what is asked again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from policies.checks import ABSENT, absent_or, all_of, expect, failed, is_hidden, items, passed, read, shown, unknown
from policies.examples import Hidden, both, drop, examples, given, plus, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import BACKEND_TRAFFIC as BACKENDS
from policies.tokens import GATEWAY_BACKEND
from policies.workloads import seconds_of

family = Family("Calls through the door")

HTTP_ROUTE: Final = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
GRPC_ROUTE: Final = "kubernetes:gateway.networking.k8s.io/v1:GRPCRoute"

_REPEATABLE: Final = frozenset(
    ("connect-failure", "refused-stream", "reset", "reset-before-request", "gateway-error", "unavailable")
)
"""Failures after which an inference may be asked again: it has no effect but its answer."""
_FALLS_BACK: Final = frozenset(("5xx", "cancelled", "internal", "resource-exhausted", "deadline-exceeded"))
"""Failures after which another service, the fallback, may be asked as well."""
_AGAIN: Final = frozenset((502, 503, 504))
_CODES: Final = "spec.retry.retryOn.httpStatusCodes"
_MOST: Final = "spec.retry.numRetries"
_TRIGGERS: Final = "spec.retry.retryOn.triggers"
_BUDGET: Final = "spec.circuitBreaker.retryBudget.percent.numerator"
_FORBIDDEN_PATHS: Final = (
    *(f"/v2/repository/models/m/{verb}" for verb in ("load", "unload")),
    *("/v2/repository/index", "/v2/logging", "/v2/trace/setting", "/v2/models/m/trace/setting"),
    *(f"/v2/{kind}sharedmemory{rest}" for kind in ("system", "cuda") for rest in ("/status", "/region/r/register")),
    *("/v2/models/stats", "/v2/models/m/stats", "/v2/models/m/versions/1/stats", "/v2/models/m/generate_stream"),
    *("/metrics", "/", "/v2/repository/models/m/load/infer", "/other/infer"),
)
"""Calls of Triton's HTTP extensions that change a server or tell of others' requests, and paths of no protocol
(docs/protocol/ of Triton 2.51, read 2026-11-22)."""
_FORBIDDEN_METHODS: Final = (
    *("RepositoryIndex", "RepositoryModelLoad", "RepositoryModelUnload", "ModelStatistics", "ModelStreamInfer"),
    *(f"{kind}SharedMemory{verb}" for kind in ("System", "Cuda") for verb in ("Status", "Register", "Unregister")),
    *("TraceSetting", "LogSettings"),
)
"""The same of its gRPC service (grpc_service.proto of Triton 2.51, read 2026-11-22)."""
_REGULAR: Final = "RegularExpression"
_INFER: Final = "/v2/models/[^/]+/infer"
_TO_FALLBACK: Final = (
    put(_TRIGGERS, ["5xx"]),
    put(_BUDGET, 100),
    put("spec.retry.numAttemptsPerPriority", 1),
    put("spec.targetRefs", [{"kind": "HTTPRoute", "name": "r"}]),
)
_ROUTE: Final = given(
    HTTP_ROUTE, {"metadata.name": "r", "spec.rules": [{"backendRefs": [{"kind": "Backend", "name": "f"}]}]}
)


@family.rule(
    "k8s-door-retries",
    Severity.HIGH,
    "Only what may be repeated is asked again, within a budget",
    types=(BACKENDS,),
    rationale="A repeat of what changed a server changes it twice, and repeats without a bound end a busy fleet.",
    remedy="Retry on lost connections and gateway errors only, and keep fleet.door.retries.budget_percent.",
    examples=lambda: examples(
        given(BACKENDS, {_TRIGGERS: ["connect-failure", "gateway-error"], _BUDGET: 20}),
        broken={
            f'{_TRIGGERS} is "5xx"': (
                put(_TRIGGERS, ["connect-failure", "5xx"]),
                # The Backend of the route is no fallback.
                both(
                    *_TO_FALLBACK,
                    put(_BUDGET, 20),
                    plus(_ROUTE),
                    plus(given(GATEWAY_BACKEND, {"metadata.name": "f"})),
                ),
            ),
            f'{_TRIGGERS} is "deadline-exceeded"': put(_TRIGGERS, ["deadline-exceeded"]),
            f"{_TRIGGERS} is absent, so the project's own": drop(_TRIGGERS),
            f"{_CODES} is [500, 503]": put(_CODES, [500, 503]),
            f"{_MOST} is 100": put(_MOST, 100),
            f"{_BUDGET} is absent": drop(_BUDGET),
            f"{_BUDGET} is 90": put(_BUDGET, 90),
        },
        undecided={f"{_TRIGGERS} is known only to the provider": put(_TRIGGERS, Hidden())},
        accepted={
            "nothing is asked again": drop("spec.retry"),
            "": both(
                *_TO_FALLBACK,
                plus(_ROUTE),
                plus(given(GATEWAY_BACKEND, {"metadata.name": "f", "spec.fallback": True})),
            ),
        },
    ),
)
def door_retries(policy: Resource, inventory: Inventory) -> Judgement:
    if read(policy, "spec.retry") is ABSENT:
        return passed("nothing is asked again")
    triggers = read(policy, _TRIGGERS)
    falls_back = _falls_back(policy, inventory)
    allowed = _REPEATABLE | _FALLS_BACK if falls_back else _REPEATABLE
    required = "only " + ", ".join(sorted(allowed))
    if is_hidden(triggers):
        return unknown(_TRIGGERS, required)
    most = 100 if falls_back else 50
    budget = expect(policy, _BUDGET, f"at most {most} percent", lambda share: 0 < float(share) <= most)
    if not isinstance(triggers, list):
        return failed(_TRIGGERS, "absent, so the project's own", required)
    odd = [str(trigger) for trigger in triggers if str(trigger) not in allowed]
    codes = absent_or(policy, _CODES, lambda: expect(policy, _CODES, "502, 503 and 504", lambda v: set(v) <= _AGAIN))
    few = absent_or(policy, _MOST, lambda: expect(policy, _MOST, "at most 5", lambda count: 0 <= count <= 5))
    named = failed(_TRIGGERS, shown(", ".join(odd)), required) if odd else passed()
    judged = all_of((named, budget, codes, few))
    return judged if judged.problems else passed()


def _falls_back(policy: Resource, inventory: Inventory) -> bool:
    """Whether the further attempts are another service's: one for each, on routes that all have a fallback."""
    retry = policy.get("spec.retry", {})
    if not isinstance(retry, Mapping) or retry.get("numAttemptsPerPriority") != 1:
        return False
    fallbacks = {
        each.get("metadata.name") for each in inventory.of_type(GATEWAY_BACKEND) if each.get("spec.fallback") is True
    }
    targets = {(each.get("kind"), each.get("name")) for each in policy.get("spec.targetRefs", [])}
    routes = [
        each
        for each in inventory.of_type(HTTP_ROUTE, GRPC_ROUTE)
        if (each.type.rpartition(":")[2], each.get("metadata.name")) in targets
    ]
    rules = [rule for route in routes for rule in route.get("spec.rules", [])]
    return len(routes) == len(targets) > 0 and all(
        any(to.get("kind") == "Backend" and to.get("name") in fallbacks for to in rule.get("backendRefs", []))
        for rule in rules
    )


@family.rule(
    "k8s-door-calls",
    Severity.HIGH,
    "Routes name the calls that pass, and none that changes a server",
    types=(HTTP_ROUTE, GRPC_ROUTE),
    rationale="Triton's protocol also loads models, registers memory and sets logging, for whoever asks.",
    remedy="Build routes by components.kubernetes.routes.",
    examples=lambda: examples(
        given(
            HTTP_ROUTE,
            {"spec.rules": [{"matches": [{"method": "POST", "path": {"type": _REGULAR, "value": _INFER}}]}]},
        ),
        broken={
            "spec.rules.0.matches is absent, so every call": drop("spec.rules.0.matches"),
            "spec.rules.0.matches.0.method is absent": drop("spec.rules.0.matches.0.method"),
            "spec.rules.0.matches.0.path.value is absent": drop("spec.rules.0.matches.0.path"),
            **{
                f'spec.rules.0.matches.0.path.value is "{path}"': put("spec.rules.0.matches.0.path.value", path)
                for path in (
                    "/",
                    "/v2/",
                    "/v2/repository/models/[^/]+/load",
                    "/v2/.*",
                    ".*/infer",
                    "/v2/[/a-z]+/infer",
                )
            },
            'spec.rules.0.timeouts.request is "0s"': put("spec.rules.0.timeouts.request", "0s"),
            'spec.rules.0.retry is {"attempts": 9}': put("spec.rules.0.retry", {"attempts": 9}),
            # A prefix lets through whatever follows it.
            f'spec.rules.0.matches.0.path.value is "{_INFER}"': put("spec.rules.0.matches.0.path.type", "PathPrefix"),
        },
        undecided={"spec.rules is known only to the provider": put("spec.rules", Hidden())},
        accepted={
            "": put(
                "spec.rules.0.matches",
                [{"method": "GET", "path": {"type": _REGULAR, "value": "/v2/models/[^/]+/(ready|config)"}}],
            )
        },
    ),
)
def door_calls(route: Resource, _: Inventory) -> Judgement:
    if is_hidden(read(route, "spec.rules")):
        return unknown("spec.rules", "calls by name")
    return all_of(_named(route, rule) for rule in items(route, "spec.rules"))


def _named(route: Resource, rule: str) -> Judgement:
    matches = list(items(route, f"{rule}.matches"))
    if not matches:
        return failed(f"{rule}.matches", "absent, so every call", "calls by name")
    if route.type == GRPC_ROUTE:
        return all_of(_grpc(route, match) for match in matches)
    own = [judged for match in matches for judged in _http(route, match)]
    for path in (f"{rule}.timeouts.request", f"{rule}.timeouts.backendRequest"):
        own.append(absent_or(route, path, lambda at=path: expect(route, at, "a bound", lambda v: seconds_of(v) > 0)))
    # The door's own retries have a budget, and are for what may be repeated.
    own.append(absent_or(route, f"{rule}.retry", lambda: expect(route, f"{rule}.retry", "absent", lambda _: False)))
    judged = all_of(own)
    return judged if judged.problems else passed()


def _grpc(route: Resource, match: str) -> Judgement:
    regular = read(route, f"{match}.method.type") == "RegularExpression"
    return expect(
        route,
        f"{match}.method.method",
        "methods that change no server and tell of nobody else",
        lambda name: not any(re.fullmatch(name, m) if regular else name == m for m in _FORBIDDEN_METHODS),
    )


def _http(route: Resource, match: str) -> Iterator[Judgement]:
    method, kind = read(route, f"{match}.method"), read(route, f"{match}.path.type")
    yield expect(route, f"{match}.method", "GET or POST", lambda value: value in ("GET", "POST"))
    if method == "POST":
        yield expect(
            route,
            f"{match}.path.value",
            "inference alone",
            lambda path: path.endswith("/infer") and not _passes(path, kind),
        )
    else:
        yield expect(
            route,
            f"{match}.path.value",
            "paths of the protocol that tell of nobody else",
            lambda path: path.startswith("/v2") and not _passes(path, kind),
        )


def _passes(path: str, kind: object) -> list[str]:
    """The forbidden paths that a match lets through; a prefix, which is the default, lets through what follows it."""
    if kind == "RegularExpression":
        return [found for found in _FORBIDDEN_PATHS if re.fullmatch(path, found)]
    if kind == "Exact":
        return [found for found in _FORBIDDEN_PATHS if found == path]
    return [found for found in (*_FORBIDDEN_PATHS, f"{path}/more") if f"{found}/".startswith(f"{path.rstrip('/')}/")]
