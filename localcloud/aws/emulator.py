"""The AWS side of the local cloud, as the session sees it."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import requests

from common.errors import UserError
from common.target import Pod, Target
from localcloud.aws.context import AGENT_PATH, ENV_ACCOUNT_ID, OPERATOR
from localcloud.aws.server import ENV_ACCOUNT, ENV_BOOTSTRAPPED, ENV_OPERATOR, ENV_POLICIES, ENV_TOKEN
from localcloud.emulators import StackPlace
from localcloud.processes.process import ServerProcess

_STATE = "aws.pickle"
_NOTHING_ELSE = {
    # A profile or an instance's role must never be looked for.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_SAVE_SECONDS = 300.0


class AwsEmulator:
    """S3, DynamoDB, KMS, SNS, IAM and AWS Backup in one process; see `localcloud.emulators`."""

    name = "aws"

    def __init__(self, place: StackPlace, folder: Path) -> None:
        self._place = place
        self._folder = folder
        self._token = secrets.token_hex(16)
        self._server: ServerProcess | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._server.pid if self._server else None

    def start(self, snapshot: Path | None) -> None:
        """See `Emulator.start`."""
        command = [sys.executable, "-m", "localcloud.aws.server"]
        if snapshot is not None:
            command.append(str(snapshot / _STATE))
        stack = self._place.stack
        self._server = ServerProcess(
            "the AWS emulator",
            command,
            self._folder / "server.log",
            remedy=f"Run the command again; if it dies again, `seawall local down {stack} --force` and start anew.",
            environment={
                **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MOTO_"))},
                ENV_ACCOUNT: self._place.account,
                ENV_TOKEN: self._token,
                **({ENV_BOOTSTRAPPED: "1"} if self._place.bootstrapped else {}),
                ENV_OPERATOR: self._place.operator,
                ENV_POLICIES: json.dumps(dict(self._place.policies)),
                "PYTHONDONTWRITEBYTECODE": "",  # else moto is compiled anew each time
            },
            cwd=self._folder,
        )
        self._server.start()

    def save(self, into: Path) -> None:
        """See `Emulator.save`."""
        self._control("save", {"into": str(into / _STATE)})

    def lose_region(self, region: str) -> None:
        """See `Emulator.lose_region`. IAM goes on: its data plane is in every region, and AWS' SDKs ask the nearest.

        (AWS Fault Isolation Boundaries, "Global services"; IAM user guide, "Resilience"; read 2026-11-21. What
        changes IAM needs us-east-1. That SDKs ask the nearest is believed.)
        """
        self._control("lose-region", {"region": region})

    def restore_region(self, region: str) -> None:
        """See `Emulator.restore_region`."""
        self._control("restore-region", {"region": region})

    def unknown_condition_keys(self) -> Sequence[str]:
        """See `Emulator.unknown_condition_keys`."""
        return self._control("unknown-keys", {}).split()

    def settle(self) -> None:
        """Wait until S3 replication and copy jobs have nothing left to do."""
        self._control("settle", {})

    def check(self) -> None:
        """See `Emulator.check`."""
        if self._server is not None:
            self._server.check()

    def stop(self) -> None:
        """See `Emulator.stop`."""
        if self._server is not None:
            self._server.stop()

    def target(self) -> Target:
        """See `Emulator.target`."""
        url = f"http://127.0.0.1:{self._running().port}"
        return Target(
            name="local",
            mode="emulated",
            aws_endpoint_url=url,
            environment={
                "AWS_ENDPOINT_URL": url,
                "AWS_ACCESS_KEY_ID": OPERATOR,
                "AWS_SECRET_ACCESS_KEY": "local",
                "AWS_DEFAULT_REGION": self._place.region,
                "AWS_REGION": self._place.region,
                **_NOTHING_ELSE,
            },
            admit=self._admit,
        )

    def _admit(self, pod: Pod, folder: Path) -> Mapping[str, str]:
        """What EKS puts into a pod that it admits: with an association, the agent's address and a token for it."""
        url = f"http://127.0.0.1:{self._running().port}"
        asked = {"namespace": pod.namespace, "service_account": pod.service_account}
        token = self._control("admit", asked)
        environment = {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": self._place.region, **_NOTHING_ELSE}
        if not token:
            return environment
        file = folder / "eks-pod-identity-token"
        file.write_text(token, encoding="utf-8")
        file.chmod(0o600)
        return {
            **environment,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}{AGENT_PATH}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(file),
        }

    def provider_environment(self) -> Mapping[str, str]:
        """See `Emulator.provider_environment`."""
        return {ENV_ACCOUNT_ID: self._place.account}

    def _control(self, command: str, parameters: Mapping[str, str]) -> str:
        server = self._running()
        try:
            session = requests.Session()
            session.trust_env = False  # a proxy must not see what stays on this machine
            answer = session.post(
                f"{self.target().aws_endpoint_url}/_seawall/{command}",
                params=parameters,
                headers={"X-Seawall-Token": self._token},
                timeout=_SAVE_SECONDS,
            )
            answer.raise_for_status()
            return answer.text
        except requests.RequestException as e:
            self.check()
            raise UserError(
                f"the AWS emulator could not {command}: {e}; its last words:\n{server.tail()}",
                str(self._folder / "server.log"),
                "Check the disk's free space and run the command again.",
            ) from e

    def _running(self) -> ServerProcess:
        if self._server is None:
            raise RuntimeError("the emulator is not started")
        return self._server
