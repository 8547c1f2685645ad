"""A secret that goes through the real engine: encrypted in its state, unseen in its words, private on the disk."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from common.console import Steps
from common.gcp_api import GcpApi
from ops.local.session import LocalCloud, open_local

pytestmark = pytest.mark.engine

WEBHOOK_KEY = "seawall:settings.monitoring.alert_webhook"
CLOUD_ITSELF = ("store.sqlite3", "emulator/")
"""Where the emulated clouds keep what a real one would keep: an address to deliver to, a Redis' password."""


@dataclass
class Traces:
    """What a stack's life on the local cloud left."""

    stack: str
    folder: Path
    everything: Path
    """The folder that holds all that was written, temporary files included."""
    url: str
    told: dict[str, str] = field(default_factory=dict)
    """What was printed, by command."""
    password: str = ""
    """The Redis' AUTH string, on Google Cloud."""

    @property
    def secrets(self) -> list[str]:
        return [text for text in (self.url.rpartition("/")[2], self.password) if text]

    def files(self) -> Iterator[Path]:
        for path in self.everything.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path

    def is_the_clouds_own(self, file: Path) -> bool:
        inside = str(file.relative_to(self.folder)) if file.is_relative_to(self.folder) else ""
        return file.name == CLOUD_ITSELF[0] or (CLOUD_ITSELF[1] in inside and not inside.endswith(".log"))


def pulumi(local: LocalCloud, arguments: Sequence[str]) -> str:
    """All that a command of Pulumi's prints; it must succeed."""
    done = subprocess.run(
        [str(local.engine.cli), *arguments, "--stack", local.workspace.stack, "--non-interactive"],
        cwd=local.workspace.project,
        env={**os.environ, **local.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-3000:]
    return text


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(stack, marks=pytest.mark.xdist_group(f"secrets-{stack}")) for stack in ("dev-aws", "dev-gcp")
    ],
)
def traces(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    deployed: Callable[[str, Path], Path],
) -> Iterator[Traces]:
    """A stack that is given a webhook, looked at in every way, and closed."""
    everything = tmp_path_factory.mktemp("secrets")
    temporary = everything / "temporary"
    temporary.mkdir()
    stack, home = request.param, deployed(request.param, everything / "local")
    found = Traces(stack, home / stack, everything, "https://hooks.example.com/services/c4n4ry-7f3d9e51a0b2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEAWALL_LOCAL", str(home))
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr(tempfile, "tempdir", None)
        with open_local(stack, Steps(), home=home) as local:
            local.stack()
            pulumi(local, ["config", "set", "--secret", "--path", WEBHOOK_KEY, found.url])
            look(local, found, everything)
        yield found


def look(local: LocalCloud, found: Traces, everything: Path) -> None:
    """Every way of seeing a stack that does not ask for its secrets."""
    told = found.told
    told["preview --json"] = pulumi(local, ["preview", "--json"])
    told["up, with its preview"] = pulumi(local, ["up", "--yes", "--diff"])
    told["stack export"] = pulumi(local, ["stack", "export"])
    told["stack output"] = pulumi(local, ["stack", "output", "--json"])
    told["outputs with secrets shown"] = json.dumps(local.outputs())
    told["refresh"] = pulumi(local, ["refresh", "--yes", "--skip-preview"])
    told["resources"] = repr(local.resources())
    verdict = local.judged_preview(everything / "pack").verdict
    told["policy verdict"] = json.dumps(verdict)
    if local.target.gcp_endpoint_url:
        (instance,) = (r for r in local.resources() if r.type == "gcp:redis/instance:Instance")
        answer = GcpApi(local.target, local.settings.account).get("redis", f"v1/{instance.id}/authString")
        found.password = answer["authString"]


def test_the_stack_holds_the_webhook(traces: Traces) -> None:
    named = {"dev-aws": "aws:sns/topicSubscription:TopicSubscription::webhook"}
    named["dev-gcp"] = "gcp:monitoring/notificationChannel:NotificationChannel::webhook"
    assert named[traces.stack] in traces.told["stack export"]


def test_nothing_that_is_printed_shows_a_secret(traces: Traces) -> None:
    shown = [command for command, text in traces.told.items() for secret in traces.secrets if secret in text]
    assert not shown


def test_pulumis_state_and_every_log_are_free_of_secrets(traces: Traces) -> None:
    assert {"state", "home", "project"} <= {part for f in traces.files() for part in f.parts}
    holding = [
        str(file.relative_to(traces.everything))
        for file in traces.files()
        if not traces.is_the_clouds_own(file)
        for secret in traces.secrets
        if secret.encode() in file.read_bytes()
    ]
    assert not holding


def test_the_secret_is_in_the_state_encrypted(traces: Traces) -> None:
    (state,) = (traces.folder / "live" / "state" / ".pulumi" / "stacks").rglob(f"{traces.stack}.json")
    resources = json.loads(state.read_text())["checkpoint"]["latest"]["resources"]
    # The cluster has a webhook too, cert-manager's, which has a network policy.
    clouds_own = (r for r in resources if not r["type"].startswith("kubernetes:"))
    (webhook,) = (r for r in clouds_own if r["urn"].endswith("::webhook"))
    assert "ciphertext" in json.dumps(webhook["inputs"])


def test_no_files_name_bears_a_secret(traces: Traces) -> None:
    assert not [f for f in traces.files() for secret in traces.secrets if secret in str(f)]


def test_nobody_else_can_read_what_the_emulated_cloud_keeps(traces: Traces) -> None:
    assert stat.S_IMODE(traces.folder.stat().st_mode) == 0o700
    open_to_others = [
        str(file.relative_to(traces.folder))
        for file in traces.files()
        if traces.is_the_clouds_own(file) and any(secret.encode() in file.read_bytes() for secret in traces.secrets)
        if stat.S_IMODE(file.stat().st_mode) & 0o077
    ]
    assert not open_to_others


def test_nothing_is_left_among_temporary_files(traces: Traces) -> None:
    temporary = traces.everything / "temporary"
    holding: list[Any] = [
        f for f in temporary.rglob("*") if f.is_file() and traces.secrets[0].encode() in f.read_bytes()
    ]
    assert not holding
