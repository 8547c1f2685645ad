"""Serves the gateway over loopback with connections that stay open.

Werkzeug's development server closes every connection after one answer, as it does not know whether a request's
body was read; here it always is, before the application is called.
"""

from __future__ import annotations

import io
import logging
from http import HTTPStatus
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from localcloud.aws.answers import NoAnswerError

_log = logging.getLogger(__name__)

_FAILED = ("500 Internal Server Error", [("Content-Type", "text/plain")], b"the emulator failed; see its log\n")


class KeepAliveHandler(MotoRequestHandler):
    """One connection; moto's handler reads the headers of requests as moto needs them."""

    # Header and body go out separately, and must not wait for each other's acknowledgement.
    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"

    def run_wsgi(self) -> None:
        """Answer one request."""
        environ = self.make_environ()
        self._read_body(environ)
        try:
            status, headers, body = self._call(environ)
        except NoAnswerError:
            self.close_connection = True
            return
        except Exception:
            _log.exception("%s %s", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            status, headers, body = _FAILED
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        told_length = None
        for name, value in headers:
            if name.lower() == "content-length":
                told_length = value
            else:
                self.send_header(name, value)
        has_body = self.command != "HEAD" and int(code) not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        if has_body or told_length is not None:
            self.send_header("Content-Length", str(len(body)) if has_body else str(told_length))
        self.end_headers()
        if has_body:
            self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the log is for what went wrong."""

    def _read_body(self, environ: dict[str, Any]) -> None:
        if environ.get("wsgi.input_terminated"):  # sent in chunks
            body = environ["wsgi.input"].read()
        else:
            body = self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))

    def _call(self, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        told: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
            told[:] = [status, headers]

        body = b"".join(self.server.app(environ, start_response))  # type: ignore[misc] - werkzeug's server is one
        return told[0], told[1], body


def loopback_server(application: Any) -> BaseWSGIServer:
    """A threaded server on a loopback port that the system picks."""
    return make_server("127.0.0.1", 0, application, threaded=True, request_handler=KeepAliveHandler)
