"""Labels on every resource, in the form that each cloud accepts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from components.contracts.naming import PRODUCT
from components.contracts.vocabulary import Cloud

_GCP_LABEL = re.compile(r"^[a-z0-9_-]{0,63}$")
_AWS_TAG = re.compile(r"^[\w\s.:/=+\-@]{0,256}$")
_AWS_KEY_LENGTH = 128
_AWS_RESERVED = ("aws:", "eks:", "kubernetes.io/", "k8s.io/")
"""AWS keeps the first to itself in any case; the others steer EKS and the node autoscaler (AWS guide, "Tag naming
limits and requirements"; EKS guide, "Organize Amazon EKS resources with tags", 2026-11-21)."""
LABELS_MAX = {Cloud.AWS: 45, Cloud.GCP: 60}
"""Of 50 tags and 64 labels: some resources bear a few more (the same page; "Labels overview", 2026-11-21)."""


def base_labels(environment: str, stack: str, extra: Mapping[str, str]) -> dict[str, str]:
    """The labels that each stack's resources bear; `extra` may add, never override.

    Raises:
        ValueError: `extra` names one of Seawall's own labels.
    """
    own = {"product": PRODUCT, "environment": str(environment), "stack": stack, "managed-by": "pulumi"}
    clash = sorted(own.keys() & extra.keys())
    if clash:
        raise ValueError(f"labels {clash} are set by Seawall itself; choose other names")
    return {**own, **extra}


def checked_labels(cloud: Cloud, labels: Mapping[str, str]) -> dict[str, str]:
    """`labels` as `cloud` accepts them, sorted.

    Raises:
        ValueError: a key or value that the cloud would refuse.
    """
    if len(labels) > LABELS_MAX[cloud]:
        raise ValueError(f"{len(labels)} labels, with Seawall's own: {cloud} leaves room for {LABELS_MAX[cloud]}")
    pattern = _GCP_LABEL if cloud is Cloud.GCP else _AWS_TAG
    for key, value in labels.items():
        if not key or not pattern.match(key) or not pattern.match(value):
            raise ValueError(f"label {key!r}: {value!r} is not accepted by {cloud}: allowed is {pattern.pattern}")
        if cloud is Cloud.AWS and (key.lower().startswith(_AWS_RESERVED) or len(key) > _AWS_KEY_LENGTH):
            reserved = ", ".join(_AWS_RESERVED)
            raise ValueError(
                f"label {key!r}: on AWS a key has 128 characters at most and none of {reserved} in front"
            )
    return dict(sorted(labels.items()))
