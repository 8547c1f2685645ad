"""The Google Cloud side of the local cloud, as the session sees it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from common.errors import UserError
from common.target import Address, Pod, Target
from localcloud.emulators import StackPlace
from localcloud.gcp.front import CONTROL
from localcloud.gcp.iam.agents import ENV_NUMBER, ENV_PREPARED, ENV_PROJECT
from localcloud.processes.process import ServerProcess
from localcloud.toolchain import ensure_redis_server

_SAVE_SECONDS = 300.0
_ANSWER_SECONDS = 30.0


class GcpEmulator:
    """Cloud Storage, Cloud KMS, Memorystore, Storage Transfer and Cloud Scheduler; see `localcloud.emulators`."""

    name = "gcp"

    def __init__(self, place: StackPlace, folder: Path) -> None:
        self._place = place
        self._folder = folder
        self._server: ServerProcess | None = None

    @property
    def pid(self) -> int | None:
        """The process with which it ends, while it runs."""
        return self._server.pid if self._server else None

    def start(self, snapshot: Path | None) -> None:
        """See `Emulator.start`. The first time unpacks or builds Redis; raises UserError if it cannot."""
        redis_server = ensure_redis_server()
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "localcloud.gcp.server", str(self._folder), str(redis_server)]
        stack = self._place.stack
        self._server = ServerProcess(
            "the Google Cloud emulator",
            [*command, *([str(snapshot)] if snapshot is not None else [])],
            self._folder / "server.log",
            remedy=f"Run the command again; if it dies again, `seawall local down {stack} --force` and start anew.",
            environment={**os.environ, **self._project()},
            cwd=self._folder,
        )
        self._server.start()
        if snapshot is None:
            self._make_people(self._place.people)

    def _make_people(self, emails: Iterable[str]) -> None:
        accounts = (email.partition("@") for email in emails)
        own = [name for name, _, home in accounts if home == f"{self._place.account}.iam.gserviceaccount.com"]
        for name in own:
            path = f"/iam/v1/projects/{self._place.account}/serviceAccounts"
            requests.post(
                f"{self._url()}{path}", json={"accountId": name}, timeout=_ANSWER_SECONDS
            ).raise_for_status()

    def _project(self) -> Mapping[str, str]:
        """What the server is told of the project."""
        environment = self._place.stack.rpartition("-")[0]
        prepared = {ENV_PREPARED: f"{self._place.account}/{environment}"} if self._place.bootstrapped else {}
        return {ENV_PROJECT: self._place.account, ENV_NUMBER: self._place.project_number, **prepared}

    def save(self, into: Path) -> None:
        """See `Emulator.save`."""
        self._control("POST", "save", {"into": str(into)}, _SAVE_SECONDS)

    def unknown_condition_keys(self) -> Sequence[str]:
        """See `Emulator.unknown_condition_keys`: here whole expressions, of which a part is not known."""
        return self._control("GET", "not-understood", None, _ANSWER_SECONDS)["expressions"]

    def check(self) -> None:
        """See `Emulator.check`."""
        if self._server is not None:
            self._server.check()
            self._control("GET", "health", None, _ANSWER_SECONDS)

    def stop(self) -> None:
        """See `Emulator.stop`."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def lose_region(self, region: str) -> None:
        """See `Emulator.lose_region`."""
        self._control("POST", "lose", {"region": region}, _SAVE_SECONDS)

    def restore_region(self, region: str) -> None:
        """See `Emulator.restore_region`."""
        self._control("POST", "restore", {"region": region}, _SAVE_SECONDS)

    def target(self) -> Target:
        """See `Emulator.target`."""
        url = self._url()
        return Target(
            name="local",
            mode="emulated",
            gcp_endpoint_url=url,
            environment={
                "STORAGE_EMULATOR_HOST": url,
                "GOOGLE_CLOUD_PROJECT": self._place.account,
                # A user's own credentials must never be looked for, nor a machine's.
                "GOOGLE_APPLICATION_CREDENTIALS": os.devnull,
                "CLOUDSDK_CONFIG": str(self._folder / "no-gcloud"),
                "NO_GCE_CHECK": "true",
            },
            admit=self._admit,
            addresses=self._addresses,
        )

    def _admit(self, pod: Pod, folder: Path) -> Mapping[str, str]:
        """What a pod on GKE finds: a metadata server that gives tokens of the account that it may become."""
        asked = {
            "project": self._place.account,
            "namespace": pod.namespace,
            "service_account": pod.service_account,
            "email": pod.principal.removeprefix("serviceAccount:"),
        }
        host = f"127.0.0.1:{self._control('POST', 'admit', asked, _ANSWER_SECONDS)['port']}"
        return {
            "GCE_METADATA_HOST": host,
            "GCE_METADATA_IP": host,
            "GCE_METADATA_ROOT": host,
            "STORAGE_EMULATOR_HOST": self._url(),
            "CLOUDSDK_CONFIG": str(folder / "no-gcloud"),
            "NO_PROXY": "127.0.0.1",
        }

    def _addresses(self) -> Mapping[str, Address]:
        found = self._control("GET", "addresses", None, _ANSWER_SECONDS)
        return {known: Address(**where) for known, where in found.items()}

    def provider_environment(self) -> Mapping[str, str]:
        """See `Emulator.provider_environment`."""
        return {"SEAWALL_LOCAL_GCP_URL": self._url()}

    def _url(self) -> str:
        assert self._server is not None, "the emulator is not started"  # noqa: S101 - a mistake of the caller
        return f"http://127.0.0.1:{self._server.port}"

    def _control(self, method: str, command: str, body: Any, seconds: float) -> Any:
        assert self._server is not None, "the emulator is not started"  # noqa: S101
        try:
            answer = requests.request(method, f"{self._url()}{CONTROL}/{command}", json=body, timeout=seconds)
            value = answer.json()
        except (requests.RequestException, ValueError) as e:
            self._server.check()
            raise UserError(
                f"the Google Cloud emulator could not {command}: {e}; its last words:\n{self._server.tail()}",
                str(self._folder / "server.log"),
                "Check the disk's free space and run the command again.",
            ) from e
        if answer.status_code == 503 and "what" in value:
            raise UserError(value["what"], value["where"], value["remedy"])
        if answer.status_code != 200:
            raise UserError(
                f"the Google Cloud emulator could not {command}: {value.get('error', {}).get('message', value)}",
                str(self._folder / "server.log"),
                "Run the command again.",
            )
        return value
