"""What prepares an account, top to bottom: what an owner brings up once, before any platform stack."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.contracts.bootstrap import FederationRef, RoleRef, RoleRefs, StateRef
from stacks import clouds
from stacks.bootstrap_settings import BootstrapSettings


@dataclass(frozen=True)
class Bootstrapped:
    """A prepared account: what platform stacks and workflows are told of it."""

    settings: BootstrapSettings
    state: StateRef
    federation: FederationRef
    planner: RoleRef
    deployers: RoleRefs
    drillers: RoleRefs

    def export(self) -> None:
        """Register every output with the running program."""
        pulumi.export("backend", self.state.backend)
        pulumi.export("state_copy", self.state.copy)
        pulumi.export("secrets_provider", self.state.secrets_provider)
        pulumi.export("identity_provider", self.federation.provider)
        pulumi.export("plan_role", self.planner.name)
        pulumi.export("deploy_roles", {str(env): role.name for env, role in self.deployers.items()})
        pulumi.export("drill_roles", {str(env): role.name for env, role in self.drillers.items()})


def compose(s: BootstrapSettings) -> Bootstrapped:
    """Declare all that an account needs before `pulumi up` of a platform stack needs no owner."""
    place, deploys = s.place, s.deploys
    cloud = clouds.pick_bootstrap(s.cloud)
    on = cloud.provider(place)

    ready = cloud.account(place, s, deploys, provider=on)
    state = cloud.state(place, s, after=ready, provider=on)
    federation = cloud.federation(place, s, after=ready, provider=on)
    planner = cloud.planner(place, s, deploys, state=state, federation=federation, provider=on)
    deployers = {
        one.environment: cloud.deployer(place, s, one, state=state, federation=federation, provider=on)
        for one in deploys
    }
    drillers = {
        one.environment: cloud.driller(place, s, one, state=state, federation=federation, provider=on)
        for one in deploys
    }
    cloud.budget(place, s, after=ready, provider=on)

    return Bootstrapped(
        settings=s, state=state, federation=federation, planner=planner, deployers=deployers, drillers=drillers
    )
