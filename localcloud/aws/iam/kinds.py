"""Service-linked roles, made in the emulator's IAM."""

from __future__ import annotations

from typing import Any

from localcloud.aws.context import AwsContext
from localcloud.aws.errors import is_missing
from localcloud.providers.base import Kind, Request, State


class ServiceLinkedRole(Kind):
    """`aws:iam/serviceLinkedRole:ServiceLinkedRole`; its id is its ARN. A second one for a service is refused."""

    def __init__(self, aws: AwsContext) -> None:
        self._aws = aws

    def create(self, request: Request) -> State:
        service = request.inputs["awsServiceName"]
        made = self._iam().create_service_linked_role(AWSServiceName=service)["Role"]
        return self._state(request, made)

    def read(self, request: Request) -> State | None:
        try:
            found = self._iam().get_role(RoleName=_name(request.id))["Role"]
        except Exception as e:
            if is_missing(e):
                return None
            raise
        return self._state(request, found)

    def update(self, request: Request) -> State:
        return self._state(request, self._iam().get_role(RoleName=_name(request.id))["Role"])

    def delete(self, request: Request) -> None:
        try:
            self._iam().delete_service_linked_role(RoleName=_name(request.id))
        except Exception as e:
            if not is_missing(e):
                raise

    def _iam(self) -> Any:
        return self._aws.client("iam", self._aws.region)

    def _state(self, request: Request, role: dict[str, Any]) -> State:
        outputs = {
            "arn": role["Arn"],
            "name": role["RoleName"],
            "path": role["Path"],
            "uniqueId": role["RoleId"],
            "createDate": "2025-01-01T00:00:00Z",
            "tagsAll": self._aws.tags_of(request),
        }
        return State(role["Arn"], outputs)


def _name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
