"""The image's contents do a pod's whole life: fetch, serve, be probed, drain; with the words of a stack's own plan.

Nothing of the Dockerfile or the Deployment is repeated here. What differs from a pod is listed where it is replaced:
addresses that a plan does not know, ports (a pod has its own network), the placeholder of a signer, the deadline of
lookups (an emulated store is slower), and what `tests.serving_image.assembled` says of the image.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
import yaml

from common.target import Pod, Target
from components.contracts import serving
from components.contracts.feature_store import FeatureStoreKind
from localcloud.aws.emulator import AwsEmulator
from localcloud.emulators import StackPlace
from localcloud.processes.process import free_ports
from localcloud.triton.runtime import inspect_runtime, server_environment, stage_backends
from ops.features.rows import load_rows
from ops.features.store import LOCAL_TIMEOUT_MS, FeatureStore, write_rows
from ops.models.command import default_repository
from ops.models.publishing import Publisher, publish_signed
from ops.objects.opening import open_store
from ops.plan.planner import plan_stack
from ops.serving.golden import ask_http, judge, load_golden
from policies.inventory import UNKNOWN
from tests.serving_image.assembled import Assembled, assemble, words

pytestmark = [pytest.mark.triton, pytest.mark.xdist_group("container")]

STACK = "dev-aws"
DRAIN_SECONDS_TRIED = 3
"""Of the hook's sleep: that a server which is told nothing goes on answering needs no more."""
START_SECONDS = 90


@dataclass
class World:
    """A pod of the plan, on this machine."""

    pod: Mapping[str, Any]
    image: Assembled
    python: Path
    identity: Mapping[str, str]
    known: Mapping[str, str]
    """Variables whose value the plan does not know."""
    signer: str
    ports: Mapping[str, str] = field(default_factory=dict)

    def container(self, kind: str) -> Mapping[str, Any]:
        """The only one of `containers` that serves, or of `initContainers`."""
        return self.pod[kind][0]

    def command(self, given: list[str]) -> list[str]:
        """A command line as it is on this machine."""
        found = [self.image.here(word) for word in given]
        for planned, free in self.ports.items():
            found = [word.replace(f"port={planned}", f"port={free}") for word in found]
        return [f"--signer={self.signer}" if word.startswith("--signer=") else word for word in found]

    def environment(self, container: Mapping[str, Any]) -> dict[str, str]:
        """A container's variables, with the addresses that the plan does not know."""
        told = {each["name"]: each["value"] for each in container.get("env") or ()}
        told |= {name: self.known[name] for name, value in told.items() if value == UNKNOWN}
        if serving.FEATURES_TIMEOUT_MS in told:
            told[serving.FEATURES_TIMEOUT_MS] = str(LOCAL_TIMEOUT_MS)
        base = {"PATH": f"{self.image.python}:{os.environ['PATH']}", **self.identity}
        return base | self.image.variables(told)

    def run(self, container: Mapping[str, Any], command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in a container, as the kubelet does."""
        return subprocess.run(
            self.command(command),
            env=self.environment(container),
            cwd=self.image.volumes["/tmp"],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def pod_of(stack: str) -> Mapping[str, Any]:
    """The pod of the plan that fetches a release and serves it."""
    for each in plan_stack(stack).resources:
        if each.type.endswith(":Deployment"):
            pod = each.inputs["spec"]["template"]["spec"]
            if any("release_fetch" in words(c) for c in pod.get("initContainers") or ()):
                return pod
    raise AssertionError("no pod of the plan fetches a release")


def argument(container: Mapping[str, Any], name: str) -> str:
    """The value of `--name=value`."""
    (found,) = [word.split("=", 1)[1] for word in words(container) if word.startswith(f"--{name}=")]
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, image_folder: Path, serving_python: Path) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("container")
    image, pod = assemble(image_folder, folder, serving_python), pod_of(STACK)
    fetcher, server = pod["initContainers"][0], pod["containers"][0]
    for mount in (*fetcher["volumeMounts"], *server["volumeMounts"]):
        if mount["mountPath"] != "/dev/shm":
            image.volumes[mount["mountPath"]] = volume = folder / "volumes" / mount["name"]
            volume.mkdir(parents=True, exist_ok=True)
    region = argument(fetcher, "region")
    emulator = AwsEmulator(StackPlace(STACK, region, "eu-west-1", "111122223333"), folder / "aws")
    emulator.start(None)
    try:
        target = emulator.target()
        uri, _, version = argument(fetcher, "release").rpartition("/releases/")
        features = {each["name"]: each["value"] for each in server["env"]}
        admitted = admit(target, region, uri, features[serving.FEATURES_TABLE], pod, folder)
        signer = publish(target, region, uri, version, folder)
        known = {name: str(target.aws_endpoint_url) for name in ("AWS_ENDPOINT_URL_S3", serving.DYNAMODB_ENDPOINT)}
        yield World(pod, image, serving_python, admitted, known, signer)
    finally:
        emulator.stop()


def admit(
    target: Target, region: str, uri: str, table: str, pod: Mapping[str, Any], folder: Path
) -> Mapping[str, str]:
    """A bucket and a table as the plan names them, and the pod's identity, which may read both and no more."""
    bucket = uri.removeprefix("s3://")

    def client(service: str) -> Any:
        make: Any = boto3.client
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        return make(service, region_name=region, endpoint_url=target.aws_endpoint_url, **keys)

    client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    variables = {serving.FEATURES_TABLE: table, serving.FEATURES_REGION: region}
    write_rows(FeatureStore(FeatureStoreKind.DYNAMODB, table, region, table, variables), target, load_rows(), 720)
    trust = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}}
    actions = {"Action": ["sts:AssumeRole", "sts:TagSession"]}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket", "s3:GetObject"],
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
            },
            {
                "Effect": "Allow",
                "Action": ["dynamodb:BatchGetItem"],
                "Resource": [f"arn:aws:dynamodb:{region}:111122223333:table/{table}"],
            },
        ],
    }
    iam = client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust | actions]})
    iam.create_role(RoleName="fleet", AssumeRolePolicyDocument=document)
    iam.put_role_policy(RoleName="fleet", PolicyName="reads", PolicyDocument=json.dumps(policy))
    role, account = "arn:aws:iam::111122223333:role/fleet", pod["serviceAccountName"]
    client("eks").create_pod_identity_association(
        clusterName="c", namespace=serving.NAMESPACE, serviceAccount=account, roleArn=role
    )
    own = folder / "identity"
    own.mkdir()
    return target.admit(Pod(serving.NAMESPACE, account, role), own)


def publish(target: Target, region: str, uri: str, version: str, folder: Path) -> str:
    """Publish the committed models as the plan's release; the fingerprint of who signed it."""
    from common.attestation.signers import open_signer

    key = str(folder / "publisher.pem")
    publisher = Publisher(key, without_lineage="a release of a test")
    publish_signed(open_store(uri, target, region), default_repository(), version, target, publisher)
    return open_signer(key).name


@pytest.fixture(scope="module")
def fetched(world: World) -> World:
    """Once the init container has ended well."""
    fetcher = world.container("initContainers")
    done = world.run(fetcher, list(words(fetcher)))
    assert done.returncode == 0, done.stderr
    assert "whole and verified" in done.stdout and f"signed by {world.signer}" in done.stdout
    return world


@dataclass
class Running:
    """The server's process, and where it answers."""

    world: World
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.world.ports[str(serving.HTTP_PORT)]}"

    def probe(self, kind: str) -> int:
        """What a probe of the plan ends with."""
        server = self.world.container("containers")
        return self.world.run(server, server[f"{kind}Probe"]["exec"]["command"]).returncode


@pytest.fixture(scope="module")
def running(fetched: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The server, started as the entrypoint starts it."""
    server, runtime = fetched.container("containers"), inspect_runtime(fetched.python)
    folder = tmp_path_factory.mktemp("server")
    (folder / "backends").mkdir()
    stage_backends(runtime, folder / "backends")
    planned = [str(each["containerPort"]) for each in server["ports"]]
    fetched.ports = dict(zip(planned, map(str, free_ports(len(planned))), strict=True))
    program, *arguments = fetched.command(list(words(server)))
    assert program == fetched.image.command[0], "the plan and the image start the same program"
    # What the base image has in its default places, and this machine elsewhere.
    places = [
        f"--backend-directory={folder / 'backends'}",
        "--backend-config=python,shm-region-prefix-name=seawall-pod-",
    ]
    base = server_environment(runtime, {}, {}, os.environ)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [runtime.server, *arguments, *places],
            env={**base, **fetched.environment(server), "PATH": f"{base['PATH']}", "HOME": str(folder)},
            cwd=fetched.image.volumes["/tmp"],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Running(fetched, process, folder / "log")
    finally:
        process.kill()
        process.wait()
        for left in Path("/dev/shm").glob("seawall-pod-*"):
            left.unlink(missing_ok=True)


def test_the_image_runs_as_whom_the_pod_says(world: World) -> None:
    told = world.pod["securityContext"]
    assert world.image.user == f"{told['runAsUser']}:{told['runAsGroup']}"


def test_a_release_of_other_content_is_not_shown_to_the_server(world: World, tmp_path: Path) -> None:
    fetcher = world.container("initContainers")
    other = [f"--manifest-sha256={'0' * 64}" if w.startswith("--manifest") else w for w in words(fetcher)]
    elsewhere = [f"--into={tmp_path}" if word.startswith("--into=") else word for word in other]
    assert world.run(fetcher, elsewhere).returncode == 1
    assert not (tmp_path / "repository").exists()


def test_the_life_of_a_pod(running: Running) -> None:
    """In one test, for each step stands on the one before."""
    server = running.world.container("containers")
    deadline = time.monotonic() + START_SECONDS
    assert running.probe("startup") != 0, "nothing is loaded yet"
    while running.probe("startup") != 0:
        assert running.process.poll() is None, running.log.read_text()[-2000:]
        assert time.monotonic() < deadline, running.log.read_text()[-2000:]
        time.sleep(0.3)
    assert running.probe("readiness") == running.probe("liveness") == 0

    goldens = load_golden()
    assert judge("http", goldens, ask_http(running.url, goldens)).mismatches == ()
    own = Path(f"/proc/{stub(running.process.pid)}/environ").read_bytes().decode().split("\0")
    assert f"PYTHONPATH={running.world.image.root}/opt/seawall/python:{running.world.image.root}/opt/seawall" in own

    # The hook: the kubelet waits, and tells the server nothing; it answers whoever has not heard yet.
    hook = server["lifecycle"]["preStop"]
    if "exec" in hook:
        assert running.world.run(server, hook["exec"]["command"]).returncode == 0
    else:
        time.sleep(min(hook["sleep"]["seconds"], DRAIN_SECONDS_TRIED))
    assert running.probe("readiness") == 0

    # SIGTERM with requests on their way: all of them are answered, then the server ends by itself, in time.
    with ThreadPoolExecutor(8) as pool:
        few = [pool.submit(ask_http, running.url, goldens) for _ in range(2)]
        time.sleep(0.3)
        running.process.send_signal(signal.SIGTERM)
        answers = [answer for each in few for answer in each.result()]
    assert any(answer.error is None for answer in answers)
    assert not [a.error for a in answers if a.error and "HTTP 5" in a.error], "accepted, and then not answered"
    grace = running.world.pod["terminationGracePeriodSeconds"]
    assert running.process.wait(grace) == 0, running.log.read_text()[-2000:]
    assert running.probe("readiness") != 0
    with pytest.raises(requests.RequestException):
        requests.get(f"{running.url}/v2/health/live", timeout=2)


def stub(server: int) -> int:
    """The process of the feature lookup, whose memory maps say which packages it loaded."""
    import psutil

    for process in psutil.Process(server).children(recursive=True):
        if "stub" in process.name() and "feature_lookup" in " ".join(process.cmdline()):
            return process.pid
    raise AssertionError("no process of the feature lookup")


WORKFLOW = Path(__file__).parents[2] / ".github" / "workflows" / "image.yml"
BUILD = "SEAWALL_BUILD_IMAGE"
"""0: not here, although there is a builder; the base image is some 10 GB (believed)."""
BUILDERS = ("docker", "podman", "buildah")


def builder() -> str | None:
    """A builder that works here: a client whose daemon does not answer builds nothing."""
    if os.environ.get(BUILD) == "0":
        return None
    for name in BUILDERS:
        if shutil.which(name) is None:
            continue
        if subprocess.run([name, "info"], capture_output=True, check=False, timeout=60).returncode == 0:
            return name
    return None


def workflow_build() -> list[str]:
    """The words with which the workflow `image` builds, whatever of the image a change touches."""
    # YAML 1.1 reads the key `on` as true.
    workflow = {str(key): value for key, value in yaml.safe_load(WORKFLOW.read_text()).items()}
    for event in ("push", "pull_request"):
        assert "serving_image/**" in workflow["True"][event]["paths"]
    (words,) = [
        shlex.split(step["run"])
        for step in workflow["jobs"]["build"]["steps"]
        if step.get("run", "").startswith("docker build ")
    ]
    return words


def test_the_image_is_built_by_a_builder_here_or_else_by_the_workflow(image_folder: Path) -> None:
    """Where no builder runs, what is judged is that the workflow builds this folder, on each change of it."""
    _, command, *arguments, folder = workflow_build()
    assert (image_folder.parent / folder).samefile(image_folder)
    name = builder()
    if name is None:
        return
    built = subprocess.run(
        [name, "bud" if name == "buildah" else command, *arguments, "."],
        cwd=image_folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
    )
    assert built.returncode == 0, built.stderr[-3000:]
