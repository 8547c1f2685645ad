"""A stack that was destroyed comes up again: Cloud KMS keeps its rings, Storage Transfer its jobs' names."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from common.console import Steps
from common.errors import UserError
from ops.local.session import open_local
from stacks.settings import CONFIG_KEY

pytestmark = pytest.mark.engine


def test_the_next_generation_takes_over_what_a_destroyed_stack_leaves(tmp_path: Path) -> None:
    with open_local("dev-gcp", Steps(), home=tmp_path, keep=False) as local:
        local.up()
        local.destroy(unprotect=True)
        with pytest.raises(UserError, match="Key rings can never be deleted"):
            local.up()
        local.destroy(unprotect=True)
        config = YAML(typ="safe").load(local.workspace.config_file.read_text(encoding="utf-8"))
        config["config"][CONFIG_KEY]["generation"] = 2
        with local.workspace.config_file.open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(config, file)
        assert local.up().counts["import"] == 2
        assert local.preview(expect_no_changes=True).is_empty
