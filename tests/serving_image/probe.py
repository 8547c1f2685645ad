"""Runs in the serving environment: a store behind its REST API, and the image's lookup of what is written there.

The store's own server speaks gRPC alone; the gateway puts Google's REST routes before it, as Google's clients state
them. Prints the gateway's address as JSON, then reads `{"lookup": [entity]}` in a line and answers each.
Google's clients are in the serving environment alone, as they are in the container.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import grpc
from google.protobuf import json_format

sys.path.insert(0, os.environ["LOOKUP_FOLDER"])

import feature_store as image  # pyright: ignore[reportMissingImports] - its folder is named above


class Route:
    """One method of an API: its REST routes, its request's type, and the gRPC stub that answers it."""

    def __init__(self, name: str, base: Any, request: Any, transport: Any) -> None:
        rules = getattr(base, f"_Base{name}")._get_http_options()
        self.patterns = [(rule["method"].upper(), pattern_of(rule["uri"])) for rule in rules]
        self.request = request
        self.stub = getattr(transport, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())

    def match(self, method: str, path: str) -> Mapping[str, str] | None:
        """The fields that the path names; None if the path is not this method's."""
        for verb, pattern in self.patterns:
            found = pattern.fullmatch(path)
            if verb == method and found:
                return found.groupdict()
        return None

    def answer(self, fields: Mapping[str, Any]) -> Any:
        """What the method answers, as JSON: a list if it answers in a stream."""
        message = self.request.pb(self.request())
        json_format.ParseDict(dict(fields), message)
        found = self.stub(self.request.wrap(message))
        return [to_json(each) for each in found] if hasattr(found, "__next__") else to_json(found)


def pattern_of(uri: str) -> re.Pattern[str]:
    """A route's template, such as `/v2/{table_name=projects/*/tables/*}:readRows`, as an expression."""
    parts = re.split(r"\{(\w+)(?:=([^}]*))?\}", uri)
    text = re.escape(parts[0])
    for name, inner, after in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        inside = re.escape(inner or "*").replace(r"\*\*", ".+").replace(r"\*", "[^/]+")
        text += f"(?P<{name}>{inside}){re.escape(after)}"
    return re.compile(text)


def to_json(message: Any) -> Any:
    return json_format.MessageToDict(type(message).pb(message))


def serve_gateway(routes: list[Route]) -> str:
    """Serve the routes below a first segment that names the service; the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: Mapping[str, Any]) -> None:
            url = urlsplit(self.path)
            path = "/" + url.path.split("/", 2)[2]
            status, answer = 404, {"error": {"message": f"no such route: {path}"}}
            for route in routes:
                named = route.match(self.command, path)
                if named is not None:
                    status, answer = self._ask(route, {**body, **dict(parse_qsl(url.query)), **named})
                    break
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _ask(self, route: Route, fields: Mapping[str, Any]) -> tuple[int, Any]:
            try:
                return 200, route.answer(fields)
            except json_format.ParseError as error:
                return 400, {"error": {"message": str(error), "status": "INVALID_ARGUMENT"}}
            except grpc.RpcError as error:
                code: Any = error.code()  # pyright: ignore[reportAttributeAccessIssue] - it is a call, too
                details: Any = error.details()  # pyright: ignore[reportAttributeAccessIssue]
                return (404 if code is grpc.StatusCode.NOT_FOUND else 500), [
                    {"error": {"message": details, "status": code.name}}
                ]

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def firestore_routes() -> list[Route]:
    """Firestore's, before FIRESTORE_EMULATOR_HOST, else before a stand-in."""
    if "FIRESTORE_EMULATOR_HOST" not in os.environ:
        os.environ["FIRESTORE_EMULATOR_HOST"] = serve_firestore_fake()
    from google.cloud.firestore_v1.types import firestore  # pyright: ignore[reportMissingImports]

    stubs, rest_base = transports("google.cloud.firestore_v1.services.firestore")

    transport = stubs.FirestoreGrpcTransport(channel=grpc.insecure_channel(os.environ["FIRESTORE_EMULATOR_HOST"]))
    requests = {
        "BatchGetDocuments": firestore.BatchGetDocumentsRequest,
        "Commit": firestore.CommitRequest,
        "ListDocuments": firestore.ListDocumentsRequest,
    }
    base = rest_base._BaseFirestoreRestTransport
    return [Route(name, base, request, transport) for name, request in requests.items()]


def bigtable_routes() -> list[Route]:
    """Bigtable's, before BIGTABLE_EMULATOR_HOST, whose table is made now."""
    from google.cloud import bigtable  # pyright: ignore[reportAttributeAccessIssue]
    from google.cloud.bigtable_v2.types import bigtable as types  # pyright: ignore[reportMissingImports]

    stubs, rest_base = transports("google.cloud.bigtable_v2.services.bigtable")

    client = bigtable.Client(project=os.environ["SEAWALL_FEATURES_PROJECT"], admin=True)
    instance = client.instance(os.environ["SEAWALL_FEATURES_INSTANCE"])
    instance.table(os.environ["SEAWALL_FEATURES_TABLE"]).create(column_families={"f": None})
    transport = stubs.BigtableGrpcTransport(channel=grpc.insecure_channel(os.environ["BIGTABLE_EMULATOR_HOST"]))
    requests = {"MutateRows": types.MutateRowsRequest, "ReadRows": types.ReadRowsRequest}
    base = rest_base._BaseBigtableRestTransport
    return [Route(name, base, request, transport) for name, request in requests.items()]


def transports(service: str) -> tuple[Any, Any]:
    """The modules of Google's client that speak gRPC and that state the REST routes."""
    return import_module(f"{service}.transports.grpc"), import_module(f"{service}.transports.rest_base")


def serve_firestore_fake() -> str:
    """An in-memory stand-in for Firestore behind gRPC, for the three calls that rows need; its address.

    No emulator of Firestore can be built here: Google's is a Java program that comes with gcloud.
    """
    from google.cloud.firestore_v1.types import firestore, write  # pyright: ignore[reportMissingImports]

    documents: dict[str, Any] = {}

    def batch_get(request: Any, _context: Any) -> Any:
        for name in request.documents:
            found = {"found": documents[name]} if name in documents else {"missing": name}
            yield firestore.BatchGetDocumentsResponse(**found, read_time=datetime.now(UTC))

    def commit(request: Any, _context: Any) -> Any:
        now = datetime.now(UTC)
        for change in request.writes:
            change.update.create_time = change.update.update_time = now
            documents[change.update.name] = change.update
        results = [write.WriteResult(update_time=now) for _ in request.writes]
        return firestore.CommitResponse(write_results=results, commit_time=now)

    def list_documents(request: Any, _context: Any) -> Any:
        folder = f"{request.parent}/{request.collection_id}/"
        names = sorted(name for name in documents if name.startswith(folder) and name > request.page_token)
        page = names[: request.page_size]
        return firestore.ListDocumentsResponse(
            documents=[documents[name] for name in page],
            next_page_token=page[-1] if len(page) < len(names) else "",
        )

    methods = {
        "BatchGetDocuments": grpc.unary_stream_rpc_method_handler(
            batch_get,
            firestore.BatchGetDocumentsRequest.deserialize,
            firestore.BatchGetDocumentsResponse.serialize,
        ),
        "Commit": grpc.unary_unary_rpc_method_handler(
            commit, firestore.CommitRequest.deserialize, firestore.CommitResponse.serialize
        ),
        "ListDocuments": grpc.unary_unary_rpc_method_handler(
            list_documents, firestore.ListDocumentsRequest.deserialize, firestore.ListDocumentsResponse.serialize
        ),
    }
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("google.firestore.v1.Firestore", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    KEPT.append(server)
    return f"127.0.0.1:{port}"


KEPT: list[Any] = []
"""Servers of this process, which end with it."""
ROUTES: Mapping[str, Callable[[], list[Route]]] = {"bigtable": bigtable_routes, "firestore": firestore_routes}


def main() -> None:
    print(json.dumps(serve_gateway(ROUTES[os.environ["SEAWALL_FEATURES_KIND"]]())), flush=True)
    lookup = image.FeatureLookup(
        image.store_from_environment(os.environ), [0.0, 0.0], image.timeout_s(os.environ), lambda _: None
    )
    for line in sys.stdin:
        features = lookup.lookup(json.loads(line)["lookup"])
        print(json.dumps([[list(each.values), each.outcome] for each in features]), flush=True)


if __name__ == "__main__":
    main()
