"""Which endpoint's policy bounds what a pod asks of a service.

A pod reaches S3 and DynamoDB through the interface endpoints that its environment names, and other services by their
private names; gateway endpoints serve the machines. Where no interface endpoint stands, as in the backup region until
one is made, nothing bounds it here: that a network would have no way is not judged.
"""

from __future__ import annotations

from common.iam import Policy, parse
from localcloud.aws.state import AwsState


def endpoint_policies(state: AwsState, service: str, region: str) -> tuple[Policy, ...]:
    """The policies of the region's interface endpoints for a service; a request passes through one of them.

    Policies of several endpoints are one: whatever any of them allows, passes.
    """
    wanted = f"com.amazonaws.{region}.{service}"
    found = [
        parse(endpoint["policy"])
        for endpoint in state.overlay.endpoints.values()
        if endpoint["type"] == "Interface" and endpoint["region"] == region and endpoint["service"] == wanted
    ]
    if len(found) < 2:
        return tuple(found)
    return (Policy(tuple(statement for policy in found for statement in policy.statements)),)
