"""What a provider alone knows inside an output that repeats an input: unknown until the resource is there.

Other outputs that no input repeats are unknown as a whole; the schemas do not tell which parts of a repeated one are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

COMPUTED_INSIDE: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "aws:eks/cluster:Cluster": {"vpcConfig": ("clusterSecurityGroupId", "vpcId")},
}
"""Type → output → its parts (Terraform's AWS provider, `aws_eks_cluster`, "Attribute Reference", `vpc_config`, read
2026-11-22)."""


def parts_unknown(token: str, outputs: Mapping[str, Any], unknown: Any) -> dict[str, Any]:
    """The outputs that have such parts, with `unknown` for each part that no input gave."""
    return {
        name: {**dict.fromkeys(parts, unknown), **value}
        for name, parts in COMPUTED_INSIDE.get(token, {}).items()
        if isinstance(value := outputs.get(name), Mapping)
    }
