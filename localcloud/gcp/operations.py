"""Long-running operations, as Google's APIs have them: started with a request, asked for until they are done.

https://google.aip.dev/151. The local cloud does the work before it answers, but answers as the APIs do, with an
operation that is not done yet, so that clients have to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from common.errors import UserError
from localcloud.gcp import clock
from localcloud.gcp.store import Document, DocumentStore
from localcloud.gcp.wire import ApiError, not_found


class Operations:
    """The operations of one service."""

    def __init__(self, store: DocumentStore, kind: str) -> None:
        self._store = store
        self._kind = kind

    def run(
        self,
        parent: str,
        metadata: Mapping[str, Any],
        work: Callable[[], Mapping[str, Any]],
    ) -> dict[str, Any]:
        """Do `work`, file the operation, and return it as it was when it began.

        Args:
            parent: what its name begins with: `projects/p/locations/l`, or empty.
            metadata: what it is about.
            work: does it and returns the response. ApiError and UserError become the operation's error.
        """
        name = f"{parent}/operations/{uuid4()}".lstrip("/")
        begun = {"name": name, "metadata": {**metadata, "createTime": clock.now_text()}, "done": False}
        outcome: dict[str, Any]
        try:
            outcome = {"response": dict(work())}
        except ApiError as e:
            outcome = {"error": e.rpc_status()}
        except UserError as e:
            outcome = {"error": {"code": 13, "message": f"{e.what} ({e.where})"}}
        ended = {**begun["metadata"], "endTime": clock.now_text()}
        self._store.put(self._kind, name, {**begun, "metadata": ended, "done": True, **outcome})
        return begun

    def get(self, name: str) -> Document:
        """The operation. Raises ApiError (404)."""
        found = self._store.get(self._kind, name)
        if found is None:
            raise not_found("Operation", name)
        return found
