"""The command: ends with 0 if every answer is right, 1 if one is wrong, 2 if the server cannot be asked.

A server that refuses a question because its queue is full is ready: to take it from its service would only move its
load to others, until none is left.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

RIGHT, WRONG, UNASKED = 0, 1, 2
OK, BUSY = 200, 503
FILE: Final = "self_check.json"
TIMEOUT_S: Final = 5.0
"""Of one request; the probe's own limit is longer."""


def arguments_of(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="self_check", description="Ask a server for answers that are known.")
    parser.add_argument("--repository", required=True, type=Path, help="the folder of models that the server serves")
    parser.add_argument("--port", type=int, default=8000, help="of the server's HTTP API, on this machine")
    parser.add_argument(
        "--alive", action="store_true", help="ask whether a restart would help: being late is no fault"
    )
    return parser.parse_args(given)


def differences(check: Mapping[str, Any], outputs: Sequence[Mapping[str, Any]]) -> list[str]:
    """How an answer differs from the one that is known: by output and row."""
    given = {output["name"]: output["data"] for output in outputs}
    found = []
    for name, wanted in check["outputs"].items():
        got = given.get(name)
        if got is None or len(got) != len(wanted):
            found.append(f"{name} has {0 if got is None else len(got)} values instead of {len(wanted)}")
            continue
        found += [
            f"{name} of row {row} is {g!r} instead of {w!r}"
            for row, (g, w) in enumerate(zip(got, wanted, strict=True))
            if not _agree(g, w, check["tolerance"])
        ]
    return found


def _agree(got: Any, wanted: Any, tolerance: float) -> bool:
    if isinstance(wanted, str) or isinstance(got, str):
        return got == wanted
    return abs(got - wanted) <= tolerance  # false for NaN


def ask(connection: HTTPConnection, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    """Status and body of an answer. Raises OSError or HTTPException where there is none."""
    text = None if body is None else json.dumps(body)
    connection.request(method, path, text, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def run(repository: Path, port: int, *, alive: bool = False) -> tuple[int, str]:
    """The exit code, and the line that says why.

    Raises:
        OSError: a file cannot be read, or the server does not answer.
        HTTPException: it does not speak HTTP.
        ValueError: a file or an answer is no JSON of the known form.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        health = "live" if alive else "ready"
        status, _ = ask(connection, "GET", f"/v2/health/{health}")
        if status != OK:
            return UNASKED, f"the server is not {health}: HTTP {status}"
        files = sorted(repository.glob(f"*/*/{FILE}"))
        for file in files:
            wrong = _fault_of(connection, json.loads(file.read_text(encoding="utf-8")))
            if wrong:
                return WRONG, wrong
    except TimeoutError:
        if not alive:
            raise
        return RIGHT, "alive, and late"
    finally:
        connection.close()
    return RIGHT, f"{health}; {len(files)} models gave their known answers"


def _fault_of(connection: HTTPConnection, check: Mapping[str, Any]) -> str:
    """What is wrong with a model's answers; empty if nothing is, or it is too busy to answer."""
    path = f"/v2/models/{check['model']}/infer"
    status, body = ask(connection, "POST", path, {"id": "self-check", "inputs": check["inputs"]})
    if status == BUSY:
        return ""
    if status != OK:
        return f"{check['model']} answered HTTP {status}: {body[:300].decode('utf-8', 'replace')}"
    found = differences(check, json.loads(body)["outputs"])
    more = f", and {len(found) - 3} more" if len(found) > 3 else ""
    return f"{check['model']} answers wrongly: {', '.join(found[:3])}{more}" if found else ""


def main(given: list[str] | None = None) -> int:
    """Ask, say the result in a line, and return the exit code."""
    asked = arguments_of(given)
    try:
        code, line = run(asked.repository, asked.port, alive=asked.alive)
    except (OSError, HTTPException) as error:
        code, line = UNASKED, f"the server cannot be asked: {type(error).__name__}: {error}"
    except (ValueError, KeyError, TypeError) as error:
        code, line = WRONG, f"an answer or {FILE} cannot be read: {type(error).__name__}: {error}"
    print(line, file=sys.stderr if code else sys.stdout)
    return code


if __name__ == "__main__":
    sys.exit(main())
