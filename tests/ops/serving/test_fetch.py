"""The serving image's own program fetches a release from the emulated clouds, with the credentials of a pod."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from common.errors import UserError
from common.gcp_api import GcpApi
from common.target import Pod, Target
from localcloud.aws.emulator import AwsEmulator
from localcloud.emulators import Emulator, StackPlace
from localcloud.gcp.emulator import GcpEmulator
from localcloud.triton.release import Release, fetch_release
from ops.models import releases
from ops.models.command import default_repository
from ops.models.manifest import build_manifest
from ops.objects.opening import open_store
from ops.objects.store import ObjectStore

pytestmark = [pytest.mark.triton, pytest.mark.xdist_group("fetch")]

EMAIL = "the-fleet@acme.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{EMAIL}"
AWS_POD = Pod("serving", "triton", "arn:aws:iam::111122223333:role/fleet")
GCP_POD = Pod("serving", "triton", MEMBER)
FLEET = {
    "clusterName": "c",
    "namespace": "serving",
    "serviceAccount": "triton",
    "roleArn": AWS_POD.principal,
}
FLEETS_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
    ],
}
READERS = ("roles/storage.objectViewer", "roles/storage.legacyBucketReader")


@dataclass(frozen=True)
class World:
    """A cloud with the committed release in a bucket that the fleet may read."""

    target: Target
    store: ObjectStore
    release: Release
    pod: Pod
    python: Path
    folder: Path

    def fetch(self, pod: Pod | None = None, release: Release | None = None) -> Path:
        """As the init container of a new pod does."""
        own, into = self.folder / "own", self.folder / "into"
        for folder in (own, into):
            folder.mkdir(exist_ok=True)
        identity = self.target.admit(pod or self.pod, own)
        wanted = release or self.release
        return fetch_release(wanted, into, self.python, identity=identity, log=self.folder / "fetch.log")

    def refusal(self, pod: Pod | None = None, release: Release | None = None) -> str:
        with pytest.raises(UserError) as caught:
            self.fetch(pod, release)
        assert not (self.folder / "into" / "repository").exists()
        return caught.value.what


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsEmulator]:
    emulator = AwsEmulator(
        StackPlace("dev-aws", "eu-west-1", "eu-central-1", "111122223333"), tmp_path_factory.mktemp("aws")
    )
    for each in started(emulator):
        aws_client(each, "iam").create_role(RoleName="fleet", AssumeRolePolicyDocument=json.dumps(FLEETS_TRUST))
        yield each


@pytest.fixture(scope="module")
def gcp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GcpEmulator]:
    emulator = GcpEmulator(
        StackPlace("dev-gcp", "europe-west1", "europe-north1", "acme"), tmp_path_factory.mktemp("gcp")
    )
    yield from started(emulator)


def started(emulator: Any) -> Iterator[Any]:
    emulator.start(None)
    yield emulator
    emulator.stop()


def aws_client(emulator: Emulator, service: str) -> Any:
    import boto3

    make: Any = boto3.client
    url = emulator.target().aws_endpoint_url
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return make(service, region_name="eu-west-1", endpoint_url=url, **keys)


@pytest.fixture
def on_aws(aws: AwsEmulator, serving_python: Path, tmp_path: Path) -> Iterator[World]:
    bucket = f"models-{tmp_path.name}".replace("_", "-").lower()[:60].rstrip("-")
    s3, eks = aws_client(aws, "s3"), aws_client(aws, "eks")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    may_read(aws, bucket)
    eks.create_pod_identity_association(**FLEET)
    yield world(aws.target(), f"s3://{bucket}", "eu-west-1", AWS_POD, serving_python, tmp_path)
    for left in eks.list_pod_identity_associations(clusterName="c")["associations"]:
        eks.delete_pod_identity_association(clusterName="c", associationId=left["associationId"])


def may_read(
    emulator: AwsEmulator, bucket: str, actions: tuple[str, ...] = ("s3:ListBucket", "s3:GetObject")
) -> None:
    """Let the fleet's role do this to the bucket, and nothing else to any."""
    arn = f"arn:aws:s3:::{bucket}"
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": [arn, f"{arn}/*"]}],
    }
    aws_client(emulator, "iam").put_role_policy(
        RoleName="fleet", PolicyName="models", PolicyDocument=json.dumps(policy)
    )


@pytest.fixture
def on_gcp(gcp: GcpEmulator, serving_python: Path, tmp_path: Path) -> World:
    bucket = f"models-{tmp_path.name}".replace("_", "-").lower()[:60].rstrip("-")
    api = GcpApi(gcp.target(), "acme")
    if api.find("iam", f"v1/projects/acme/serviceAccounts/{EMAIL}") is None:
        api.post("iam", "v1/projects/acme/serviceAccounts", {"accountId": "the-fleet", "serviceAccount": {}})
    bind(api, ["serviceAccount:acme.svc.id.goog[serving/triton]"])
    api.post("storage", "storage/v1/b", {"name": bucket, "location": "europe-west1"}, params={"project": "acme"})
    grant(api, bucket, READERS)
    return world(gcp.target(), f"gs://{bucket}", "europe-west1", GCP_POD, serving_python, tmp_path)


def bind(api: GcpApi, members: list[str]) -> None:
    bindings = [{"role": "roles/iam.workloadIdentityUser", "members": members}] if members else []
    api.post("iam", f"v1/projects/acme/serviceAccounts/{EMAIL}:setIamPolicy", {"policy": {"bindings": bindings}})


def grant(api: GcpApi, bucket: str, roles: tuple[str, ...]) -> None:
    api.put("storage", f"storage/v1/b/{bucket}/iam", {"bindings": [{"role": r, "members": [MEMBER]} for r in roles]})


def world(target: Target, uri: str, region: str, pod: Pod, python: Path, folder: Path) -> World:
    store = open_store(uri, target, region)
    done = releases.publish(store, default_repository(), "1.0.1")
    return World(target, store, Release(done.uri, done.manifest_sha256, region), pod, python, folder)


@pytest.fixture(params=["aws", "gcp"])
def cloud(request: pytest.FixtureRequest) -> World:
    """Each cloud in turn."""
    return request.getfixturevalue(f"on_{request.param}")


def test_a_pod_fetches_the_committed_models_with_its_own_credentials(cloud: World) -> None:
    assert build_manifest(cloud.fetch(), "1.0.1").sha256 == cloud.release.manifest_sha256


def test_what_a_fetch_left_when_it_was_killed_is_used(cloud: World) -> None:
    repository = cloud.fetch()
    repository.rename(repository.parent / "incoming")
    (cloud.folder / "into" / "incoming" / "classifier" / "config.pbtxt").unlink()
    assert build_manifest(cloud.fetch(), "1.0.1").sha256 == cloud.release.manifest_sha256


def test_another_digest_is_refused(cloud: World) -> None:
    assert "the settings pin " + "0" * 64 in cloud.refusal(release=replace(cloud.release, manifest_sha256="0" * 64))


def test_an_unpublished_release_is_refused(cloud: World) -> None:
    gone = replace(cloud.release, uri=cloud.release.uri.replace("/1.0.1", "/1.0.9"))
    assert "the object does not exist" in cloud.refusal(release=gone)


def test_a_bucket_that_is_not_there_is_refused(cloud: World) -> None:
    bucket = cloud.store.bucket
    assert cloud.refusal(release=replace(cloud.release, uri=cloud.release.uri.replace(bucket, "no-such-bucket")))


def _repository(cloud: World) -> str:
    return releases.repository_prefix("1.0.1")


def test_a_file_that_is_missing_is_named(cloud: World) -> None:
    cloud.store.delete(f"{_repository(cloud)}classifier/1/model.onnx")
    assert "classifier/1/model.onnx is missing" in cloud.refusal()


def test_a_file_that_is_too_much_is_named(cloud: World) -> None:
    cloud.store.put(f"{_repository(cloud)}classifier/1/more.py", b"import os")
    assert "classifier/1/more.py is there and not in the manifest" in cloud.refusal()


def test_a_file_with_other_bytes_is_named(cloud: World) -> None:
    key = f"{_repository(cloud)}classifier/config.pbtxt"
    cloud.store.put(key, cloud.store.get(key).swapcase())
    assert "classifier/config.pbtxt does not have the SHA-256" in cloud.refusal()


def test_a_bucket_of_another_region_is_refused(cloud: World) -> None:
    assert "and the pod is told there-1" in cloud.refusal(release=replace(cloud.release, region="there-1"))


def test_a_pod_of_another_service_account_has_no_credentials(cloud: World) -> None:
    stranger = replace(cloud.pod, service_account="stranger")
    what = cloud.refusal(stranger)
    assert "there are no AWS credentials" in what or "the pod gets no token" in what or "no answer" in what


def test_a_pod_whose_association_went_has_no_credentials(on_aws: World, aws: AwsEmulator) -> None:
    own = on_aws.folder / "own"
    own.mkdir()
    identity = on_aws.target.admit(on_aws.pod, own)
    eks = aws_client(aws, "eks")
    (found,) = eks.list_pod_identity_associations(clusterName="c")["associations"]
    eks.delete_pod_identity_association(clusterName="c", associationId=found["associationId"])
    into = on_aws.folder / "into"
    into.mkdir()
    with pytest.raises(UserError, match="there are no AWS credentials"):
        fetch_release(on_aws.release, into, on_aws.python, identity=identity, log=on_aws.folder / "log")


def test_a_pod_that_was_admitted_before_its_association_never_gets_credentials(
    on_aws: World, aws: AwsEmulator
) -> None:
    own, into = on_aws.folder / "own", on_aws.folder / "into"
    own.mkdir()
    into.mkdir()
    eks = aws_client(aws, "eks")
    (found,) = eks.list_pod_identity_associations(clusterName="c")["associations"]
    eks.delete_pod_identity_association(clusterName="c", associationId=found["associationId"])
    identity = on_aws.target.admit(on_aws.pod, own)
    eks.create_pod_identity_association(**FLEET)
    with pytest.raises(UserError, match="there are no AWS credentials"):
        fetch_release(on_aws.release, into, on_aws.python, identity=identity, log=on_aws.folder / "log")


@pytest.mark.parametrize(
    ("lost", "right"), list(zip(READERS, ("storage.objects.get", "storage.buckets.get"), strict=True))
)
def test_a_pod_that_lost_a_role_on_the_bucket_is_refused(
    on_gcp: World, gcp: GcpEmulator, lost: str, right: str
) -> None:
    grant(GcpApi(gcp.target(), "acme"), on_gcp.store.bucket, tuple(role for role in READERS if role != lost))
    assert f"{EMAIL} lacks {right} on " in on_gcp.refusal()


@pytest.mark.parametrize(
    ("left", "told"),
    [
        ("s3:GetObject", "S3 refused the request: 403"),  # asked for its head, a bucket says no more
        ("s3:ListBucket", "eks-c-triton may not s3:GetObject"),
    ],
)
def test_a_pod_whose_role_lost_a_right_is_refused(on_aws: World, aws: AwsEmulator, left: str, told: str) -> None:
    may_read(aws, on_aws.store.bucket, (left,))
    assert told in on_aws.refusal()


def test_a_pod_that_may_not_become_the_account_gets_no_token(on_gcp: World, gcp: GcpEmulator) -> None:
    bind(GcpApi(gcp.target(), "acme"), [])
    assert on_gcp.refusal()


def test_a_pod_that_the_bucket_denies_is_refused(on_aws: World, aws: AwsEmulator) -> None:
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", '
        f'"Resource": "arn:aws:s3:::{on_aws.store.bucket}/*"}}]}}'
    )
    aws_client(aws, "s3").put_bucket_policy(Bucket=on_aws.store.bucket, Policy=policy)
    told = on_aws.refusal()
    assert "S3 refused the request: AccessDenied" in told
    assert "may not s3:GetObject" in told and "denies it" in told


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261121/eu-west-1/s3/aws4_request, Signature=x"},
        {"Authorization": "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20261121/eu-west-1/s3/aws4_request, Signature=x"},
    ],
)
def test_a_caller_without_known_credentials_is_refused(on_aws: World, headers: dict[str, str]) -> None:
    url = f"{on_aws.target.aws_endpoint_url}/{on_aws.store.bucket}/current.json"
    assert requests.get(url, headers=headers, timeout=5).status_code == 403


def test_a_token_that_nobody_gave_is_refused(on_gcp: World) -> None:
    url = f"{on_gcp.target.gcp_endpoint_url}/storage/v1/b/{on_gcp.store.bucket}/o"
    assert requests.get(url, headers={"Authorization": "Bearer ya29.made-up"}, timeout=5).status_code == 401


def test_the_fleets_token_opens_no_other_bucket_and_writes_nothing(
    on_gcp: World, gcp: GcpEmulator, tmp_path: Path
) -> None:
    host = on_gcp.target.admit(GCP_POD, tmp_path)["GCE_METADATA_HOST"]
    asked = requests.get(
        f"http://{host}/computeMetadata/v1/instance/service-accounts/default/token",
        headers={"Metadata-Flavor": "Google"},
        timeout=5,
    ).json()
    bearer = {"Authorization": f"Bearer {asked['access_token']}"}
    base, bucket = gcp.target().gcp_endpoint_url, on_gcp.store.bucket
    GcpApi(gcp.target(), "acme").find("storage", f"storage/v1/b/{bucket}")
    assert requests.get(f"{base}/storage/v1/b/{bucket}/o", headers=bearer, timeout=5).status_code == 200
    upload = f"{base}/upload/storage/v1/b/{bucket}/o?uploadType=media&name=x"
    assert requests.post(upload, headers=bearer, data=b"x", timeout=5).status_code == 403
    assert (
        requests.get(f"{base}/kms/v1/projects/acme/locations/x/keyRings", headers=bearer, timeout=5).status_code
        == 403
    )


def test_a_program_that_is_not_there_is_a_plain_error(on_aws: World, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    into = tmp_path / "into"
    into.mkdir(exist_ok=True)
    with pytest.raises(UserError, match="release_fetch"):
        fetch_release(
            on_aws.release, into, on_aws.python, identity={}, log=tmp_path / "log", program_in=tmp_path / "empty"
        )


def test_a_large_file_arrives_in_parts(cloud: World, tmp_path: Path) -> None:
    folder = tmp_path / "large"
    shutil.copytree(default_repository(), folder)
    data = hashlib.sha256(b"x").digest() * (40 * 1024 * 1024 // 32)
    (folder / "classifier" / "1" / "weights.bin").write_bytes(data)
    done = releases.publish(cloud.store, folder, "1.0.2")
    fetched = cloud.fetch(release=Release(done.uri, done.manifest_sha256, cloud.release.region))
    assert (fetched / "classifier" / "1" / "weights.bin").read_bytes() == data
