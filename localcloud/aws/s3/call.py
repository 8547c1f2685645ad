"""A request to S3: which object or bucket it is about, and what of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

_SUBRESOURCES = frozenset(
    {"acl", "tagging", "legal-hold", "retention", "torrent", "attributes", "restore", "select", "policy"}
)


@dataclass(frozen=True)
class ObjectCall:
    """A call on one S3 object; `query` holds the flags and values of the query string."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]

    @staticmethod
    def of(environ: Mapping[str, Any]) -> ObjectCall:
        """From a path-style request, the only style that reaches a loopback address."""
        bucket, _, key = str(environ["PATH_INFO"]).lstrip("/").partition("/")
        # WSGI hands the path over as latin-1.
        key = key.encode("latin-1").decode("utf-8", errors="replace")
        query = {k: v[0] for k, v in parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True).items()}
        return ObjectCall(environ["REQUEST_METHOD"], bucket, key, query)

    @property
    def is_data(self) -> bool:
        """Whether it carries an object's bytes, and not a property of an object."""
        return bool(self.key) and not self._has(_SUBRESOURCES)

    def _has(self, names: Iterable[str]) -> bool:
        return any(name in self.query for name in names)
