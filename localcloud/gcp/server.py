"""The Google Cloud emulator's process: `python -m localcloud.gcp.server FOLDER REDIS [SNAPSHOT]`.

Prints `listening on PORT` once it serves. FOLDER is scratch space. SNAPSHOT is a folder that a save filled.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from common.errors import UserError
from localcloud.gcp.front import Front
from localcloud.gcp.iam.agents import ENV_NUMBER, ENV_PREPARED, ENV_PROJECT
from localcloud.gcp.storage.blobs import link_all
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import FrontServer, Request, Response

STORE = "store.sqlite3"
OBJECTS = "objects"
DUMPS = "redis"
_POLL_SECONDS = 0.05


class Emulator:
    """Everything that runs in, and below, this process.

    Raises UserError if a part does not start; nothing is left running then.
    """

    def __init__(self, folder: Path, redis_server: Path, snapshot: Path | None) -> None:
        if snapshot is not None:
            shutil.copy2(snapshot / STORE, folder / STORE)
            link_all(snapshot / OBJECTS, folder / OBJECTS)
        self._store = DocumentStore(folder / STORE)
        self.server = FrontServer(self._answer)
        self._front = Front(
            self._store,
            folder / OBJECTS,
            redis_server,
            folder / DUMPS,
            save=self.save,
            health=self.check,
            project=os.environ.get(ENV_PROJECT, ""),
            project_number=os.environ.get(ENV_NUMBER, ""),
            bootstrapped=ENV_PREPARED in os.environ,
        )
        if os.environ.get(ENV_PREPARED):
            self._front.projects.prepare(os.environ[ENV_PREPARED])
        try:
            self._front.memorystore.start(snapshot / DUMPS if snapshot else None)
        except BaseException:
            self.stop()
            raise

    def check(self) -> None:
        """Raise UserError if a process is gone."""
        self._front.memorystore.check()

    def save(self, into: Path) -> None:
        """Write all state into an empty folder. Raises UserError."""
        self.check()
        self._front.background.settle()
        try:
            with self._store.lock:
                self._store.save(into / STORE)
                blobs = self._front.storage.blobs_in_use()
            self._front.memorystore.save(into / DUMPS)
            self._front.storage.save(into / OBJECTS, blobs)
        except OSError as e:
            raise UserError(
                f"the Google Cloud emulator could not save: {e}", str(into), "Free disk space there and try again."
            ) from e

    def stop(self) -> None:
        """End the processes."""
        self._front.memorystore.stop()
        self._store.close()

    def _answer(self, request: Request) -> Response:
        return self._front.handle(request)


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM; returns the exit code."""
    folder, redis_server = (Path(a) for a in arguments[:2])
    snapshot = Path(arguments[2]) if len(arguments) > 2 else None
    try:
        emulator = Emulator(folder, redis_server, snapshot)
    except UserError as e:
        sys.stderr.write(f"{e}\n")
        return 2
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=emulator.server.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()
    sys.stdout.write(f"listening on {emulator.server.port}\n")
    sys.stdout.flush()
    ended.wait()
    emulator.server.shutdown()
    emulator.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
