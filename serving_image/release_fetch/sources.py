"""Where a release is read from: a prefix of an S3 or a Cloud Storage bucket, with the SDK's own credentials.

botocore's default chain has EKS Pod Identity (boto3 from 1.34.41, EKS user guide, "Use Pod Identity with the AWS
SDK", read 2026-11-21), google.auth's the metadata server. Neither is told a credential here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol
from urllib.parse import quote

from .problems import BROKEN, FetchError, NoAnswerError
from .ranges import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Ranges, Write, authorities
from .sigv4 import Signer

_CHUNK_BYTES: Final = 1024 * 1024
_SCOPE: Final = "https://www.googleapis.com/auth/devstorage.read_only"
_RIGHTS: Final = "Give the pod's identity read access to the bucket and its key, and start the pod after it is bound."
_GONE: Final = "Publish the release, or pin one that is there."


class Source(Protocol):
    """A release in a bucket; keys are relative to it. Safe to use from several threads.

    Every method raises FetchError, or NoAnswerError where the same request may succeed later.
    """

    def check_region(self, region: str) -> None:
        """Refuse a bucket that is elsewhere: it would be read across regions, or not at all."""
        ...

    def sizes(self, prefix: str) -> Mapping[str, int]:
        """Key → size in bytes, of everything whose key begins with `prefix`."""
        ...

    def read(self, key: str, start: int, length: int, write: Write) -> None:
        """Hand `length` bytes from `start` on to `write`, in order; fewer where the object ends before."""
        ...


def open_source(uri: str, region: str, connections: int) -> Source:
    """The source that `s3://bucket/prefix` or `gs://bucket/prefix` names.

    Raises:
        FetchError: it names none, or there are no credentials.
    """
    scheme, _, rest = uri.partition("://")
    bucket, _, prefix = rest.strip("/").partition("/")
    if bucket and prefix and scheme == "s3":
        return S3Source(bucket, f"{prefix}/", region, connections)
    if bucket and prefix and scheme == "gs":
        return GcsSource(bucket, f"{prefix}/", connections)
    raise FetchError(f"{uri!r} is not the address of a release", "--release", "Write s3:// or gs://BUCKET/PREFIX.")


def _elsewhere(bucket: str, found: str, wanted: str) -> FetchError:
    what = f"the bucket lies in {found}, and the pod is told {wanted}"
    return FetchError(what, bucket, "Name the bucket of the pod's own region, or its region with --region.")


class S3Source:
    """A prefix of an S3 bucket."""

    def __init__(self, bucket: str, prefix: str, region: str, connections: int) -> None:
        from botocore import session as botocore  # each cloud's library takes long to import, boto3's own part too
        from botocore.config import Config

        self._bucket, self._prefix = bucket, prefix
        session: Any = botocore.get_session()
        # Nobody asks when an object was changed, and parsing its date is half of what a listing costs.
        session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": 5},
            max_pool_connections=connections,
            # The files' own SHA-256 is checked; a range has no checksum of S3's.
            response_checksum_validation="when_required",
        )
        with self._explained(""):  # credentials are asked for already here
            self._client: Any = session.create_client("s3", region_name=region, config=config)
            self._credentials: Any = session.get_credentials()
        # The region's own endpoint has a host for each bucket; endpoints of a network and emulators take a path.
        scheme, _, host = str(self._client.meta.endpoint_url).rstrip("/").partition("://")
        is_regional = host == f"s3.{region}.amazonaws.com" and "." not in bucket
        host, self._path = (f"{bucket}.{host}", "/") if is_regional else (host, f"/{bucket}/")
        self._ranges = Ranges(f"{scheme}://{host}", authorities("AWS_CA_BUNDLE"))
        self._signer = Signer(region, self._ranges.host)

    def check_region(self, region: str) -> None:
        with self._explained(""):
            found = self._client.head_bucket(Bucket=self._bucket)
        told = found.get("BucketRegion") or region
        if told != region:
            raise _elsewhere(f"s3://{self._bucket}", told, region)

    def sizes(self, prefix: str) -> Mapping[str, int]:
        found: dict[str, int] = {}
        with self._explained(prefix):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                found.update({i["Key"].removeprefix(self._prefix): i["Size"] for i in page.get("Contents", [])})
        return found

    def read(self, key: str, start: int, length: int, write: Write) -> None:
        wanted = f"bytes={start}-{start + length - 1}"
        with self._explained(key):
            target = self._path + quote(self._prefix + key, safe="/~")
            headers = self._signer.headers(target, wanted, self._credentials.get_frozen_credentials())
            if self._ranges.read(target, headers, length, write):
                return
            # Refused, or redirected: the client knows what every answer means.
            body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key, Range=wanted)["Body"]
            for chunk in body.iter_chunks(_CHUNK_BYTES):
                write(chunk)

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        from botocore import exceptions as aws

        where = f"s3://{self._bucket}/{self._prefix}{key}"
        try:
            yield
        except aws.ClientError as error:
            raise self._refused(error.response, where) from error
        except (aws.NoCredentialsError, aws.CredentialRetrievalError) as error:
            raise FetchError(f"there are no AWS credentials: {error}", where, _RIGHTS) from error
        except aws.BotoCoreError as error:
            raise NoAnswerError(f"{where}: {type(error).__name__}: {error}") from error

    def _refused(self, answer: Mapping[str, Any], where: str) -> Exception:
        code = str(answer.get("Error", {}).get("Code", "unknown"))
        status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        message = f"{code} {answer.get('Error', {}).get('Message', '')}".strip()
        if code == "NoSuchKey":
            return FetchError("the object does not exist", where, _GONE, code=BROKEN)
        if code == "InvalidRange":
            return FetchError("the object is not whole", where, _GONE, code=BROKEN)
        if code in ("NoSuchBucket", "404"):
            return FetchError("the bucket does not exist", where, "Bring the stack's bucket up first.")
        if status in (301, 307) or code in ("AuthorizationHeaderMalformed", "IllegalLocationConstraintException"):
            return _elsewhere(where, str(answer.get("Error", {}).get("Region", "another region")), "otherwise")
        if status >= 500 or code in ("SlowDown", "RequestTimeout"):
            return NoAnswerError(f"{where}: {message}")
        return FetchError(f"S3 refused the request: {message}", where, _RIGHTS)


class GcsSource:
    """A prefix of a Cloud Storage bucket."""

    def __init__(self, bucket: str, prefix: str, connections: int) -> None:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # imports that tell of a Python version a year before its end
            import google.auth
            from google.auth import exceptions as auth
            from google.cloud import storage
            from requests.adapters import HTTPAdapter
        self._prefix = prefix
        self._where = f"gs://{bucket}/{prefix}"
        try:
            credentials, project = google.auth.default(scopes=[_SCOPE])
        except auth.GoogleAuthError as error:
            raise FetchError(f"there are no Google Cloud credentials: {error}", self._where, _RIGHTS) from error
        # Given by name: where an emulator is named in the environment, the client would call it as nobody.
        self._client = storage.Client(project=project or "unused", credentials=credentials)
        adapter = HTTPAdapter(pool_connections=connections, pool_maxsize=connections)
        self._client._http.mount("https://", adapter)
        self._client._http.mount("http://", adapter)
        self._bucket = self._client.bucket(bucket)
        self._options: Any = {"timeout": (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)}
        scheme, _, host = self._client.api_endpoint.rstrip("/").partition("://")
        host, _, path = host.partition("/")
        self._path = f"{'/' if path else ''}{path}/download/storage/v1/b/{quote(bucket, safe='')}/o/"
        self._ranges = Ranges(f"{scheme}://{host}", authorities("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))
        self._credentials: Any = credentials

    def check_region(self, region: str) -> None:
        with self._explained(""):
            self._bucket.reload(**self._options)
        told = str(self._bucket.location or region).lower()
        if told != region:
            raise _elsewhere(self._where, told, region)

    def sizes(self, prefix: str) -> Mapping[str, int]:
        with self._explained(prefix):
            listed = self._client.list_blobs(self._bucket, prefix=self._prefix + prefix, **self._options)
            return {blob.name.removeprefix(self._prefix): int(blob.size) for blob in listed}

    def read(self, key: str, start: int, length: int, write: Write) -> None:
        whole: Any = None  # the files' own SHA-256 is checked; a range has no checksum
        with self._explained(key):
            if self._credentials.valid:  # otherwise the client asks for a token
                headers = {"Range": f"bytes={start}-{start + length - 1}", "Accept-Encoding": "gzip"}  # as it is kept
                self._credentials.apply(headers)
                target = f"{self._path}{quote(self._prefix + key, safe='')}?alt=media"
                if self._ranges.read(target, headers.items(), length, write):
                    return
            self._bucket.blob(self._prefix + key).download_to_file(
                _Writer(write),
                start=start,
                end=start + length - 1,
                raw_download=True,
                checksum=whole,
                **self._options,
            )

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        import requests
        from google.api_core import exceptions as api
        from google.auth import exceptions as auth

        where = f"{self._where}{key}"
        try:
            yield
        except api.NotFound as error:
            if key:
                raise FetchError("the object does not exist", where, _GONE, code=BROKEN) from error
            raise FetchError("the bucket does not exist", where, "Bring the stack's bucket up first.") from error
        except api.RequestRangeNotSatisfiable as error:
            raise FetchError("the object is not whole", where, _GONE, code=BROKEN) from error
        except (api.ServerError, api.TooManyRequests, requests.RequestException) as error:
            raise NoAnswerError(f"{where}: {type(error).__name__}: {error}") from error
        except api.GoogleAPICallError as error:
            raise FetchError(f"Cloud Storage refused the request: {error.message}", where, _RIGHTS) from error
        except auth.TransportError as error:
            raise NoAnswerError(f"{where}: {error}") from error
        except auth.GoogleAuthError as error:
            raise FetchError(f"the pod gets no token: {error}", where, _RIGHTS) from error


class _Writer:
    """A file to Google's client; it has no more than what a download uses."""

    def __init__(self, write: Write) -> None:
        self._write = write

    def write(self, data: bytes) -> int:
        self._write(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is kept back."""
