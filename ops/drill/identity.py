"""How a server on this machine finds the credentials of the drill's identity, as pods find theirs in a cluster."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from common.aws_api import aws_session
from common.errors import UserError
from common.target import Pod, Target
from components.contracts.vocabulary import Cloud
from stacks.outputs import StackOutputs

Admit = Callable[[Pod, Path], Mapping[str, str]]
TOKEN_S: Final = 3000
"""What a token is said to be good for: it is renewed before Google ends it, after an hour."""
_ACCOUNT: Final = "/computeMetadata/v1/instance/service-accounts/"


@contextmanager
def as_pods_find_it(target: Target, outputs: StackOutputs) -> Iterator[Admit]:
    """What stands in for `Target.admit`, for the length of a block."""
    if outputs.cloud is Cloud.AWS:
        yield lambda _pod, _folder: aws_variables(target, outputs.backup_region)
        return
    with _metadata_server(target, outputs) as host:
        yield lambda _pod, folder: _gcp_variables(target, host, folder)


def aws_variables(target: Target, region: str) -> dict[str, str]:
    """Credentials of the identity that are good for an hour at most.

    Raises:
        UserError: there are none.
    """
    credentials = aws_session(target).get_credentials()
    if credentials is None:
        raise UserError("there are no AWS credentials", "the drill's identity", "Log in to AWS.")
    frozen = credentials.get_frozen_credentials()
    found = {
        "AWS_ACCESS_KEY_ID": frozen.access_key or "",
        "AWS_SECRET_ACCESS_KEY": frozen.secret_key or "",
        "AWS_SESSION_TOKEN": frozen.token or "",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": target.aws_endpoint_url or "",
    }
    return {name: value for name, value in found.items() if value}


def _gcp_variables(target: Target, host: str, folder: Path) -> dict[str, str]:
    local = {"STORAGE_EMULATOR_HOST": target.gcp_endpoint_url} if target.gcp_endpoint_url else {}
    return {
        "GCE_METADATA_HOST": host,
        "GCE_METADATA_IP": host,
        "GCE_METADATA_ROOT": host,
        "CLOUDSDK_CONFIG": str(folder / "no-gcloud"),
        "NO_PROXY": "127.0.0.1",
        **local,
    }


@contextmanager
def _metadata_server(target: Target, outputs: StackOutputs) -> Iterator[str]:
    """`127.0.0.1:PORT` of a metadata server as a machine of Google's has it, with tokens of the identity."""
    from google.auth.transport.requests import Request

    from common.gcp_credentials import credentials_of

    credentials = credentials_of(target)
    renewing = threading.Lock()

    def token() -> str:
        with renewing:
            if not credentials.valid:
                credentials.refresh(Request())
            return str(credentials.token)

    answers: Mapping[str, Callable[[], str]] = {
        "/computeMetadata/v1/project/project-id": lambda: outputs.account,
        f"{_ACCOUNT}default/email": lambda: outputs.identities.drill,
        f"{_ACCOUNT}default/": lambda: json.dumps(_account(outputs.identities.drill)),
        f"{_ACCOUNT}{outputs.identities.drill}/": lambda: json.dumps(_account(outputs.identities.drill)),
        f"{_ACCOUNT}default/token": lambda: _token(token()),
        f"{_ACCOUNT}{outputs.identities.drill}/token": lambda: _token(token()),
        "/": lambda: "",
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0])
            flavored = self.headers.get("Metadata-Flavor") == "Google"
            body = answer().encode() if answer and flavored else b""
            self.send_response(200 if answer and flavored else 404 if flavored else 403)
            self.send_header("Metadata-Flavor", "Google")
            self.send_header("Content-Type", "application/json" if body.startswith(b"{") else "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a path may hold what nobody should read."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _account(email: str) -> dict[str, Any]:
    return {"email": email, "aliases": ["default"], "scopes": ["https://www.googleapis.com/auth/cloud-platform"]}


def _token(token: str) -> str:
    return json.dumps({"access_token": token, "expires_in": TOKEN_S, "token_type": "Bearer"})
