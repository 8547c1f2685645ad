"""A diff tells what changed, what state is at risk, and which verdicts changed; and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contracts.stateful import GUARDS, CopiedBy, NotCopied, Stateful
from ops.diff.compare import Providers, compare
from ops.diff.markdown import COMMENT_LIMIT, render
from ops.diff.model import StackDiff
from policies.examples import examples
from policies.inventory import SECRET, Inventory, Resource
from policies.model import Finding, Judgement, Rule, Severity, Verdict

BUCKET = "aws:s3/bucket:Bucket"
TABLE = "aws:dynamodb/table:Table"
QUEUE = "aws:sqs/queue:Queue"
RULE = Rule(
    "T-1",
    Severity.HIGH,
    "encrypted",
    "because",
    "encrypt it",
    (TABLE,),
    lambda resource, _inventory: Judgement(Verdict.PASS if resource.get("encrypted") else Verdict.FAIL),
    lambda: examples(broken={}),
)


POOL = "aws:eks/nodeGroup:NodeGroup"
PROVIDERS = Providers(
    replace_on=lambda token: {TABLE: ["hashKey"], POOL: ["subnetIds", "nodeRoleArn"]}.get(token, []),
    takes_list=lambda _, path: path == "subnetIds",
    deletes_first=lambda _, __, after: "nodeGroupName" in after,
)
RELEASES = Stateful("model releases", CopiedBy.REPLICATION)
ACCESS_LOGS = Stateful("access logs", NotCopied("a restore needs no logs"))


def resource(
    type_token: str, name: str, *, protect: bool = False, stateful: Stateful | None = None, **inputs: Any
) -> Resource:
    urn = f"urn:pulumi:dev-aws::seawall::{type_token}::{name}"
    return Resource(urn, type_token, name, True, None, inputs, protect=protect, stateful=stateful)


def inventory(*resources: Resource, **outputs: Any) -> Inventory:
    return Inventory("dev-aws", {}, resources, outputs)


def findings(found: Inventory) -> list[Finding]:
    return [Finding(RULE, r.urn, r.type, r.name, RULE.check(r, found).verdict) for r in found.of_type(*RULE.types)]


@pytest.fixture
def diff() -> Callable[[Inventory | None, Inventory | None], StackDiff]:
    return lambda base, head: compare("dev-aws", base, head, providers=PROVIDERS, evaluate=findings)


Diff = Callable[[Inventory | None, Inventory | None], StackDiff]


def test_an_unchanged_stack_says_nothing(diff: Diff) -> None:
    same = inventory(resource(TABLE, "t", hashKey="id"), region="eu-west-1")
    found = diff(same, same)
    assert found.is_empty
    assert "No stack changes." in render([found], base="a", head="b")


def test_a_changed_property_is_told_with_both_values(diff: Diff) -> None:
    [change] = diff(
        inventory(resource(QUEUE, "q", delay={"s": 1})), inventory(resource(QUEUE, "q", delay={"s": 2}))
    ).changes
    assert (change.action, change.properties[0].path, change.risk) == ("changed", "delay.s", None)
    assert (change.properties[0].before, change.properties[0].after) == (1, 2)


def test_a_replacing_property_of_a_stateful_resource_puts_state_at_risk(diff: Diff) -> None:
    before, after = (
        inventory(resource(TABLE, "t", stateful=RELEASES, hashKey=key, encrypted=True)) for key in ("a", "b")
    )
    [change] = diff(before, after).changes
    assert change.action == "replaced"
    assert change.risk is not None and "replaced" in change.risk.what


@pytest.mark.parametrize(("before", "after"), [(RELEASES, None), (None, RELEASES)])
def test_state_that_either_side_declares_is_at_risk(
    diff: Diff, before: Stateful | None, after: Stateful | None
) -> None:
    """Dropping the declaration together with what it protects hides nothing."""
    [change] = diff(
        inventory(resource(TABLE, "t", stateful=before, hashKey="a", encrypted=True)),
        inventory(resource(TABLE, "t", stateful=after, hashKey="b", encrypted=True)),
    ).changes
    assert change.risk is not None and change.risk.at_stake == RELEASES


def test_a_replacement_brings_those_of_what_is_built_on_it(diff: Diff) -> None:
    def stack(key: str) -> Inventory:
        table = resource(TABLE, "t", hashKey=key, encrypted=True)
        follower = replace(
            resource(TABLE, "copy", hashKey="[unknown]", encrypted=True),
            unknown_paths=("hashKey",),
            property_dependencies={"hashKey": (table.urn,)},
        )
        bystander = replace(resource(QUEUE, "q", hashKey="known"), property_dependencies={"hashKey": (table.urn,)})
        return inventory(table, follower, bystander)

    assert {c.resource.name: c.action for c in diff(stack("a"), stack("b")).changes} == {
        "t": "replaced",
        "copy": "replaced",
    }


def pool(prop: str, *sources: str, first: bool | None = None, **inputs: Any) -> Resource:
    """A node pool one of whose inputs is unknown, and comes from these resources."""
    urns = tuple(f"urn:pulumi:dev-aws::seawall::aws:ec2/subnet:Subnet::{source}" for source in sources)
    return replace(
        resource(POOL, "gpu", **{prop: "[unknown]", **inputs}),
        unknown_paths=(prop,),
        property_dependencies={prop: urns},
        delete_before_replace=first,
    )


@pytest.mark.parametrize(
    ("prop", "before", "after", "action"),
    [
        ("nodeRoleArn", ("role-a",), ("role-b",), "replaced"),
        ("nodeRoleArn", ("role-a", "wait-a"), ("role-a", "wait-b"), "replaced"),
        ("nodeRoleArn", ("role",), ("role", "wait"), "changed"),
        ("nodeRoleArn", ("role", "wait"), ("role",), "changed"),
        ("subnetIds", ("a", "b"), ("a", "b", "c"), "replaced"),
        ("subnetIds", ("a", "b", "c"), ("a", "b"), "replaced"),
        ("labels", ("a",), ("b",), "changed"),
    ],
)
def test_an_unknown_value_from_elsewhere_replaces_where_it_must_be_another(
    diff: Diff, prop: str, before: tuple[str, ...], after: tuple[str, ...], action: str
) -> None:
    [change] = diff(inventory(pool(prop, *before)), inventory(pool(prop, *after))).changes
    assert change.action == action


@pytest.mark.parametrize(
    ("first", "named", "order", "risky"),
    [
        (None, True, "deleted first", True),
        (None, False, "the new one first", False),
        (False, True, "the new one first", False),
        (True, False, "deleted first", True),
    ],
)
def test_a_pool_that_goes_before_its_successor_comes_is_at_risk(
    diff: Diff, first: bool | None, named: bool, order: str, risky: bool
) -> None:
    inputs = {"nodeGroupName": "gpu"} if named else {}
    before, after = (pool("nodeRoleArn", role, first=first, **inputs) for role in "ab")
    found = diff(inventory(before), inventory(after))
    [change] = found.changes
    assert (change.order, change in found.at_risk) == (order, risky)
    assert order in render([found], base="a", head="b")


def test_a_change_that_the_program_keeps_to_itself_is_not_told(diff: Diff) -> None:
    before, after = (
        replace(pool("nodeRoleArn", "role", scalingConfig={"maxSize": most}), ignore_changes=("scalingConfig",))
        for most in (3, 5)
    )
    assert diff(inventory(before), inventory(after)).is_empty


def test_ignoring_a_name_ignores_no_longer_one(diff: Diff) -> None:
    before, after = (replace(pool("nodeRoleArn", "role", labels=v), ignore_changes=("label",)) for v in ("a", "b"))
    assert not diff(inventory(before), inventory(after)).is_empty


def test_a_replacement_is_not_followed_where_the_program_ignores_the_change(diff: Diff) -> None:
    def stack(key: str) -> Inventory:
        table = resource(TABLE, "t", hashKey=key, encrypted=True)
        follower = replace(
            resource(TABLE, "copy", hashKey="[unknown]", encrypted=True),
            unknown_paths=("hashKey",),
            property_dependencies={"hashKey": (table.urn,)},
            ignore_changes=("hashKey",),
        )
        return inventory(table, follower)

    assert {c.resource.name for c in diff(stack("a"), stack("b")).changes} == {"t"}


def test_taking_a_subnet_away_is_at_risk(diff: Diff) -> None:
    [change] = diff(inventory(resource("aws:ec2/subnet:Subnet", "a")), inventory()).changes
    assert change.risk is not None and "while anything is on it" in change.risk.what


@pytest.mark.parametrize(("protect", "says"), [(True, "update will fail"), (False, "will be deleted")])
def test_removing_a_stateful_resource_is_a_risk(diff: Diff, protect: bool, says: str) -> None:
    [change] = diff(inventory(resource(BUCKET, "b", protect=protect, stateful=RELEASES)), inventory()).changes
    assert change.risk is not None and says in change.risk.what


def test_removing_a_stateless_resource_is_no_risk(diff: Diff) -> None:
    [change] = diff(inventory(resource(BUCKET, "b")), inventory()).changes
    assert change.risk is None


def test_two_resources_of_one_type_have_their_own_stakes(diff: Diff) -> None:
    found = diff(
        inventory(resource(BUCKET, "models", stateful=RELEASES), resource(BUCKET, "logs", stateful=ACCESS_LOGS)),
        inventory(),
    )
    text = render([found], base="a", head="b")
    assert (
        "`models` (aws:s3/bucket:Bucket) will be deleted.\n"
        "  - At stake: model releases (copied by S3 replication)." in text
    )
    assert "At stake: access logs (not copied: a restore needs no logs)." in text


def test_losing_protection_is_a_risk(diff: Diff) -> None:
    before, after = (inventory(resource(BUCKET, "b", protect=p, stateful=RELEASES)) for p in (True, False))
    [change] = diff(before, after).changes
    assert change.risk is not None and "protect" in change.risk.what


@pytest.mark.parametrize(("guard", "safe"), [(guard, safe[0]) for guard, safe in GUARDS.items()])
def test_losing_the_clouds_own_protection_is_a_risk(diff: Diff, guard: str, safe: object) -> None:
    before, after = (
        inventory(replace(resource(BUCKET, "b", stateful=RELEASES), inputs={guard: value}))
        for value in (safe, f"not {safe}")
    )
    [change] = diff(before, after).changes
    assert change.risk is not None and guard in change.risk.what
    [back] = diff(after, before).changes
    assert back.risk is None


def test_a_declaration_that_goes_with_its_protection_is_still_told(diff: Diff) -> None:
    before = inventory(resource(BUCKET, "b", protect=True, stateful=RELEASES))
    [change] = diff(before, inventory(resource(BUCKET, "b"))).changes
    assert change.risk is not None and change.risk.at_stake == RELEASES
    assert {p.path for p in change.properties} == {"protect", "state (declared)"}


def test_a_policy_document_is_compared_inside(diff: Diff) -> None:
    before, after = (
        inventory(resource(QUEUE, "q", policy=json.dumps({"Statement": [{"Effect": effect, "Sid": "same"}]})))
        for effect in ("Allow", "Deny")
    )
    [change] = diff(before, after).changes
    assert [p.path for p in change.properties] == ["policy».Statement.0.Effect"]


def test_a_link_to_another_resource_is_told_though_both_values_are_unknown(diff: Diff) -> None:
    def linked(to: str) -> Inventory:
        r = resource(QUEUE, "q", key="[unknown]")
        return inventory(Resource(r.urn, r.type, r.name, True, None, r.inputs, property_dependencies={"key": (to,)}))

    [change] = diff(linked("urn::a"), linked("urn::b")).changes
    assert change.properties[0].path == "key (comes from)"


def test_a_verdict_that_got_worse_is_told_and_one_that_stayed_is_not(diff: Diff) -> None:
    good, bad = (resource(TABLE, "t", encrypted=e) for e in (True, False))
    [verdict] = diff(inventory(good), inventory(bad)).verdicts
    assert verdict.worse
    assert not diff(inventory(bad), inventory(bad, resource(QUEUE, "q"))).verdicts


def test_a_new_bad_resource_under_a_rule_that_failed_before_is_told(diff: Diff) -> None:
    bad = resource(TABLE, "old", encrypted=False)
    [verdict] = diff(inventory(bad), inventory(bad, resource(TABLE, "new", encrypted=False))).verdicts
    assert (verdict.resource, verdict.before, verdict.worse) == ("new", None, True)


def test_a_new_stack_and_a_removed_one_are_named_so(diff: Diff) -> None:
    there = inventory(resource(QUEUE, "q"))
    text = render([diff(None, there), diff(there, None)], base="a", head="b")
    assert "dev-aws (new)" in text and "dev-aws (gone)" in text


def test_a_stack_that_does_not_change_is_not_mentioned(diff: Diff) -> None:
    quiet = replace(diff(inventory(), inventory()), stack="prod-gcp")
    loud = diff(inventory(), inventory(resource(QUEUE, "q")))
    assert "prod-gcp" not in render([quiet, loud], base="a", head="b")


def test_a_masked_secret_stays_masked(diff: Diff) -> None:
    found = diff(inventory(), inventory(resource(QUEUE, "q", token=SECRET)))
    assert "token" not in render([found], base="a", head="b") or SECRET in render([found], base="a", head="b")


@given(count=st.integers(0, 3000), width=st.integers(1, 300))
def test_a_comment_never_exceeds_its_limit_and_says_what_it_cut(count: int, width: int) -> None:
    head = inventory(*(resource(QUEUE, f"{index}-{'q' * width}") for index in range(count)))
    found = compare("dev-aws", inventory(), head, providers=PROVIDERS, evaluate=lambda _i: ())
    text = render([found], base="a", head="b")
    assert len(text) <= COMMENT_LIMIT
    told = sum(f"{index}-{'q' * width}" in text for index in range(count))
    assert told == count or "**Cut here:**" in text


def test_the_json_says_what_the_markdown_says(diff: Diff) -> None:
    before, after = (
        inventory(resource(TABLE, "t", stateful=RELEASES, hashKey=key, encrypted=key == "a")) for key in ("a", "b")
    )
    told = json.loads(json.dumps(diff(before, after).to_json()))
    [change], [verdict] = told["changes"], told["verdicts"]
    assert (change["action"], change["name"], verdict["worse"]) == ("replaced", "t", True)
    assert change["risk"]["holds"] == "model releases" and {p["path"] for p in change["properties"]} == {
        "hashKey",
        "encrypted",
    }


CLASS = "kubernetes:cloud.google.com/v1:ComputeClass"


def in_cluster(name: str, metadata: dict[str, str], token: str = CLASS, **inputs: Any) -> Resource:
    return replace(resource(token, name, **inputs), inputs={**inputs, "metadata": metadata})


def test_a_resource_under_another_name_is_the_same_one_where_it_has_an_alias(diff: Diff) -> None:
    old = resource(TABLE, "old", stateful=RELEASES, hashKey="id", size=1)
    new = replace(resource(TABLE, "new", stateful=RELEASES, hashKey="id", size=2), aliases=(old.urn,))
    before, after = (
        inventory(
            table,
            replace(resource(QUEUE, "q"), parent=table.urn, property_dependencies={"table": (table.urn,)}),
        )
        for table in (old, new)
    )
    [change] = diff(before, after).changes
    assert (change.action, change.resource.name, [p.path for p in change.properties]) == ("changed", "new", ["size"])
    assert change.risk is None


def test_an_alias_that_nothing_had_changes_nothing(diff: Diff) -> None:
    old = resource(TABLE, "t", size=1)
    assert diff(inventory(old), inventory(replace(old, aliases=("urn:pulumi:dev-aws::seawall::x::y",)))).is_empty


def test_an_object_of_the_cluster_that_only_changes_its_logical_name_is_at_risk(diff: Diff) -> None:
    told = diff(inventory(in_cluster("old", {"name": "l4"})), inventory(in_cluster("new", {"name": "l4"})))
    [lost] = told.at_risk
    assert (lost.action, lost.resource.name) == ("removed", "old")
    assert lost.risk is not None and "alias" in lost.risk.what


@pytest.mark.parametrize(
    "new",
    [
        in_cluster("new", {"name": "t4"}),
        in_cluster("new", {"name": "l4", "namespace": "serving"}),
        in_cluster("new", {"name": "l4"}, token="kubernetes:core/v1:ConfigMap"),
        replace(in_cluster("new", {"name": "l4"}), aliases=(in_cluster("old", {"name": "l4"}).urn,)),
    ],
    ids=["another name", "another namespace", "another kind", "an alias"],
)
def test_another_object_of_the_cluster_is_no_risk(diff: Diff, new: Resource) -> None:
    assert diff(inventory(in_cluster("old", {"name": "l4"})), inventory(new)).at_risk == ()


def test_another_version_of_an_object_s_api_is_the_same_object(diff: Diff) -> None:
    token = "kubernetes:cloud.google.com/v1beta1:ComputeClass"
    told = diff(inventory(in_cluster("old", {"name": "l4"}, token)), inventory(in_cluster("new", {"name": "l4"})))
    assert [change.resource.name for change in told.at_risk] == ["old"]


CANARY = in_cluster("canary-risk", {"name": "risk", "namespace": "serving"}, "kubernetes:flagger.app/v1beta1:Canary")
OF_FLAGGER = [
    in_cluster("risk", {"name": "risk", "namespace": "serving"}, "kubernetes:core/v1:Service"),
    in_cluster(
        "httproute-risk",
        {"name": "risk", "namespace": "serving"},
        "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
    ),
]


@pytest.mark.parametrize("own", OF_FLAGGER, ids=lambda r: r.type.rpartition(":")[2])
def test_what_flagger_takes_over_is_at_risk_there_and_back(diff: Diff, own: Resource) -> None:
    for base, head, says in ((own, CANARY, "Flagger makes its own"), (CANARY, own, "delete the Canary first")):
        [change] = diff(inventory(base), inventory(head)).at_risk
        assert change.resource.name == own.name
        assert change.risk is not None and says in change.risk.what


@pytest.mark.parametrize("own", OF_FLAGGER, ids=lambda r: r.type.rpartition(":")[2])
def test_what_comes_or_goes_with_a_whole_service_is_no_risk(diff: Diff, own: Resource) -> None:
    other = in_cluster("canary-b", {"name": "b", "namespace": "serving"}, CANARY.type)
    assert diff(inventory(own, other), inventory(other)).at_risk == ()
    assert diff(inventory(other), inventory(own, other)).at_risk == ()
    assert diff(inventory(), inventory(CANARY)).at_risk == ()
