"""Makes AWS's errors readable: which argument they are about, and whether something is only missing."""

from __future__ import annotations

from collections.abc import Mapping

from localcloud.providers.base import ProviderError, Request

_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "InvalidBucketName": ("bucket",),
    "BucketAlreadyExists": ("bucket",),
    "BucketAlreadyOwnedByYou": ("bucket",),
    "BucketNotEmpty": ("forceDestroy",),
    "NoSuchBucket": ("bucket", "targetBucket"),
    "MalformedPolicy": ("policy",),
    "MalformedPolicyDocument": ("policy",),
    "MalformedPolicyDocumentException": ("policy",),
    "IllegalLocationConstraintException": ("region",),
    "InvalidTargetBucketForLogging": ("targetBucket",),
    "ResourceInUseException": ("name",),
    "AlreadyExistsException": ("name",),
    "ResourceExistsException": ("name",),
    "InvalidAliasNameException": ("name",),
    "KMSInvalidStateException": ("kmsKeyArn", "kmsKeyId"),
}
"""Error code → the arguments that it can be about, the first that the resource has."""

_MISSING = frozenset(
    {
        "404",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchLifecycleConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
        "ReplicationConfigurationNotFoundError",
        "OwnershipControlsNotFoundError",
        "NoSuchTagSet",
        "ResourceNotFoundException",
        "NotFoundException",
        "NotFound",
        "NoSuchEntity",
        "InvalidVpcEndpointId.NotFound",
    }
)


def code_of(error: BaseException) -> str:
    """The error code of a boto3 ClientError; empty for any other error."""
    response = getattr(error, "response", None)
    if not isinstance(response, Mapping):
        return ""
    return str((response.get("Error") or {}).get("Code", ""))


def is_missing(error: BaseException) -> bool:
    """Whether the error only says that the thing is not there."""
    return code_of(error) in _MISSING


def refusal(error: Exception, request: Request) -> ProviderError:
    """The error as a refusal of one of the resource's arguments, as far as its code tells."""
    code = code_of(error)
    if not code:
        return ProviderError(f"{type(error).__name__}: {error}")
    details = error.response.get("Error") or {}  # type: ignore[attr-defined] - `code_of` found it
    message = details.get("Message") or details.get("message") or str(error)
    candidates = _ARGUMENTS.get(code, ())
    argument = next((a for a in candidates if a in request.inputs), candidates[0] if candidates else None)
    return ProviderError(f"{code}: {message}", argument)
