"""Images: what was reviewed is what runs, and the machines find it where they look for it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.checks import all_of, read, shown
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.nodes import Node, must, node
from policies.tokens import ARTIFACT_REGISTRY, DEPLOYMENT, ECR_REPOSITORY
from policies.workloads import HOLDS_DIGEST, WORKLOADS, container_nodes, pod_path, unreadable_containers

family = Family("Images")

_IMAGE = "spec.template.spec.containers.0.image"
_INIT_IMAGE = "spec.template.spec.initContainers.0.image"
_HELD = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/prod/serving@sha256:{'a' * 64}"
_TAGGED = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/prod/serving:26.01"
_CACHED = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/prod/quay/app@sha256:{'a' * 64}"
_ECR = re.compile(r"^(?P<account>\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/(?P<repository>[^@:]+)")
_ARTIFACT = re.compile(r"^[a-z0-9-]+-docker\.pkg\.dev/(?P<account>[^/]+)/(?P<repository>[^/@:]+)/")
_PUBLIC = f"quay.io/prometheus/prometheus@sha256:{'a' * 64}"


@family.rule(
    "k8s-images-by-digest",
    Severity.MEDIUM,
    "Images are named by digest",
    types=WORKLOADS,
    rationale="A tag can be moved; a digest is the very image that was reviewed.",
    remedy="Write the image as repository@sha256:….",
    frameworks={Framework.CHECKOV: ("CKV_K8S_43",)},
    examples=lambda: examples(
        given(DEPLOYMENT, dict.fromkeys((_IMAGE, _INIT_IMAGE), _HELD)),
        broken={
            f"{_IMAGE} is {shown(_TAGGED)}": put(_IMAGE, _TAGGED),
            f"{_INIT_IMAGE} is absent": drop(_INIT_IMAGE),
        },
        undecided={
            f"{path} is known only to the provider": put(path, Hidden())
            for path in (_IMAGE, "spec.template.spec.containers")
        },
    ),
)
def images_by_digest(workload: Resource, _: Inventory) -> Judgement:
    required = "an image by digest (…@sha256:…)"
    return unreadable_containers(workload) or all_of(
        must(each, required, lambda v: bool(HOLDS_DIGEST.search(v))) for each in _images(workload)
    )


def _images(workload: Resource) -> Iterator[Node]:
    """The image of each container, of each kind, and of each volume that is one."""
    yield from (container.at("image") for container in container_nodes(workload))
    for volume in node(workload, f"{pod_path(workload)}.volumes").members():
        if not volume.at("image").absent:
            yield volume.at("image", "reference")


@family.rule(
    "k8s-images-in-own-repositories",
    Severity.HIGH,
    "Images come from repositories that the stack makes",
    types=WORKLOADS,
    rationale="Machines reach no public registry, and ECR's pull-through cache fills no image that is asked for by "
    "digest: an image outside the stack's own repositories is never pulled.",
    remedy="Add the image to components/contracts/images.py, and run `seawall images sync`.",
    examples=lambda: examples(
        given(DEPLOYMENT, dict.fromkeys((_IMAGE, _INIT_IMAGE), _HELD)),
        given(ECR_REPOSITORY, {"name": "prod/serving"}),
        broken={
            f"{path} is {shown(image)}": put(path, image)
            for path in (_IMAGE, _INIT_IMAGE)
            for image in (_CACHED, _PUBLIC)
        },
        undecided={f"{_IMAGE} is known only to the provider": put(_IMAGE, Hidden())},
    ),
)
def images_in_own_repositories(workload: Resource, inventory: Inventory) -> Judgement:
    ecr = {str(read(repository, "name")) for repository in inventory.of_type(ECR_REPOSITORY)}
    artifact = {str(read(repository, "repositoryId")) for repository in inventory.of_type(ARTIFACT_REGISTRY)}
    account = str(inventory.settings.get("account", ""))

    def held(image: str) -> bool:
        """By a repository of the stack, of its own account or project where the settings name one."""
        for pattern, repositories in ((_ECR, ecr), (_ARTIFACT, artifact)):
            found = pattern.match(image)
            if found and found["repository"] in repositories and account in ("", found["account"]):
                return True
        return False

    return unreadable_containers(workload) or all_of(
        must(each, "an image of the stack's own repositories", held)
        for each in _images(workload)
        if not each.absent  # `k8s-images-by-digest` says so
    )
