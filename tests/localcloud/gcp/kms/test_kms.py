"""Cloud KMS: keys, their versions, and states that make them unusable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from localcloud.gcp.kms.api import Kms
from localcloud.gcp.wire import ApiError

Call = Callable[..., dict[str, Any]]


def test_a_new_keys_version_can_be_used(kms: Kms, key: str) -> None:
    assert kms.primary(key) == f"{key}/cryptoKeyVersions/1"


def test_a_disabled_version_cannot_be_used(kms: Kms, key: str, set_key_state: Callable[[str, str], None]) -> None:
    set_key_state(key, "DISABLED")
    with pytest.raises(ApiError, match="current state is: DISABLED") as refused:
        kms.primary(key)
    assert refused.value.status == "FAILED_PRECONDITION"


def test_an_enabled_again_version_works(kms: Kms, key: str, set_key_state: Callable[[str, str], None]) -> None:
    set_key_state(key, "DISABLED")
    set_key_state(key, "ENABLED")
    assert kms.primary(key) == f"{key}/cryptoKeyVersions/1"


def test_a_key_without_a_version_encrypts_nothing(kms: Kms, kms_call: Call, key: str) -> None:
    ring = key.split("/cryptoKeys/")[0]
    bare = kms_call("POST", f"/v1/{ring}/cryptoKeys?cryptoKeyId=bare&skipInitialVersionCreation=true", {})["name"]
    with pytest.raises(ApiError, match="no primary version"):
        kms.primary(bare)


def test_a_version_to_be_destroyed_keeps_the_keys_grace_period(kms_call: Call, key: str) -> None:
    version = kms_call("POST", f"/v1/{key}/cryptoKeyVersions/1:destroy")
    assert (version["state"], "destroyTime" in version) == ("DESTROY_SCHEDULED", True)


def test_a_restored_version_comes_back_disabled(kms_call: Call, key: str) -> None:
    kms_call("POST", f"/v1/{key}/cryptoKeyVersions/1:destroy")
    version = kms_call("POST", f"/v1/{key}/cryptoKeyVersions/1:restore")
    assert (version["state"], "destroyTime" in version) == ("DISABLED", False)


def test_a_version_whose_time_has_come_is_destroyed(kms_call: Call, key: str) -> None:
    ring = key.split("/cryptoKeys/")[0]
    body = {"destroyScheduledDuration": "0s"}
    short = kms_call("POST", f"/v1/{ring}/cryptoKeys?cryptoKeyId=short", body)["name"]
    kms_call("POST", f"/v1/{short}/cryptoKeyVersions/1:destroy")
    assert kms_call("GET", f"/v1/{short}/cryptoKeyVersions/1")["state"] == "DESTROYED"


def test_services_hear_of_every_change_of_state(
    kms: Kms, key: str, set_key_state: Callable[[str, str], None]
) -> None:
    heard: list[str] = []
    kms.on_change.append(heard.append)
    set_key_state(key, "DISABLED")
    assert heard == [key]


@pytest.mark.parametrize("address", ["keyRings?keyRingId=ring", "keyRings/ring/cryptoKeys?cryptoKeyId=data"])
def test_a_name_that_is_taken_is_refused(kms_call: Call, key: str, address: str) -> None:
    with pytest.raises(ApiError) as refused:
        kms_call("POST", f"/v1/{key.split('/keyRings/')[0]}/{address}", {})
    assert refused.value.code == 409


def test_rotation_faster_than_a_day_is_refused(kms_call: Call, key: str) -> None:
    ring = key.split("/cryptoKeys/")[0]
    with pytest.raises(ApiError, match="rotationPeriod must be at least 86400s"):
        kms_call("POST", f"/v1/{ring}/cryptoKeys?cryptoKeyId=fast", {"rotationPeriod": "3600s"})


def test_a_policy_written_over_another_change_is_refused(kms_call: Call, key: str) -> None:
    etag = kms_call("GET", f"/v1/{key}:getIamPolicy")["etag"]
    binding = {"role": "roles/owner", "members": ["user:a@example.com"]}
    kms_call("POST", f"/v1/{key}:setIamPolicy", {"policy": {"bindings": [binding]}})
    with pytest.raises(ApiError) as refused:
        kms_call("POST", f"/v1/{key}:setIamPolicy", {"policy": {"etag": etag, "bindings": []}})
    assert refused.value.code == 409
