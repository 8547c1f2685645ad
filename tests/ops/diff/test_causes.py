"""Each change is told under what caused it: a line of the settings, or a file of the program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from ops.diff.causes import ChangedFile, Origins, find_causes
from ops.diff.compare import Providers, compare_resources
from ops.diff.model import Cause
from ops.diff.scope import program_files
from ops.diff.settings_lines import SettingChange, as_file, setting_changes
from policies.inventory import Inventory, Resource

PROVIDERS = Providers(lambda _: (), lambda _, __: False, lambda _, __, ___: False)
HEAD = "config:\n  seawall:settings:\n"
FILE = "stacks/config/Pulumi.dev-aws.yaml"


def text(**settings: Any) -> str:
    """A stack's file."""
    import json

    return HEAD + "".join(f"    {key}: {json.dumps(value)}\n" for key, value in settings.items())


def program(settings: Mapping[str, Any], extra: int = 0, *, at: str = "components/aws/a.py:3") -> Inventory:
    """A program whose resource `x` follows the setting x, whose `sum` follows x and y, and which refuses x > y."""
    made = {"x": settings.get("x"), "sum": [settings.get("x"), settings.get("y")], "own": extra}
    resources = tuple(
        Resource(f"urn:{name}", "aws:sqs/queue:Queue", name, True, None, {"value": value}, made_at=at)
        for name, value in made.items()
    )
    return Inventory("dev-aws", dict(settings), resources)


def causes(before: Mapping[str, Any], after: Mapping[str, Any], files: tuple[ChangedFile, ...] = ()) -> list[Cause]:
    """The causes of going from some settings to others, with another program where files changed."""
    changes = setting_changes(text(**before), text(**after))
    extra = 1 if files else 0

    def plan(some: tuple[SettingChange, ...]) -> Inventory | None:
        values = YAML(typ="safe").load(as_file(text(**before), some))["config"]["seawall:settings"]
        return None if (values.get("x") or 0) > (values.get("y") or 0) else program(values, extra)

    base, head = program(before), program(after, extra)
    compare = lambda a, b: compare_resources(a, b, PROVIDERS)  # noqa: E731
    return list(find_causes(compare(base, head), base, head, Origins(FILE, changes, files), plan, compare))


def effects(cause: Cause) -> dict[str, tuple[str, ...]]:
    """URN's end → the paths."""
    return {effect.urn.rpartition(":")[2]: effect.paths for effect in cause.effects}


def test_one_setting_is_one_cause_with_its_line_and_all_its_effects() -> None:
    [cause] = causes({"x": 1, "y": 9}, {"x": 2, "y": 9})
    assert (cause.kind, cause.what, cause.where) == ("setting", "x", f"{FILE}:3")
    assert (cause.before, cause.after) == (1, 2)
    assert set(effects(cause)) == {"x", "sum"}


def test_two_settings_have_each_their_own_effects() -> None:
    found = {cause.what: effects(cause) for cause in causes({"x": 1, "y": 9}, {"x": 2, "y": 8})}
    assert found == {"x": {"x": (), "sum": ("value.0",)}, "y": {"sum": ("value.1",)}}


def test_a_setting_that_is_refused_alone_has_what_the_others_do_not_bring() -> None:
    found = causes({"x": 1, "y": 2, "z": 0}, {"x": 5, "y": 6, "z": 1})
    kinds = {cause.what: cause.kind for cause in found}
    assert kinds == dict.fromkeys("xyz", "setting")
    assert next(cause.note for cause in found if cause.what == "x")
    assert set().union(*(effects(cause) for cause in found)) == {"x", "sum"}, "nothing is left untold"


def test_a_setting_that_counts_only_beside_another_has_its_effect_too() -> None:
    def made(settings: Mapping[str, Any]) -> Inventory:
        value = settings["size"] if settings["on"] else None
        queue = Resource("urn:x", "aws:sqs/queue:Queue", "x", True, None, {"value": value} if value else {})
        return Inventory("dev-aws", dict(settings), (queue,))

    before, after = {"on": False, "size": 1, "idle": 1}, {"on": True, "size": 2, "idle": 2}
    changes = setting_changes(text(**before), text(**after))

    def plan(some: tuple[SettingChange, ...]) -> Inventory:
        values = YAML(typ="safe").load(as_file(text(**before), some))["config"]["seawall:settings"]
        return made(values)

    compare = lambda a, b: compare_resources(a, b, PROVIDERS)  # noqa: E731
    base, head = made(before), made(after)
    found = find_causes(compare(base, head), base, head, Origins(FILE, changes), plan, compare)
    assert {cause.what: set(effects(cause)) for cause in found} == {"on": {"x"}, "size": {"x"}, "idle": set()}


def test_a_line_that_moves_is_no_change() -> None:
    assert not setting_changes(text(x=1, y=2), HEAD + "    # moved\n    y: 2\n\n    x: 1\n")


def test_code_and_settings_are_told_apart() -> None:
    found = causes({"x": 1, "y": 9}, {"x": 2, "y": 9}, (ChangedFile("components/aws/a.py", ("abc Make it",)),))
    told = {cause.what: set(effects(cause)) for cause in found}
    assert told == {"x": {"x", "sum"}, "components/aws/a.py": {"own"}}
    assert {cause.note for cause in found} == {"", "abc Make it"}


def test_of_several_files_the_one_that_makes_the_resource_is_named() -> None:
    files = (ChangedFile("components/aws/a.py"), ChangedFile("components/aws/b.py"))
    [cause] = causes({"x": 1, "y": 9}, {"x": 1, "y": 9}, files)
    assert (cause.what, cause.where) == ("components/aws/a.py", "components/aws/a.py:3")


def test_a_change_that_no_file_made_names_all_that_changed() -> None:
    files = (ChangedFile("common/b.py"), ChangedFile("common/c.py"))
    [cause] = causes({"x": 1, "y": 9}, {"x": 1, "y": 9}, files)
    assert (cause.kind, cause.where) == ("code", "common/b.py, common/c.py")


@given(
    st.dictionaries(st.sampled_from("xyzabc"), st.integers(0, 3)),
    st.dictionaries(st.sampled_from("xyzabc"), st.integers(0, 3)),
    st.booleans(),
)
def test_every_change_has_a_cause(before: dict[str, int], after: dict[str, int], code: bool) -> None:
    before, after = {**before, "k": 1}, {**after, "k": 1}
    files = (ChangedFile("components/aws/a.py"),) if code else ()
    found = causes(before, after, files)
    changed = compare_resources(program(before), program(after, int(code)), PROVIDERS)
    assert {c.resource.urn for c in changed} == {effect.urn for cause in found for effect in cause.effects}


def test_a_part_that_only_one_side_has_is_one_cause() -> None:
    old = text(pools={"gpu": {"min": 1}}, gone={"a": 1, "b": 2})
    new = text(pools={"gpu": {"min": 1}, "cpu": {"min": 0, "max": 3}})
    assert [(s.name, s.is_gone) for s in setting_changes(old, new)] == [("pools.cpu", False), ("gone", True)]


def test_a_part_of_another_kind_is_one_cause() -> None:
    old, new = text(door={"kind": "jwt", "issuer": "a"}), text(door={"kind": "mtls", "ca": "b"})
    assert [s.name for s in setting_changes(old, new)] == ["door"]


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers() | st.lists(st.integers()), min_size=1),
    st.dictionaries(st.sampled_from("abcd"), st.integers() | st.lists(st.integers()), min_size=1),
)
def test_all_changes_together_make_head_s_settings(before: dict[str, Any], after: dict[str, Any]) -> None:
    from ruamel.yaml import YAML

    made = as_file(text(**before), setting_changes(text(**before), text(**after)))
    assert YAML(typ="safe").load(made)["config"]["seawall:settings"] == after


def test_a_comment_is_no_change() -> None:
    assert setting_changes(text(x=1), "# of mine\n" + text(x=1)) == ()


def test_only_what_a_program_reads_is_its_part() -> None:
    changed = (
        "README.md",
        "docs/settings.md",
        "components/aws/storage.py",
        "components/gcp/storage.py",
        "components/contracts/naming.py",
        "ops/diff/run.py",
        "ops/plan/recorder.py",
        "policies/rules/aws/iam.py",
        "stacks/config/Pulumi.dev-aws.yaml",
        "tests/order.py",
    )
    assert program_files(changed, "dev-aws") == (
        "components/aws/storage.py",
        "components/contracts/naming.py",
        "ops/plan/recorder.py",
    )
    assert "components/aws/storage.py" not in program_files(changed, "prod-gcp")


def test_what_follows_a_replacement_has_the_cause_of_it() -> None:
    token = "aws:sqs/queue:Queue"
    providers = replace(PROVIDERS, replace_on=lambda _: ("value", "from"))

    def stack(value: int, at: str) -> Inventory:
        first = Resource("urn:a", token, "a", True, None, {"value": value}, made_at=at)
        second = Resource(
            "urn:b",
            token,
            "b",
            True,
            None,
            {"from": "[unknown]"},
            unknown_paths=("from",),
            property_dependencies={"from": ("urn:a",)},
            made_at="components/aws/z.py:1",
        )
        return Inventory("dev-aws", {}, (first, second))

    base, head = stack(1, "components/aws/a.py:1"), stack(2, "components/aws/a.py:1")
    compare = lambda a, b: compare_resources(a, b, providers)  # noqa: E731
    changes = compare(base, head)
    assert {c.resource.name: c.through for c in changes} == {"a": None, "b": "urn:a"}
    files = (ChangedFile("components/aws/a.py"), ChangedFile("components/aws/z.py"))
    [cause] = find_causes(changes, base, head, Origins(FILE, (), files), lambda _: None, compare)
    assert (cause.what, len(cause.effects)) == ("components/aws/a.py", 2)
