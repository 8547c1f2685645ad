"""The engine's steps are told as a diff tells them: same words, same risks, nothing secret."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pulumi.automation.events import EngineEvent

from components.contracts.stateful import CopiedBy, Stateful
from ops.diff.model import Cause, Effect, ResourceChange
from ops.preview.deployed import deployed_inventory
from ops.preview.events import StepReader, seen_in
from ops.preview.telling import dotted, engine_diff, traced
from policies.inventory import SECRET, Inventory, Resource

BUCKET = "aws:s3/bucket:Bucket"
URN = f"urn:pulumi:dev-aws::seawall::{BUCKET}::"
SEALED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}


def event(op: str, name: str, *, keys: list[str] | None = None, diff: list[str] | None = None, **states: Any) -> Any:
    """A step as the engine tells it."""
    told = {
        key: {"type": BUCKET, "urn": URN + name, "id": "", "parent": "", "provider": "", **state}
        for key, state in states.items()
    }
    metadata = {
        "op": op,
        "urn": URN + name,
        "type": BUCKET,
        "provider": "",
        "keys": keys or [],
        "detailedDiff": {path: {"diffKind": "update", "inputDiff": True} for path in diff or []},
        **told,
    }
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": metadata}})


def read(*events: Any) -> StepReader:
    """What the reader makes of events."""
    reader = StepReader()
    for each in events:
        reader(each)
    return reader


def stack(*names: str, stateful: Stateful | None = None) -> Inventory:
    """Buckets of these names."""
    return Inventory("dev-aws", {}, tuple(Resource(URN + n, BUCKET, n, True, stateful=stateful) for n in names))


def changes(reader: StepReader, deployed: Inventory, head: Inventory) -> dict[str, ResourceChange]:
    """The changes by name."""
    diff = engine_diff("dev-aws", reader.seen.values(), deployed, head, lambda _: (), {})
    return {change.resource.name: change for change in diff.changes}


def test_each_step_is_the_action_that_a_diff_has_for_it() -> None:
    reader = read(
        event("create", "new", new={"inputs": {"bucket": "n"}}),
        event(
            "update", "old", diff=["tags.a"], old={"inputs": {"tags": {"a": 1}}}, new={"inputs": {"tags": {"a": 2}}}
        ),
        event("delete", "gone", old={"inputs": {}, "protect": True}),
        event("same", "still"),
    )
    found = changes(reader, stack("old", "gone", "still"), stack("new", "old", "still"))
    assert {name: change.action for name, change in found.items()} == {
        "new": "added",
        "old": "changed",
        "gone": "removed",
    }
    [prop] = found["old"].properties
    assert (prop.path, prop.before, prop.after) == ("tags.a", 1, 2)
    assert found["gone"].was_protected


def test_a_replacement_is_one_change_with_its_order_and_its_reason() -> None:
    holds = Stateful("releases", CopiedBy.REPLICATION)
    old, new = {"inputs": {"bucket": "a"}}, {"inputs": {"bucket": "b"}}
    first = read(
        event("delete-replaced", "b", keys=["bucket"], old=old),
        event("replace", "b", keys=["bucket"], diff=["bucket"], old=old, new=new),
        event("create-replacement", "b", keys=["bucket"], diff=["bucket"], old=old, new=new),
    )
    [change] = changes(first, stack("b", stateful=holds), stack("b", stateful=holds)).values()
    assert (change.action, change.order, change.replacing) == ("replaced", "deleted first", ("bucket",))
    assert (change.properties[0].before, change.properties[0].after) == ("a", "b")
    assert change.risk is not None and change.risk.remedy
    last = read(
        event("create-replacement", "b", keys=["bucket"], old=old, new=new), event("delete-replaced", "b", old=old)
    )
    assert changes(last, stack("b"), stack("b"))["b"].order == "the new one first"


def test_a_secret_is_masked_on_both_sides() -> None:
    reader = read(
        event("update", "b", diff=["policy"], old={"inputs": {"policy": SEALED}}, new={"inputs": {"policy": SEALED}})
    )
    [prop] = changes(reader, stack("b"), stack("b"))["b"].properties
    assert (prop.before, prop.after) == (SECRET, SECRET)


def test_the_engine_s_paths_are_read_as_the_plan_s() -> None:
    assert dotted('rules[0]["a.b"].c') == "rules.0.a.b.c"
    assert dotted("tags.x") == "tags.x"


def test_what_the_engine_did_not_come_to_is_told_as_the_plans_have_it() -> None:
    later = ResourceChange("added", Resource(URN + "later", BUCKET, "later", True))
    diff = engine_diff("dev-aws", (), stack("b"), stack("b", "later"), lambda _: (), {URN + "later": later})
    assert [change.resource.name for change in diff.changes] == ["later"]


def test_a_change_that_nobody_asked_for_comes_from_the_state() -> None:
    asked, drifted = (ResourceChange("changed", Resource(URN + n, BUCKET, n, True)) for n in ("asked", "drifted"))
    cause = Cause("setting", "a.b", effects=(Effect(URN + "asked", ("x",)), Effect(URN + "not changed any more")))
    found = traced([asked, drifted], {URN + "asked": asked}, [cause])
    assert {c.kind: [e.urn for e in c.effects] for c in found} == {
        "setting": [URN + "asked"],
        "state": [URN + "drifted"],
    }


def test_pulumi_s_state_is_read_like_a_plan() -> None:
    component = "urn:pulumi:dev-aws::seawall::seawall:aws:Storage::storage"
    exported = {
        "deployment": {
            "resources": [
                {"urn": "urn:pulumi:dev-aws::seawall::pulumi:pulumi:Stack::s", "type": "pulumi:pulumi:Stack"},
                {
                    "urn": component,
                    "type": "seawall:aws:Storage",
                    "outputs": {
                        "stateful": [
                            {"type": BUCKET, "name": "b", "holds": "releases", "copied_by": "S3 replication"}
                        ]
                    },
                },
                {
                    "urn": URN + "b",
                    "type": BUCKET,
                    "custom": True,
                    "parent": component,
                    "protect": True,
                    "retainOnDelete": True,
                    "inputs": {"bucket": "x", "policy": SEALED},
                    "propertyDependencies": {"bucket": [component], "other": None},
                },
                {"urn": URN + "old", "type": BUCKET, "custom": True, "delete": True},
            ]
        }
    }
    found = deployed_inventory("dev-aws", exported)
    bucket = found.by_urn[URN + "b"]
    assert (bucket.protect, bucket.retain_on_delete, bucket.inputs["policy"]) == (True, True, SECRET)
    assert bucket.stateful is not None and bucket.stateful.holds == "releases"
    assert bucket.property_dependencies == {"bucket": (component,)}
    assert {r.name for r in found.resources} == {"storage", "b"}
    assert deployed_inventory("dev-aws", {}).resources == ()


def test_a_protection_that_is_taken_away_is_told_though_the_engine_takes_no_step() -> None:
    held = stack("b", stateful=Stateful("releases", CopiedBy.REPLICATION))
    guarded = replace(held, resources=tuple(replace(r, protect=True) for r in held.resources))
    found = changes(read(event("same", "b")), guarded, held)
    assert found["b"].risk is not None and "protect" in found["b"].risk.what
    update = event("update", "b", diff=["a"], old={"inputs": {"a": 1}}, new={"inputs": {"a": 2}})
    both = changes(read(update), guarded, held)["b"]
    assert both.risk is not None and {p.path for p in both.properties} == {"a", "protect"}
    assert not changes(read(event("same", "b")), guarded, guarded)


def test_events_and_printed_steps_are_told_alike() -> None:
    old, new = {"inputs": {"bucket": "a"}, "type": BUCKET}, {"inputs": {"bucket": "b"}, "type": BUCKET}
    told = [("delete-replaced", old, {}), ("replace", old, new), ("create-replacement", old, new)]
    reader = read(*(event(op, "b", keys=["bucket"], diff=["bucket"], old=a, new=b) for op, a, b in told))
    printed = [
        {
            "op": op,
            "urn": URN + "b",
            "oldState": a,
            "newState": b,
            "replaceReasons": ["bucket"],
            "detailedDiff": {"bucket": {"kind": "update-replace"}},
        }
        for op, a, b in told
    ]
    assert dict(seen_in(printed)) == reader.seen
