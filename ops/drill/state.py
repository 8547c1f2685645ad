"""The state's buckets on the local cloud: a bootstrap stack of its own, and the real engine on the buckets it made."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from common.aws_api import aws_session
from common.console import Steps
from common.errors import UserError
from common.gcp_api import GcpApi
from components.contracts.vocabulary import Cloud
from ops.drill.model import NotRecoverableError
from ops.local.session import LocalCloud, open_local
from ops.objects.opening import open_store
from ops.objects.store import ObjectStore

ENGINE_SECONDS: Final = 600


class LocalState:
    """Implements `ops.drill.scenarios.state_lost.StateHands` for two stacks of the local cloud.

    Args:
        local: the stack whose state it is, with its own emulator.
        boot: its bootstrap stack, with the emulator that has the buckets; only those are used of it.
    """

    def __init__(self, local: LocalCloud, boot: LocalCloud) -> None:
        self._local = local
        self._boot = boot
        self._cloud: Cloud = local.settings.cloud
        outputs = boot.outputs()
        self._home = boot.settings.place.region
        self._away = boot.settings.place.backup_region
        scheme = "s3" if self._cloud is Cloud.AWS else "gs"
        name = str(outputs["backend"]).partition("://")[2].partition("?")[0]
        self.bucket: ObjectStore = open_store(f"{scheme}://{name}", boot.target, self._home)
        self.copy: ObjectStore = open_store(f"{scheme}://{outputs['state_copy']}", boot.target, self._away)
        self._scheme = scheme

    def put_state(self) -> None:
        exported = self._pulumi(None, "stack", "export")
        self._pulumi(self.bucket, "stack", "init", self._local.workspace.stack, with_stack=False)
        self._pulumi(self.bucket, "stack", "import", stdin=exported)

    def hurry_copies(self) -> None:
        if self._cloud is Cloud.AWS:
            return  # S3 replicates by itself
        api = GcpApi(self._boot.target, self._boot.settings.account)
        jobs = [r.id for r in self._boot.resources() if r.type == "gcp:storage/transferJob:TransferJob"]
        for job in jobs:
            run = {"projectId": self._boot.settings.account}
            api.wait("storagetransfer", api.post("storagetransfer", f"v1/{job}:run", run))

    def lose(self) -> None:
        self._boot.lose_region(self._home)

    def make_bucket(self, name: str) -> ObjectStore:
        if self._cloud is Cloud.AWS:
            s3 = aws_session(self._boot.target).client(
                "s3", region_name=self._away, endpoint_url=self._boot.target.aws_endpoint_url
            )
            place: Any = {"LocationConstraint": self._away}
            s3.create_bucket(Bucket=name, CreateBucketConfiguration=place)
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        else:
            account = self._boot.settings.account
            body = {"name": name, "location": self._away, "versioning": {"enabled": True}}
            GcpApi(self._boot.target, account).post("storage", "storage/v1/b", body, params={"project": account})
        return open_store(f"{self._scheme}://{name}", self._boot.target, self._away)

    def deployment(self, where: ObjectStore) -> Mapping[str, Any]:
        return json.loads(self._pulumi(where, "stack", "export"))["deployment"]

    def changes(self, where: ObjectStore, operation: str) -> list[str]:
        told = json.loads(
            self._pulumi(where, "preview", "--json", *(["--refresh"] if operation == "refresh" else []))
        )
        return [f"{step['op']} {step['urn']}" for step in told.get("steps", ()) if step["op"] != "same"]

    def _pulumi(self, where: ObjectStore | None, *args: str, stdin: str = "", with_stack: bool = True) -> str:
        """Run the engine's command line on the stack, with its state in a bucket, or where it is kept."""
        environment = {**self._local.environment(), **(self._backend(where) if where else {})}
        command = [str(self._local.engine.cli), *args, "--non-interactive"]
        if with_stack:
            command += ["--stack", self._local.workspace.stack]
        done = subprocess.run(  # noqa: S603 - the engine's own command line
            command,
            cwd=self._local.workspace.project,
            env={**_os_environment(), **environment},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=ENGINE_SECONDS,
            check=False,
        )
        if done.returncode:
            last = (done.stderr or done.stdout).strip().splitlines()
            raise NotRecoverableError(
                f"`pulumi {' '.join(args[:2])}` failed: {' '.join(last[-3:])[:500]}",
                where.uri if where else str(self._local.workspace.backend),
                "Look at the state's bucket, and at what the engine says.",
            )
        return done.stdout

    def _backend(self, where: ObjectStore) -> dict[str, str]:
        target = self._boot.target
        if self._cloud is Cloud.AWS:
            query = {"region": self._away, "endpoint": str(target.aws_endpoint_url), "s3ForcePathStyle": "true"}
            return {"PULUMI_BACKEND_URL": f"{where.uri}?{urlencode(query)}"}
        host = str(target.gcp_endpoint_url).partition("://")[2]
        return {"PULUMI_BACKEND_URL": where.uri, "STORAGE_EMULATOR_HOST": host}


@contextmanager
def local_state(local: LocalCloud, steps: Steps, *, home: Path | None = None) -> Iterator[LocalState]:
    """The bootstrap stack of a stack's cloud, brought up in a folder of its own for the length of the block."""
    stack = f"bootstrap-{local.settings.cloud}"
    with open_local(stack, steps, home=home, keep=False) as boot:
        boot.up()
        yield LocalState(local, boot)


def _os_environment() -> dict[str, str]:
    import os

    return dict(os.environ)


__all__ = ["LocalState", "UserError", "local_state"]
