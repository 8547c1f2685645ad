"""A small program with real SDK resources, which plans are made of."""

from __future__ import annotations

from collections.abc import Callable

import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp
import pulumi_kubernetes as k8s
import pytest

CANARY = "canary-6f1d2c-do-not-show"


class Store(pulumi.ComponentResource):
    """A bucket under a key, with a replica elsewhere and an inner component."""

    def __init__(self, name: str, providers: list[pulumi.ProviderResource], protect: bool | None) -> None:
        options = pulumi.ResourceOptions(providers=providers, protect=protect)
        super().__init__("seawall:test:Store", name, None, options)
        here = pulumi.ResourceOptions(parent=self)
        self.key = aws.kms.Key("key", description="models", opts=here)
        self.bucket = aws.s3.Bucket("models", bucket="seawall-models", force_destroy=False, opts=here)
        self.replica = aws.s3.Bucket("replica", bucket="seawall-replica", region="eu-north-1", opts=here)
        aws.s3.BucketServerSideEncryptionConfiguration(
            "encryption",
            bucket=self.bucket.id,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {
                        "kms_master_key_id": self.key.arn,
                        "sse_algorithm": "aws:kms",
                    }
                }
            ],
            opts=here,
        )
        Access("access", self.bucket, here)
        self.register_outputs({})


class Access(pulumi.ComponentResource):
    """A role inside another component."""

    def __init__(self, name: str, bucket: aws.s3.Bucket, opts: pulumi.ResourceOptions) -> None:
        super().__init__("seawall:test:Access", name, None, opts)
        self.role = aws.iam.Role(
            "reader",
            assume_role_policy=pulumi.Output.json_dumps({"bucket": bucket.arn}),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[bucket]),
        )
        self.register_outputs({})


def small_program() -> None:
    """AWS, Google Cloud and Kubernetes resources, a secret, unknowns and outputs."""
    on_aws = aws.Provider("aws", region="eu-west-1", allowed_account_ids=["111122223333"])
    on_gcp = gcp.Provider("gcp", project="seawall-test", region="europe-west4")
    inside = k8s.Provider("cluster", kubeconfig=pulumi.Output.secret(f"token: {CANARY}"))
    store = Store("storage", [on_aws], protect=True)
    aws.ssm.Parameter(
        "password",
        type="SecureString",
        value=pulumi.Output.secret(CANARY),
        opts=pulumi.ResourceOptions(provider=on_aws),
    )
    ring = gcp.kms.KeyRing("ring", location="europe-north1", opts=pulumi.ResourceOptions(provider=on_gcp))
    gcp.kms.CryptoKey("far", key_ring=ring.id, opts=pulumi.ResourceOptions(provider=on_gcp))
    gcp.compute.Disk("disk", zone="europe-west4-b", size=10, opts=pulumi.ResourceOptions(provider=on_gcp))
    k8s.core.v1.ConfigMap(
        "settings",
        metadata={"labels": {"app_name": "x"}},
        data={"some_key": "v"},
        opts=pulumi.ResourceOptions(provider=inside),
    )
    pulumi.export("bucket", {"name": store.bucket.bucket, "arn": store.bucket.arn})
    pulumi.export("password", pulumi.Output.json_dumps({"password": pulumi.Output.secret(CANARY)}))


@pytest.fixture(scope="session")
def program() -> Callable[[], None]:
    """The small program."""
    return small_program


@pytest.fixture(scope="session")
def canary() -> str:
    """The secret in the small program."""
    return CANARY
