"""A bucket that is a folder, behind the four calls of S3 that a fetch makes; a program of its own.

Fast on purpose: files go by sendfile, nothing is checked, nobody is refused. An emulator that judges each request
would be what a fetch waits for, and hide what the fetch itself costs.

    python s3_server.py FOLDER     prints its port, and serves the bucket `bench` on loopback until it is killed
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "bench"
PAGE = 1000
WHEN = "2026-11-21T00:00:00.000Z"
WHEN_HTTP = "Sat, 21 Nov 2026 00:00:00 GMT"
ETAG_BYTES_MAX = 1024 * 1024
"""A larger object has the tag of one that was uploaded in parts, which is no digest of it: nobody compares it."""


def index(folder: Path) -> dict[str, tuple[Path, int, str]]:
    """Key → file, size and tag."""
    return {
        p.relative_to(folder).as_posix(): (p, p.stat().st_size, tag(p))
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def tag(path: Path) -> str:
    if path.stat().st_size > ETAG_BYTES_MAX:
        return "0" * 32 + "-2"
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    objects: dict[str, tuple[Path, int, str]]

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, *, with_body: bool) -> None:
        url = urlsplit(self.path)
        _, _, rest = url.path.partition("/")
        key = unquote(rest.partition("/")[2])
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        if not key:
            self.send(self.listing(query) if with_body else b"", {"x-amz-bucket-region": "eu-central-1"})
        elif key not in self.objects:
            self.send(b"<Error><Code>NoSuchKey</Code></Error>" if with_body else b"", {}, 404)
        else:
            self.send_object(*self.objects[key], with_body=with_body)

    def listing(self, query: dict[str, str]) -> bytes:
        prefix, after = query.get("prefix", ""), query.get("continuation-token") or query.get("marker", "")
        keys = [key for key in self.objects if key.startswith(prefix) and key > after]
        folders: dict[str, None] = {}
        if query.get("delimiter"):
            cut = [key for key in keys if "/" in key[len(prefix) :]]
            folders = dict.fromkeys(prefix + key[len(prefix) :].split("/")[0] + "/" for key in cut)
            keys = [key for key in keys if "/" not in key[len(prefix) :]]
        page, more = keys[:PAGE], len(keys) > PAGE
        items = "".join(
            f"<Contents><Key>{escape(k)}</Key><LastModified>{WHEN}</LastModified><ETag>&quot;{self.objects[k][2]}&quot;"
            f"</ETag><Size>{self.objects[k][1]}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for k in page
        )
        items += "".join(f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in folders)
        last = escape(page[-1]) if more else ""
        following = (
            f"<NextContinuationToken>{last}</NextContinuationToken><NextMarker>{last}</NextMarker>" if more else ""
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{BUCKET}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount><MaxKeys>{PAGE}"
            f"</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>{items}{following}</ListBucketResult>"
        ).encode()

    def send_object(self, path: Path, size: int, etag: str, *, with_body: bool) -> None:
        asked = self.headers.get("Range", "")
        start, end = 0, size - 1
        if asked.startswith("bytes="):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or size), size - 1)
        headers = {"ETag": f'"{etag}"', "Last-Modified": WHEN_HTTP, "Accept-Ranges": "bytes"}
        if asked:
            headers["Content-Range"] = f"bytes {start}-{end}/{size}"
        length = max(0, end - start + 1)
        self.send(None, headers, 206 if asked else 200, length)
        if with_body:
            self.wfile.flush()
            with path.open("rb") as file:
                sent = 0
                while sent < length:
                    sent += os.sendfile(self.connection.fileno(), file.fileno(), start + sent, length - sent)

    def send(self, body: bytes | None, headers: dict[str, str], status: int = 200, length: int = 0) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/xml" if body else "application/octet-stream")
        self.send_header("Content-Length", str(length if body is None else len(body)))
        self.end_headers()
        if body:
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main() -> None:
    Handler.objects = index(Path(sys.argv[1]))
    server = Server(("127.0.0.1", 0), Handler)
    print(f"listening on {server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
