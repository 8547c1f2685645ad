"""The EKS Pod Identity agent: which pods were admitted, and the credentials that they get for their role.

The agent's address, header and answer are those that AWS' SDKs expect of a container's credentials. The address, the
role's trust, which lets the service assume it and tag the session, and the tags' names: EKS user guide, "Learn how
EKS Pod Identity grants pods access to AWS services" (awsdocs/amazon-eks-user-guide of 2024-12, service-accounts.adoc,
read 2026-11-21); header and answer believed.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from common.iam import Principal
from common.iam.context import Context
from localcloud.aws.answers import Answer, Environ
from localcloud.aws.eks.asks import PODS
from localcloud.aws.iam.callers import Callers
from localcloud.aws.iam.judge import Judge, service_context
from localcloud.aws.state import AwsState
from localcloud.decisions import Decision

SESSION_HOURS: Final = 6


class Pods:
    """Which pods were admitted; nothing of it outlives the process."""

    def __init__(self, state: AwsState, judge: Judge, callers: Callers) -> None:
        self._state = state
        self._judge = judge
        self._callers = callers
        self._admitted: dict[str, tuple[str, str]] = {}

    def admit(self, namespace: str, service_account: str) -> str:
        """The token of a new pod of the service account; empty if it has no association, as EKS then injects none."""
        if self._association(namespace, service_account) is None:
            return ""
        token = secrets.token_urlsafe(24)
        self._admitted[token] = namespace, service_account
        return token

    def credentials(self, environ: Environ) -> Answer:
        """What the agent answers a pod."""
        pod = self._admitted.get(str(environ.get("HTTP_AUTHORIZATION", "")))
        if pod is None:
            return _agent_error("400 Bad Request", "the service account's token is not valid")
        association = self._association(*pod)
        if association is None:
            return _agent_error("400 Bad Request", f"no association for {'/'.join(pod)}: access is denied")
        role, tags = str(association["roleArn"]), session_tags(association)
        trusted = self._trusts(role, association, tags)
        if not trusted:
            return _agent_error(
                "400 Bad Request", f"(AccessDeniedException): Unauthorized Exception! {trusted.reason}"
            )
        name = f"eks-{association['clusterName']}-{pod[1]}"
        made, _ = self._callers.open(role, name, timedelta(hours=SESSION_HOURS), tags=tags, in_pod=True)
        told = {
            "AccessKeyId": made.access_key,
            "SecretAccessKey": made.secret_key,
            "Token": made.token,
            "AccountId": self._state.account,
            "Expiration": made.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return Answer("200 OK", "application/json", json.dumps(told).encode())

    def _trusts(self, role: str, association: Mapping[str, Any], tags: Mapping[str, str]) -> Decision:
        region = str(association["associationArn"]).split(":")[3]
        cluster = f"arn:aws:eks:{region}:{self._state.account}:cluster/{association['clusterName']}"
        context: Context = {
            **service_context(self._state, cluster),
            "aws:RequestTag/*": None,
            **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
            "aws:TagKeys": tuple(tags),
            "sts:TransitiveTagKeys": tuple(tags),
        }
        service = Principal.of_service(PODS)
        for action in ("sts:AssumeRole", "sts:TagSession"):
            decision = self._judge.assume(service, role, context, action=action)
            if not decision:
                return decision
        return Decision(True, "the role trusts EKS Pod Identity")

    def _association(self, namespace: str, service_account: str) -> Mapping[str, Any] | None:
        for each in self._state.overlay.associations.values():
            if (each["namespace"], each["serviceAccount"]) == (namespace, service_account):
                return each
        return None


def session_tags(association: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a pod's session (see the module; the name and uid of a pod are stand-ins)."""
    region, account = str(association["associationArn"]).split(":")[3:5]
    return {
        "eks-cluster-arn": f"arn:aws:eks:{region}:{account}:cluster/{association['clusterName']}",
        "eks-cluster-name": str(association["clusterName"]),
        "kubernetes-namespace": str(association["namespace"]),
        "kubernetes-service-account": str(association["serviceAccount"]),
        "kubernetes-pod-name": f"{association['serviceAccount']}-local",
        "kubernetes-pod-uid": str(association["associationId"]),
    }


def _agent_error(status: str, message: str) -> Answer:
    return Answer(status, "text/plain", f"{message}\n".encode())
