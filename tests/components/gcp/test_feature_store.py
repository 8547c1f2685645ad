"""The feature store: its certificates, and how it is reached."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_gcp.redis.outputs import InstanceServerCaCert

from components.gcp.feature_store.memorystore import ca_bundle


def test_during_a_rotation_both_certificates_are_trusted() -> None:
    old, new = InstanceServerCaCert(cert="old"), InstanceServerCaCert(cert="new")
    assert ca_bundle([old, new]) == "old\nnew"


def test_before_the_first_certificate_nothing_is_trusted() -> None:
    assert ca_bundle(None) == ""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("tier", "STANDARD_HA"),
        ("authEnabled", True),
        ("transitEncryptionMode", "SERVER_AUTHENTICATION"),
        ("connectMode", "PRIVATE_SERVICE_ACCESS"),
        ("persistenceConfig.persistenceMode", "RDB"),
        ("deletionProtection", True),
    ],
)
def test_the_store_is_safe_by_default(gcp_platform: Any, path: str, value: object) -> None:
    (instance,) = gcp_platform.inventory.of_type("gcp:redis/instance:Instance")
    assert instance.get(path) == value


def test_the_standby_lies_in_another_zone(gcp_platform: Any) -> None:
    (instance,) = gcp_platform.inventory.of_type("gcp:redis/instance:Instance")
    assert instance.get("locationId") != instance.get("alternativeLocationId")
