"""Pod identity associations, created in the emulator."""

from __future__ import annotations

from typing import Any

from localcloud.aws.context import AwsContext
from localcloud.aws.errors import is_missing
from localcloud.providers.base import Kind, Request, State


class PodIdentityAssociation(Kind):
    """`aws:eks/podIdentityAssociation:PodIdentityAssociation`; its id is EKS' own."""

    def __init__(self, aws: AwsContext) -> None:
        self._aws = aws

    def create(self, request: Request) -> State:
        i = request.inputs
        made = self._client(request).create_pod_identity_association(
            clusterName=i["clusterName"],
            namespace=i["namespace"],
            serviceAccount=i["serviceAccount"],
            roleArn=i["roleArn"],
            tags=self._aws.tags_of(request),
        )
        return self._state(request, made["association"])

    def update(self, request: Request) -> State:
        made = self._client(request).update_pod_identity_association(
            clusterName=request.inputs["clusterName"],
            associationId=request.id,
            roleArn=request.inputs["roleArn"],
        )
        return self._state(request, made["association"])

    def read(self, request: Request) -> State | None:
        try:
            found = self._client(request).describe_pod_identity_association(
                clusterName=request.inputs["clusterName"], associationId=request.id
            )["association"]
        except Exception as e:
            if is_missing(e):
                return None
            raise
        state = self._state(request, found)
        if found["roleArn"] != request.inputs.get("roleArn"):
            return State(state.id, state.outputs, inputs={**request.inputs, "roleArn": found["roleArn"]})
        return state

    def delete(self, request: Request) -> None:
        self._client(request).delete_pod_identity_association(
            clusterName=request.inputs["clusterName"], associationId=request.id
        )

    def _client(self, request: Request) -> Any:
        return self._aws.client("eks", self._aws.region_of(request))

    def _state(self, request: Request, found: dict[str, Any]) -> State:
        outputs = {
            "associationArn": found["associationArn"],
            "associationId": found["associationId"],
            "externalId": "",
            "region": self._aws.region_of(request),
            "tagsAll": self._aws.tags_of(request),
        }
        return State(found["associationId"], outputs)
