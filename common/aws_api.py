"""Credentials for AWS: the caller's own on the real cloud, made-up ones on an emulated one, in one place."""

from __future__ import annotations

from typing import Final

import boto3

from common.target import Target

EMULATED_KEY: Final = "local"
"""An emulator asks for no secret, but a request must be signed; a user's own key never goes there."""


def aws_session(target: Target) -> boto3.session.Session:
    """A session whose clients are given `target.aws_endpoint_url` as their endpoint."""
    if target.mode == "real":
        return boto3.session.Session()
    return boto3.session.Session(aws_access_key_id=EMULATED_KEY, aws_secret_access_key=EMULATED_KEY)
