"""Small Pulumi programs on a local cloud of the test's own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from textwrap import dedent

import pytest

from common.console import Steps
from common.paths import repo_root
from ops.local.session import LocalCloud, open_local

PULUMI_YAML = """\
name: seawall
runtime: python
main: program/
stackConfigDir: config
"""

BASE = """
import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

provider = aws.Provider("aws", region="eu-west-1", allowed_account_ids=["111122223333"])
default = pulumi.ResourceOptions(provider=provider)
key = aws.kms.Key("data", description="models", opts=default)
bucket = aws.s3.Bucket("models", bucket="models-of-a-test", force_destroy=True, opts=default)
versioning = aws.s3.BucketVersioning(
    "models",
    bucket=bucket.bucket,
    versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
    opts=default,
)
table = aws.dynamodb.Table(
    "features",
    name="features",
    hash_key="entity_id",
    attributes=[aws.dynamodb.TableAttributeArgs(name="entity_id", type="S")],
    billing_mode="PAY_PER_REQUEST",
    server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(enabled=True, kms_key_arn=key.arn),
    opts=default,
)
cluster = kubernetes.Provider("cluster", kubeconfig=bucket.arn.apply(lambda arn: '{"kind": "Config"}'))
namespace = kubernetes.core.v1.Namespace(
    "serving", metadata={"name": "serving"}, opts=pulumi.ResourceOptions(provider=cluster)
)
pulumi.export("bucket", bucket.bucket)
pulumi.export("token", pulumi.Output.secret("s3cret"))
"""
"""A bucket, a table under a key, and a namespace on a cluster whose address is known late."""


class Project:
    """A checkout with a program of the test's."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "program").mkdir(parents=True)
        (root / "config").mkdir()
        (root / "Pulumi.yaml").write_text(PULUMI_YAML)
        shutil.copy2(repo_root() / "stacks" / "config" / "Pulumi.dev-aws.yaml", root / "config")
        self.write(BASE)

    def write(self, program: str) -> None:
        """Replace the program."""
        (self.root / "program" / "__main__.py").write_text(dedent(program))

    def change(self, old: str, new: str) -> None:
        """Change the program in one place."""
        file = self.root / "program" / "__main__.py"
        text = file.read_text()
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        file.write_text(text.replace(old, new))

    def append(self, more: str) -> None:
        """Add to the program."""
        file = self.root / "program" / "__main__.py"
        file.write_text(file.read_text() + dedent(more))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "checkout")


@pytest.fixture
def own_local_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of the test's own for local stacks; nothing of another's is seen."""
    folder = tmp_path / "local"
    monkeypatch.setenv("SEAWALL_LOCAL", str(folder))
    yield folder


@pytest.fixture
def opened(project: Project, own_local_cloud: Path, steps: Steps) -> Callable[[], AbstractContextManager[LocalCloud]]:
    """Opens the project's stack for one command."""
    return lambda: open_local("dev-aws", steps, root=project.root)


@pytest.fixture
def running(
    made_once: Callable[[str, Callable[[Path], None]], Path], project: Project, own_local_cloud: Path
) -> Project:
    """The project, whose program is already up on the test's local cloud; it is deployed once for all tests."""

    def deploy(home: Path) -> None:
        with open_local("dev-aws", Steps(), root=project.root, home=home) as local:
            local.up()

    shutil.copytree(made_once("small-program", deploy), own_local_cloud, symlinks=True)
    return project
