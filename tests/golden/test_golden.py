"""The recorded plans of all stacks, and the text that records them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policies.inventory import Inventory, Resource
from stacks.files import is_bootstrap
from tests.golden.write import FOLDER, golden_text, golden_texts, refresh, stale

ENVIRONMENTS = {"dev": "eu-west-1", "staging": "eu-west-1", "prod": "eu-west-3"}
Change = Callable[[Resource], Resource]


@pytest.fixture
def planned(plans: dict[str, Inventory]) -> tuple[Inventory, ...]:
    """The plan of every stack."""
    return tuple(plans.values())


def small(environment: str) -> Inventory:
    """A few resources with everything that an inventory may hold, for one stack."""
    stack, region = f"{environment}-aws", ENVIRONMENTS[environment]
    labels = {"product": "seawall", "environment": environment, "stack": stack, "managed-by": "pulumi"}
    policy = {"Statement": [{"Effect": "Allow", "Resource": f"arn:aws:s3:::seawall-{environment}-models"}]}
    store = Resource("store", "seawall:test:Store", "storage", custom=False)
    key = Resource("key", "aws:kms/key:Key", "key", True, "store", {"policy": json.dumps(policy)}, region=region)
    grant = Resource("grant", "aws:kms/grant:Grant", "grant", True, "store", {"name": "all"}, dependencies=("key",))
    buckets = [
        Resource(
            urn=name,
            type="aws:s3/bucket:Bucket",
            name=name,
            custom=True,
            parent="store",
            inputs={
                "bucket": f"seawall-{environment}-{name}",
                "tags": {**labels, "Name": name},
                "zones": [f"{region}{zone}" for zone in ("abc" if environment == "prod" else "ab")],
                "device": "/dev/sda",
                "size": 1 if environment == "dev" else 2,
                "script": f"first\n--stack {stack}",
            },
            dependencies=("grant", "key"),
            property_dependencies={"bucket": ("key", "grant")},
            region=region,
            protect=True,
            retain_on_delete=environment == "prod",
        )
        for name in ("models", "logs", "audit")[: 3 if environment == "prod" else 2]
    ]
    settings = {
        "account": "111122223333",
        "region": region,
        "environment": environment,
        "backup": {"region": "eu-north-1"},
        "labels": {},
    }
    outputs = {"bucket": f"seawall-{environment}-models", "replicas": None}
    return Inventory(stack, settings, (store, key, grant, *buckets), outputs)


def everywhere(change: Change, inventories: list[Inventory]) -> list[Inventory]:
    """The inventories with each resource changed."""
    return [replace(i, resources=tuple(map(change, i.resources))) for i in inventories]


def diff(before: str, after: str) -> list[str]:
    """What a reviewer sees of a change: the lines that went, then those that came, trailing commas aside."""
    old, new = (Counter(line.strip().rstrip(",") for line in text.splitlines()) for text in (before, after))
    return [*(old - new).elements(), *(new - old).elements()]


def changes_of(value: Any) -> Iterator[Any]:
    """`value` with one part of it changed or left out, for each part."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield {k: v for k, v in value.items() if k != key}
            for changed in changes_of(item):
                yield {**value, key: changed}
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield [*value[:index], *value[index + 1 :]]
            for changed in changes_of(item):
                yield [*value[:index], changed, *value[index + 1 :]]
    elif isinstance(value, str):
        yield value + "x"
    else:
        yield 7 if value is None else not value


def changes_of_resource(resource: Resource) -> Iterator[Resource]:
    for inputs in changes_of(resource.inputs):
        yield replace(resource, inputs=inputs)
    for links in changes_of({key: list(urns) for key, urns in resource.property_dependencies.items()}):
        if all(urn in ("key", "grant") for urns in links.values() for urn in urns):
            yield replace(resource, property_dependencies={key: tuple(urns) for key, urns in links.items()})
    if not resource.property_dependencies and resource.dependencies:
        yield replace(resource, dependencies=())
    yield replace(resource, name=f"{resource.name}x")
    yield replace(resource, region="eu-central-1")
    yield replace(resource, protect=not resource.protect)
    yield replace(resource, retain_on_delete=not resource.retain_on_delete)


def test_the_golden_plans_are_current(planned: tuple[Inventory, ...]) -> None:
    problems = stale(golden_texts(planned), FOLDER)
    shown = "\n".join(f"{name}: {problem}" for name, problem in problems.items())
    assert problems == {}, f"review the change, then run `make golden`\n{shown}"


def test_a_change_of_a_component_shows_once_for_each_cloud(planned: tuple[Inventory, ...]) -> None:
    def unbolted(resource: Resource) -> Resource:
        cluster = resource.type in ("aws:eks/cluster:Cluster", "gcp:container/cluster:Cluster")
        return replace(resource, inputs={**resource.inputs, "deletionProtection": "no"}) if cluster else resource

    before, after = golden_texts(planned), golden_texts(everywhere(unbolted, list(planned)))
    found = {name: diff(before[name], after[name]) for name in before}
    changed = ['"deletionProtection": true', '"deletionProtection": "no"']
    assert found == {name: [] if is_bootstrap(name) else changed for name in before}


def with_another_device(resource: Resource) -> Resource:
    changed = {**resource.inputs, "device": "/dev/sdb"}
    return replace(resource, inputs=changed) if resource.name == "models" else resource


def test_a_change_in_one_stack_names_the_stack() -> None:
    stacks = [small(environment) for environment in ENVIRONMENTS]
    before = golden_text(stacks)
    stacks[:1] = everywhere(with_another_device, stacks[:1])
    changed = '"device": {"= dev-aws": "/dev/sdb", "= staging-aws, prod-aws": "/dev/sda"}'
    assert diff(before, golden_text(stacks))[-1] == changed


def test_every_change_of_every_stack_shows() -> None:
    """Nothing that a golden plan is made from is lost on the way, whatever the stacks share."""
    stacks = [small(environment) for environment in ENVIRONMENTS]
    recorded = golden_text(stacks)
    seen = {recorded}
    for at, stack in enumerate(stacks):
        for place, resource in enumerate(stack.resources):
            for changed in changes_of_resource(resource):
                resources = (*stack.resources[:place], changed, *stack.resources[place + 1 :])
                text = golden_text([*stacks[:at], replace(stack, resources=resources), *stacks[at + 1 :]])
                assert text not in seen, changed
                seen.add(text)


def test_what_all_stacks_share_is_written_once() -> None:
    written = json.loads(golden_text([small(environment) for environment in ENVIRONMENTS]))
    assert written["resources"]["aws:s3/bucket:Bucket storage/models"] == {
        "inputs": {
            "bucket": "seawall-<environment>-models",
            "device": "/dev/sda",
            "script": {"<lines>": ["first", "--stack <stack>"]},
            "size": {"= dev-aws": 1, "= staging-aws, prod-aws": 2},
            "tags": {"<labels>": "all", "Name": "models"},
            "zones": ["<region>a", "<region>b", {"= prod-aws": "<region>c"}],
        },
        "links": {"bucket": "Grant storage/grant + …"},
        "marks": ["protected", {"= prod-aws": "retained"}],
        "region": "<region>",
    }
    assert list(written["resources"]["aws:s3/bucket:Bucket storage/audit"]) == ["= prod-aws"]
    assert written["shared"] == {"Grant storage/grant + …": ["Grant storage/grant", "Key storage/key"]}
    assert written["outputs"] == {"bucket": "seawall-<environment>-models", "replicas": None}


def test_a_policy_document_is_shown_as_what_it_says() -> None:
    written = json.loads(golden_text([small(environment) for environment in ENVIRONMENTS]))
    statement = {"Effect": "Allow", "Resource": "arn:aws:s3:::seawall-<environment>-models"}
    key = written["resources"]["aws:kms/key:Key storage/key"]
    assert key["inputs"]["policy"] == {"<json>": {"Statement": [statement]}}


def test_a_stale_a_missing_and_an_orphaned_file_are_reported(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("x")
    (tmp_path / "gone.json").write_text("x")
    problems = stale({"old.json": "y", "new.json": "z"}, tmp_path)
    assert problems["new.json"] == "missing"
    assert problems["gone.json"].startswith("an orphan")
    assert "-x" in problems["old.json"]
    assert "+y" in problems["old.json"]


def test_a_refresh_leaves_nothing_to_report(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("x")
    (tmp_path / "gone.json").write_text("x")
    wanted = {"old.json": "y", "new.json": "z"}
    assert refresh(wanted, tmp_path) == ["gone.json", "new.json", "old.json"]
    assert stale(wanted, tmp_path) == {}
