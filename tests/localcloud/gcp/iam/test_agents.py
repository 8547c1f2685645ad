"""Service agents in a project that nothing has prepared: a grant needs an agent that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from localcloud.gcp.iam.agents import Agents
from localcloud.gcp.iam.policies import Policies
from localcloud.gcp.iam.roles import Roles
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import ApiError

AGENT = "service-1@gs-project-accounts.iam.gserviceaccount.com"
BINDING = {"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "members": [f"serviceAccount:{AGENT}"]}


@pytest.fixture
def agents(store: DocumentStore) -> Agents:
    """Those of a new project."""
    return Agents(store, "1", prepared=False)


def test_a_grant_to_an_agent_that_nobody_asked_for_is_refused(store: DocumentStore, agents: Agents) -> None:
    with pytest.raises(ApiError, match="does not exist"):
        Policies(store, agents, Roles(store)).set("key", {"bindings": [BINDING]})


def test_a_grant_to_an_agent_that_was_asked_for_is_kept(
    store: DocumentStore, agents: Agents, caller: Callable[..., Any]
) -> None:
    caller(agents.handle)("GET", "/v1/projects/acme/services/storage.googleapis.com:agent")
    assert Policies(store, agents, Roles(store)).set("key", {"bindings": [BINDING]})["bindings"] == [BINDING]


def test_to_generate_the_identity_of_storage_makes_none(
    store: DocumentStore, agents: Agents, caller: Callable[..., Any]
) -> None:
    service = "/v1/projects/acme/services/storage.googleapis.com:generateServiceIdentity"
    assert caller(agents.handle)("POST", service) == {}
    assert not agents.exists(AGENT)
