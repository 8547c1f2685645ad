"""What every AWS kind needs: the account and region of the provider, boto3 clients, tags, and shapes of API data."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from localcloud.providers.base import Request

ENV_ACCOUNT_ID = "SEAWALL_LOCAL_AWS_ACCOUNT"
"""The account that the emulator keeps, in a provider process's environment."""


AGENT_PATH = "/v1/credentials"
"""Where the emulator answers as the EKS Pod Identity agent."""
OPERATOR = "local"
"""The access key of the one who runs the local cloud."""


class AwsContext:
    """One provider process's view of the account; its settings come with the provider's configuration."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.region = ""
        self.default_tags: Mapping[str, str] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def region_of(self, request: Request) -> str:
        """The region that the resource lives in: its own, else the provider's."""
        # After a refresh or for a deletion the inputs may lack it; the outputs always have it.
        return str(request.inputs.get("region") or request.outputs.get("region") or self.region)

    def tags_of(self, request: Request) -> dict[str, str]:
        """The resource's tags over the provider's default tags: `tagsAll`."""
        return {**self.default_tags, **(request.inputs.get("tags") or {})}

    def client(self, service: str, region: str) -> Any:
        """A boto3 client for the emulator; made once and shared by threads."""
        with self._lock:
            found = self._clients.get((service, region))
            if found is None:
                # Imported here: a preview, which calls no cloud, starts half a second sooner.
                import boto3
                from botocore.config import Config

                config = Config(retries={"max_attempts": 1}, max_pool_connections=32, read_timeout=60)
                make: Any = boto3.client  # typed for literal service names alone
                found = make(service, region_name=region, config=config)
                self._clients[service, region] = found
            return found

    def arn(self, service: str, region: str, rest: str) -> str:
        """`arn:aws:<service>:<region>:<account>:<rest>`."""
        return f"arn:aws:{service}:{region}:{self.account}:{rest}"


def tag_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as most APIs take them."""
    return [{key: k, value: v} for k, v in tags.items()]


_IRREGULAR = {
    "id": "ID",
    "sseAlgorithm": "SSEAlgorithm",
    "kmsMasterKeyId": "KMSMasterKeyID",
    "replicaKmsKeyId": "ReplicaKmsKeyID",
}
"""Pulumi's names whose API name is more than a capital letter away."""


def api_name(name: str) -> str:
    """The API's name of a property."""
    return _IRREGULAR.get(name) or name[:1].upper() + name[1:]


def to_api(value: Any) -> Any:
    """A nested Pulumi value with the API's names; absent values are left out."""
    if isinstance(value, Mapping):
        return {api_name(k): to_api(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [to_api(v) for v in value]
    return value


def observed(asked: Any, found: Any) -> Any:
    """What was asked for, with every leaf as the API tells it: where nothing drifted, `asked` itself.

    What the API adds beside what was asked for is no drift, and is left out.
    """
    if isinstance(asked, Mapping):
        if not isinstance(found, Mapping):
            return found if asked else asked
        told = {k: observed(v, found.get(api_name(k))) for k, v in asked.items()}
        return {k: v for k, v in told.items() if v is not None or asked[k] is None}
    if isinstance(asked, list) and isinstance(found, list):
        pairs = [observed(a, f) for a, f in zip(asked, found, strict=False)]
        return pairs + found[len(asked) :]
    if asked in ("", None, False, [], {}) and found in ("", None, False, [], {}):
        return asked  # absent and empty are one to most APIs
    if isinstance(asked, str) and isinstance(found, int | float | bool):
        return asked if asked.lower() == str(found).lower() else found
    return found
