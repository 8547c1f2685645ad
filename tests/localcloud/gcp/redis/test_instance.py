"""Memorystore: what an instance may be, and what the API shows of it."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from localcloud.gcp.redis.instance import ca_view, instance_problem, new_instance, private_host
from localcloud.gcp.redis.server import issue_certificates

NAME = "projects/acme/locations/europe-west1/instances/features"
GOOD: dict[str, Any] = {"tier": "STANDARD_HA", "memorySizeGb": 1, "redisVersion": "REDIS_7_2"}


def test_a_small_instance_with_a_standby_is_possible() -> None:
    assert instance_problem(GOOD) is None


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("tier", "GOLD"),
        ("memorySizeGb", 0),
        ("memorySizeGb", 301),
        ("redisVersion", "REDIS_9"),
        ("connectMode", "PUBLIC"),
        ("transitEncryptionMode", "ROT13"),
        ("redisConfigs", {"save": ""}),
        ("readReplicasMode", "READ_REPLICAS_ENABLED"),
    ],
)
def test_an_impossible_instance_is_refused(argument: str, value: Any) -> None:
    assert instance_problem({**GOOD, argument: value})


@given(st.text(min_size=1))
def test_hosts_are_private_addresses(name: str) -> None:
    assert ipaddress.ip_address(private_host(name)).is_private


def test_a_host_depends_on_the_name_alone() -> None:
    assert private_host(NAME) == private_host(NAME)


def test_an_encrypted_instance_has_memorystores_tls_port() -> None:
    assert new_instance(NAME, "europe-west1", {"transitEncryptionMode": "SERVER_AUTHENTICATION"})["port"] == 6378


def test_two_instances_of_a_region_export_as_the_same_account() -> None:
    first = new_instance(NAME, "europe-west1", GOOD)["persistenceIamIdentity"]
    assert new_instance(f"{NAME}-2", "europe-west1", GOOD)["persistenceIamIdentity"] == first


def test_the_server_certificate_is_for_the_instances_host() -> None:
    issued = issue_certificates("features", "10.1.2.3")
    certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert ipaddress.ip_address("10.1.2.3") in names.get_values_for_type(x509.IPAddress)


def test_the_server_certificate_is_signed_by_the_shown_ca() -> None:
    issued = issue_certificates("features", "10.1.2.3")
    ca = x509.load_pem_x509_certificate(ca_view(issued.ca)["cert"].encode())
    x509.load_pem_x509_certificate(issued.certificate.encode()).verify_directly_issued_by(ca)
