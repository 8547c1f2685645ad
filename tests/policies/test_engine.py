"""Inside the engine the same inventory is made, secrets stay masked, and violations are told at their resource."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pulumi_policy.policy as library
import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi_policy import EnforcementLevel
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.engine import CONFIG_KEY, Pack, mask
from policies.examples import EXAMPLE, given
from policies.inventory import SECRET, UNKNOWN, Inventory, Resource
from policies.pack_library import adapt_library
from policies.tokens import DYNAMODB_TABLE
from policies.verdicts import judge

TODAY = date(2026, 6, 1)
CANARY = "canary-5e1f"


@pytest.fixture(autouse=True)
def _library_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a pack changes in the library is undone after each test."""
    for name in ("deserialize_properties", "_PolicyAnalyzerServicer"):
        monkeypatch.setattr(library, name, getattr(library, name))
    monkeypatch.setattr(library._PolicyAnalyzerServicer, "_configure_runtime_settings", lambda _: None)
    yield


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties as they travel."""
    return json_format.ParseDict(dict(values), struct_pb2.Struct())


def secret(value: object) -> dict[str, Any]:
    """A secret as it travels."""
    return {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": value}


def wire(resource: Resource) -> dict[str, Any]:
    """A resource's inputs with unknowns as they travel."""
    return json.loads(
        json.dumps(dict(resource.inputs)).replace(json.dumps(UNKNOWN), json.dumps(UNKNOWN_STRING_VALUE))
    )


class Engine:
    """Speaks to a pack as the engine does."""

    def __init__(self, pack: Pack, settings: Mapping[str, Any] | None, stack: str = EXAMPLE) -> None:
        adapt_library(pack.configure)
        make: Any = library._PolicyAnalyzerServicer
        self.servicer = make("seawall", "0", pack.policies(), EnforcementLevel.MANDATORY)
        if settings is not None:
            config = {CONFIG_KEY: json.dumps(settings)}
            self.servicer.ConfigureStack(proto.AnalyzerStackConfigureRequest(stack=stack, config=config), None)

    def analyze(self, inventory: Inventory, *, region: str | None = None) -> list[proto.AnalyzeDiagnostic]:
        """One whole operation: each resource, then the stack, whose properties are outputs."""
        for r in inventory.resources:
            request = proto.AnalyzeRequest(type=r.type, urn=r.urn, name=r.name, properties=struct(wire(r)))
            request.provider.CopyFrom(self._provider(r, region))
            assert list(self.servicer.Analyze(request, None).diagnostics) == []
        return list(self.servicer.AnalyzeStack(self._stack(inventory, region), None).diagnostics)

    def _stack(self, inventory: Inventory, region: str | None) -> proto.AnalyzeStackRequest:
        request = proto.AnalyzeStackRequest()
        for r in inventory.resources:
            sent = request.resources.add(type=r.type, urn=r.urn, name=r.name, properties=struct({"arn": "output"}))
            sent.dependencies.extend(r.dependencies)
            for prop, urns in r.property_dependencies.items():
                sent.propertyDependencies[prop].urns.extend(urns)
            sent.provider.CopyFrom(self._provider(r, region))
        return request

    def _provider(self, resource: Resource, region: str | None) -> proto.AnalyzerProviderResource:
        package = resource.type.split(":")[0]
        properties = struct({"region": region or resource.region} if region or resource.region else {})
        return proto.AnalyzerProviderResource(
            type=f"pulumi:providers:{package}", urn="urn:provider", name=package, properties=properties
        )


@pytest.fixture
def verdicts(tmp_path: Path) -> Path:
    """Where the pack writes its verdict."""
    return tmp_path / "verdicts.json"


def test_the_engine_and_the_plan_give_the_same_verdicts(aws: Inventory, verdicts: Path) -> None:
    Engine(Pack(lambda: TODAY, verdicts), aws.settings).analyze(aws)
    assert json.loads(verdicts.read_text()) == judge(aws, (), TODAY).to_json()


def test_a_compliant_stack_has_no_diagnostics(aws: Inventory) -> None:
    assert Engine(Pack(lambda: TODAY, None), aws.settings).analyze(aws) == []


def test_a_violation_names_the_rule_at_the_urn_of_its_resource(aws: Inventory) -> None:
    table = given(DYNAMODB_TABLE, {"name": "open"}, "open").recorded()
    diagnostics = Engine(Pack(lambda: TODAY, None), aws.settings).analyze(
        Inventory("test", aws.settings, (*aws.resources, table))
    )
    found = {(d.policyName, d.urn) for d in diagnostics if "aws-dynamodb-customer-key" in d.message}
    assert found == {("medium", table.urn)}


def test_each_violation_is_reported_once(aws: Inventory) -> None:
    table = given(DYNAMODB_TABLE, {"name": "open"}, "open").recorded()
    inventory = Inventory("test", aws.settings, (*aws.resources, table))
    diagnostics = Engine(Pack(lambda: TODAY, None), aws.settings).analyze(inventory)
    assert len(diagnostics) == len(judge(inventory, (), TODAY).violations)


def test_a_second_operation_is_judged_anew(aws: Inventory) -> None:
    engine = Engine(Pack(lambda: TODAY, None), aws.settings)
    table = given(DYNAMODB_TABLE, {"name": "open"}, "open").recorded()
    assert engine.analyze(Inventory("test", aws.settings, (*aws.resources, table)))
    assert engine.analyze(aws) == []


def test_a_secret_input_appears_in_no_message_and_no_verdict(aws: Inventory, verdicts: Path) -> None:
    inputs = {"name": "open", "billingMode": secret(CANARY), "deletionProtectionEnabled": secret(CANARY)}
    table = given(DYNAMODB_TABLE, inputs, "open").recorded()
    inventory = Inventory("test", aws.settings, (*aws.resources, table))
    diagnostics = Engine(Pack(lambda: TODAY, verdicts), aws.settings).analyze(inventory)
    assert diagnostics and CANARY not in verdicts.read_text() + "".join(d.message for d in diagnostics)


def test_secrets_and_unknowns_become_the_inventorys_marks_at_their_paths() -> None:
    adapt_library(lambda _stack, _config: None)
    sent = {"a": secret("x"), "b": [UNKNOWN_STRING_VALUE, {"c": secret(UNKNOWN_STRING_VALUE)}], "d": 1.0}
    masked = mask(library.__dict__["deserialize_properties"](sent))
    assert masked.value == {"a": SECRET, "b": [UNKNOWN, {"c": SECRET}], "d": 1}
    assert (masked.secret_paths, masked.unknown_paths) == (["a", "b.1.c"], ["b.0", "b.1.c"])


def test_properties_read_without_marks_are_refused(aws: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    unmarked = library.__dict__["deserialize_properties"]
    engine = Engine(Pack(lambda: TODAY, None), aws.settings)
    monkeypatch.setitem(library.__dict__, "deserialize_properties", unmarked)
    with pytest.raises(RuntimeError, match="secrets marked"):
        engine.analyze(aws)


def test_a_stack_whose_configuration_never_came_is_not_judged(aws: Inventory) -> None:
    with pytest.raises(RuntimeError, match="did not pass the stack on"):
        Engine(Pack(lambda: TODAY, None), None).analyze(aws)


def test_an_expired_waiver_is_reported(aws: Inventory, tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(
        "waivers:\n- {rule: x, stack: example, urn: u, reason: it was fine then, owner: me, expires: 2020-01-01}\n"
    )
    diagnostics = Engine(Pack(lambda: TODAY, None, file), aws.settings).analyze(aws)
    assert [d.policyName for d in diagnostics] == ["waivers"] and "expired on 2020-01-01" in diagnostics[0].message


def test_a_waivers_file_that_cannot_be_read_is_a_violation(aws: Inventory, tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text("waivers: [")
    diagnostics = Engine(Pack(lambda: TODAY, None, file), aws.settings).analyze(aws)
    assert [d.policyName for d in diagnostics] == ["waivers"] and "waivers.yaml" in diagnostics[0].message


def test_few_policies_carry_all_the_rules() -> None:
    assert len(Pack(lambda: TODAY, None).policies()) <= 12, "the library reads all resources anew for each policy"


def test_every_policy_is_mandatory() -> None:
    levels = {p.enforcement_level for p in Pack(lambda: TODAY, None).policies()}
    assert levels == {EnforcementLevel.MANDATORY}
