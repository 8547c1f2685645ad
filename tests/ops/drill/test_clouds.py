"""Which feature stores a drill takes on; the others are refused before anything is touched."""

from __future__ import annotations

import pytest

from common.errors import UserError
from common.paths import repo_root
from common.target import REAL_CLOUD
from components.contracts.feature_store import FeatureStoreKind
from components.contracts.vocabulary import Cloud
from ops.drill.clouds import DRILLED, drill_cloud
from stacks.outputs import FeatureStoreOutputs, StackOutputs

REFUSED = sorted(set(FeatureStoreKind) - set(DRILLED))


@pytest.mark.parametrize("kind", REFUSED)
def test_a_kind_that_no_drill_restores_is_refused_with_where_to_read_on(kind: FeatureStoreKind) -> None:
    store = FeatureStoreOutputs.model_construct(kind=kind, name="features")
    outputs = StackOutputs.model_construct(cloud=Cloud.GCP, feature_store=store)
    with pytest.raises(UserError, match=f"cannot restore a {kind} feature store yet") as refused:
        drill_cloud(outputs, REAL_CLOUD)
    assert "docs/recovery.md" in refused.value.remedy
    assert f"**{kind}**" in (repo_root() / "docs" / "recovery.md").read_text(encoding="utf-8")
