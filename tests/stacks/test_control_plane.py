"""Ways to the control plane that no cloud has, or that nobody should, and people whom a cluster must not obey."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stacks.settings import Settings, SettingsError

Values = Callable[[str], dict[str, Any]]
Refusal = Callable[[object], SettingsError]

OWN = "arn:aws:iam::111122223333"


@pytest.mark.parametrize(
    ("principal", "says"),
    [
        (f"{OWN}:root", "no root"),
        (f"{OWN}:user/me", "no user"),
        (f"{OWN}:role/*", "no wildcard"),
        ("arn:aws:sts::111122223333:assumed-role/admin/me", "no session"),
        ("arn:aws:iam::999988887777:role/admin", "the stack's account"),
        (f"{OWN}:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS", "you can assume"),
        ("group:admins@example.com", "the ARN of an IAM role"),
    ],
)
@pytest.mark.parametrize("role", ["administrators", "deployers", "readers"])
def test_whom_eks_must_not_obey_is_refused(
    values: Values, refusal: Refusal, role: str, principal: str, says: str
) -> None:
    broken = values("dev-aws")
    broken["cluster"]["access"][role]["someone"] = principal
    [problem] = refusal(broken).problems
    assert problem.path == f"cluster.access.{role}.someone"
    assert says in f"{problem.allowed} {problem.remedy}"


@pytest.mark.parametrize(
    "principal",
    [
        "allAuthenticatedUsers",
        "domain:example.com",
        f"{OWN}:role/admin",
        "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*",
        "user:me",
    ],
)
def test_whom_gke_cannot_name_is_refused(values: Values, refusal: Refusal, principal: str) -> None:
    broken = values("dev-gcp")
    broken["cluster"]["access"]["readers"]["someone"] = principal
    assert [p.path for p in refusal(broken).problems] == ["cluster.access.readers.someone"]


@pytest.mark.parametrize("path", ["aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123", "ci/deploy"])
def test_a_roles_path_is_part_of_its_name(values: Values, path: str) -> None:
    asked = values("dev-aws")
    asked["cluster"]["access"]["readers"]["someone"] = f"{OWN}:role/{path}"
    Settings.parse(asked, "test")


@pytest.mark.parametrize("role", ["administrators", "deployers"])
@pytest.mark.parametrize("stack", ["dev-aws", "dev-gcp"])
def test_a_cluster_that_nobody_may_administer_or_fill_is_refused(
    values: Values, refusal: Refusal, stack: str, role: str
) -> None:
    broken = values(stack)
    broken["cluster"]["access"][role] = {}
    assert [p.path for p in refusal(broken).problems] == [f"cluster.access.{role}"]
    del broken["cluster"]["access"][role]
    assert [p.path for p in refusal(broken).problems] == [f"cluster.access.{role}"]


def test_a_principal_or_key_in_two_roles_is_refused(values: Values, refusal: Refusal) -> None:
    broken = values("dev-aws")
    broken["cluster"]["access"]["readers"]["again"] = f"{OWN}:role/platform-admin"
    assert "administrators.platform and readers.again" in str(refusal(broken))
    broken = values("dev-aws")
    broken["cluster"]["access"]["readers"]["platform"] = f"{OWN}:role/other"
    assert "Choose another key." in str(refusal(broken)), "its entry would be made a second time"


@pytest.mark.parametrize(
    ("cidr", "says"),
    [
        ("0.0.0.0/0", "no private network"),
        ("203.0.113.0/24", "no private network"),
        ("10.0.0.0/8", "do not overlap"),
        ("10.20.0.0/17", "beside the stack's own"),
        ("10.20.4.0/24", "beside the stack's own"),
        ("10.64.128.0/17", "do not overlap"),
        ("10.65.0.1/16", "host bits"),
        ("fd00::/8", "CIDR notation"),
    ],
)
def test_a_network_that_cannot_be_connected_is_refused(
    values: Values, refusal: Refusal, cidr: str, says: str
) -> None:
    broken = values("dev-aws")
    broken["cluster"]["private_cidrs"]["vpn"] = cidr
    error = refusal(broken)
    assert any(p.path.startswith("cluster.private_cidrs") for p in error.problems)
    assert says in str(error)


@pytest.mark.parametrize("path", ["network.cidr", "cluster.private_cidrs.vpn"])
def test_a_network_over_the_clusters_services_is_refused(values: Values, refusal: Refusal, path: str) -> None:
    broken = values("dev-aws")
    if path == "network.cidr":
        broken["network"] = {"cidr": "172.20.0.0/16"}
    else:
        broken["cluster"]["private_cidrs"]["vpn"] = "172.20.8.0/24"
    error = refusal(broken)
    assert [p.path for p in error.problems] == [path]
    assert "the cluster's services" in str(error)


def test_the_way_over_the_internet_asks_for_a_reason(values: Values, refusal: Refusal) -> None:
    asked = values("dev-aws")
    asked["cluster"]["authorized_cidrs"] = ["203.0.113.0/24"]
    assert "opt_outs.public_control_plane" in str(refusal(asked))
    asked["opt_outs"] = {"public_control_plane": "our runners have one fixed address and no VPN"}
    Settings.parse(asked, "test")


def test_a_private_network_does_not_come_over_the_internet(values: Values, refusal: Refusal) -> None:
    broken = values("dev-aws")
    broken["cluster"]["authorized_cidrs"] = ["10.64.0.0/16"]
    assert "cluster.private_cidrs" in str(refusal(broken)), "EKS refuses private networks there"


@pytest.mark.parametrize(
    ("setting", "value"), [("private_cidrs", {"vpn": "10.64.0.0/16"}), ("authorized_cidrs", ["203.0.113.0/24"])]
)
def test_google_clouds_endpoint_admits_no_network(
    values: Values, refusal: Refusal, setting: str, value: object
) -> None:
    broken = values("dev-gcp")
    broken["cluster"][setting] = value
    [problem] = refusal(broken).problems
    assert problem.path == f"cluster.{setting}"
    assert "cluster.access" in problem.remedy


@pytest.mark.parametrize("name", ["", "admins@example.com", "gke-security-groups@", "gke-security-groups"])
def test_google_groups_are_found_under_one_name(values: Values, refusal: Refusal, name: str) -> None:
    broken = values("dev-gcp")
    broken["cluster"]["access"]["google_groups"] = name
    assert [p.path for p in refusal(broken).problems] == ["cluster.access.google_groups"]


def test_a_zone_that_eks_is_absent_from_is_refused(values: Values, refusal: Refusal) -> None:
    broken = values("dev-aws")
    broken.update(region="us-east-1", zones=["use1-az1", "use1-az3"])
    assert "zones.1" in {p.path for p in refusal(broken).problems}


def test_eks_knows_no_google_groups(values: Values, refusal: Refusal) -> None:
    broken = values("dev-aws")
    broken["cluster"]["access"]["google_groups"] = "gke-security-groups@example.com"
    assert "IAM Identity Center" in str(refusal(broken))
