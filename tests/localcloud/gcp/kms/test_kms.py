"""Cloud KMS: real encryption, and states that make keys unusable."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from localcloud.gcp.kms.api import Kms
from localcloud.gcp.wire import ApiError

Call = Callable[..., dict[str, Any]]
SECRET = base64.b64encode(b"attack at dawn").decode()


def test_what_is_encrypted_can_be_decrypted(kms_call: Call, key: str) -> None:
    sealed = kms_call("POST", f"/v1/{key}:encrypt", {"plaintext": SECRET})["ciphertext"]
    assert kms_call("POST", f"/v1/{key}:decrypt", {"ciphertext": sealed})["plaintext"] == SECRET


def test_ciphertext_does_not_hold_the_plaintext(kms_call: Call, key: str) -> None:
    sealed = kms_call("POST", f"/v1/{key}:encrypt", {"plaintext": SECRET})["ciphertext"]
    assert b"attack" not in base64.b64decode(sealed)


def test_a_flipped_bit_makes_decryption_fail(kms_call: Call, key: str) -> None:
    sealed = bytearray(base64.b64decode(kms_call("POST", f"/v1/{key}:encrypt", {"plaintext": SECRET})["ciphertext"]))
    sealed[-1] ^= 1
    with pytest.raises(ApiError, match="Decryption failed"):
        kms_call("POST", f"/v1/{key}:decrypt", {"ciphertext": base64.b64encode(sealed).decode()})


def test_other_authenticated_data_makes_decryption_fail(kms_call: Call, key: str) -> None:
    data = base64.b64encode(b"context").decode()
    body = {"plaintext": SECRET, "additionalAuthenticatedData": data}
    sealed = kms_call("POST", f"/v1/{key}:encrypt", body)["ciphertext"]
    with pytest.raises(ApiError, match="Decryption failed"):
        kms_call("POST", f"/v1/{key}:decrypt", {"ciphertext": sealed})


@pytest.mark.parametrize("verb", ["encrypt", "decrypt"])
def test_a_disabled_version_refuses(
    kms_call: Call, key: str, set_key_state: Callable[[str, str], None], verb: str
) -> None:
    sealed = kms_call("POST", f"/v1/{key}:encrypt", {"plaintext": SECRET})["ciphertext"]
    set_key_state(key, "DISABLED")
    with pytest.raises(ApiError, match="current state is: DISABLED") as refused:
        kms_call("POST", f"/v1/{key}:{verb}", {"plaintext": SECRET, "ciphertext": sealed})
    assert refused.value.status == "FAILED_PRECONDITION"


def test_an_enabled_again_version_works(kms_call: Call, key: str, set_key_state: Callable[[str, str], None]) -> None:
    sealed = kms_call("POST", f"/v1/{key}:encrypt", {"plaintext": SECRET})["ciphertext"]
    set_key_state(key, "DISABLED")
    set_key_state(key, "ENABLED")
    assert kms_call("POST", f"/v1/{key}:decrypt", {"ciphertext": sealed})["plaintext"] == SECRET


def test_after_rotation_the_old_version_still_decrypts(kms_call: Call, key: str) -> None:
    sealed = kms_call("POST", f"/v1/{key}:encrypt", {"plaintext": SECRET})["ciphertext"]
    kms_call("POST", f"/v1/{key}/cryptoKeyVersions")
    kms_call("POST", f"/v1/{key}:updatePrimaryVersion", {"cryptoKeyVersionId": "2"})
    answer = kms_call("POST", f"/v1/{key}:decrypt", {"ciphertext": sealed})
    assert (answer["plaintext"], answer["usedPrimary"]) == (SECRET, False)


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
