"""The provider, and what bootstrap prepares in the project before anything asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.inventory import Inventory

PROVIDER = "pulumi:providers:gcp"
SERVICE = "gcp:projects/service:Service"
AGENT = "gcp:projects/serviceIdentity:ServiceIdentity"


def test_requests_count_on_the_stacks_own_project(gcp_platform: Any) -> None:
    (provider,) = gcp_platform.inventory.of_type(PROVIDER)
    assert provider.get("userProjectOverride") == "true"
    assert provider.get("billingProject") == gcp_platform.place.account


def test_a_platform_stack_makes_nothing_that_takes_an_owner(gcp_platform: Any) -> None:
    owners = {SERVICE, AGENT, "gcp:orgpolicy/policy:Policy", "gcp:projects/iAMCustomRole:IAMCustomRole"}
    assert not [r.urn for r in gcp_platform.inventory.resources if r.type in owners]


def test_apis_stay_on_when_the_stack_goes(plans: Mapping[str, Inventory]) -> None:
    services = plans["bootstrap-gcp"].of_type(SERVICE)
    assert {service.get("disableOnDestroy") for service in services} == {False}


def test_every_api_that_the_platform_uses_is_switched_on(gcp_platform: Any, plans: Mapping[str, Inventory]) -> None:
    on = {service.get("service") for service in plans["bootstrap-gcp"].of_type(SERVICE)}
    names = {"kms": "cloudkms", "projects": "cloudresourcemanager", "serviceaccount": "iam"}
    modules = {
        r.type.split(":")[1].split("/")[0] for r in gcp_platform.inventory.resources if r.type.startswith("gcp:")
    }
    used = {f"{names.get(module, module)}.googleapis.com" for module in modules}
    assert used <= on
