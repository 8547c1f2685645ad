"""The provider: nothing of the platform is made before its APIs are on."""

from __future__ import annotations

from typing import Any

PROVIDER = "pulumi:providers:gcp"


def test_the_platforms_provider_waits_for_every_api_and_agent(gcp_platform: Any) -> None:
    inventory = gcp_platform.inventory
    (provider,) = [p for p in inventory.of_type(PROVIDER) if p.name == "gcp"]
    switched = inventory.of_type("gcp:projects/service:Service", "gcp:projects/serviceIdentity:ServiceIdentity")
    assert {r.urn for r in switched} <= set(provider.dependencies)


def test_apis_stay_on_when_the_stack_goes(gcp_platform: Any) -> None:
    services = gcp_platform.inventory.of_type("gcp:projects/service:Service")
    assert {service.get("disableOnDestroy") for service in services} == {False}


def test_every_api_that_the_platform_uses_is_switched_on(gcp_platform: Any) -> None:
    inventory = gcp_platform.inventory
    on = {service.get("service") for service in inventory.of_type("gcp:projects/service:Service")}
    names = {"kms": "cloudkms", "projects": "cloudresourcemanager", "serviceaccount": "iam"}
    modules = {r.type.split(":")[1].split("/")[0] for r in inventory.resources if r.type.startswith("gcp:")}
    used = {f"{names.get(module, module)}.googleapis.com" for module in modules}
    assert used <= on
