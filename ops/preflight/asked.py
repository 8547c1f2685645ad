"""Which questions a preflight puts to which cloud; the one place that picks AWS or Google Cloud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from common.errors import UserError
from common.target import Target
from components.contracts.vocabulary import Cloud
from ops.preflight.model import Check, Finding, not_applicable
from ops.preflight.state import PulumiFiles
from ops.preflight.wanted import Wanted

if TYPE_CHECKING:
    from ops.preflight.aws.reader import AwsReader
    from ops.preflight.gcp.reader import GcpReader

NO_DOOR = "the stack has no door"


@dataclass(frozen=True)
class Questions:
    """What to ask, and as whom."""

    caller: str
    checks: tuple[Check, ...]


def questions(wanted: Wanted, files: PulumiFiles, target: Target, principal: str | None = None) -> Questions:
    """The checks for one stack, once the caller is known to be in its account.

    Args:
        principal: on AWS, the ARN of the role or user whose permissions count; the caller's own without one.

    Raises:
        UserError: no credentials, no network, or another account.
    """
    if wanted.cloud is Cloud.AWS:
        from common.aws_api import aws_session
        from ops.preflight.aws.reader import AwsReader

        return aws_questions(AwsReader(aws_session(target), target.aws_endpoint_url), wanted, files, principal)
    if principal is not None:
        raise UserError(
            "Google Cloud tells only the caller's own permissions",
            "--principal",
            "Leave it out, and log in with `gcloud auth application-default login "
            f"--impersonate-service-account={principal}`.",
        )
    from ops.preflight.gcp.reader import GcpReader

    return gcp_questions(GcpReader(target, wanted.account), wanted, files)


def aws_questions(reader: AwsReader, wanted: Wanted, files: PulumiFiles, principal: str | None) -> Questions:
    """As `questions`, of AWS."""
    from ops.preflight.aws import fleet, offers, once, places, quotas
    from ops.preflight.aws.identity import identify, policy_source
    from ops.preflight.aws.permissions import permissions
    from ops.preflight.aws.state import state

    caller = identify(reader, wanted)

    def simulated() -> str:
        return principal or policy_source(reader, caller.arn, wanted.region)

    checks = [
        Check("permissions", "permissions", lambda: permissions(reader, wanted, simulated())),
        *(
            Check("quotas", f"quotas in {region}", partial(quotas.quotas, reader, wanted, region))
            for region in wanted.regions
        ),
        Check("zones", "zones", partial(offers.zones, reader, wanted)),
        Check("machines", "machines in zones", partial(offers.machines_in_zones, reader, wanted)),
        Check("kubernetes-version", "Kubernetes version", partial(offers.kubernetes_version, reader, wanted)),
        Check("service-linked-roles", "service-linked roles", partial(places.service_linked_roles, reader, wanted)),
        Check("once-per-account", "once per account", partial(once.once, reader, wanted)),
        Check("addresses", "addresses", partial(places.addresses, reader, wanted)),
        Check("bucket-names", "bucket names", partial(places.bucket_names, reader, wanted)),
        Check("key-aliases", "key aliases", partial(places.key_aliases, reader, wanted)),
        Check("state", "state and secrets", lambda: state(reader, wanted, files, simulated())),
        Check("images", "images", partial(fleet.images, reader, wanted)),
        Check("release", "release", partial(fleet.release, reader, wanted)),
        Check("alerts", "alerts", partial(fleet.alerts, reader, wanted)),
        Check("control-plane", "control plane", partial(fleet.control_plane, reader, wanted)),
        Check("door", "DNS and certificate", partial(door, wanted)),
    ]
    return Questions(principal or caller.arn, tuple(checks))


def gcp_questions(reader: GcpReader, wanted: Wanted, files: PulumiFiles) -> Questions:
    """As `questions`, of Google Cloud."""
    from ops.preflight.gcp import fleet, offers, once, places, quotas, services
    from ops.preflight.gcp.identity import identify
    from ops.preflight.gcp.permissions import permissions
    from ops.preflight.gcp.state import state

    caller = identify(reader, wanted)
    checks = [
        Check("permissions", "permissions", partial(permissions, reader, wanted)),
        Check("apis", "APIs", partial(services.apis, reader, wanted)),
        Check("service-agents", "service agents", partial(services.agents, reader, wanted)),
        *(
            Check("quotas", f"quotas in {region}", partial(quotas.quotas, reader, wanted, region))
            for region in wanted.regions
        ),
        Check("quotas", "quotas of the project", partial(quotas.global_quotas, reader, wanted)),
        Check("machines", "machines in zones", partial(offers.machines_in_zones, reader, wanted)),
        Check("kubernetes-version", "Kubernetes version", partial(offers.kubernetes_version, reader, wanted)),
        Check("once-per-account", "once per project", partial(once.once, reader, wanted)),
        Check("addresses", "addresses", partial(places.addresses, reader, wanted)),
        Check("bucket-names", "bucket names", partial(places.bucket_names, reader, wanted)),
        Check("key-rings", "key rings", partial(places.key_rings, reader, wanted)),
        Check("state", "state and secrets", partial(state, reader, wanted, files)),
        Check("images", "images", partial(fleet.images, reader, wanted)),
        Check("release", "release", partial(fleet.release, reader, wanted)),
        Check("alerts", "alerts", partial(fleet.alerts, reader, wanted)),
        Check("control-plane", "control plane", partial(fleet.control_plane, reader, wanted)),
        Check("door", "DNS and certificate", partial(door, wanted)),
    ]
    return Questions(caller.name, tuple(checks))


def door(wanted: Wanted) -> Sequence[Finding]:
    """What is left to do for the door's names: its load balancer has no address before `pulumi up`."""
    later = (
        f"*.{wanted.door.get('domain')} leads to the load balancer that `pulumi up` makes: name it in the DNS then"
    )
    return (not_applicable("DNS and certificate", later if wanted.door else NO_DOOR),)
