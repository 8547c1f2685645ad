"""The engine's preview is read whole: what it does, what drifted, and no secret."""

from __future__ import annotations

import base64
import json
from typing import Any, ClassVar

import pytest

from common.errors import UserError
from common.sdk.types import ENGINE_UNKNOWN, SECRET_SIGNATURE, SIGNATURE_KEY
from ops.deploying.drift import Report, as_json, markdown, read_drift
from ops.deploying.driver import engine_error
from ops.deploying.preview import KEY_VARIABLE, Preview, read_preview
from ops.gates.plan import Plan

CANARY = "hunter2-canary"
URN = "urn:pulumi:dev-aws::seawall::aws:s3/bucket:Bucket::models"


def state(**inputs: Any) -> dict[str, Any]:
    return {"urn": URN, "type": "aws:s3/bucket:Bucket", "custom": True, "inputs": inputs, "modified": "2026-11-22"}


def step(
    op: str, old: dict[str, Any] | None = None, new: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    return {"op": op, "urn": URN, "oldState": old, "newState": new, **more}


def read(*steps: dict[str, Any], saved: dict[str, Any] | None = None) -> Preview:
    return read_preview(json.dumps({"steps": list(steps)}), saved)


def fingerprint(*steps: dict[str, Any], saved: dict[str, Any] | None = None) -> str:
    return Plan("dev-aws", "engine", read(*steps, saved=saved).steps, ()).fingerprint


def hidden(text: str) -> dict[str, Any]:
    """The saved plan of an update that sets a secret."""
    secret = {SIGNATURE_KEY: SECRET_SIGNATURE, "plaintext": json.dumps(text)}
    return {"resourcePlans": {URN: {"goal": {"inputDiff": {"updates": {"password": secret}}}}}}


UPDATE = step("update", state(size=1, key="[secret]"), state(size=2, key="[secret]"))


def test_what_stays_as_it_is_is_no_step() -> None:
    same = step("same", state(size=1), state(size=1))
    assert read(same, step("refresh", state(size=1), state(size=2), detailedDiff=None)).steps == ()


@pytest.mark.parametrize(
    "other",
    [
        step("update", state(size=1), state(size=3)),
        step("update", state(size=0), state(size=2)),
        step("replace", state(size=1), state(size=2), replaceReasons=["size"]),
        step("update", state(size=1), state(size=2, more="x")),
        step("update", state(size=1), state(size=ENGINE_UNKNOWN)),
        step("delete", state(size=1)),
        step("create", None, state(size=2)),
        step("update", {**state(size=1), "protect": True}, state(size=2)),
        step("same", {**state(size=1), "protect": True}, state(size=1)),
    ],
)
def test_a_step_that_does_something_else_is_another(other: dict[str, Any]) -> None:
    assert fingerprint(other) != fingerprint(step("update", state(size=1), state(size=2)))


def test_times_places_and_order_say_nothing() -> None:
    second = {**UPDATE, "urn": f"{URN}-2"}
    noisy = {**UPDATE, "newState": {**state(size=2, key="[secret]"), "modified": "later", "sourcePosition": "x#1"}}
    assert fingerprint(noisy, second) == fingerprint(second, UPDATE)


def test_an_unknown_is_marked_and_differs_from_what_it_becomes() -> None:
    unknown = step("create", None, state(arn=ENGINE_UNKNOWN))
    assert "[unknown]" in str(read(unknown).steps) and ENGINE_UNKNOWN not in str(read(unknown).steps)
    assert fingerprint(unknown) != fingerprint(step("create", None, state(arn="arn:aws:s3:::x")))


def test_another_secret_is_another_plan_and_no_secret_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (fingerprint(UPDATE, saved=hidden(text)) for text in (CANARY, "other"))
    assert one == fingerprint(UPDATE, saved=hidden(CANARY)) != other
    kept = Plan("dev-aws", "engine", read(UPDATE, saved=hidden(CANARY)).steps, ()).to_json()
    assert CANARY not in json.dumps(kept) and "scrypt:" in json.dumps(kept)
    monkeypatch.setenv(KEY_VARIABLE, "a key")
    assert fingerprint(UPDATE, saved=hidden(CANARY)) != one


def test_the_halves_of_a_replacement_are_told_once() -> None:
    steps = [step(op, state(size=1), state(size=2)) for op in ("create-replacement", "replace", "delete-replaced")]
    assert [each.op for each in read(*steps).steps] == ["replace"]


def test_the_order_of_a_replacement_is_part_of_the_plan() -> None:
    halves = [step(op, state(size=1), state(size=2)) for op in ("create-replacement", "replace", "delete-replaced")]
    assert fingerprint(*halves) != fingerprint(*halves[::-1])
    (told,) = read(*halves[::-1]).steps
    assert "deleted first" in told.options and read(*halves[::-1]).seen[URN].deleted_first


def test_another_provider_is_another_plan_and_its_id_is_not() -> None:
    def managed(provider: str) -> str:
        return fingerprint(step("create", None, {**state(size=1), "provider": provider}))

    here = "urn:pulumi:dev-aws::seawall::pulumi:providers:aws::here"
    assert managed(f"{here}::id-1") == managed(f"{here}::id-2")
    assert managed(f"{here}::id-1") != managed(f"{here}-far::id-1")


@pytest.mark.parametrize(("one", "other"), [(True, 1), ("1", 1), (None, ""), ([], {}), (0, False)])
def test_values_of_another_type_are_other_values(one: object, other: object) -> None:
    assert fingerprint(step("update", state(a=one), state(a=other))) != fingerprint(
        step("update", state(a=one), state(a=one))
    )


def test_a_secret_inside_json_or_base64_is_told_by_no_more_than_its_mask() -> None:
    nested = {SIGNATURE_KEY: SECRET_SIGNATURE, "plaintext": json.dumps(json.dumps({"password": CANARY}))}
    saved = {"resourcePlans": {URN: {"goal": {"inputDiff": {"updates": {"data": {"a": [nested]}}}}}}}
    found = read(UPDATE, saved=saved)
    kept = json.dumps(Plan("dev-aws", "engine", found.steps, ()).to_json()) + str(found.seen)
    assert CANARY not in kept and base64.b64encode(CANARY.encode()).decode()[:12] not in kept


def test_a_long_value_is_told_by_its_digest_and_still_counts() -> None:
    first, second = (step("create", None, state(policy="x" * 5000 + end)) for end in "ab")
    assert len(str(read(first).steps)) < 1000
    assert fingerprint(first) != fingerprint(second)


@pytest.mark.parametrize("told", ["", "no JSON", '{"steps": [1]}', '{"steps": [{"op": "same"}]}', "[]"])
def test_what_is_no_preview_is_refused(told: str) -> None:
    with pytest.raises(UserError):
        read_preview(told)


class TestDrift:
    """What the cloud has otherwise than the state."""

    changed: ClassVar = step(
        "update",
        {**state(acl="private"), "outputs": {"acl": "private", "etag": "1", "password": "[secret]"}},
        {**state(acl="public-read"), "outputs": {"acl": "public-read", "etag": "2", "password": "[secret]"}},
        detailedDiff={"acl": {"kind": "update"}},
    )
    gone: ClassVar = {**step("delete", {**state(), "outputs": {}}), "urn": f"{URN}-gone"}

    def test_what_is_as_it_was_is_none(self) -> None:
        same = {**self.changed, "op": "refresh"}
        assert not read_drift(json.dumps({"steps": [same, {**same, "op": "same"}]}))

    def test_the_report_tells_each_property_and_what_is_gone(self) -> None:
        found = read_drift(json.dumps({"steps": [self.gone, self.changed]}))
        text = markdown([Report("dev-aws", found), Report("prod-aws"), Report("dev-gcp", failed="no login")])
        assert '`acl`: `"private"` → `"public-read"`' in text and "gone" in text and "no login" in text
        assert "etag" not in text
        told = as_json([Report("dev-aws", found)])
        assert told["clean"] is False
        assert told["stacks"][0]["drifted"][0]["changes"] == [
            {"property": "acl", "state": "private", "cloud": "public-read"}
        ]

    def test_a_report_without_drift_says_so(self) -> None:
        assert "None in dev-aws" in markdown([Report("dev-aws")])


def test_the_engine_s_error_is_told_without_its_output() -> None:
    text = (
        'code: 1\n stdout: {"diagnostics": [{"message": "<{%reset%}>bucket is protected\\n", "severity": "error"}]}'
    )
    assert engine_error(text, "dev-aws").what == "the engine failed: bucket is protected"


def test_the_engine_s_error_is_not_that_a_plugin_ended_with_it() -> None:
    ended = '{"message": "plugin exited prematurely.", "severity": "error"}'
    violated = '{"message": "data violates plan", "severity": "error"}'
    assert engine_error(f"[{ended}, {violated}]", "dev-aws").what == "the engine failed: data violates plan"
    assert engine_error(f"[{ended}]", "dev-aws").what == "the engine failed: plugin exited prematurely."


def test_a_violated_plan_is_told_without_the_values_that_differ() -> None:
    violated = "resource urn:x::data violates plan: properties changed: ~~description"
    told = violated + "[{&{{a[1]}}}!={&{{b}}}], ++c[{d}]"
    said = f"the engine failed: {violated}, and perhaps more"
    assert engine_error(f"error: {told}", "dev-aws").what == said
    assert engine_error(json.dumps({"message": told, "severity": "error"}), "dev-aws").what == said
