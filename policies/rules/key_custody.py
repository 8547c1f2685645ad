"""Keys themselves: they rotate, are destroyed slowly, and nobody unnamed may use them."""

from __future__ import annotations

import re

from policies.checks import ABSENT, absent_or, at_least, equals, expect, is_hidden, not_applicable, passed, read
from policies.examples import Hidden, allow, both, document, drop, examples, given, put
from policies.family import Family
from policies.google_iam import KEY_GRANTS, members_named
from policies.grants import policy_names_principals
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import GCP_KEY, GCP_KEY_MEMBER, KMS_KEY

family = Family("Custody of keys")

_DAY_SECONDS = 24 * 3600
_MOST_ROTATION_DAYS = 90
_LEAST_DELAY_DAYS = 14
_SECONDS = re.compile(r"^(\d+)(\.\d+)?s$")
_KEY_GRANTS = KEY_GRANTS


def _seconds(value: str) -> int:
    """A duration as Google Cloud writes it, as `7776000s`."""
    match = _SECONDS.match(value)
    if match is None:
        raise ValueError(value)
    return int(match[1])


@family.rule(
    "aws-kms-rotated",
    Severity.MEDIUM,
    "KMS keys rotate",
    types=(KMS_KEY,),
    rationale="Rotation bounds how much data one key's material ever protects.",
    remedy="Set enableKeyRotation.",
    frameworks={Framework.AWS_FSBP: ("KMS.4",), Framework.CHECKOV: ("CKV_AWS_7",)},
    examples=lambda: examples(
        given(KMS_KEY, {"enableKeyRotation": True}),
        broken={
            "enableKeyRotation is false": (
                put("enableKeyRotation", False),
                both(put("customerMasterKeySpec", "SYMMETRIC_DEFAULT"), put("enableKeyRotation", False)),
                both(put("customerMasterKeySpec", Hidden()), put("enableKeyRotation", False)),
            ),
            "enableKeyRotation is absent": drop("enableKeyRotation"),
        },
        accepted={"a key of RSA_4096 does not rotate by itself": put("customerMasterKeySpec", "RSA_4096")},
    ),
)
def aws_rotated(key: Resource, _: Inventory) -> Judgement:
    spec = read(key, "customerMasterKeySpec")
    if isinstance(spec, str) and spec != "SYMMETRIC_DEFAULT" and not is_hidden(spec):
        return not_applicable(f"a key of {spec} does not rotate by itself")
    return equals(key, "enableKeyRotation", True)


@family.rule(
    "gcp-kms-rotated",
    Severity.MEDIUM,
    f"Cloud KMS keys rotate within {_MOST_ROTATION_DAYS} days",
    types=(GCP_KEY,),
    rationale="Rotation bounds how much data one key version ever protects.",
    remedy='Set rotationPeriod to "7776000s" or less.',
    frameworks={Framework.CHECKOV: ("CKV_GCP_43",)},
    examples=lambda: examples(
        given(GCP_KEY, {"rotationPeriod": "7776000s"}),
        broken={
            'rotationPeriod is "7776001s"': put("rotationPeriod", "7776001s"),
            'rotationPeriod is "90 days"': put("rotationPeriod", "90 days"),
            "rotationPeriod is absent": (
                drop("rotationPeriod"),
                both(put("purpose", "ENCRYPT_DECRYPT"), drop("rotationPeriod")),
                both(put("purpose", Hidden()), drop("rotationPeriod")),
            ),
        },
        accepted={"a key for ASYMMETRIC_SIGN does not rotate by itself": put("purpose", "ASYMMETRIC_SIGN")},
    ),
)
def gcp_rotated(key: Resource, _: Inventory) -> Judgement:
    purpose = read(key, "purpose")
    if isinstance(purpose, str) and purpose != "ENCRYPT_DECRYPT" and not is_hidden(purpose):
        return not_applicable(f"a key for {purpose} does not rotate by itself")
    most = _MOST_ROTATION_DAYS * _DAY_SECONDS
    return expect(
        key, "rotationPeriod", f"at most {most}s ({_MOST_ROTATION_DAYS} days)", lambda v: _seconds(v) <= most
    )


@family.rule(
    "aws-kms-slow-deletion",
    Severity.HIGH,
    "KMS keys are deleted slowly",
    types=(KMS_KEY,),
    rationale="A deleted key takes all that it encrypted; the window is the time there is to notice.",
    remedy="Set deletionWindowInDays to 14 or more, or leave it at the default of 30.",
    frameworks={Framework.AWS_FSBP: ("KMS.3",)},
    examples=lambda: examples(
        given(KMS_KEY, {"deletionWindowInDays": 14}),
        broken={"deletionWindowInDays is 13": put("deletionWindowInDays", 13)},
        accepted={"deletionWindowInDays is left to its safe default": drop("deletionWindowInDays")},
    ),
)
def aws_slow_deletion(key: Resource, _: Inventory) -> Judgement:
    path = "deletionWindowInDays"
    return absent_or(key, path, lambda: at_least(key, path, _LEAST_DELAY_DAYS, "days"))


@family.rule(
    "gcp-kms-slow-destruction",
    Severity.HIGH,
    "Cloud KMS key versions are destroyed slowly",
    types=(GCP_KEY,),
    rationale="A destroyed version takes all that it encrypted; the delay is the time there is to notice.",
    remedy="Leave destroyScheduledDuration out (30 days), or set 14 days or more.",
    examples=lambda: examples(
        given(GCP_KEY, {"destroyScheduledDuration": "1209600s"}),
        broken={'destroyScheduledDuration is "1209599s"': put("destroyScheduledDuration", "1209599s")},
        accepted={"left to its default of 30 days": drop("destroyScheduledDuration")},
    ),
)
def gcp_slow_destruction(key: Resource, _: Inventory) -> Judgement:
    path = "destroyScheduledDuration"
    least = _LEAST_DELAY_DAYS * _DAY_SECONDS
    if read(key, path) is ABSENT:
        return passed("left to its default of 30 days")
    return expect(key, path, f"at least {least}s ({_LEAST_DELAY_DAYS} days)", lambda v: _seconds(v) >= least)


@family.rule(
    "aws-kms-no-public-principal",
    Severity.CRITICAL,
    "No KMS key may be used by everyone",
    types=(KMS_KEY,),
    rationale="A key policy that names everyone makes the encryption decorative.",
    remedy="Name the account and the services in the key's policy.",
    frameworks={Framework.AWS_FSBP: ("KMS.5",), Framework.CHECKOV: ("CKV_AWS_33",)},
    examples=lambda: examples(
        given(
            KMS_KEY,
            {"policy": document(allow(Principal={"AWS": "arn:aws:iam::111122223333:root"}, Action="kms:*"))},
        ),
        broken={
            "policy.Statement.1.Principal is everyone, without a condition on who calls": (
                put("policy.Statement.1", allow(Principal="*", Action="kms:*")),
                put(
                    "policy.Statement.1",
                    allow(Principal={"AWS": ["arn:aws:iam::111122223333:root", "*"]}, Action="kms:*"),
                ),
                put("policy.Statement.1", allow(NotPrincipal={"AWS": "arn:aws:iam::1:root"}, Action="kms:*")),
            ),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={"policy is left to its safe default": drop("policy")},
    ),
)
def aws_no_public_principal(key: Resource, _: Inventory) -> Judgement:
    return absent_or(key, "policy", lambda: policy_names_principals(key, "policy"))


@family.rule(
    "gcp-kms-no-public-grant",
    Severity.CRITICAL,
    "No Cloud KMS grant names everyone",
    types=_KEY_GRANTS,
    rationale="A key that everyone may use makes the encryption decorative.",
    remedy="Grant to service accounts.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_112",)},
    examples=lambda: examples(
        given(
            GCP_KEY_MEMBER,
            {"role": "roles/browser", "member": "serviceAccount:storage@111122223333.iam.gserviceaccount.com"},
        ),
        broken={
            'member is "allUsers"': put("member", "allUsers"),
            'member is "allAuthenticatedUsers"': put("member", "allAuthenticatedUsers"),
            'member is "domain:example.com"': put("member", "domain:example.com"),
        },
        undecided={"member is known only to the provider": put("member", Hidden())},
    ),
)
def gcp_no_public_grant(grant: Resource, inventory: Inventory) -> Judgement:
    return members_named(grant, inventory)
