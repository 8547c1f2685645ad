"""Registries: tags stay, what is pinned is not removed, images are scanned, and each repository has a far copy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from policies.checks import (
    absent_or,
    all_of,
    any_of,
    expect,
    failed,
    items,
    not_applicable,
    one_of,
    passed,
    read,
    unreadable,
)
from policies.examples import Hidden, Text, both, drop, examples, given, plus, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import far_enough, home_region, region_in
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import ARTIFACT_REGISTRY, ECR_LIFECYCLE, ECR_REPOSITORY

family = Family("Registries")

_MOVED_TAG = "A moved tag changes what runs without a review."
_PINNED = "A stack runs images by digest: a rule that removes tagged images removes what runs, at its next start."
_LOST = "A restore in another region pulls the images there, when the first region's registry is gone."
_FAR = "Make a repository of the same name in the backup region."
_AWAY = "the repository lies in the backup region"
_NO_TWIN = "no repository of the same name lies in the backup region"

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
)
family.require(
    "aws-ecr-scanned",
    Severity.LOW,
    "ECR scans each image that is pushed",
    type=ECR_REPOSITORY,
    inputs={"imageScanningConfiguration.scanOnPush": (True, False)},
    rationale="A known hole in an image is found when it is pushed, not when it is used.",
    remedy="Set imageScanningConfiguration.scanOnPush.",
    frameworks={Framework.AWS_FSBP: ("ECR.1",), Framework.CHECKOV: ("CKV_AWS_163",)},
)
family.require(
    "gcp-registry-scanned",
    Severity.LOW,
    "Artifact Registry does not turn the scanning of images off",
    type=ARTIFACT_REGISTRY,
    inputs={"vulnerabilityScanningConfig.enablementConfig": ("INHERITED", "DISABLED")},
    rationale="A known hole in an image is found when it is pushed, not when it is used.",
    remedy='Leave vulnerabilityScanningConfig out, or set its enablementConfig to "INHERITED".',
    safe_by_default=True,
)


@family.rule(
    "gcp-registry-holds-its-images",
    Severity.MEDIUM,
    "Artifact Registry repositories hold their images themselves",
    types=(ARTIFACT_REGISTRY,),
    rationale="A remote repository asks upstream when a machine pulls, and upstream's tags may move.",
    remedy='Set mode to "STANDARD_REPOSITORY", and copy public images with `seawall images sync`.',
    examples=lambda: examples(
        given(ARTIFACT_REGISTRY, {"mode": "STANDARD_REPOSITORY"}),
        broken={f'mode is "{mode}"': put("mode", mode) for mode in ("REMOTE_REPOSITORY", "VIRTUAL_REPOSITORY")},
        undecided={"mode is known only to the provider": put("mode", Hidden())},
        accepted={"mode is left to its safe default": drop("mode")},
    ),
)
def holds_its_images(repository: Resource, _: Inventory) -> Judgement:
    return absent_or(repository, "mode", lambda: one_of(repository, "mode", ["STANDARD_REPOSITORY"]))


@family.rule(
    "aws-ecr-expires-only-untagged",
    Severity.HIGH,
    "ECR's lifecycle rules remove only images without a tag",
    types=(ECR_LIFECYCLE,),
    rationale=_PINNED,
    remedy='Give each rule the tagStatus "untagged".',
    examples=lambda: examples(
        given(ECR_LIFECYCLE, {"policy": Text({"rules": [{"selection": {"tagStatus": "untagged"}}]})}),
        broken={
            f"policy.rules.0.selection.tagStatus is {json.dumps(status)}": put(
                "policy.rules.0.selection.tagStatus", status
            )
            for status in ("tagged", "any")
        }
        | {
            "policy.rules.0.selection.tagStatus is absent": drop("policy.rules.0.selection.tagStatus"),
            'policy is "no JSON"': put("policy", "no JSON"),
            "policy is absent": drop("policy"),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
    ),
)
def expires_only_untagged(lifecycle: Resource, _: Inventory) -> Judgement:
    required = "a lifecycle policy in JSON"
    hidden = unreadable(lifecycle, "policy", required)
    if hidden:
        return hidden
    try:
        rules: list[Any] = json.loads(read(lifecycle, "policy"))["rules"]
        found = [(index, rule["selection"].get("tagStatus")) for index, rule in enumerate(rules)]
    except (TypeError, ValueError, KeyError, AttributeError):
        return expect(lifecycle, "policy", required, lambda _: False)
    return all_of(
        passed()
        if status == "untagged"
        else failed(
            f"policy.rules.{index}.selection.tagStatus",
            "absent" if status is None else json.dumps(status),
            '"untagged"',
        )
        for index, status in found
    )


@family.rule(
    "gcp-registry-removes-only-untagged",
    Severity.HIGH,
    "Artifact Registry's cleanup policies remove only images without a tag",
    types=(ARTIFACT_REGISTRY,),
    rationale=_PINNED,
    remedy='Give each DELETE policy the condition tagState "UNTAGGED".',
    examples=lambda: examples(
        given(
            ARTIFACT_REGISTRY,
            {"cleanupPolicies": [{"action": "DELETE", "condition": {"tagState": "UNTAGGED"}}, {"action": "KEEP"}]},
        ),
        broken={
            'cleanupPolicies.0.condition.tagState is "ANY"': put("cleanupPolicies.0.condition.tagState", "ANY"),
            "cleanupPolicies.0.condition.tagState is absent": drop("cleanupPolicies.0.condition"),
        },
        undecided={
            "cleanupPolicies is known only to the provider": put("cleanupPolicies", Hidden()),
        },
        accepted={"": drop("cleanupPolicies")},
    ),
)
def removes_only_untagged(repository: Resource, _: Inventory) -> Judgement:
    return unreadable(repository, "cleanupPolicies", "readable cleanup policies") or all_of(
        one_of(repository, f"{policy}.condition.tagState", ["UNTAGGED"])
        for policy in items(repository, "cleanupPolicies")
        if read(repository, f"{policy}.action") != "KEEP"
    )


def _has_far_twin(repository: Resource, inventory: Inventory, name: str) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    if region_in(repository) == settings.backup_region:
        return not_applicable(_AWAY)
    twins: Iterable[Resource] = (
        other
        for other in inventory.of_type(repository.type)
        if other is not repository and read(other, name) == read(repository, name)
    )
    return any_of(
        (far_enough(settings, "region", home_region(repository, settings), region_in(twin)) for twin in twins),
        otherwise=failed("", _NO_TWIN, "a repository of the same name in the backup region"),
    )


@family.rule(
    "aws-ecr-far-copy",
    Severity.HIGH,
    "Each ECR repository has its like in the backup region",
    types=(ECR_REPOSITORY,),
    rationale=_LOST,
    remedy=_FAR,
    frameworks={Framework.NIST_800_53: ("CP-6",)},
    examples=lambda: examples(
        given(ECR_REPOSITORY, {"name": "prod/serving"}),
        given(ECR_REPOSITORY, {"name": "prod/serving"}, "away", away=True),
        broken={
            _NO_TWIN: (
                without(ECR_REPOSITORY, "away"),
                put("name", "prod/other", on=ECR_REPOSITORY, name="away"),
                both(without(ECR_REPOSITORY, "away"), plus(given(ECR_REPOSITORY, {"name": "prod/serving"}, "away"))),
            )
        },
        accepted={_AWAY: setting("backup.region", "eu-west-1")},
    ),
)
def ecr_far_copy(repository: Resource, inventory: Inventory) -> Judgement:
    return _has_far_twin(repository, inventory, "name")


@family.rule(
    "gcp-registry-far-copy",
    Severity.HIGH,
    "Each Artifact Registry repository has its like in the backup region",
    types=(ARTIFACT_REGISTRY,),
    rationale=_LOST,
    remedy=_FAR,
    frameworks={Framework.NIST_800_53: ("CP-6",)},
    examples=lambda: examples(
        given(ARTIFACT_REGISTRY, {"repositoryId": "serving", "location": "europe-west1"}),
        given(ARTIFACT_REGISTRY, {"repositoryId": "serving", "location": "europe-north1"}, "away", away=True),
        broken={
            _NO_TWIN: (
                without(ARTIFACT_REGISTRY, "away"),
                put("repositoryId", "other", on=ARTIFACT_REGISTRY, name="away"),
            )
        },
        accepted={_AWAY: setting("backup.region", "europe-west1")},
    ),
)
def registry_far_copy(repository: Resource, inventory: Inventory) -> Judgement:
    return _has_far_twin(repository, inventory, "repositoryId")
