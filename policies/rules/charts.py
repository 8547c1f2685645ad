"""Charts: what they install is what was reviewed, from one's own repositories, and no more than was meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    at_least,
    equals,
    expect,
    failed,
    is_hidden,
    not_applicable,
    passed,
    read,
    unknown,
)
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import EXTENSION_POLICY, GATEWAY_BACKEND, RELEASE
from policies.workloads import is_own_image, keeps_some

family = Family("Charts")

_MIRROR: Final = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/prod/mirror"
_DIGEST: Final = f"sha256:{'a' * 64}"
_EXTENSIONS: Final = "values.config.envoyGateway.extensionApis"
_WATCH: Final = "values.config.envoyGateway.provider.kubernetes.watch"
_REPLICAS: Final[Mapping[str, tuple[str, ...]]] = {
    "/gateway-helm@": ("values.deployment.replicas",),
    "/cert-manager@": ("values.replicaCount", "values.webhook.replicaCount", "values.cainjector.replicaCount"),
}
"""How each chart calls the replicas of what others wait for."""
_BUDGETS: Final[Mapping[str, tuple[str, ...]]] = {
    "/gateway-helm@": ("values.podDisruptionBudget",),
    "/cert-manager@": tuple(f"values.{each}podDisruptionBudget" for each in ("", "webhook.", "cainjector.")),
}


@family.rule(
    "k8s-charts-pinned",
    Severity.HIGH,
    "Charts and the images that they run come from the stack's own repositories, by digest",
    types=(RELEASE,),
    rationale="A chart has rights over the whole cluster: what was reviewed must be what is installed.",
    remedy="Add the chart and its images to components/contracts/images.py, and run `seawall images sync`.",
    examples=lambda: examples(
        given(
            RELEASE,
            {
                "chart": f"oci://{_MIRROR}/docker.io/envoyproxy/gateway-helm@{_DIGEST}",
                "values.global.images.proxy.image": f"{_MIRROR}/docker.io/envoyproxy/envoy@{_DIGEST}",
                "values.webhook.image": {"repository": f"{_MIRROR}/quay.io/app", "digest": _DIGEST},
                "values.image": {"repository": f"{_MIRROR}/ghcr.io/app", "tag": f"1.0.0@{_DIGEST}"},
            },
        ),
        broken={
            f'chart is "oci://{_MIRROR}/chart:v1"': put("chart", f"oci://{_MIRROR}/chart:v1"),
            f'chart is "oci://docker.io/e/chart@{_DIGEST}"': put("chart", f"oci://docker.io/e/chart@{_DIGEST}"),
            'chart is "cert-manager"': put("chart", "cert-manager"),
            'values.global.images.proxy.image is "envoyproxy/envoy:v1"': put(
                "values.global.images.proxy.image", "envoyproxy/envoy:v1"
            ),
            f'values.webhook.image.repository is "quay.io/app@{_DIGEST}"': put(
                "values.webhook.image.repository", "quay.io/app"
            ),
            f'values.webhook.image.repository is "{_MIRROR}/quay.io/app@"': drop("values.webhook.image.digest"),
            f'values.image.repository is "{_MIRROR}/ghcr.io/app@"': put("values.image.tag", "1.0.0"),
        },
        undecided={f"{path} is known only to the provider": put(path, Hidden()) for path in ("chart", "values")},
    ),
)
def charts_pinned(release: Resource, _: Inventory) -> Judgement:
    required = "the stack's own repository, by digest"
    values = read(release, "values")
    if is_hidden(values):
        return unknown("values", required)
    judged = [expect(release, "chart", required, is_own_image)]
    for path, image in _images(values if isinstance(values, Mapping) else {}, "values"):
        judged.append(passed() if is_own_image(image) else failed(path, f'"{image}"', required))
    return all_of(judged)


def _images(values: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Each image that a chart's values name: in one string, or as repository and digest."""
    for key, value in values.items():
        here = f"{path}.{key}"
        if key == "image" and isinstance(value, str):
            yield here, value
        elif key == "image" and isinstance(value, Mapping):
            # A chart that joins repository and tag by a colon has the digest behind the tag.
            digest = value.get("digest") or str(value.get("tag", "")).partition("@")[2]
            yield f"{here}.repository", f"{value.get('repository', '')}@{digest}"
        elif isinstance(value, Mapping):
            yield from _images(value, here)


@family.rule(
    "k8s-charts-fenced",
    Severity.HIGH,
    "The door's controllers do no more than is meant, in two replicas that machines can be emptied of",
    types=(RELEASE,),
    rationale="Patches of Envoy's configuration go past every policy of the door, and what watches all namespaces "
    "reads all of their secrets.",
    remedy="Build it by components.kubernetes.gateway.controllers.",
    examples=lambda: examples(
        given(
            RELEASE,
            {
                "chart": f"oci://{_MIRROR}/docker.io/envoyproxy/gateway-helm@{_DIGEST}",
                "values.global.images.envoyGateway.image": f"{_MIRROR}/docker.io/envoyproxy/gateway@{_DIGEST}",
                f"{_EXTENSIONS}.enableEnvoyPatchPolicy": False,
                f"{_WATCH}.type": "Namespaces",
                f"{_WATCH}.namespaces": ["serving"],
                "values.deployment.replicas": 2,
                "values.podDisruptionBudget.maxUnavailable": 1,
                "values.podDisruptionBudget.minAvailable": 0,
            },
        ),
        given(
            RELEASE,
            {
                "chart": f"oci://{_MIRROR}/quay.io/jetstack/charts/cert-manager@{_DIGEST}",
                **dict.fromkeys(_REPLICAS["/cert-manager@"], 2),
                **{f"{path}.maxUnavailable": 1 for path in _BUDGETS["/cert-manager@"]},
            },
            "cert-manager",
        ),
        broken={
            f"{_EXTENSIONS}.enableEnvoyPatchPolicy is true": put(f"{_EXTENSIONS}.enableEnvoyPatchPolicy", True),
            f"{_EXTENSIONS}.enableEnvoyPatchPolicy is absent": drop(f"{_EXTENSIONS}.enableEnvoyPatchPolicy"),
            f"{_EXTENSIONS}.enableBackend is true": put(f"{_EXTENSIONS}.enableBackend", True),
            f"{_EXTENSIONS}.enableLua is true": put(f"{_EXTENSIONS}.enableLua", True),
            f"{_WATCH}.namespaces is absent": drop(f"{_WATCH}.namespaces"),
            f"{_WATCH}.namespaces is []": put(f"{_WATCH}.namespaces", []),
            "values.global.images.envoyGateway.image is absent": drop("values.global.images.envoyGateway.image"),
            "values.deployment.replicas is 1": put("values.deployment.replicas", 1),
            "values.podDisruptionBudget.maxUnavailable is 0": put("values.podDisruptionBudget.maxUnavailable", 0),
            "values.podDisruptionBudget.maxUnavailable is 2": put("values.podDisruptionBudget.maxUnavailable", 2),
            "values.podDisruptionBudget.minAvailable is 2": put("values.podDisruptionBudget.minAvailable", 2),
        },
        undecided={"values is known only to the provider": put("values", Hidden())},
        accepted={"another chart": put("chart", f"oci://{_MIRROR}/ghcr.io/fluxcd/charts/flagger@{_DIGEST}")},
    ),
)
def charts_fenced(release: Resource, inventory: Inventory) -> Judgement:
    chart, values = str(read(release, "chart")), read(release, "values")
    kind = next((each for each in _REPLICAS if each in chart), None)
    if is_hidden(chart) or is_hidden(values):
        return unknown("values" if is_hidden(values) else "chart", "values that the plan knows")
    if kind is None:
        return not_applicable("another chart")
    judged = [at_least(release, path, 2, "replicas") for path in _REPLICAS[kind]]
    for path in _BUDGETS[kind]:
        required = "1, or a part of the replicas"
        judged.append(expect(release, f"{path}.maxUnavailable", required, keeps_some))
        fewest = read(release, f"{path}.minAvailable")
        judged.append(PASS if fewest is ABSENT else equals(release, f"{path}.minAvailable", 0))
    if kind == "/gateway-helm@":
        own = "values.global.images.envoyGateway.image"
        judged += [
            equals(release, f"{_EXTENSIONS}.enableEnvoyPatchPolicy", False),
            equals(release, f"{_WATCH}.type", "Namespaces"),
            expect(release, f"{_WATCH}.namespaces", "the fleet's namespace", lambda found: bool(found)),
            expect(release, own, "the stack's own repository, by digest", bool),
        ]
        if not any(inventory.of_type(GATEWAY_BACKEND)):
            judged.append(_switched_off(release, f"{_EXTENSIONS}.enableBackend"))
        if not any(read(each, "spec.lua") for each in inventory.of_type(EXTENSION_POLICY)):
            judged.append(_switched_off(release, f"{_EXTENSIONS}.enableLua"))
    return all_of(judged)


def _switched_off(release: Resource, path: str) -> Judgement:
    """What nothing of the stack needs is switched off."""
    return PASS if read(release, path) is ABSENT else equals(release, path, False)
