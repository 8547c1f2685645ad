"""What is newer, by the tables and by an account's recorded answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from typer.testing import CliRunner

from common.errors import UserError
from components.contracts.cluster import Channel
from components.contracts.releases import ADDONS, MINORS, READ_ON
from components.contracts.vocabulary import Cloud
from ops.cli import build_app
from ops.upgrades.findings import Newest, compare, from_tables
from ops.upgrades.live import from_aws, from_gcp
from stacks.settings import Settings, stack_file

TODAY = date.fromisoformat(READ_ON)


def cluster_of(stack: str, **changes: Any) -> Any:
    return Settings.load(stack_file(stack)).cluster.model_copy(update=changes)


def parts_of(newest: Newest, today: date = TODAY, **changes: Any) -> Mapping[str, Any]:
    return {part.part: part for part in compare(Cloud.AWS, cluster_of("prod-aws", **changes), newest, today)}


def test_parts_come_in_the_order_of_an_upgrade() -> None:
    parts = list(parts_of(from_tables(Cloud.AWS, "1.35")))
    assert parts == ["control plane", *(f"add-on {name}" for name in ADDONS), "machines"]


def test_a_newer_minor_version_is_reached_one_at_a_time() -> None:
    control_plane = parts_of(from_tables(Cloud.AWS, "1.34"), version="1.34")["control plane"]
    assert control_plane.newer and control_plane.newest == "1.36"
    assert "go to 1.35 next" in control_plane.note


def test_support_that_ends_soon_is_a_finding_though_nothing_is_newer() -> None:
    only = Newest("a test", {"1.35": date(2027, 3, 27)})
    assert not parts_of(only, date(2026, 12, 1))["control plane"].newer
    found = parts_of(only, date(2027, 3, 1))["control plane"]
    assert found.newer and "26 days left" in found.note
    assert "ended on 2027-03-27" in parts_of(only, date(2027, 4, 1))["control plane"].note


def test_what_is_pinned_to_an_older_version_is_found() -> None:
    newest = from_tables(Cloud.AWS, "1.35")
    release = cluster_of("prod-aws").release.model_copy(
        update={"nodes": "1.57.0-00000000", "addons": {"coredns": "v1.13.2-eksbuild.4"}}
    )
    newer = {name for name, part in parts_of(newest, release=release).items() if part.newer}
    assert newer == {"control plane", "add-on coredns", "machines"}


def test_a_source_that_does_not_say_is_no_finding() -> None:
    silent = parts_of(Newest("a test", {"1.35": date(2027, 3, 27)}), date(2026, 12, 1))
    assert not any(part.newer for part in silent.values())
    assert silent["machines"].newest == "unknown"


@pytest.fixture
def aws() -> Any:
    """EKS and Systems Manager, which answer as an account does."""
    keys = {"region_name": "eu-central-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    make: Any = boto3.client
    clients = SimpleNamespace(eks=make("eks", **keys), ssm=make("ssm", **keys))
    with Stubber(clients.eks) as eks, Stubber(clients.ssm) as ssm:
        yield SimpleNamespace(eks=clients.eks, ssm=clients.ssm, says_eks=eks, says_ssm=ssm)


def test_an_account_says_what_it_offers(aws: Any) -> None:
    ends = datetime(2027, 3, 27, tzinfo=UTC)
    aws.says_eks.add_response(
        "describe_cluster_versions",
        {
            "clusterVersions": [
                {"clusterVersion": "1.35", "endOfStandardSupportDate": ends, "versionStatus": "STANDARD_SUPPORT"},
                {"clusterVersion": "1.33", "endOfStandardSupportDate": ends, "versionStatus": "EXTENDED_SUPPORT"},
            ]
        },
        {"clusterType": "eks"},
    )
    aws.says_ssm.add_response(
        "get_parameter",
        {"Parameter": {"Value": "1.60.0-0123abcd"}},
        {"Name": "/aws/service/bottlerocket/aws-k8s-1.35/x86_64/latest/image_version"},
    )
    for name in ADDONS:
        versions = [
            {"addonVersion": "v9.9.9-eksbuild.2", "compatibilities": [{"defaultVersion": False}]},
            {"addonVersion": "v9.9.9-eksbuild.1", "compatibilities": [{"defaultVersion": True}]},
        ]
        aws.says_eks.add_response(
            "describe_addon_versions",
            {"addons": [{"addonName": name, "addonVersions": versions}]},
            {"addonName": name, "kubernetesVersion": "1.35"},
        )
    newest = from_aws(aws.eks, aws.ssm, "1.35")
    assert newest.minors == {"1.35": date(2027, 3, 27)}, "extended support costs six times as much"
    assert newest.nodes == "1.60.0-0123abcd"
    assert newest.addons == dict.fromkeys(ADDONS, "v9.9.9-eksbuild.1"), "what EKS recommends, not the newest"


def test_an_account_that_refuses_is_told_what_it_takes(aws: Any) -> None:
    aws.says_eks.add_client_error("describe_cluster_versions", "AccessDeniedException", "not you", 403)
    with pytest.raises(UserError, match="not you") as refused:
        from_aws(aws.eks, aws.ssm, "1.35")
    assert "eks:DescribeClusterVersions" in refused.value.remedy


def test_a_project_says_what_its_channel_offers() -> None:
    asked: list[tuple[str, str]] = []

    def get(service: str, path: str) -> dict[str, Any]:
        asked.append((service, path))
        return {
            "channels": [
                {"channel": "RAPID", "defaultVersion": "1.37.0-gke.1", "validVersions": ["1.37.0-gke.1"]},
                {
                    "channel": "REGULAR",
                    "defaultVersion": "1.35.9-gke.1000",
                    "validVersions": ["1.36.2-gke.10", "1.35.9-gke.1000", "1.35.8-gke.1036000"],
                },
            ]
        }

    api: Any = SimpleNamespace(project="acme", get=get)
    newest = from_gcp(api, "europe-west4", Channel.REGULAR, "1.35")
    assert asked == [("container", "v1/projects/acme/locations/europe-west4/serverConfig")]
    assert set(newest.minors) == {"1.35", "1.36"}
    assert newest.patch == "1.35.9-gke.1000"
    assert str(newest.minors["1.35"]) == MINORS[Cloud.GCP]["1.35"].supported_until, "GKE's API does not say"


def run(*words: str) -> Any:
    return CliRunner().invoke(build_app(), ["upgrades", *words])


def test_the_command_ends_with_1_where_something_is_newer() -> None:
    found = run("prod-aws", "--json")
    told = json.loads(found.stdout)
    assert (found.exit_code, told["newer"], told["parts"][0]["newest"]) == (1, True, "1.36")
    assert "1.36" in run("prod-aws").stdout


def test_settings_that_are_refused_stop_it() -> None:
    refused = run("nowhere-aws")
    assert isinstance(refused.exception, UserError)
