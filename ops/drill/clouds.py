"""The only place that picks a drill's cloud."""

from __future__ import annotations

from common.target import Target
from components.contracts.vocabulary import Cloud
from ops.drill.ports import DrillCloud
from stacks.outputs import StackOutputs


def drill_cloud(outputs: StackOutputs, target: Target) -> DrillCloud:
    """The data plane of the stack that has these outputs."""
    if outputs.cloud is Cloud.AWS:
        from ops.drill.aws import AwsDrill  # each cloud's library is slow to import

        return AwsDrill(outputs, target)
    from ops.drill.gcp import GcpDrill

    return GcpDrill(outputs, target)
