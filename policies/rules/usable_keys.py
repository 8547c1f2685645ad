"""Keys that encrypt and decrypt: on, held by the cloud itself, and with a version."""

from __future__ import annotations

from policies.checks import all_of, equals, failed, if_given, one_of, read, shown
from policies.examples import drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import GCP_KEY, KMS_KEY

family = Family("Usable keys")


@family.rule(
    "aws-kms-enabled",
    Severity.HIGH,
    "KMS keys are enabled",
    types=(KMS_KEY,),
    rationale="What is encrypted under a disabled key can be neither read nor restored.",
    remedy="Leave isEnabled out, or set it.",
    examples=lambda: examples(
        given(KMS_KEY, {"isEnabled": True}),
        broken={
            "isEnabled is false": put("isEnabled", False),
            'customKeyStoreId is "cks-1"': put("customKeyStoreId", "cks-1"),
        },
        accepted={"": drop("isEnabled")},
    ),
)
def aws_kms_enabled(key: Resource, _: Inventory) -> Judgement:
    stores = ("customKeyStoreId", "xksKeyId")
    elsewhere = [
        failed(p, shown(read(key, p)), "a key that KMS itself holds") for p in stores if key.get(p) is not None
    ]
    return all_of((if_given(key, "isEnabled", lambda: equals(key, "isEnabled", True)), *elsewhere))


@family.rule(
    "gcp-kms-usable",
    Severity.HIGH,
    "Cloud KMS keys have a version that encrypts",
    types=(GCP_KEY,),
    rationale="A key without a version of its own, or for imports alone, encrypts nothing and restores nothing.",
    remedy="Leave skipInitialVersionCreation and importOnly out.",
    examples=lambda: examples(
        given(GCP_KEY, {"importOnly": False}),
        broken={
            "importOnly is true": put("importOnly", True),
            "skipInitialVersionCreation is true": put("skipInitialVersionCreation", True),
            'purpose is "ASYMMETRIC_SIGN"': put("purpose", "ASYMMETRIC_SIGN"),
            'versionTemplate.protectionLevel is "EXTERNAL"': put("versionTemplate.protectionLevel", "EXTERNAL"),
        },
    ),
)
def gcp_kms_usable(key: Resource, _: Inventory) -> Judgement:
    paths = ("importOnly", "skipInitialVersionCreation")
    level = "versionTemplate.protectionLevel"
    return all_of(
        (
            *(if_given(key, path, lambda path=path: equals(key, path, False)) for path in paths),
            if_given(key, "purpose", lambda: equals(key, "purpose", "ENCRYPT_DECRYPT")),
            if_given(key, level, lambda: one_of(key, level, ("SOFTWARE", "HSM"))),
        )
    )
