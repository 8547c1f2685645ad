"""Long-running operations, as Google's APIs have them: started with a request, asked for until they are done.

https://google.aip.dev/151. The answer is, as the APIs', an operation that is not done yet, so that clients have to
ask. What copies is done in the background, late; all other work is done before the answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from common.errors import UserError
from localcloud.gcp import clock
from localcloud.gcp.store import Document, DocumentStore
from localcloud.gcp.wire import ApiError, not_found


class Background:
    """Work that goes on after a call was answered."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def start(self, work: Callable[[], None]) -> None:
        """Do it from now on."""
        thread = threading.Thread(target=work, daemon=True)
        with self._lock:
            self._threads = [t for t in self._threads if t.is_alive()] + [thread]
            thread.start()

    def settle(self) -> None:
        """Return when all of it is done, as before a snapshot."""
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join()


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
        *,
        background: Background | None = None,
    ) -> dict[str, Any]:
        """Do `work`, file the operation, and return it as it was when it began.

        Args:
            parent: what its name begins with: `projects/p/locations/l`, or empty.
            metadata: what it is about.
            work: does it and returns the response. ApiError and UserError become the operation's error.
            background: does it after the answer; without, it is done before.
        """
        name = f"{parent}/operations/{uuid4()}".lstrip("/")
        begun = {"name": name, "metadata": {**metadata, "createTime": clock.now_text()}, "done": False}

        def do() -> None:
            outcome = _outcome(work)
            ended = {**begun["metadata"], "endTime": clock.now_text()}
            self._store.put(self._kind, name, {**begun, "metadata": ended, "done": True, **outcome})

        if background is None:
            do()
        else:
            self._store.put(self._kind, name, begun)
            background.start(do)
        return begun

    def list(self, parent: str) -> list[Document]:
        """Those whose names begin with the parent's."""
        return [found for _, found in self._store.all(self._kind, f"{parent}/operations/")]

    def get(self, name: str) -> Document:
        """The operation. Raises ApiError (404)."""
        found = self._store.get(self._kind, name)
        if found is None:
            raise not_found("Operation", name)
        return found


def _outcome(work: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """What a finished operation has besides: its response or its error."""
    try:
        return {"response": dict(work())}
    except ApiError as e:
        return {"error": e.rpc_status()}
    except UserError as e:
        return {"error": {"code": 13, "message": f"{e.what} ({e.where})"}}
    except Exception as e:  # an operation that never ends would be waited for
        return {"error": {"code": 13, "message": f"{type(e).__name__}: {e}"}}
