"""What KMS does around moto's: keys that are disabled or pending deletion do no work, and principals must exist."""

from __future__ import annotations

import json
from collections.abc import Iterable

from localcloud.aws.answers import (
    Answer,
    Application,
    Environ,
    StartResponse,
    json_error,
    json_object,
    operation_of,
    read_body,
    replace_body,
)
from localcloud.aws.iam.linked import missing_principal
from localcloud.aws.kms.ciphertext import key_of
from localcloud.aws.kms.signing import sign
from localcloud.aws.state import AwsState

_CRYPTOGRAPHY = frozenset(
    {"Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "Sign"}
)


class KmsGate:
    """KMS with what moto lacks before it."""

    def __init__(self, state: AwsState, moto: Application) -> None:
        self._state = state
        self._moto = moto

    def call(self, environ: Environ, region: str, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        body = self.rewritten(read_body(environ))
        refusal = self.before(operation_of(environ), region, body)
        if refusal:
            return refusal.send(start_response)
        if operation_of(environ) == "Sign":
            request = json_object(body)
            answer = sign(self._state.key(str(request.get("KeyId", "")), region), request)
            if answer:
                return answer.send(start_response)
        replace_body(environ, body)
        return self._moto(environ, start_response)

    def rewritten(self, body: bytes) -> bytes:
        """The request with a key's ARN cut to its id, since some of moto's operations know ids alone."""
        request = json_object(body)
        key_id = str(request.get("KeyId", ""))
        if key_id.startswith("arn:") and ":key/" in key_id:
            return json.dumps({**request, "KeyId": key_id.rsplit("/", 1)[-1]}).encode()
        return body

    def before(self, operation: str, region: str, body: bytes) -> Answer | None:
        """Refuse to work with a key that is not enabled, and a policy for a role that does not exist."""
        if operation in ("CreateKey", "PutKeyPolicy"):
            absent = missing_principal(self._state, str(json_object(body).get("Policy", "")))
            if absent:
                message = f"Policy contains a statement with one or more invalid principals: {absent} does not exist."
                return json_error("MalformedPolicyDocumentException", message)
        if operation not in _CRYPTOGRAPHY:
            return None
        request = json_object(body)
        named = [request.get("KeyId"), request.get("DestinationKeyId"), key_of(request.get("CiphertextBlob"))]
        for key_id in filter(None, named):
            key = self._state.key(str(key_id), region)
            if key is not None and key.key_state == "Disabled":
                return json_error("DisabledException", f"{key.arn} is disabled.")
            if key is not None and key.key_state != "Enabled":
                return json_error("KMSInvalidStateException", f"{key.arn} is pending deletion.")
        return None
