"""Envoy Gateway writes configuration for the one Envoy that it was released with."""

from __future__ import annotations

import mmap

import pytest

from components.contracts.images import ENVOY
from localcloud.gateway import ensure_envoy_gateway

pytestmark = [pytest.mark.gateway, pytest.mark.xdist_group("gateway")]


def test_the_envoy_of_stacks_is_the_one_that_envoy_gateway_names() -> None:
    named = f"{ENVOY.path}:{ENVOY.tag}@{ENVOY.digest}".encode()
    with (
        ensure_envoy_gateway().open("rb") as program,
        mmap.mmap(program.fileno(), 0, access=mmap.ACCESS_READ) as whole,
    ):
        assert whole.find(named) >= 0, "its binary holds the image that it runs unless told otherwise"
