"""What AWS' own managed policies open, each by the worst that it allows on resources that are not named.

`aws_managed.json` is made by `common.iam.meaning` from the documents in github.com/iann0036/iam-dataset of 2026-08-22
(MIT): `*` for everything, else `rights`, `out` or `data` (the tables of `common.permissions.dangers`) and one action;
empty where a policy allows none of these. AdministratorAccess and PowerUserAccess, which that copy lacks, are added
by hand. A policy that is not there is not known.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Final

AS_OF: Final = "2026-08-22"
_PREFIXES: Final = ("arn:aws:iam::aws:policy/", "arn:aws-us-gov:iam::aws:policy/", "arn:aws-cn:iam::aws:policy/")
NEEDED_BY_SERVICES: Final = frozenset({"AmazonEKSClusterPolicy"})
"""Policies that a service's own role must have, beside those in `service-role/` (EKS user guide, "Amazon EKS cluster
IAM role", believed, 2026-11-22)."""


def is_managed(arn: str) -> bool:
    """Whether a policy is AWS' own."""
    return arn.startswith(_PREFIXES)


def opens(arn: str) -> str | None:
    """The worst that a policy of AWS' allows; empty for nothing of note, None for a policy that is not known."""
    return _table().get(arn.split(":policy/", 1)[-1])


def is_for_services(arn: str) -> bool:
    """Whether a policy is made for the role of one of AWS' services."""
    name = arn.split(":policy/", 1)[-1]
    return name.startswith(("service-role/", "aws-service-role/")) or name in NEEDED_BY_SERVICES


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    return json.loads((Path(__file__).parent / "aws_managed.json").read_text(encoding="utf-8"))
