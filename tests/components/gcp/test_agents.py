"""Names of the accounts that act in a project."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.contracts.place import Place
from components.gcp.agents import Agent, account_email, agent_member


@pytest.mark.parametrize("agent", list(Agent), ids=lambda agent: agent.name)
def test_an_agent_is_named_by_the_projects_number(place: Place, agent: Agent) -> None:
    member = agent_member(place, agent)
    assert member.startswith("serviceAccount:")
    assert f"-{place.project_number}@" in member
    assert member.endswith(".iam.gserviceaccount.com")


def test_without_the_projects_number_no_agent_is_named(place: Place) -> None:
    with pytest.raises(ValueError, match="project_number of acme-serving-dev is not set"):
        agent_member(replace(place, project_number=""), Agent.STORAGE)


def test_an_account_is_named_by_the_projects_id(place: Place) -> None:
    assert account_email(place, "fleet") == "fleet@acme-serving-dev.iam.gserviceaccount.com"
