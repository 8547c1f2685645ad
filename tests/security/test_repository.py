"""No secret is committed."""

from __future__ import annotations

import re
import subprocess

import pytest
from ruamel.yaml import YAML

from common.paths import repo_root
from stacks.files import platform_names
from stacks.settings import CONFIG_KEY, stack_file

SIGNS = {
    "an AWS access key": re.compile(rb"\b(?:AKIA|ASIA)(?!IOSFODNN7EXAMPLE)[0-9A-Z]{16}\b"),
    "a private key": re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}"),
    "a Google service account's key": re.compile(rb'"private_key_id":\s*"[0-9a-f]{40}"'),
    "a Google API key": re.compile(rb"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a GitHub token": re.compile(rb"\bgh[pousr]_[0-9A-Za-z]{36}\b"),
    "a Pulumi access token": re.compile(rb"\bpul-[0-9a-f]{40}\b"),
    "a Slack webhook": re.compile(rb"hooks\.slack\.com/services/T[0-9A-Z]+/B[0-9A-Z]+/[0-9A-Za-z]+"),
}


@pytest.fixture(scope="module")
def committed() -> dict[str, bytes]:
    """Every file that git tracks, as it lies here."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=repo_root(), capture_output=True, check=True
    ).stdout.decode()
    files = [repo_root() / name for name in listed.split("\0") if name]
    return {str(f.relative_to(repo_root())): f.read_bytes() for f in files if f.is_file()}


@pytest.mark.parametrize("sign", list(SIGNS))
def test_no_file_holds_it(committed: dict[str, bytes], sign: str) -> None:
    assert len(committed) > 100
    assert not [name for name, content in committed.items() if SIGNS[sign].search(content)]


@pytest.mark.parametrize("stack", platform_names())
def test_a_committed_webhook_is_encrypted(stack: str) -> None:
    values = YAML(typ="safe").load(stack_file(stack).read_text())["config"][CONFIG_KEY]
    webhook = values["monitoring"].get("alert_webhook")
    assert webhook is None or set(webhook) == {"secure"}
