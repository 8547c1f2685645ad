"""Where the objects of releases lie in a bucket, and how each is read.

releases/<version>/claim.json          written first: which content this version is going to hold
releases/<version>/repository/…        the model repository, as Triton serves it
releases/<version>/attestation.json    who published it, and what it was made from: signed
releases/<version>/manifest.json       written last: the release is complete, and never changes again
current.json                           which release is current, and which were before
"""

from __future__ import annotations

from typing import Final

from common.errors import UserError
from ops.objects.store import ChecksumMismatchError, ObjectMissingError, ObjectStore, Tagged

POINTER_KEY: Final = "current.json"
RELEASES: Final = "releases/"


def release_prefix(version: str) -> str:
    return f"{RELEASES}{version}/"


def repository_prefix(version: str) -> str:
    return f"{release_prefix(version)}repository/"


def manifest_key(version: str) -> str:
    return f"{release_prefix(version)}manifest.json"


def claim_key(version: str) -> str:
    return f"{release_prefix(version)}claim.json"


def attestation_key(version: str) -> str:
    return f"{release_prefix(version)}attestation.json"


def release_uri(store: ObjectStore, version: str) -> str:
    """Where a release lies, as the pods' init container takes it."""
    return f"{store.uri}/{release_prefix(version).rstrip('/')}"


def read_object(store: ObjectStore, key: str) -> bytes | None:
    """An object, or None if there is none.

    Raises:
        UserError: it is damaged.
    """
    found = read_tagged(store, key)
    return found.data if found else None


def read_tagged(store: ObjectStore, key: str) -> Tagged | None:
    """An object with its version's tag, or None if there is none.

    Raises:
        UserError: it is damaged.
    """
    try:
        return store.get_tagged(key)
    except ObjectMissingError:
        return None
    except ChecksumMismatchError as error:
        raise UserError(
            "the object is not what was written: its checksum does not match",
            f"{store.uri}/{key}",
            "Restore it from the bucket's older versions.",
        ) from error


def no_release(store: ObjectStore, version: str) -> UserError:
    return UserError(
        f"there is no complete release {version!r}",
        f"{store.uri}/{release_prefix(version)}",
        "See what there is with `seawall models list STACK`, or publish it.",
    )


def holds_other_content(store: ObjectStore, version: str) -> UserError:
    return UserError(
        f"the release {version!r} exists with other content, and releases never change",
        f"{store.uri}/{release_prefix(version)}",
        "Publish under a new version.",
    )
