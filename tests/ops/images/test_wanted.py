"""What the registries must hold follows from the settings alone, in both regions."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

from common.errors import UserError
from components.contracts.images import PUBLIC_IMAGES, public_images
from ops.images.command import app, as_record, as_text
from ops.images.wanted import SERVING, Found, State, Wanted, judge, wanted_images
from stacks.files import platform_names
from stacks.settings import Settings, stack_file

STACKS = platform_names()


@pytest.fixture(params=STACKS)
def settings(request: pytest.FixtureRequest) -> Settings:
    return Settings.load(stack_file(request.param))


def test_both_regions_hold_the_same_images(settings: Settings) -> None:
    by_region: dict[str, set[tuple[str, str, str]]] = {}
    for image in wanted_images(settings):
        by_region.setdefault(image.region, set()).add((image.name, image.tag, image.digest))
    assert by_region.keys() == {settings.region, settings.backup.region}
    assert by_region[settings.region] == by_region[settings.backup.region]
    names = {name for name, _, _ in by_region[settings.region]}
    assert names == {SERVING, *(image.path for image in public_images(settings.cloud).values())}


def test_the_backup_region_needs_no_public_registry(settings: Settings) -> None:
    here = {image.pinned for image in wanted_images(settings) if image.region == settings.region}
    away = {image.source for image in wanted_images(settings) if image.region == settings.backup.region}
    assert away == here


def test_every_source_is_named_by_digest(settings: Settings) -> None:
    sources = [image.source for image in wanted_images(settings) if image.source]
    assert sources and all(re.search(r"@sha256:[0-9a-f]{64}$", source) for source in sources)


def test_the_tag_that_keeps_the_serving_image_follows_from_its_digest(settings: Settings) -> None:
    (here, away) = (image for image in wanted_images(settings) if image.name == SERVING)
    digest = settings.fleet.images.serving
    assert here.tag == away.tag == f"pinned-{digest[7:19]}"
    assert here.source is None, "nobody else has it"


@pytest.mark.parametrize("image", PUBLIC_IMAGES.values(), ids=PUBLIC_IMAGES)
def test_the_table_says_where_a_digest_was_read_and_when(image: object) -> None:
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", image.digest)  # type: ignore[attr-defined]
    assert re.search(r"20\d\d-\d\d", image.source) and image.tag != "latest"  # type: ignore[attr-defined]


IMAGE = Wanted("quay.io/app", "eu-west-1", "registry.example/app", "v1", f"sha256:{'a' * 64}", "quay.io/app@sha256:a")


@pytest.mark.parametrize(
    ("registry", "state"),
    [
        ({IMAGE.tagged: IMAGE.digest}, State.PRESENT),
        ({IMAGE.pinned: IMAGE.digest}, State.UNTAGGED),
        ({IMAGE.tagged: "sha256:other", IMAGE.pinned: IMAGE.digest}, State.TAKEN),
        ({}, State.MISSING),
    ],
)
def test_a_look_up_decides_how_an_image_stands(registry: dict[str, str], state: State) -> None:
    (found,) = judge([IMAGE], registry.get)
    assert found.state is state
    assert bool(found.remedy) == (state is not State.PRESENT)


@pytest.mark.parametrize("state", [state for state in State if state is not State.PRESENT])
def test_what_is_not_as_it_should_be_has_a_remedy_that_can_be_followed(state: State) -> None:
    text = as_text([Found(IMAGE, state, "why")], "dev-aws")
    assert IMAGE.tagged in text and "why" in text and "STACK" not in text
    assert as_record(Found(IMAGE, state), "dev-aws")["remedy"].endswith(".")


def test_without_credentials_the_command_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_CONFIG_FILE": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)
    for command in ("sync", "check"):
        ended = CliRunner().invoke(app, [command, "dev-aws", "--quiet"])
        assert isinstance(ended.exception, UserError) and "Log in" in ended.exception.remedy


def test_records_are_json() -> None:
    assert json.loads(json.dumps(as_record(Found(IMAGE, State.MISSING), "dev-aws")))["state"] == "missing"
