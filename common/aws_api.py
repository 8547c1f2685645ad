"""Credentials for AWS: the caller's own on the real cloud, made-up ones on an emulated one, in one place."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import boto3
import botocore.session
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.loaders import Loader

from common.target import ActAs, Target

EMULATED_KEY: Final = "local"
"""An emulator asks for no secret, but a request must be signed; a user's own key never goes there."""


def aws_session(target: Target) -> boto3.session.Session:
    """A session whose clients are given `target.aws_endpoint_url` as their endpoint.

    Its credentials are those of `target.act_as` if there is one: they are asked for at the first call, and again
    before they end.
    """
    if target.mode == "real":
        caller = boto3.session.Session(botocore_session=_session())
    else:
        caller = boto3.session.Session(
            aws_access_key_id=EMULATED_KEY, aws_secret_access_key=EMULATED_KEY, botocore_session=_session()
        )
    return caller if target.act_as is None else _assumed(caller, target.act_as, target.aws_endpoint_url)


def _assumed(caller: boto3.session.Session, act_as: ActAs, endpoint: str | None) -> boto3.session.Session:
    def sts(service: Any, **credentials: Any) -> Any:
        return caller.client(service, region_name=act_as.region, endpoint_url=endpoint, **credentials)

    fetcher = AssumeRoleCredentialFetcher(
        client_creator=sts,
        source_credentials=caller.get_credentials(),
        role_arn=act_as.principal,
        extra_args={"RoleSessionName": act_as.session},
    )
    session = _session()
    # botocore has no public way to give a session credentials that renew themselves.
    session._credentials = DeferredRefreshableCredentials(  # type: ignore[attr-defined]
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return boto3.session.Session(botocore_session=session)


def _session() -> botocore.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", _descriptions())
    return session


@cache
def _descriptions() -> Loader:
    """Of the services: a session of its own loader reads and parses them anew, which takes longer than most calls."""
    return botocore.session.get_session().get_component("data_loader")
