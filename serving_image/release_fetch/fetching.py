"""Fetches the files of a release in parts, many at once, and shows them only when all are there and verified.

In the folder:

    repository/           the whole release; it appears in one step, and never changes
    incoming/             files that are whole and verified
    parts/SHA256.data     a file that is on its way, with holes
    parts/SHA256.done     the numbers of its parts that have arrived, one a line

A fetch that was killed goes on from there. What an earlier attempt left, and every large file, is hashed as it lies
on the disk, not as it arrived: whatever a dying machine left in a part is found, and that file is fetched anew.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from .growing import GrowingFile
from .manifest import File, read_manifest
from .problems import BROKEN, FetchError, NoAnswerError
from .signature import check_signature
from .sources import Source

MANIFEST: Final = "manifest.json"
ATTESTATION: Final = "attestation.json"
REPOSITORY: Final = "repository"
PART_BYTES: Final = 16 * 1024 * 1024
ATTEMPTS: Final = 5
MANIFEST_BYTES_MAX: Final = 64 * 1024 * 1024
ATTESTATION_BYTES_MAX: Final = 4 * 1024 * 1024
_HASH_BYTES: Final = 4 * 1024 * 1024
_AGAIN: Final = "Publish the files of this release anew, or pin another release."

Tell = Callable[[str], None]
_T = TypeVar("_T")


@dataclass
class Progress:
    """Bytes that are there, of all; told at most every `every_s` seconds."""

    total: int
    tell: Tell
    every_s: float = 5.0
    done: int = 0
    resumed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _started: float = field(default_factory=time.monotonic)
    _told: float = field(default_factory=time.monotonic)

    def add(self, count: int, *, fetched: bool = True) -> None:
        """Count bytes that arrived, or that were there already."""
        with self._lock:
            self.done += count
            self.resumed += 0 if fetched else count
            now = time.monotonic()
            if now - self._told < self.every_s:
                return
            self._told = now
        self.tell(self.line())

    def line(self) -> str:
        """How far it is, and how fast it comes."""
        speed = (self.done - self.resumed) / max(1e-3, time.monotonic() - self._started)
        return f"{self.done / 1e6:.1f} of {self.total / 1e6:.1f} MB, {speed / 1e6:.1f} MB/s"


@dataclass(frozen=True)
class Job:
    """What is fetched, where to, and how."""

    source: Source
    uri: str
    manifest_sha256: str
    region: str
    """Where the bucket must lie."""
    folder: Path
    workers: int
    signers: frozenset[str] = frozenset()
    """Fingerprints of the keys that may have signed it; none: it need not be signed."""
    limit_bytes: int | None = None
    """What the folder may hold: the volume's limit, beyond which the kubelet evicts the pod."""
    part_bytes: int = PART_BYTES
    pause_s: float = 1.0
    """Before a request is made again; doubles."""

    @property
    def repository(self) -> Path:
        """Where the whole release appears."""
        return self.folder / REPOSITORY


def fetch(job: Job, tell: Tell) -> None:
    """Bring the release into `job.repository`.

    Raises:
        FetchError: the release is not the pinned one, not whole, or could not be fetched; nothing is served then.
    """
    try:
        _fetch(job, tell)
    except OSError as error:
        raise _of_the_disk(error, job) from error


def _fetch(job: Job, tell: Tell) -> None:
    _patiently(job, lambda: job.source.check_region(job.region))
    manifest = _read_whole(job, MANIFEST, MANIFEST_BYTES_MAX)
    files = read_manifest(manifest, job.manifest_sha256, f"{job.uri}/{MANIFEST}")
    signed = "its signature is not asked for"
    if job.signers:
        attestation = _read_whole(job, ATTESTATION, ATTESTATION_BYTES_MAX)
        signer = check_signature(attestation, job.manifest_sha256, job.signers, f"{job.uri}/{ATTESTATION}")
        signed = f"signed by {signer}"
    total = sum(file.size for file in files)
    tell(f"{job.uri}: {len(files)} files, {total / 1e6:.1f} MB; {signed}")
    if job.limit_bytes is not None and total > job.limit_bytes:
        raise FetchError(
            f"the release has {total} bytes, and the volume takes {job.limit_bytes}",
            job.uri,
            "Raise fleet.repository_gib.",
        )
    _check_listing(job, files)
    incoming, parts = job.folder / "incoming", job.folder / "parts"
    if job.repository.exists():
        if incoming.exists():
            shutil.rmtree(incoming)
        job.repository.rename(incoming)  # verified again before it is shown
    for folder in (incoming, parts):
        folder.mkdir(parents=True, exist_ok=True)
    _drop_others(incoming, {file.path for file in files})
    progress = Progress(total, tell)
    found = {path.relative_to(incoming).as_posix() for path in incoming.rglob("*")}
    for folder in sorted({file.path.rpartition("/")[0] for file in files}):
        (incoming / folder).mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(job.workers, thread_name_prefix="fetch") as pool:
        there = [file for file in files if file.path in found]
        verdicts = pool.map(lambda file: _is_whole(incoming / file.path, file), there)
        whole = {file.path for file, is_whole in zip(there, verdicts, strict=True) if is_whole}
        missing = [file for file in files if file.path not in whole]
        progress.add(total - sum(f.size for f in missing), fetched=False)
        _check_space(job, missing)
        small = [file for file in missing if file.size <= job.part_bytes]
        _all(pool, job.workers, [lambda f=f: _bring(job, f, progress) for f in small])
        _bring_in_parts(job, [file for file in missing if file.size > job.part_bytes], pool, progress)
    shutil.rmtree(parts)
    incoming.rename(job.repository)
    tell(f"{job.uri}: whole and verified, {progress.line()}")


def _read_whole(job: Job, key: str, bytes_max: int) -> bytes:
    data = bytearray()
    _patiently(job, lambda: (data.clear(), job.source.read(key, 0, bytes_max, data.extend)))
    return bytes(data)


def _check_listing(job: Job, files: Sequence[File]) -> None:
    """Raises FetchError unless the bucket has exactly the manifest's files, in their sizes."""
    prefix = f"{REPOSITORY}/"
    listed = _patiently(job, lambda: job.source.sizes(prefix))
    found = {key.removeprefix(prefix): size for key, size in listed.items()}
    wanted = {file.path: file.size for file in files}
    faults = [
        *(f"{path} is missing" for path in sorted(wanted.keys() - found.keys())),
        *(f"{path} is there and not in the manifest" for path in sorted(found.keys() - wanted.keys())),
        *(
            f"{path} has {found[path]} bytes instead of {wanted[path]}"
            for path in sorted(wanted.keys() & found.keys())
            if found[path] != wanted[path]
        ),
    ]
    if faults:
        more = f", and {len(faults) - 3} more" if len(faults) > 3 else ""
        what = f"the release is not what its manifest says: {', '.join(faults[:3])}{more}"
        raise FetchError(what, f"{job.uri}/{REPOSITORY}", _AGAIN, code=BROKEN)


def _drop_others(folder: Path, wanted: set[str]) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_symlink() or (path.is_file() and path.relative_to(folder).as_posix() not in wanted):
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _check_space(job: Job, missing: Iterable[File]) -> None:
    there = sum(p.stat().st_blocks * 512 for p in (job.folder / "parts").iterdir())
    needed, free = sum(file.size for file in missing) - there, shutil.disk_usage(job.folder).free
    if needed > free:
        raise FetchError(
            f"the disk has {free} bytes free, and {needed} are to come",
            str(job.folder),
            "Raise the pool's disk_gib and fleet.repository_gib.",
        )


def _bring(job: Job, file: File, progress: Progress) -> None:
    """One small file, in one request; hashed as it arrives."""
    part, _ = _on_the_way(job, file)
    for _ in range(2):  # a file that changes while it is read gets one more chance
        if _read_part(job, file, part, 0, file.size, os.O_TRUNC) == file.sha256:
            part.rename(f"{job.folder}/incoming/{file.path}")
            progress.add(file.size)
            return
    part.unlink(missing_ok=True)
    raise _other_digest(job, file)


def _bring_in_parts(job: Job, files: Sequence[File], pool: ThreadPoolExecutor, progress: Progress) -> None:
    """Large files, their parts at once; those that an earlier attempt brought are kept."""
    left = files
    for _ in range(2):
        growing = [(file, GrowingFile(*_on_the_way(job, file), file.size, job.part_bytes)) for file in left]
        parts = ((file, onto, start, length) for file, onto in growing for start, length in onto.missing())
        # The files in turns: the kernel lets one thread at a time write to a file, and one thread hashes it.
        work = sorted(parts, key=lambda part: part[2])
        progress.add(sum(file.size for file in left) - sum(length for *_, length in work), fetched=False)

        def bring(file: File, onto: GrowingFile, start: int, length: int) -> None:
            _read_part(job, file, _on_the_way(job, file)[0], start, length)
            onto.arrived(start)
            progress.add(length)

        _all(pool, job.workers, [lambda part=part: bring(*part) for part in work])
        left = []
        for file, onto in growing:
            if onto.is_whole(file.sha256):
                onto.move(job.folder / "incoming" / file.path)
            else:
                onto.drop()
                progress.add(-file.size)
                left.append(file)
    if left:
        raise _other_digest(job, left[0])


def _on_the_way(job: Job, file: File) -> tuple[Path, Path]:
    # By content and place: two equal files must not write to one.
    name = hashlib.sha256(f"{file.sha256} {file.path}".encode()).hexdigest()
    base = f"{job.folder}/parts/{name}"  # joined as text: for a small file, paths cost as much as its digest
    return Path(f"{base}.data"), Path(f"{base}.done")


def _read_part(job: Job, file: File, into: Path, start: int, length: int, flags: int = 0) -> str | None:
    """Write a range of the object to the same place of the file; the SHA-256 of it where it is the whole file."""
    descriptor = os.open(into, os.O_WRONLY | os.O_CREAT | flags, 0o644)
    digest = hashlib.sha256()

    def read() -> None:
        nonlocal digest
        digest, position = hashlib.sha256(), start

        def write(data: bytes | memoryview) -> None:
            nonlocal position
            if length == file.size:
                digest.update(data)
            with memoryview(data) as left:
                done = 0
                while done < len(left):  # a disk that is nearly full takes a part of it
                    done += os.pwrite(descriptor, left[done:], position + done)
            position += done

        if length:
            job.source.read(f"{REPOSITORY}/{file.path}", start, length, write)
        if position != start + length:
            raise NoAnswerError(f"{job.uri}/{REPOSITORY}/{file.path} ended after {position} of {file.size} bytes")

    try:
        _patiently(job, read)
    finally:
        os.close(descriptor)
    return digest.hexdigest() if length == file.size else None


def _is_whole(path: Path, file: File) -> bool:
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_HASH_BYTES):
            digest.update(block)
    return digest.hexdigest() == file.sha256


def _all(pool: ThreadPoolExecutor, workers: int, work: Iterable[Callable[[], object]]) -> None:
    """Do everything; the first error stops what has not begun, and is raised."""
    left, errors = deque(work), list[BaseException]()

    def run() -> None:
        with suppress(IndexError):
            while True:
                each = left.popleft()
                try:
                    each()
                except BaseException as error:
                    left.clear()
                    errors.append(error)
                    return

    wait([pool.submit(run) for _ in range(min(workers, len(left)))])  # a future for each costs a small file much
    if errors:
        raise errors[0]


def _patiently(job: Job, call: Callable[[], _T]) -> _T:
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except NoAnswerError as error:
            if attempt == ATTEMPTS - 1:
                raise FetchError(
                    f"no whole answer after {ATTEMPTS} attempts: {error}",
                    job.uri,
                    "Check the way from the pod's network to the bucket.",
                ) from error
            time.sleep(job.pause_s * 2**attempt)
    raise AssertionError("unreachable")


def _other_digest(job: Job, file: File) -> FetchError:
    what = f"{file.path} does not have the SHA-256 that the manifest says, {file.sha256}"
    return FetchError(what, f"{job.uri}/{REPOSITORY}", _AGAIN, code=BROKEN)


def _of_the_disk(error: OSError, job: Job) -> FetchError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FetchError("the disk is full", str(job.folder), "Raise the pool's disk_gib and fleet.repository_gib.")
    what = f"the folder cannot be used: {error.strerror or error}"
    return FetchError(what, str(error.filename or job.folder), "Mount a folder that the pod's user may write.")
