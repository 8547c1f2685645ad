"""Google's credentials: the caller's own, none for an emulator, or those of an account that the caller becomes.

Imported where a call is about to be made: Google's libraries take half a second to load.
"""

from __future__ import annotations

import json
from datetime import datetime
from http import HTTPStatus
from typing import Any

import google.auth
from google.auth import impersonated_credentials
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import DefaultCredentialsError, RefreshError

from common.errors import UserError
from common.target import Target

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class _OnLocalCloud(Credentials):
    """Tokens of an account that whoever runs a local cloud becomes.

    Google's own class asks the real cloud for the account's allowed locations, whatever its endpoint.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def refresh(self, request: Any) -> None:
        """Ask for a token. Raises RefreshError if there is none."""
        answer = request(url=self._url, method="POST", body=json.dumps({"scope": [SCOPE]}))
        if answer.status != HTTPStatus.OK:
            raise RefreshError(f"{self._url} refused: {answer.data!r}")
        told = json.loads(answer.data)
        self.token = told["accessToken"]
        self.expiry = datetime.strptime(told["expireTime"], "%Y-%m-%dT%H:%M:%SZ")  # google-auth's are naive UTC


def credentials_of(target: Target) -> Credentials:
    """The caller's own, none on a local cloud, or those of `target.act_as`.

    Raises:
        UserError: there are none.
    """
    local, act_as = target.gcp_endpoint_url, target.act_as
    if act_as is None:
        return AnonymousCredentials() if local is not None else _own()
    if local is not None:
        path = f"iamcredentials/v1/projects/-/serviceAccounts/{act_as.principal}:generateAccessToken"
        return _OnLocalCloud(f"{local}/{path}")
    return impersonated_credentials.Credentials(
        source_credentials=_own(), target_principal=act_as.principal, target_scopes=[SCOPE]
    )


def _own() -> Credentials:
    try:
        return google.auth.default(scopes=[SCOPE])[0]
    except DefaultCredentialsError as error:
        raise UserError(
            "there are no Google Cloud credentials",
            "application default credentials",
            "Run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS.",
        ) from error
