"""A place on Google Cloud for tests of pure functions."""

from __future__ import annotations

import pytest

from components.contracts.place import Place
from components.contracts.vocabulary import Cloud, Environment


@pytest.fixture
def place() -> Place:
    """A development stack in Belgium with its copies in Finland."""
    return Place(
        cloud=Cloud.GCP,
        environment=Environment.DEV,
        account="acme-serving-dev",
        project_number="111122223333",
        region="europe-west1",
        backup_region="europe-north1",
        zones=("europe-west1-b", "europe-west1-c"),
    )
