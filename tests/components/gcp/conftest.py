"""A place on Google Cloud for tests of pure functions."""

from __future__ import annotations

from typing import Any

import pytest

from components.contracts.place import Place


@pytest.fixture
def place(gcp_platform: Any) -> Place:
    """The development stack's."""
    return gcp_platform.place
