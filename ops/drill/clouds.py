"""The only place that picks a drill's cloud."""

from __future__ import annotations

from typing import Final

from common.errors import UserError
from common.target import Target
from components.contracts.feature_store import FeatureStoreKind
from components.contracts.vocabulary import Cloud
from ops.drill.harm import Harm
from ops.drill.ports import DrillCloud
from stacks.outputs import StackOutputs

DRILLED: Final = (FeatureStoreKind.DYNAMODB, FeatureStoreKind.REDIS)
"""The kinds of feature store that a drill can restore; any other is refused before anything is touched."""


def drill_cloud(outputs: StackOutputs, target: Target) -> DrillCloud:
    """The data plane of the stack that has these outputs.

    Raises:
        UserError: a drill cannot restore this kind of feature store yet.
    """
    store = outputs.feature_store
    if store.kind not in DRILLED:
        raise UserError(
            f"a drill cannot restore a {store.kind} feature store yet, only {' and '.join(DRILLED)}",
            f"feature store {store.name}",
            f"Restore it by hand as docs/recovery.md says under '{store.kind}', and keep your own record of it.",
        )
    if outputs.cloud is Cloud.AWS:
        from ops.drill.aws import AwsDrill  # each cloud's library is slow to import

        return AwsDrill(outputs, target)
    from ops.drill.gcp import GcpDrill

    return GcpDrill(outputs, target)


def harm_of(outputs: StackOutputs, target: Target) -> Harm:
    """What an attacker can do to the stack that has these outputs."""
    if outputs.cloud is Cloud.AWS:
        from ops.drill.harm_aws import AwsHarm  # each cloud's library is slow to import

        return AwsHarm(outputs, target)
    from ops.drill.harm_gcp import GcpHarm

    return GcpHarm(outputs, target)
