"""Images: what was reviewed is what runs."""

from __future__ import annotations

import re

from policies.checks import all_of, expect, read
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import ARTIFACT_REGISTRY, DEPLOYMENT, ECR_REPOSITORY
from policies.workloads import WORKLOADS, containers, unreadable_containers

family = Family("Images")

_MOVED_TAG = "A moved tag changes what runs without a review."
_MIRROR = "a mirror takes its tags from elsewhere"
_MIRROR_MODES = ("REMOTE_REPOSITORY", "VIRTUAL_REPOSITORY")
_IMAGE = "spec.template.spec.containers.0.image"
_INIT_IMAGE = "spec.template.spec.initContainers.0.image"
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


family.require(
    "aws-ecr-immutable-tags",
    Severity.MEDIUM,
    "ECR tags cannot be moved",
    type=ECR_REPOSITORY,
    inputs={"imageTagMutability": ("IMMUTABLE", "MUTABLE")},
    rationale=_MOVED_TAG,
    remedy='Set imageTagMutability to "IMMUTABLE".',
    frameworks={Framework.CHECKOV: ("CKV_AWS_51",)},
)


family.require(
    "gcp-registry-immutable-tags",
    Severity.MEDIUM,
    "Artifact Registry tags cannot be moved",
    type=ARTIFACT_REGISTRY,
    inputs={"dockerConfig.immutableTags": (True, False)},
    rationale=_MOVED_TAG,
    remedy="Set dockerConfig.immutableTags.",
    unless=lambda repository, _: _MIRROR if read(repository, "mode") in _MIRROR_MODES else "",
    accepted=lambda: {_MIRROR: tuple(put("mode", mode) for mode in _MIRROR_MODES)},
)


@family.rule(
    "k8s-images-by-digest",
    Severity.MEDIUM,
    "Images are named by digest",
    types=WORKLOADS,
    rationale="A tag can be moved; a digest is the very image that was reviewed.",
    remedy="Write the image as repository@sha256:….",
    frameworks={Framework.CHECKOV: ("CKV_K8S_43",)},
    examples=lambda: examples(
        given(DEPLOYMENT, dict.fromkeys((_IMAGE, _INIT_IMAGE), f"registry.example/triton@sha256:{'a' * 64}")),
        broken={
            f'{_IMAGE} is "registry.example/triton:26.01"': put(_IMAGE, "registry.example/triton:26.01"),
            f"{_INIT_IMAGE} is absent": drop(_INIT_IMAGE),
        },
        undecided={
            f"{path} is known only to the provider": put(path, Hidden())
            for path in (_IMAGE, "spec.template.spec.containers")
        },
    ),
)
def images_by_digest(workload: Resource, _: Inventory) -> Judgement:
    return unreadable_containers(workload) or all_of(
        expect(workload, f"{c}.image", "an image by digest (…@sha256:…)", lambda v: bool(_DIGEST.search(v)))
        for c in containers(workload)
    )
