"""What the door promises, as checks of a running one: each raises AssertionError where the promise is not kept."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import requests

from localcloud.gateway import Door, session_to
from tests.localcloud.gateway.plane import DOMAIN, ISSUER, Issuer, Pod, base64url

SERVICE = "risk"
HOST = f"{SERVICE}.{DOMAIN}"
INFER = "/v2/models/tumour_risk/infer"
REQUESTS_PER_MINUTE = 60
"""Of one client at the tests' door, which has two replicas in its settings: 30 at each."""
REQUEST_SECONDS = 6
ATTEMPT_SECONDS = 2
PARALLEL = 4
FAILURES = 5
EJECTION_SECONDS = 1
_OVERFLOW = r"\.upstream_rq_(active|pending)_overflow$"


@dataclass
class Running:
    """The door under test, and what stands before and behind it."""

    door: Door
    ca: Path
    issuer: Issuer
    stable: Pod
    other: Pod
    clients: int = 0

    def session(self, **more: Any) -> requests.Session:
        """A client's own connections; TLS by the service's name."""
        return session_to(HOST, ca=self.ca, **more)

    def token(self) -> str:
        """Of a client that nobody was before."""
        self.clients += 1
        return self.issuer.token(f"client-{self.clients}")

    def infer(
        self,
        session: requests.Session | None = None,
        *,
        token: str | None = None,
        data: bytes = b"{}",
        path: str = INFER,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One prediction, as a client of its own unless a token is given; an empty one is none."""
        token = self.token() if token is None else token
        told = {"Authorization": f"Bearer {token}"} if token else {}
        with session or self.session() as asking:
            return asking.post(
                f"{self.door.http_url}{path}", data=data, headers={**told, **(headers or {})}, timeout=20
            )

    def seen(self) -> Mapping[str, str]:
        """The headers of the one request that a backend saw."""
        (headers,) = (pod.seen.headers for pod in (self.stable, self.other) if pod.seen.requests)
        return headers

    def spoken(self, text: str) -> int:
        """The status of the answer to a request that is sent as it is written; 0: none came."""
        context = ssl.create_default_context(cafile=str(self.ca))
        with (
            socket.create_connection(("127.0.0.1", self.door.listeners[0].port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as connection,
        ):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(text.encode("latin-1"))
            first = connection.makefile("rb").readline().split()
        return int(first[1]) if len(first) > 1 else 0

    def calls(self) -> list[tuple[str, str]]:
        """Method and path of what reached a backend."""
        return [call for pod in (self.stable, self.other) for call in pod.seen.calls]

    def reset(self) -> None:
        """Backends as new."""
        for pod in (self.stable, self.other):
            pod.reset()


def _is_refused(run: Running, token: str, *statuses: int, path: str = INFER) -> None:
    assert run.infer(token=token, path=path).status_code in (statuses or (401,))
    assert not run.calls(), "it reached a server"


def who_has_no_token_is_refused(run: Running) -> None:
    _is_refused(run, "")


def who_has_a_token_of_another_issuer_is_refused(run: Running) -> None:
    _is_refused(run, Issuer("https://evil.example").token("a"))


def who_has_a_token_that_another_key_signed_is_refused(run: Running) -> None:
    _is_refused(run, Issuer(ISSUER).token("a"))


def who_has_an_expired_token_is_refused(run: Running) -> None:
    _is_refused(run, run.issuer.token("a", valid_s=-3600))


def who_has_a_token_that_is_not_valid_yet_or_not_signed_is_refused(run: Running) -> None:
    _is_refused(run, run.issuer.token("a", nbf=int(time.time()) + 3600))
    _, body, signature = run.issuer.token("a").split(".")
    for head in ({"alg": "none"}, {"alg": "HS256", "kid": "1"}):
        for signed in ("", signature):
            _is_refused(run, ".".join((base64url(json.dumps(head).encode()), body, signed)))


def a_token_without_an_end_is_taken(run: Running) -> None:
    """No promise, but what the settings' page says: Envoy Gateway 1.9.1 has no field to ask for an end."""
    assert run.infer(token=run.issuer.token("a", exp=None)).status_code == 200


def who_has_a_token_for_another_service_is_refused(run: Running) -> None:
    _is_refused(run, run.issuer.token("a", audience="other"), 401, 403)


def a_token_in_the_address_opens_nothing(run: Running) -> None:
    _is_refused(run, "", path=f"{INFER}?access_token={run.token()}")


def the_backend_learns_who_asks_from_the_token_alone(run: Running) -> None:
    run.infer(token=run.issuer.token("alice"), headers={"x-seawall-client": "mallory"})
    assert run.seen().get("x-seawall-client") == "alice"


def headers_of_the_platform_are_taken_off(run: Running) -> None:
    spoofed = {"x-seawall-variant": "evil", "x-envoy-upstream-rq-timeout-ms": "1", "x-envoy-max-retries": "99"}
    run.infer(headers=spoofed)
    assert not spoofed.keys() & run.seen().keys()


def a_header_that_could_pass_for_another_is_refused(run: Running) -> None:
    assert run.infer(headers={"x_seawall_client": "mallory"}).status_code == 400


def tls_1_1_is_refused(run: Running) -> None:
    assert _handshake(run, ssl.TLSVersion.TLSv1_2) is None
    assert _handshake(run, ssl.TLSVersion.TLSv1_1) is not None


def who_asks_too_often_is_told_so_and_others_are_not(run: Running) -> None:
    greedy = run.token()
    counted = Counter(run.infer(token=greedy).status_code for _ in range(40))
    assert counted == {200: REQUESTS_PER_MINUTE // 2, 429: 40 - REQUESTS_PER_MINUTE // 2}
    assert run.infer().status_code == 200


def tokens_without_the_claim_share_one_limit(run: Running) -> None:
    """They are told apart by address, and here all come from one."""
    nameless = run.issuer.token("", sub=None)
    counted = Counter(run.infer(token=nameless).status_code for _ in range(40))
    assert counted == {200: REQUESTS_PER_MINUTE // 2, 429: 40 - REQUESTS_PER_MINUTE // 2}


def a_body_beyond_the_limit_is_refused(run: Running) -> None:
    assert run.infer(data=b"x" * (1 << 20)).status_code == 200
    assert run.infer(data=b"x" * ((1 << 20) + 1)).status_code == 413


def a_request_is_given_up_in_time(run: Running) -> None:
    for pod in (run.stable, run.other):
        pod.behaviour.delay_s = 10
    started = time.monotonic()
    assert run.infer().status_code == 504
    assert time.monotonic() - started < REQUEST_SECONDS + 1


def an_attempt_that_fails_is_made_again_elsewhere(run: Running) -> None:
    run.stable.behaviour.hangs_up = 1
    run.other.behaviour.hangs_up = 1
    assert [run.infer().status_code for _ in range(4)] == [200] * 4


def an_attempt_that_hangs_is_made_again_elsewhere(run: Running) -> None:
    run.stable.behaviour.delay_s = 10
    for _ in range(12):  # each goes to one of two at random
        started = time.monotonic()
        assert run.infer().status_code == 200
        assert time.monotonic() - started < ATTEMPT_SECONDS + 1
        if run.stable.seen.requests:
            break
    assert run.stable.seen.requests, "it was never asked"


def attempts_are_bounded(run: Running) -> None:
    """Two further attempts each at most, and a budget over all of them."""
    for pod in (run.stable, run.other):
        pod.behaviour.status = 503
    assert run.infer().status_code == 503
    assert run.stable.seen.requests + run.other.seen.requests <= 3


def a_service_has_no_more_requests_than_it_may(run: Running) -> None:
    for pod in (run.stable, run.other):
        pod.behaviour.delay_s = 0.7
    before = run.door.admin.total(_OVERFLOW)
    with ThreadPoolExecutor(4 * PARALLEL) as at_once:
        answers = list(at_once.map(lambda _: run.infer(), range(4 * PARALLEL)))
    assert Counter(each.status_code for each in answers) == {200: PARALLEL, 503: 3 * PARALLEL}
    # It does not wait for room: in time for a client to go elsewhere. Its connection is not in this figure.
    slowest = max(each.elapsed.total_seconds() for each in answers if each.status_code == 503)
    assert slowest < 0.7, f"{slowest} s"
    assert run.door.admin.total(_OVERFLOW) - before == 3 * PARALLEL


def a_replica_that_fails_is_left_out_and_comes_back(run: Running) -> None:
    run.stable.behaviour.status = 503
    for _ in range(8 * FAILURES):
        run.infer()
    asked = run.stable.seen.requests
    for _ in range(20):
        run.infer()
    assert run.stable.seen.requests == asked, "it is still asked"
    run.stable.reset()
    deadline = time.monotonic() + EJECTION_SECONDS + 12
    while not run.stable.seen.requests and time.monotonic() < deadline:
        run.infer()
        time.sleep(0.1)
    assert run.stable.seen.requests, "it does not come back"


CHANGING = (
    *(
        "/v2/repository/index",
        "/v2/repository/models/x/load",
        "/v2/repository/models/x/unload",
        "/v2/models/x/unload",
    ),
    *("/v2/systemsharedmemory/status", "/v2/systemsharedmemory/region/a/register", "/v2/cudasharedmemory/unregister"),
    *("/v2/trace/setting", "/v2/models/x/trace/setting", "/v2/logging", "/v2/models/stats", "/v2/models/x/stats"),
    *("/metrics", "/v2/models/x/generate", "/v2/models/x/generate_stream", "/", "/v2/models", "/quitquitquit"),
)
"""What Triton answers, or a server like it, and the door does not pass on."""
TRICKS = (
    *("//v2/repository/index", "/v2//repository/index", "/v2/./repository/index", "/V2/REPOSITORY/INDEX"),
    *("/v2/%72epository/index", "/v2/%2572epository/index", "/%2Fv2/repository/index", "/v2%2frepository%2findex"),
    *("/v2/models/x/../../repository/index", "/v2/models/x/infer/../../../repository/index"),
    *("/v2/models/x/%2e%2e/%2e%2e/repository/index", "/v2/models/%2e%2e/repository/index/infer"),
    *("/v2/models/..%2frepository%2findex/infer", "/v2/models/..%5crepository%5cindex/infer"),
    *("/v2/models/x%2f..%2f..%2frepository%2findex", "/v2/models/x%252f..%252f..%252frepository/infer"),
    *("/v2/models/..;/repository/index", "/v2/models/x/infer;/../../../repository/index"),
    *("/v2/repository/index?/v2/models/x/infer", "/v2/repository/index#/v2/models/x/infer"),
    *("/v2/models/x/infer#/../../../repository/index", "/v2/models/x%00/../../repository/index"),
    *("/v2/models/%73tats", "/v2/models/stats/", "/v2/models//stats", "/v2/models/./stats", "/v2/models/stats?x"),
    *(f"https://{HOST}/v2/repository/index", "https://localhost/v2/repository/index", "*", "v2/repository/index"),
)
HOSTS = (HOST.upper(), f"{HOST}:443", f"{HOST}.", f"{SERVICE}-grpc.{DOMAIN}", "localhost", f"x.{HOST}", "")


def only_calls_of_predictions_pass(run: Running) -> None:
    assert {path: run.infer(path=path).status_code for path in CHANGING} == dict.fromkeys(CHANGING, 404)
    assert not run.calls()


def no_spelling_of_a_path_or_a_name_leads_to_other_calls(run: Running) -> None:
    """Whatever reaches a server is one of the calls that pass, as a server reads it that decodes paths."""
    for method in ("GET", "POST"):
        for path, host in [
            *((path, HOST) for path in TRICKS),
            *((path, host) for path in CHANGING[::5] for host in HOSTS),
        ]:
            token = run.issuer.token(f"{method}{path}{host}")
            head = f"Host: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nContent-Length: 0"
            run.spoken(f"{method} {path} HTTP/1.1\r\n{head}\r\n\r\n")
    strange = [call for call in run.calls() if not _passes(*call)]
    assert not strange, f"of {len(run.calls())} that passed"


def a_request_in_a_request_is_refused(run: Running) -> None:
    """Two lengths, of which the door and a server might each believe another."""
    inner = "POST /v2/repository/index HTTP/1.1\r\nHost: x\r\n\r\n"
    for lengths in (f"Content-Length: {len(inner) + 5}\r\nTransfer-Encoding: chunked", "Content-Length: 0, 9"):
        head = f"POST {INFER} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {run.token()}\r\n{lengths}"
        assert run.spoken(f"{head}\r\n\r\n0\r\n\r\n{inner}") == 400
    assert not run.calls()


def other_methods_do_not_pass(run: Running) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "CONNECT", "infer"):
        head = f"Host: {HOST}\r\nAuthorization: Bearer {run.token()}\r\nConnection: close"
        assert run.spoken(f"{method} {INFER} HTTP/1.1\r\n{head}\r\n\r\n") not in (0, 200), method
    assert not run.calls()


_HARMLESS = {
    "POST": re.compile(r"/v2/models/(?!\.\.?/)[^/]+(/versions/\d+)?/infer"),
    "GET": re.compile(
        r"/v2(/health/(live|ready))?|/v2/models/(?!(stats|\.\.?)$)[^/]+(/versions/\d+)?(/ready|/config)?"
    ),
}
"""What a client may ask a server, written apart from the routes."""


def _passes(method: str, path: str) -> bool:
    """Whether it is a call that may pass, as it came and decoded: Triton 2.51.0 decodes nothing (seen 2026-11-22)."""
    known = _HARMLESS.get(method)
    path = path.partition("?")[0]
    return known is not None and all(known.fullmatch(each) for each in (path, unquote(path)))


def another_name_is_not_served(run: Running) -> None:
    with session_to(f"nobody.{DOMAIN}", ca=run.ca) as session:
        told = {"Authorization": f"Bearer {run.token()}"}
        assert session.post(f"{run.door.http_url}{INFER}", headers=told, timeout=10).status_code == 404


Claim = Callable[[Running], None]
BY_KIND: Mapping[str, tuple[Claim, ...]] = {
    "SecurityPolicy": (
        who_has_no_token_is_refused,
        who_has_a_token_of_another_issuer_is_refused,
        who_has_a_token_that_another_key_signed_is_refused,
        who_has_an_expired_token_is_refused,
        who_has_a_token_that_is_not_valid_yet_or_not_signed_is_refused,
        who_has_a_token_for_another_service_is_refused,
        a_token_in_the_address_opens_nothing,
        the_backend_learns_who_asks_from_the_token_alone,
    ),
    "ClientTrafficPolicy": (headers_of_the_platform_are_taken_off,),
    "BackendTrafficPolicy": (
        who_asks_too_often_is_told_so_and_others_are_not,
        tokens_without_the_claim_share_one_limit,
        a_body_beyond_the_limit_is_refused,
        an_attempt_that_fails_is_made_again_elsewhere,
        an_attempt_that_hangs_is_made_again_elsewhere,
        a_service_has_no_more_requests_than_it_may,
        a_replica_that_fails_is_left_out_and_comes_back,
    ),
}
"""The claims that a policy alone keeps: without it, each must fail."""
OTHERS: tuple[Claim, ...] = (
    a_token_without_an_end_is_taken,
    tls_1_1_is_refused,
    a_header_that_could_pass_for_another_is_refused,
    a_request_is_given_up_in_time,
    attempts_are_bounded,
    only_calls_of_predictions_pass,
    no_spelling_of_a_path_or_a_name_leads_to_other_calls,
    a_request_in_a_request_is_refused,
    other_methods_do_not_pass,
    another_name_is_not_served,
)
"""Claims that hold for other reasons: the routes, Envoy's own defaults, or by two policies."""


def _handshake(run: Running, newest: ssl.TLSVersion) -> str | None:
    """Why a client of this version of TLS and no newer one is not let in, or None."""
    context = ssl.create_default_context(cafile=str(run.ca))
    # The client's own floor is lowered, so that it is the door which refuses.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = newest
    port = run.door.listeners[0].port
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as connection,
        ):
            return None if connection.version() == "TLSv1.2" else f"speaks {connection.version()}"
    except ssl.SSLError as error:
        return str(error)
