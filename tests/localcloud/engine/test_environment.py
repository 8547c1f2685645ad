"""Claims about running the engine apart from the user's own Pulumi."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from localcloud.engine.environment import backend_url, engine_environment
from localcloud.engine.model import Engine

ENGINE = Engine(Path("/engine"), "3.259.0", "cache", Path("/engine/pulumi-language-python"), "a test's")
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name not in (".", "..")
)


@given(NAMES)
def test_the_address_of_a_backend_leads_back_to_its_folder(name: str) -> None:
    address = urlsplit(backend_url(Path("/state") / name))
    assert (address.scheme, unquote(address.path), address.query, address.fragment) == (
        "file",
        f"/state/{name}",
        "",
        "",
    )


def test_the_engine_comes_first_on_path(tmp_path: Path) -> None:
    assert engine_environment(ENGINE, tmp_path, tmp_path)["PATH"].split(os.pathsep)[0] == "/engine"


def test_credentials_and_plugins_are_looked_for_in_the_given_home(tmp_path: Path) -> None:
    environment = engine_environment(ENGINE, tmp_path / "home", tmp_path)
    assert environment["PULUMI_HOME"] == environment["PULUMI_CREDENTIALS_PATH"] == str(tmp_path / "home")


def test_the_users_token_is_not_inherited(tmp_path: Path) -> None:
    assert engine_environment(ENGINE, tmp_path, tmp_path)["PULUMI_ACCESS_TOKEN"] == ""


def test_no_stack_is_chosen_by_an_empty_name(tmp_path: Path) -> None:
    assert "PULUMI_STACK" not in engine_environment(ENGINE, tmp_path, tmp_path)
