"""All ways of sharing traffic in one stack of each cloud, under the real engine: up, unchanged, and edits small."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from common.console import Steps
from ops.diff.run import compare_all
from ops.local.runs import Outcome
from ops.local.session import LocalCloud, open_local
from ops.plan.planner import plan_stack
from ops.render.manifests import render
from policies.inventory import Inventory
from policies.model import Verdict
from stacks.settings import CONFIG_KEY

pytestmark = pytest.mark.engine

Values = dict[str, Any]

RELEASE: Final = {"version": "1.0.2", "manifest_sha256": "b" * 64, "signers": [f"SHA256:{'c' * 64}"]}
SALT: Final = "a-salt-of-this-test-alone"
ON_CPU: Final = {"accelerator": "cpu", "models": {}, "hours": None, "warm_replicas": 0}
GREEN: Final = {"green": {"release": RELEASE, "max_replicas": 2}}
SERVICES: Final[Mapping[str, Values]] = {
    "swap": {"traffic": {"strategy": "blue-green", "live": "stable"}, "challengers": GREEN},
    "mirror": {
        "traffic": {"strategy": "shadow", "challenger": "green", "percent": 40, "compare_percent": 5},
        "challengers": GREEN,
    },
    "split": {
        "traffic": {
            "strategy": "a-b",
            "experiment": "small-net",
            "by": {"kind": "user-header", "name": "x-user-id"},
            "shares": {"green": 30},
            "salt": SALT,
        },
        "challengers": GREEN,
    },
    "learn": {
        "traffic": {"strategy": "bandit", "reward": {"successes": "s_total", "trials": "t_total"}},
        "challengers": GREEN,
    },
    "context": {
        "traffic": {
            "strategy": "contextual",
            "arms": {"small": "small", "large": "large"},
            "default": "small",
            "features": ["age"],
            "latency_budget_ms": 100,
        }
    },
    "cheap": ON_CPU,
}
"""Service → what it has otherwise than the committed one. Canary has Flagger beside it, and tests of its own."""
CPU_MACHINES: Final = {"aws": "m7i.2xlarge", "gcp": "e2-standard-8"}
DOORS: Final[Mapping[str, Values]] = {
    "by certificate": {"authentication": {"kind": "mtls", "ca": "client-ca", "dns_suffix": "clients.example.com"}},
    "public": {
        "public": {
            "source_ranges": ["203.0.113.0/24"],
            "firewall_because": "only two partners' networks may come in",
        }
    },
}
"""What another door has otherwise than the committed one."""


def fleet_of_all(committed: Values, cloud: str) -> Values:
    """The committed settings with a service for each strategy, and pools that have room for them."""
    pools, fleet = committed["pools"], committed["fleet"]
    (service,) = fleet["services"].values()
    services = {name: {**service, **asked} for name, asked in SERVICES.items()}
    steady = {**service, "fallback": {"service": "cheap", "after_ms": 150}, "warm_replicas": 1}
    cpu = {"machine_types": [CPU_MACHINES[cloud]], "min_nodes": 1, "max_nodes": 6}
    return {
        **committed,
        "pools": {**pools, "gpu": {**pools["gpu"], "max_nodes": 40}, "cpu": cpu},
        "fleet": {**fleet, "drilled": "steady", "services": {"steady": steady, **services}},
    }


def with_door(values: Values, door: Values) -> Values:
    """These settings with another door."""
    return {**values, "fleet": {**values["fleet"], "door": {**values["fleet"]["door"], **door}}}


def with_live(values: Values, colour: str) -> Values:
    """These settings with another live colour of `swap`."""
    services = values["fleet"]["services"]
    swap = {**services["swap"], "traffic": {**services["swap"]["traffic"], "live": colour}}
    return {**values, "fleet": {**values["fleet"], "services": {**services, "swap": swap}}}


class Stack:
    """A development stack with a service for each strategy, up on a local cloud."""

    def __init__(self, local: LocalCloud, cloud: str) -> None:
        self.local = local
        self.values = fleet_of_all(self._read(), cloud)

    def _read(self) -> Values:
        written = self.local.workspace.config_file.read_text(encoding="utf-8")
        return YAML(typ="safe").load(written)["config"][CONFIG_KEY]

    def write(self, values: Values) -> None:
        """Have these settings read by what comes next."""
        with self.local.workspace.config_file.open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump({"config": {CONFIG_KEY: values}}, file)

    def plan(self, values: Values) -> Inventory:
        """The plan of these settings, by the command's own way."""
        self.write(values)
        return plan_stack(self.local.workspace.stack, self.local.workspace.config_file)


@pytest.fixture(
    scope="module",
    params=[pytest.param(cloud, marks=pytest.mark.xdist_group(f"strategies-{cloud}")) for cloud in ("aws", "gcp")],
)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with open_local(f"dev-{request.param}", Steps(), home=tmp_path_factory.mktemp("local"), keep=False) as local:
        made = Stack(local, request.param)
        made.write(made.values)
        local.up()
        yield made


def failing(inventory: Inventory) -> set[str]:
    """The rules that these objects break."""
    from policies.evaluation import evaluate

    return {found.rule.id for found in evaluate(inventory) if found.verdict is Verdict.FAIL}


def edited(outcome: Outcome) -> set[str]:
    """What an outcome does to which object, without the stack's own outputs."""
    return {f"{c.op} {c.type.rsplit(':', 1)[-1]}/{c.name}" for c in outcome.changes}


def test_a_second_preview_is_empty_and_nothing_drifts(stack: Stack) -> None:
    stack.write(stack.values)
    assert stack.local.preview(expect_no_changes=True).is_empty
    assert stack.local.refresh().is_empty


def test_every_strategy_together_breaks_no_rule(stack: Stack) -> None:
    assert failing(stack.plan(stack.values)) == set()


def test_a_salt_lies_in_no_state_in_the_clear(stack: Stack) -> None:
    exported = stack.local._pulumi("stack", "export")
    assert "Secret" in exported
    assert SALT not in exported


def test_a_rendering_of_the_deployed_stack_lacks_nothing_but_secrets(stack: Stack) -> None:
    live = {r.urn: dict(r.inputs) for r in stack.local.resources()}
    made = render(stack.plan(stack.values), "1.35", live)
    assert not made.unknown
    assert "EnvoyExtensionPolicy serving/split" in {each.object for each in made.withheld}
    assert not any(SALT in text for text in made.files.values())


def test_a_switch_of_colours_is_two_routes_there_and_back(stack: Stack) -> None:
    there = with_live(stack.values, "green")
    routes = {"update HTTPRoute/httproute-swap", "update GRPCRoute/grpcroute-swap"}
    [diff] = compare_all({"s": stack.plan(stack.values)}, {"s": stack.plan(there)})
    assert {f"update {c.resource.type.rsplit(':', 1)[-1]}/{c.resource.name}" for c in diff.changes} == routes
    assert not diff.at_risk
    stack.write(there)
    assert edited(stack.local.up()) == routes
    stack.write(stack.values)
    assert edited(stack.local.up()) == routes


@pytest.mark.parametrize("door", DOORS)
def test_another_door_follows_the_last_one_and_stays(stack: Stack, door: str) -> None:
    asked = with_door(stack.values, DOORS[door])
    assert failing(stack.plan(asked)) == set()
    lost = {edit for edit in edited(stack.local.up()) if not edit.startswith(("create", "update"))}
    # Certificates say who asks before the door looks at it, and tokens are not asked for beside them.
    assert lost == ({"delete SecurityPolicy/securitypolicy-door"} if door == "by certificate" else set())
    assert stack.local.preview(expect_no_changes=True).is_empty


def test_it_goes_and_leaves_nothing(stack: Stack) -> None:
    stack.local.destroy(unprotect=True)
    assert stack.local.resources() == []
