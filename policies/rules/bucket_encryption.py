"""Default encryption of S3 buckets: a resource of its own, with exceptions of its own."""

from __future__ import annotations

from policies.buckets import given_to_s3_logs, holds_access_logs, s3_companion
from policies.checks import all_of, equals, expect, items, not_applicable
from policies.examples import Output, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import customer_key
from policies.model import Framework, Judgement, Severity
from policies.tokens import (
    KMS_KEY,
    S3_BUCKET,
    S3_ENCRYPTION,
)

family = Family("Encryption of S3 buckets")

_DEFAULT = "applyServerSideEncryptionByDefault"
_LOG_DELIVERY = "S3 delivers access logs only to buckets without a customer-managed default key"


@family.rule(
    "aws-s3-customer-key",
    Severity.HIGH,
    "S3 buckets are encrypted with a customer-managed key",
    types=(S3_BUCKET,),
    rationale="Only a key of one's own can be audited, withdrawn, and kept from one who has bucket access alone.",
    remedy="Set aws:kms with the stack's key in the default encryption, and turn the bucket key on.",
    frameworks={Framework.AWS_FSBP: ("S3.17",), Framework.CHECKOV: ("CKV_AWS_145",)},
    examples=lambda: examples(
        given(S3_BUCKET, {"bucket": "models"}),
        given(
            S3_ENCRYPTION,
            {
                "bucket": "models",
                f"rules.0.{_DEFAULT}.sseAlgorithm": "aws:kms",
                f"rules.0.{_DEFAULT}.kmsMasterKeyId": Output(KMS_KEY),
                "rules.0.bucketKeyEnabled": True,
            },
        ),
        broken={
            "the bucket has no default encryption": without(S3_ENCRYPTION),
            "rules is []": put("rules", [], on=S3_ENCRYPTION),
            f'rules.0.{_DEFAULT}.sseAlgorithm is "AES256"': put(
                f"rules.0.{_DEFAULT}.sseAlgorithm", "AES256", on=S3_ENCRYPTION
            ),
            f'rules.0.{_DEFAULT}.kmsMasterKeyId is "alias/aws/s3"': put(
                f"rules.0.{_DEFAULT}.kmsMasterKeyId", "alias/aws/s3", on=S3_ENCRYPTION
            ),
            "rules.0.bucketKeyEnabled is false": put("rules.0.bucketKeyEnabled", False, on=S3_ENCRYPTION),
        },
        accepted={_LOG_DELIVERY: given_to_s3_logs("models")},
    ),
)
def s3_customer_key(bucket: Resource, inventory: Inventory) -> Judgement:
    if holds_access_logs(bucket, inventory):
        return not_applicable(_LOG_DELIVERY)
    return s3_companion(bucket, inventory, S3_ENCRYPTION, "default encryption", _default_encryption)


def _default_encryption(encryption: Resource, inventory: Inventory) -> Judgement:
    rules = list(items(encryption, "rules"))
    if not rules:
        return expect(encryption, "rules", "an encryption rule", lambda _: False)
    algorithms = ("aws:kms", "aws:kms:dsse")
    return all_of(
        judgement
        for rule in rules
        for judgement in (
            expect(encryption, f"{rule}.{_DEFAULT}.sseAlgorithm", '"aws:kms"', lambda v: v in algorithms),
            customer_key(inventory, encryption, f"{rule}.{_DEFAULT}.kmsMasterKeyId"),
            equals(encryption, f"{rule}.bucketKeyEnabled", True),
        )
    )
