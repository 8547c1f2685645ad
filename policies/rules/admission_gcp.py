"""Binary Authorization: a cluster admits images of the project's own registries, and no others."""

from __future__ import annotations

import re
from typing import Any, Final

from policies.checks import (
    PASS,
    all_of,
    equals,
    expect,
    failed,
    if_given,
    items,
    one_of,
    read,
    unreadable,
)
from policies.examples import Hidden, drop, examples, given, put, without
from policies.family import Family
from policies.grants import own_account
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import GKE_CLUSTER

family = Family("Images that Google Cloud admits")

_POLICY: Final = "gcp:binaryauthorization/policy:Policy"
_CIS: Final = {Framework.CIS_GKE: ("5.1.4",), Framework.NIST_800_53: ("CM-7", "SI-7")}
_PATTERNS: Final = "admissionWhitelistPatterns"
_OWN: Final = "images of the own project's registries"
_RULE: Final = "defaultAdmissionRule"


@family.rule(
    "gcp-gke-admits-by-policy",
    Severity.HIGH,
    "GKE asks Binary Authorization about each image, and the project has a policy",
    types=(GKE_CLUSTER,),
    rationale="A cluster that does not ask runs whatever a pod names, and without a policy the answer is yes.",
    remedy='Set binaryAuthorization.evaluationMode to "PROJECT_SINGLETON_POLICY_ENFORCE", and plan the policy.',
    frameworks=_CIS,
    examples=lambda: examples(
        given(GKE_CLUSTER, {"binaryAuthorization.evaluationMode": "PROJECT_SINGLETON_POLICY_ENFORCE"}),
        given(_POLICY, {_PATTERNS: [], f"{_RULE}.evaluationMode": "ALWAYS_DENY"}),
        broken={
            'binaryAuthorization.evaluationMode is "DISABLED"': put("binaryAuthorization.evaluationMode", "DISABLED"),
            "binaryAuthorization.evaluationMode is absent": drop("binaryAuthorization"),
            "no policy of Binary Authorization is planned": without(_POLICY),
        },
        undecided={
            "binaryAuthorization.evaluationMode is known only to the provider": put(
                "binaryAuthorization.evaluationMode", Hidden()
            )
        },
    ),
)
def admits_by_policy(cluster: Resource, inventory: Inventory) -> Judgement:
    planned = any(inventory.of_type(_POLICY))
    missing = failed("", "no policy of Binary Authorization is planned", "a policy beside the cluster")
    asked = equals(cluster, "binaryAuthorization.evaluationMode", "PROJECT_SINGLETON_POLICY_ENFORCE")
    return all_of((asked, PASS if planned else missing))


@family.rule(
    "gcp-admission-own-images",
    Severity.HIGH,
    "Binary Authorization denies every image but those of the own project's registries",
    types=(_POLICY,),
    rationale="A pattern, a cluster's own rule or an attestation by nobody lets an image of a stranger run.",
    remedy='Set ALWAYS_DENY, enforced, and name patterns such as "REGION-docker.pkg.dev/PROJECT/**".',
    frameworks=_CIS,
    examples=lambda: examples(
        given(
            _POLICY,
            {
                _PATTERNS: [{"namePattern": "europe-west1-docker.pkg.dev/111122223333/**"}],
                f"{_RULE}.evaluationMode": "ALWAYS_DENY",
                f"{_RULE}.enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
                "globalPolicyEvaluationMode": "ENABLE",
            },
        ),
        broken={
            **{
                f'{_PATTERNS}.0.namePattern is "{pattern}"': put(f"{_PATTERNS}.0.namePattern", pattern)
                for pattern in (
                    "**",
                    "docker.io/library/*",
                    "europe-west1-docker.pkg.dev/**",
                    "europe-west1-docker.pkg.dev/elsewhere/**",
                )
            },
            f'{_RULE}.evaluationMode is "ALWAYS_ALLOW"': put(f"{_RULE}.evaluationMode", "ALWAYS_ALLOW"),
            f"{_RULE}.evaluationMode is absent": drop(f"{_RULE}.evaluationMode"),
            f'{_RULE}.enforcementMode is "DRYRUN_AUDIT_LOG_ONLY"': put(
                f"{_RULE}.enforcementMode", "DRYRUN_AUDIT_LOG_ONLY"
            ),
            f"{_RULE}.enforcementMode is absent": drop(f"{_RULE}.enforcementMode"),
            f"{_RULE}.requireAttestationsBies is absent": put(f"{_RULE}.evaluationMode", "REQUIRE_ATTESTATION"),
            'clusterAdmissionRules.0.evaluationMode is "ALWAYS_ALLOW"': put(
                "clusterAdmissionRules",
                [{"evaluationMode": "ALWAYS_ALLOW", "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG"}],
            ),
            'project is "elsewhere"': put("project", "elsewhere"),
        },
        undecided={
            f"{_PATTERNS} is known only to the provider": put(_PATTERNS, Hidden()),
            f"{_RULE}.evaluationMode is known only to the provider": put(f"{_RULE}.evaluationMode", Hidden()),
        },
        accepted={
            "": (
                drop(_PATTERNS),
                drop("globalPolicyEvaluationMode"),
                put(f"{_PATTERNS}.0.namePattern", "europe-west1-docker.pkg.dev/111122223333/serving/*"),
                put(
                    _RULE,
                    {
                        "evaluationMode": "REQUIRE_ATTESTATION",
                        "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
                        "requireAttestationsBies": ["projects/111122223333/attestors/built"],
                    },
                ),
            )
        },
    ),
)
def admission_own_images(policy: Resource, inventory: Inventory) -> Judgement:
    own = own_account(inventory)
    rules = [_RULE, *items(policy, "clusterAdmissionRules")]
    hidden = [unreadable(policy, path, "a readable list") for path in (_PATTERNS, "clusterAdmissionRules")]
    return all_of(
        [
            *(judgement for judgement in hidden if judgement),
            *(_admits(policy, rule) for rule in rules),
            *(
                expect(policy, f"{pattern}.namePattern", _OWN, lambda name: _is_own(name, own))
                for pattern in items(policy, _PATTERNS)
            ),
            if_given(policy, "project", lambda: equals(policy, "project", own)),
        ]
    )


def _admits(policy: Resource, rule: str) -> Judgement:
    mode = one_of(policy, f"{rule}.evaluationMode", ("ALWAYS_DENY", "REQUIRE_ATTESTATION"))
    signed = PASS
    if read(policy, f"{rule}.evaluationMode") == "REQUIRE_ATTESTATION":
        signed = expect(policy, f"{rule}.requireAttestationsBies", "attestors", bool)
    return all_of((mode, signed, equals(policy, f"{rule}.enforcementMode", "ENFORCED_BLOCK_AND_AUDIT_LOG")))


def _is_own(pattern: Any, project: str) -> bool:
    found = re.fullmatch(r"(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io)/([^/*]+)/.+", str(pattern))
    return bool(project) and found is not None and found[1] == project
