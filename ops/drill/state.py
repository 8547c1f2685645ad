"""The state's buckets on the local cloud: a bootstrap stack of its own, and the real engine on what it made.

The engine keeps its state in the emulated S3 itself. Of Cloud Storage it asks for credentials before it looks at
STORAGE_EMULATOR_HOST ("unable to find gcp credentials", pulumi 3.272, 2026-11-21), and the local cloud knows no token
but those that it gave to pods. There a folder stands between: the same files, carried to and from the bucket.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict

from common.aws_api import aws_session
from common.console import Steps
from common.gcp_api import GcpApi
from components.contracts.vocabulary import Cloud
from localcloud.front import backend_url
from ops.drill.model import NotRecoverableError
from ops.local.session import LocalCloud, open_local
from ops.objects import transfer
from ops.objects.opening import open_store
from ops.objects.store import ObjectStore

ENGINE_SECONDS: Final = 600


class _StateOutputs(BaseModel):
    """What a bootstrap stack puts out of Pulumi's state."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    backend: str
    state_copy: str


class LocalState:
    """Implements `ops.drill.scenarios.state_lost.StateHands` for two stacks of the local cloud.

    Args:
        local: the stack whose state it is, with its own emulator.
        boot: its bootstrap stack, with the emulator that has the buckets; only those are used of it.
        folders: is made where the engine needs folders.
    """

    def __init__(self, local: LocalCloud, boot: LocalCloud, folders: Path) -> None:
        self._local = local
        self.boot = boot
        self._folders = folders
        self._cloud: Cloud = local.settings.cloud
        known = _StateOutputs.model_validate(boot.outputs())
        self._home = boot.settings.place.region
        self._away = boot.settings.place.backup_region
        scheme = "s3" if self._cloud is Cloud.AWS else "gs"
        name = known.backend.partition("://")[2].partition("?")[0]
        self.bucket: ObjectStore = open_store(f"{scheme}://{name}", boot.target, self._home)
        self.copy: ObjectStore = open_store(f"{scheme}://{known.state_copy}", boot.target, self._away)
        self._scheme = scheme

    def put_state(self) -> None:
        exported = self._pulumi(None, "stack", "export")
        self._pulumi(self.bucket, "stack", "init", self._local.workspace.stack, with_stack=False)
        self._pulumi(self.bucket, "stack", "import", stdin=exported)
        if self._cloud is Cloud.GCP:
            folder = self._folder(self.bucket)
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                self.bucket.put_file(path.relative_to(folder).as_posix(), path)

    def hurry_copies(self) -> None:
        if self._cloud is Cloud.AWS:
            return  # S3 replicates by itself
        api = GcpApi(self.boot.target, self.boot.settings.account)
        jobs = [r.id for r in self.boot.resources() if r.type == "gcp:storage/transferJob:TransferJob"]
        for job in jobs:
            run = {"projectId": self.boot.settings.account}
            api.wait("storagetransfer", api.post("storagetransfer", f"v1/{job}:run", run))

    def lose(self) -> None:
        self.boot.lose_region(self._home)

    def make_bucket(self, name: str) -> ObjectStore:
        if self._cloud is Cloud.AWS:
            s3 = aws_session(self.boot.target).client(
                "s3", region_name=self._away, endpoint_url=self.boot.target.aws_endpoint_url
            )
            place: Any = {"LocationConstraint": self._away}
            s3.create_bucket(Bucket=name, CreateBucketConfiguration=place)
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        else:
            account = self.boot.settings.account
            body = {"name": name, "location": self._away, "versioning": {"enabled": True}}
            GcpApi(self.boot.target, account).post("storage", "storage/v1/b", body, params={"project": account})
        return open_store(f"{self._scheme}://{name}", self.boot.target, self._away)

    def deployment(self, where: ObjectStore) -> Mapping[str, Any]:
        return json.loads(self._pulumi(where, "stack", "export"))["deployment"]

    def changes(self, where: ObjectStore, operation: str) -> list[str]:
        if operation == "refresh":
            try:
                self._pulumi(where, "refresh", "--yes", "--skip-preview", "--expect-no-changes")
            except NotRecoverableError as error:
                return [error.what]
            return []
        told = json.loads(self._pulumi(where, "preview", "--json"))
        return [f"{step['op']} {step['urn']}" for step in told.get("steps", ()) if step["op"] != "same"]

    def _pulumi(self, where: ObjectStore | None, *args: str, stdin: str = "", with_stack: bool = True) -> str:
        """Run the engine's command line on the stack, with its state in a bucket, or where it is kept."""
        environment = {**self._local.environment(), **(self._backend(where) if where else {})}
        command = [str(self._local.engine.cli), *args, "--non-interactive"]
        if with_stack:
            command += ["--stack", self._local.workspace.stack]
        done = subprocess.run(
            command,
            cwd=self._local.workspace.project,
            env={**os.environ, **environment},
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
        if self._cloud is Cloud.AWS:
            target = self.boot.target
            query = {"region": self._away, "endpoint": str(target.aws_endpoint_url), "s3ForcePathStyle": "true"}
            return {"PULUMI_BACKEND_URL": f"{where.uri}?{urlencode(query)}"}
        return {"PULUMI_BACKEND_URL": backend_url(self._folder(where))}

    def _folder(self, bucket: ObjectStore) -> Path:
        """A folder with what the bucket held when it was first asked for."""
        folder = self._folders / bucket.bucket
        if not folder.exists():
            folder.mkdir(parents=True)
            transfer.download(bucket, {i.key: (folder / i.key, bucket.sha256(i.key)) for i in bucket.list()})
        return folder


@contextmanager
def local_state(local: LocalCloud, steps: Steps, home: Path) -> Iterator[LocalState]:
    """The bootstrap stack of a stack's cloud, brought up in the folder `home` for the length of the block."""
    stack = f"bootstrap-{local.settings.cloud}"
    with open_local(stack, steps, home=home, keep=False) as boot:
        boot.up()
        yield LocalState(local, boot, home / "folders")
