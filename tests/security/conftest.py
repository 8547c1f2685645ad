"""A canary in the place of a secret, and stacks that hold it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from stacks.settings import stack_file, stack_names


@dataclass(frozen=True)
class Canary:
    """A secret that is looked for wherever it must not be."""

    url: str
    token: str

    def is_in(self, content: str | bytes) -> bool:
        """Whether it shows, as it is or as Kubernetes and others encode it."""
        data = content.encode() if isinstance(content, str) else content
        encoded = (base64.b64encode(self.url.encode()), base64.urlsafe_b64encode(self.url.encode()))
        return any(form.rstrip(b"=") in data for form in (self.token.encode(), *encoded))

    def files_with_it(self, files: Iterable[Path]) -> list[Path]:
        """The files that hold it, or bear it in their name."""
        return [f for f in files if self.is_in(str(f)) or (f.is_file() and self.is_in(f.read_bytes()))]


@pytest.fixture
def canary() -> Canary:
    """The webhook's address, whose path is its token."""
    token = "c4n4ry-7f3d9e51a0b2"
    return Canary(f"https://hooks.example.com/services/{token}", token)


@pytest.fixture(params=["aws", "gcp"])
def stack(request: pytest.FixtureRequest) -> str:
    """A stack of each cloud in turn."""
    return f"prod-{request.param}"


def with_webhook(text: str, url: str) -> str:
    """A stack's settings file with a webhook beside the mail address."""
    changed, count = re.subn(r"( +)(alert_email: .*\n)", rf"\1\2\1alert_webhook: {url}\n", text)
    assert count == 1
    return changed


@pytest.fixture
def leaky_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, canary: Canary) -> Path:
    """The folder of all stacks' settings, with the canary in the clear in each: nothing else can be worse."""
    folder = tmp_path / "config"
    folder.mkdir()
    for file in map(stack_file, stack_names()):
        text = file.read_text()
        (folder / file.name).write_text(text if "bootstrap" in file.name else with_webhook(text, canary.url))
    monkeypatch.setattr("ops.plan.planner.stack_file", lambda stack: folder / stack_file(stack).name)
    return folder
