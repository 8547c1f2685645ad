"""Asks an account which versions it offers, read-only, with the caller's own credentials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Final

from common.errors import UserError
from common.gcp_api import GcpApi
from components.contracts.cluster import Channel
from components.contracts.releases import ADDONS, MINORS
from components.contracts.vocabulary import Cloud
from ops.upgrades.findings import Newest

NODES_PARAMETER: Final = "/aws/service/bottlerocket/aws-k8s-{version}/x86_64/latest/image_version"
"""Bottlerocket's public parameter (EKS guide, 2026-11-21); its GPU variant has the same releases."""


def from_aws(eks: Any, ssm: Any, version: str) -> Newest:
    """What EKS and Bottlerocket offer in the clients' region.

    Raises:
        UserError: without credentials or the right to ask.
    """
    with _told("eks:DescribeClusterVersions, eks:DescribeAddonVersions and ssm:GetParameter"):
        answer = eks.describe_cluster_versions(clusterType="eks")
        parameter = ssm.get_parameter(Name=NODES_PARAMETER.format(version=version))
        addons = {name: _default_addon(eks, name, version) for name in ADDONS}
    minors = {
        str(found["clusterVersion"]): _day(found["endOfStandardSupportDate"])
        for found in answer.get("clusterVersions", [])
        if "endOfStandardSupportDate" in found and "EXTENDED" not in str(found.get("versionStatus", ""))
    }
    return Newest("the account", minors, nodes=str(parameter["Parameter"]["Value"]), addons=addons)


def _default_addon(eks: Any, name: str, version: str) -> str:
    answer = eks.describe_addon_versions(addonName=name, kubernetesVersion=version)
    for addon in answer.get("addons", []):
        for found in addon.get("addonVersions", []):
            if any(fit.get("defaultVersion") for fit in found.get("compatibilities", [])):
                return str(found["addonVersion"])
    return ""


def from_gcp(api: GcpApi, region: str, channel: Channel, version: str) -> Newest:
    """What the channel offers in a region; GKE's API does not say how long, so the tables' dates stand.

    Raises:
        UserError: without credentials or the right to ask.
    """
    answer = api.get("container", f"v1/projects/{api.project}/locations/{region}/serverConfig")
    found = next((c for c in answer.get("channels", []) if c.get("channel") == str(channel).upper()), {})
    valid = [str(name) for name in found.get("validVersions", [])]
    known = MINORS[Cloud.GCP]
    names = {".".join(name.split(".")[:2]) for name in valid}
    minors = {name: date.fromisoformat(known[name].supported_until) if name in known else date.max for name in names}
    patches = [name for name in valid if name.startswith(f"{version}.")]
    default = str(found.get("defaultVersion", ""))
    patch = default if default.startswith(f"{version}.") else next(iter(patches), "")
    believed = frozenset(name for name in names if name not in known or known[name].believed)
    return Newest(f"the project, {channel} channel", minors, believed, patch=patch)


def _day(value: object) -> date:
    return value.date() if isinstance(value, datetime) else date.fromisoformat(str(value)[:10])


@contextmanager
def _told(actions: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        details: Mapping[str, Any] = error.response.get("Error", {})
        raise UserError(
            f"AWS refused to say which versions it offers: {details.get('Code')}: {details.get('Message')}",
            str(error.operation_name),
            f"Use an identity with {actions}, or leave --live out.",
        ) from error
    except BotoCoreError as error:
        raise UserError(
            f"AWS could not be asked which versions it offers: {error}",
            "the AWS credentials and region of this shell",
            "Log in, or leave --live out.",
        ) from error
