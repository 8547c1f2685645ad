"""Inside the engine the same inventory is made, secrets stay masked, and violations name their resource."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pulumi_policy.policy as library
import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi_policy import EnforcementLevel
from ruamel.yaml import YAML

from common.sdk.types import ENGINE_UNKNOWN, SECRET_SIGNATURE, SIGNATURE_KEY
from policies import rules
from policies.engine import CONFIG_KEY, NOT_SHOWN, Pack, registration_of
from policies.examples import EXAMPLE, given
from policies.inventory import SECRET, UNKNOWN, Inventory, Resource
from policies.pack_library import observe
from policies.registration import STACK_TYPE, inventory_of
from policies.tokens import DYNAMODB_TABLE
from policies.verdicts import judge
from stacks.settings import stack_file

TODAY = date(2026, 6, 1)
CANARY = "canary-5e1f"
PROD = stack_file("prod-aws").read_text(encoding="utf-8").replace("333344445555", "111122223333")
WRITTEN = YAML(typ="safe").load(PROD)["config"][CONFIG_KEY]
WRITTEN["backup"] |= {"keep_daily_days": 14, "retention_days": 35}
WRITTEN["cluster"] |= {"authorized_cidrs": ["192.0.2.0/24"]}
WRITTEN["cluster"]["access"]["administrators"]["platform"] = "arn:aws:iam::111122223333:role/platform/admin"
"""Settings as they are written, without defaults; those of the compliant stack."""


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties as they travel."""
    return json_format.ParseDict(dict(values), struct_pb2.Struct())


def secret(value: object) -> dict[str, Any]:
    """A secret as it travels."""
    return {SIGNATURE_KEY: SECRET_SIGNATURE, "value": value}


def wire(resource: Resource) -> dict[str, Any]:
    """A resource's inputs with unknowns as they travel."""
    return json.loads(json.dumps(dict(resource.inputs)).replace(json.dumps(UNKNOWN), json.dumps(ENGINE_UNKNOWN)))


def provider_of(resource: Resource) -> Resource:
    """The provider that manages a resource, in the resource's region."""
    token = f"pulumi:providers:{resource.type.split(':')[0]}"
    name = resource.region or "global"
    return Resource(f"urn:{token}:{name}", token, name, True, inputs={"region": name} if resource.region else {})


@contextmanager
def engine_of(pack: Pack, settings: Mapping[str, Any] | None = WRITTEN) -> Iterator[Engine]:
    """The library with a pack, and the library as it was afterwards."""
    undo = observe(pack)
    try:
        yield Engine(pack, settings)
    finally:
        undo()


class Engine:
    """Speaks to a pack as the engine does."""

    def __init__(self, pack: Pack, settings: Mapping[str, Any] | None) -> None:
        make: Any = library._PolicyAnalyzerServicer
        self.servicer = make("seawall", "0", pack.policies(), EnforcementLevel.MANDATORY)
        # It would start an event loop and a connection to an engine.
        self.servicer._configure_runtime_settings = lambda: None
        if settings is not None:
            config = {CONFIG_KEY: json.dumps(settings)}
            self.servicer.ConfigureStack(proto.AnalyzerStackConfigureRequest(stack=EXAMPLE, config=config), None)

    def analyze(self, inventory: Inventory) -> list[proto.AnalyzeDiagnostic]:
        """One whole operation: each resource, then the stack, whose properties are outputs."""
        providers = {provider_of(r).urn: provider_of(r) for r in inventory.resources}
        whole = proto.AnalyzeStackRequest()
        whole.resources.add(type=STACK_TYPE, urn="urn:stack", properties=struct({"bucket": "models"}))
        for r in (*providers.values(), *inventory.resources):
            request = proto.AnalyzeRequest(type=r.type, urn=r.urn, name=r.name, properties=struct(wire(r)))
            sent = whole.resources.add(type=r.type, urn=r.urn, name=r.name, parent="urn:stack")
            sent.properties.CopyFrom(struct({"arn": "output"}))
            if r.urn not in providers:
                for shown in (request, sent):
                    shown.provider.CopyFrom(
                        proto.AnalyzerProviderResource(type=provider_of(r).type, urn=provider_of(r).urn)
                    )
            assert list(self.servicer.Analyze(request, None).diagnostics) == []
            sent.dependencies.extend(r.dependencies)
            for prop, urns in r.property_dependencies.items():
                sent.propertyDependencies[prop].urns.extend(urns)
        return list(self.servicer.AnalyzeStack(whole, None).diagnostics)


def diagnostics_of(inventory: Inventory, pack: Pack | None = None) -> list[proto.AnalyzeDiagnostic]:
    """What the engine is told of an inventory."""
    with engine_of(pack or Pack(lambda: TODAY, None)) as engine:
        return engine.analyze(inventory)


@pytest.fixture
def opened(aws: Inventory) -> Inventory:
    """The compliant stack with a table that keeps few rules."""
    table = given(DYNAMODB_TABLE, {"name": "open"}, "open").recorded()
    return Inventory(EXAMPLE, aws.settings, (*aws.resources, table))


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Where the pack writes what it saw."""
    return tmp_path / "report.json"


def test_the_engine_and_the_plan_give_the_same_verdicts(aws: Inventory, report: Path) -> None:
    diagnostics_of(aws, Pack(lambda: TODAY, report))
    assert json.loads(report.read_text())["verdict"]["findings"] == judge(aws, (), TODAY).to_json()["findings"]


def test_regions_and_links_are_seen(aws: Inventory, report: Path) -> None:
    diagnostics_of(aws, Pack(lambda: TODAY, report))
    seen = Inventory.from_json(json.loads(report.read_text())["inventory"])
    for planned in aws.resources:
        told = seen.by_urn[planned.urn]
        assert (told.region, told.inputs) == (planned.region, planned.inputs)
        assert {k: set(v) for k, v in told.property_dependencies.items()} == {
            k: set(v) for k, v in planned.property_dependencies.items()
        }


def test_the_outputs_of_the_stack_are_seen(aws: Inventory, report: Path) -> None:
    diagnostics_of(aws, Pack(lambda: TODAY, report))
    assert json.loads(report.read_text())["inventory"]["outputs"] == {"bucket": "models"}


def test_settings_that_were_not_written_take_their_defaults(aws: Inventory, report: Path) -> None:
    diagnostics_of(aws, Pack(lambda: TODAY, report))
    settings = json.loads(report.read_text())["inventory"]["settings"]
    assert "min_distance_km" not in WRITTEN["backup"]
    assert settings["backup"]["min_distance_km"] == 400


def test_a_secret_setting_is_masked_wherever_it_appears(aws: Inventory, report: Path) -> None:
    address = f"https://{CANARY}.example"
    settings = {**WRITTEN, "monitoring": {**WRITTEN["monitoring"], "alert_webhook": address}}
    repeated = Resource("urn:x", "aws:sns/topic:Topic", "x", True, inputs={"displayName": f"to {address}"})
    with engine_of(Pack(lambda: TODAY, report), settings) as engine:
        engine.analyze(Inventory(EXAMPLE, {}, (*aws.resources, repeated)))
    told = json.loads(report.read_text())["inventory"]
    assert told["settings"]["monitoring"]["alert_webhook"] == SECRET
    assert CANARY not in report.read_text()


def test_settings_in_bad_order_are_judged_as_production(aws: Inventory, report: Path) -> None:
    with engine_of(Pack(lambda: TODAY, report), {"environment": "dev", "no such key": CANARY}) as engine:
        engine.analyze(aws)
    assert json.loads(report.read_text())["verdict"]["production"] is True
    assert CANARY not in report.read_text()


def test_no_rule_reads_what_the_engine_does_not_show() -> None:
    folder = Path(rules.__path__[0])
    read = {
        f"{file.name}: {node.attr}"
        for file in [*folder.glob("*.py"), *folder.parent.glob("*.py")]
        if file.name not in ("inventory.py", "registration.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in NOT_SHOWN
    }
    assert read == set()


def test_a_compliant_stack_has_no_diagnostics(aws: Inventory) -> None:
    assert diagnostics_of(aws) == []


def test_a_violation_names_the_rule_at_the_urn_of_its_resource(opened: Inventory) -> None:
    found = {(d.policyName, d.urn) for d in diagnostics_of(opened) if "aws-dynamodb-customer-key" in d.message}
    assert found == {("medium", opened.resources[-1].urn)}


def test_each_violation_is_reported_once(opened: Inventory) -> None:
    assert len(diagnostics_of(opened)) == len(judge(opened, (), TODAY).violations)


def test_a_second_operation_is_judged_anew(aws: Inventory, opened: Inventory) -> None:
    with engine_of(Pack(lambda: TODAY, None)) as engine:
        assert engine.analyze(opened)
        assert engine.analyze(aws) == []


def test_a_secret_input_appears_in_no_message_and_no_report(aws: Inventory, report: Path) -> None:
    inputs = {"name": "open", "billingMode": secret(CANARY), "deletionProtectionEnabled": secret(CANARY)}
    table = given(DYNAMODB_TABLE, inputs, "open").recorded()
    inventory = Inventory(EXAMPLE, aws.settings, (*aws.resources, table))
    diagnostics = diagnostics_of(inventory, Pack(lambda: TODAY, report))
    assert diagnostics and CANARY not in report.read_text() + "".join(d.message for d in diagnostics)


def test_secrets_and_unknowns_become_the_inventorys_marks_at_their_paths() -> None:
    sent = {"a": secret("x"), "b": [ENGINE_UNKNOWN, {"c": secret(ENGINE_UNKNOWN)}], "d": 1.0}
    registered = registration_of(proto.AnalyzeRequest(type="test:index:Thing", urn="u", properties=struct(sent)))
    (seen,) = inventory_of("test", None, {"u": registered}, {}).resources
    assert seen.inputs == {"a": SECRET, "b": [UNKNOWN, {"c": SECRET}], "d": 1}
    assert (seen.secret_paths, seen.unknown_paths) == (("a", "b.1.c"), ("b.0", "b.1.c"))


def test_what_the_engine_adds_to_a_provider_is_no_input() -> None:
    properties = struct({"region": "eu-west-1", "version": "7.0.0", "__internal": {}})
    request = proto.AnalyzeRequest(type="pulumi:providers:aws", urn="u", properties=properties)
    assert registration_of(request).inputs == {"region": "eu-west-1"}


def test_a_stack_that_the_library_keeps_from_the_pack_is_not_judged(aws: Inventory) -> None:
    engine = Engine(Pack(lambda: TODAY, None), WRITTEN)
    with pytest.raises(RuntimeError, match="did not pass the stack on"):
        engine.analyze(aws)


def test_a_stack_whose_configuration_never_came_is_not_judged(aws: Inventory) -> None:
    with (
        engine_of(Pack(lambda: TODAY, None), None) as engine,
        pytest.raises(RuntimeError, match="did not pass the stack on"),
    ):
        engine.analyze(aws)


@pytest.mark.parametrize("stack", ["example", "prod-elsewhere"])
def test_an_expired_waiver_is_reported_whichever_stack_it_is_of(aws: Inventory, tmp_path: Path, stack: str) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(
        f"waivers:\n- {{rule: x, stack: {stack}, urn: u, reason: fine while it was shown, owner: platform, "
        "expires: 2020-01-01}\n"
    )
    diagnostics = diagnostics_of(aws, Pack(lambda: TODAY, None, file))
    assert [d.policyName for d in diagnostics] == ["waivers"] and "expired on 2020-01-01" in diagnostics[0].message


def test_a_waivers_file_that_cannot_be_read_is_a_violation(aws: Inventory, tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text("waivers: [")
    diagnostics = diagnostics_of(aws, Pack(lambda: TODAY, None, file))
    assert [d.policyName for d in diagnostics] == ["waivers"] and "waivers.yaml" in diagnostics[0].message


def test_every_policy_is_mandatory() -> None:
    levels = {p.enforcement_level for p in Pack(lambda: TODAY, None).policies()}
    assert levels == {EnforcementLevel.MANDATORY}
