"""The EKS API's pod identity associations, and no more of EKS: a cluster is only recorded.

REST shapes: https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from localcloud.aws.answers import Answer, Application, Environ, StartResponse, json_object, read_body
from localcloud.aws.eks.asks import ASSOCIATIONS
from localcloud.aws.state import AwsState

_FIELDS: Final = ("namespace", "serviceAccount", "roleArn")


class EksApi:
    """Creates, shows, changes and deletes associations; anything else goes to moto."""

    def __init__(self, state: AwsState, moto: Application) -> None:
        self._state = state
        self._moto = moto

    def call(self, environ: Environ, region: str, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        found = ASSOCIATIONS.fullmatch(str(environ.get("PATH_INFO", "")))
        if found is None:
            return self._moto(environ, start_response)
        body, method = json_object(read_body(environ)), environ["REQUEST_METHOD"]
        answer = self._answer(method, region, found["cluster"], found["id"], body)
        return answer.send(start_response)

    def _answer(self, method: str, region: str, cluster: str, name: str | None, body: dict[str, Any]) -> Answer:
        kept = self._state.overlay.associations
        if name is None and method == "POST":
            return self._create(region, cluster, body)
        if name is None and method == "GET":
            listed = [each for each in kept.values() if each["clusterName"] == cluster]
            return _json("200 OK", {"associations": listed})
        if name is None or name not in kept or kept[name]["clusterName"] != cluster:
            return _error("404 Not Found", "ResourceNotFoundException", f"No association {name} in {cluster}.")
        if method == "POST":
            kept[name] = {**kept[name], **{k: body[k] for k in ("roleArn",) if k in body}}
        if method == "DELETE":
            return _json("200 OK", {"association": kept.pop(name)})
        return _json("200 OK", {"association": kept[name]})

    def _create(self, region: str, cluster: str, body: dict[str, Any]) -> Answer:
        missing = next((field for field in _FIELDS if not body.get(field)), None)
        if missing:
            return _error("400 Bad Request", "InvalidParameterException", f"{missing} is missing.")
        kept = self._state.overlay.associations
        mine = (cluster, body["namespace"], body["serviceAccount"])
        if any((a["clusterName"], a["namespace"], a["serviceAccount"]) == mine for a in kept.values()):
            return _error("409 Conflict", "ResourceInUseException", "Association already exists.")
        name = f"a-{self._state.next_id():017x}"
        arn = f"arn:aws:eks:{region}:{self._state.account}:podidentityassociation/{cluster}/{name}"
        kept[name] = {
            "clusterName": cluster,
            "associationId": name,
            "associationArn": arn,
            **{field: body[field] for field in _FIELDS},
            "tags": body.get("tags") or {},
        }
        return _json("200 OK", {"association": kept[name]})


def _json(status: str, value: Any) -> Answer:
    return Answer(status, "application/json", json.dumps(value).encode())


def _error(status: str, kind: str, message: str) -> Answer:
    body = json.dumps({"__type": kind, "message": message}).encode()
    return Answer(status, "application/json", body)
