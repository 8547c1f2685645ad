"""The door that is kept for the demo and the bench is the one that Envoy Gateway makes of the objects now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localcloud.gateway import render
from ops.drain import door

pytestmark = [pytest.mark.gateway, pytest.mark.xdist_group("gateway")]


def test_the_kept_door_is_the_one_that_is_rendered(tmp_path: Path) -> None:
    rendered = render(door.objects(door.certificate(tmp_path)), [door.PLACE]).to_json()
    assert rendered == json.loads(door.KEPT.read_text()), "Run `python -m ops.drain.door`."


def test_no_private_key_is_kept() -> None:
    assert "private_key" not in door.KEPT.read_text()
