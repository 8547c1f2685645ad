"""What a request to KMS asks for, in IAM's words.

AWS KMS developer guide, "AWS KMS permissions" and "Condition keys for AWS KMS" (believed, 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from common.iam.context import Context
from localcloud.aws.answers import json_object
from localcloud.aws.asks import Ask
from localcloud.aws.kms.ciphertext import key_of
from localcloud.aws.state import AwsState

_WITHOUT_KEY: Final = frozenset({"CreateKey", "ListKeys", "ListAliases", "GenerateRandom"})


def kms_asks(state: AwsState, region: str, operation: str, body: bytes) -> list[Ask]:
    """Rights that a request needs."""
    request = json_object(body)
    if operation in _WITHOUT_KEY:
        return [Ask(f"kms:{operation}", "*", _direct(request))]
    context = _direct(request)
    if operation == "ReEncrypt":
        source = request.get("SourceKeyId") or key_of(request.get("CiphertextBlob"))
        return [
            _ask(state, region, "ReEncryptFrom", source, context),
            _ask(state, region, "ReEncryptTo", request.get("DestinationKeyId"), context),
        ]
    if operation in ("CreateAlias", "UpdateAlias", "DeleteAlias"):
        name = str(request.get("AliasName", ""))
        alias = Ask(f"kms:{operation}", f"arn:aws:kms:{region}:{state.account}:{name}", context)
        return [alias, _ask(state, region, operation, request.get("TargetKeyId") or name, context)]
    named = request.get("KeyId") or key_of(request.get("CiphertextBlob"))
    return [_ask(state, region, operation, named, context)]


def _ask(state: AwsState, region: str, action: str, named: object, context: Context) -> Ask:
    key = state.key(str(named), region) if named else None
    return Ask(
        f"kms:{action}", key.arn if key is not None else f"arn:aws:kms:{region}:{state.account}:key/{named}", context
    )


def _direct(request: Mapping[str, Any]) -> Context:
    """The keys of a request that comes from its caller, and not from a service in the caller's name."""
    given = request.get("EncryptionContext") or {}
    tags = {each["TagKey"]: each["TagValue"] for each in request.get("Tags") or []}
    return {
        "kms:ViaService": None,
        "kms:GrantIsForAWSResource": "false",
        "kms:EncryptionContext:*": None,
        **{f"kms:EncryptionContext:{k}": str(v) for k, v in given.items()},
        "kms:EncryptionContextKeys": tuple(given) or None,
        "aws:RequestTag/*": None,
        **{f"aws:RequestTag/{k}": str(v) for k, v in tags.items()},
    }
