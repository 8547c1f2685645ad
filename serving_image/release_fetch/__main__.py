"""The command: fetches a release, tells its progress in lines, and ends with 0, 1 (broken) or 2 (could not)."""

from __future__ import annotations

import argparse
import gc
import re
import sys
from pathlib import Path

from .fetching import Job, fetch
from .problems import BLOCKED, FetchError, NoAnswerError
from .sources import open_source


def arguments_of(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="release_fetch", description="Fetch one release of the model repository.")
    parser.add_argument("--release", required=True, help="s3:// or gs://BUCKET/releases/VERSION")
    parser.add_argument("--manifest-sha256", required=True, help="of the release's manifest.json, as published")
    signed = parser.add_mutually_exclusive_group(required=True)
    signed.add_argument("--signer", action="append", default=[], help="fingerprint of a key that may have signed it")
    signed.add_argument("--unsigned", action="store_true", help="serve it whoever signed it")
    parser.add_argument("--into", required=True, type=Path, help="the folder that gets `repository`")
    parser.add_argument("--region", required=True, help="where the bucket must lie")
    parser.add_argument("--limit-bytes", type=int, help="most bytes that the folder may hold")
    parser.add_argument("--workers", type=int, default=8, help="requests at once")
    found = parser.parse_args(given)
    if not re.fullmatch(r"[0-9a-f]{64}", found.manifest_sha256):
        parser.error(f"--manifest-sha256 is {found.manifest_sha256!r}, which is no SHA-256")
    for signer in found.signer:
        if not re.fullmatch(r"SHA256:[0-9a-f]{64}", signer):
            parser.error(f"--signer is {signer!r}, which is no fingerprint")
    if found.workers < 1:
        parser.error("--workers must be at least 1")
    return found


def main(given: list[str] | None = None) -> int:
    """Fetch, and return the exit code."""
    asked = arguments_of(given)
    try:
        source = open_source(asked.release, asked.region, asked.workers)
        job = Job(
            source,
            asked.release.rstrip("/"),
            asked.manifest_sha256,
            asked.region,
            asked.into,
            asked.workers,
            signers=frozenset(asked.signer),
            limit_bytes=asked.limit_bytes,
        )
        fetch(job, lambda line: print(line, flush=True))
    except NoAnswerError as error:
        print(
            f"error: {' '.join(str(error).split())}; where: {asked.release}; remedy: Start the pod again.",
            file=sys.stderr,
        )
        return BLOCKED
    except FetchError as error:
        print(" ".join(str(error).split()), file=sys.stderr, flush=True)
        return error.code
    return 0


if __name__ == "__main__":
    gc.disable()  # it would walk through the SDK's objects again and again, for the cycles of one short life
    sys.exit(main())
