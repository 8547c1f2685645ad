"""Bootstrap stacks under the real engine: up in an account that has nothing yet, unchanged, gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from common.console import Steps
from ops.local.session import LocalCloud, open_local
from stacks.files import is_bootstrap, stack_names

pytestmark = pytest.mark.engine


@pytest.fixture(params=[name for name in stack_names() if is_bootstrap(name)])
def up(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Each bootstrap stack, just brought up."""
    with open_local(request.param, Steps(), home=tmp_path_factory.mktemp("stacks"), keep=False) as local:
        local.up()
        yield local


def test_a_bootstrap_stack_comes_up_unchanged_and_goes_down(up: LocalCloud) -> None:
    assert up.preview(expect_no_changes=True).is_empty
    assert {change.op for change in up.destroy(unprotect=True).changes} == {"delete"}
