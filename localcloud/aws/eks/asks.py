"""What a request to EKS asks for, in IAM's words.

Service authorization reference, "Actions, resources, and condition keys for Amazon EKS" (believed, 2026-11-21).
"""

from __future__ import annotations

import re
from typing import Final

from localcloud.aws.answers import json_object
from localcloud.aws.asks import Ask, pass_role
from localcloud.aws.state import AwsState

ASSOCIATIONS: Final = re.compile(r"/clusters/(?P<cluster>[^/]+)/pod-identity-associations(?:/(?P<id>a-[0-9a-z]+))?")
PODS: Final = "pods.eks.amazonaws.com"
_OF_ALL: Final = {"GET": "ListPodIdentityAssociations", "POST": "CreatePodIdentityAssociation"}
_OF_ONE: Final = {
    "GET": "DescribePodIdentityAssociation",
    "POST": "UpdatePodIdentityAssociation",
    "DELETE": "DeletePodIdentityAssociation",
}


def eks_asks(state: AwsState, region: str, method: str, path: str, body: bytes) -> list[Ask]:
    """Rights that a request needs; anything but pod identity associations is an unknown action."""
    found = ASSOCIATIONS.fullmatch(path)
    if found is None:
        return [Ask("eks:Unknown")]
    own = f"arn:aws:eks:{region}:{state.account}"
    if found["id"]:
        resource = f"{own}:podidentityassociation/{found['cluster']}/{found['id']}"
        asks = [Ask(f"eks:{_OF_ONE.get(method, 'Unknown')}", resource)]
    else:
        asks = [Ask(f"eks:{_OF_ALL.get(method, 'Unknown')}", f"{own}:cluster/{found['cluster']}")]
    role = json_object(body).get("roleArn")
    return [*asks, pass_role(str(role), PODS)] if role and method == "POST" else asks
