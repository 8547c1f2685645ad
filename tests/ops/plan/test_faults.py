"""What a plan refuses, and how it says so."""

from __future__ import annotations

from collections.abc import Callable

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
import pytest

from common.errors import UserError
from ops.plan.planner import plan_program

Build = Callable[[pulumi.ResourceOptions], object]


class Part(pulumi.ComponentResource):
    """Builds whatever it is given under itself."""

    def __init__(self, build: Build) -> None:
        super().__init__("seawall:test:Part", "part")
        build(pulumi.ResourceOptions(parent=self))


def refused(build: Build) -> UserError:
    with pytest.raises(UserError) as error:
        plan_program(lambda: Part(build) and None, "dev-aws")
    return error.value


def container(**fields: object) -> Build:
    spec = {"selector": {}, "template": {"spec": {"containers": [fields]}}}
    return lambda opts: k8s.apps.v1.Deployment("triton", spec=spec, opts=opts)  # type: ignore[arg-type]


CASES: dict[str, tuple[Build, str, str]] = {
    "unknown, to the constructor": (
        lambda o: aws.s3.Bucket("models", bukcet="x", opts=o),  # type: ignore[call-arg]
        "aws:s3/bucket:Bucket 'models': unknown argument bukcet",
        "did you mean bucket?",
    ),
    "unknown, to a provider": (
        lambda o: aws.Provider("here", regoin="eu-west-1", opts=o),  # type: ignore[call-arg]
        "pulumi:providers:aws 'here': unknown argument regoin",
        "did you mean region?",
    ),
    "unknown, deep inside": (
        container(name="triton", imagePullPolcy="Always"),
        "kubernetes:apps/v1:Deployment 'triton': unknown argument spec.template.spec.containers.0.imagePullPolcy",
        "did you mean imagePullPolicy?",
    ),
    "missing, to the constructor": (
        lambda o: aws.s3.BucketPolicy("access", policy="{}", opts=o),
        "aws:s3/bucketPolicy:BucketPolicy 'access': missing argument bucket",
        "required",
    ),
    "missing, deep inside": (
        container(image="triton"),
        "kubernetes:apps/v1:Deployment 'triton': missing argument spec.template.spec.containers.0.name",
        "required",
    ),
    "wrong type, at the top": (
        lambda o: aws.s3.Bucket("models", force_destroy="yes", opts=o),  # type: ignore[arg-type]
        "aws:s3/bucket:Bucket 'models': wrong type of forceDestroy",
        'expected true or false, got the string "yes"',
    ),
    "wrong type, from an output": (
        lambda o: aws.s3.Bucket("models", bucket=pulumi.Output.from_input(7).apply(lambda n: n + 1), opts=o),  # type: ignore[arg-type]
        "aws:s3/bucket:Bucket 'models': wrong type of bucket",
        "expected a string, got the number 8",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_refused_input_names_the_resource_and_the_argument(case: str) -> None:
    build, where, reason = CASES[case]
    error = refused(build)
    assert where in error.what
    assert reason in error.what
    assert error.where == "stack dev-aws"


def test_all_refused_inputs_are_told_at_once() -> None:
    error = refused(lambda o: aws.s3.Bucket("models", bucket=1, tags={"a": 2}, opts=o))  # type: ignore[arg-type]
    assert "2 inputs are not" in error.what


def test_a_badly_built_argument_object_is_told_with_its_line() -> None:
    error = refused(lambda _: aws.s3.BucketVersioningArgs(enabld=True))  # type: ignore[call-arg]
    assert error.what == "BucketVersioningArgs: unknown argument enabld"
    assert "component seawall:test:Part 'part'" in error.where
    assert "test_faults.py:" in error.where


def test_a_components_refusal_names_the_component() -> None:
    def build(_: pulumi.ResourceOptions) -> object:
        raise ValueError("two zones are the least")

    error = refused(build)
    assert error.what == "two zones are the least"
    assert "stack dev-aws, component seawall:test:Part 'part'" in error.where


def test_a_value_that_cannot_travel_is_told_without_the_value() -> None:
    class Odd:
        def __repr__(self) -> str:
            return "canary"

    error = refused(lambda o: aws.s3.Bucket("models", bucket=Odd(), opts=o))  # type: ignore[arg-type]
    assert "canary" not in str(error)
    assert "bucket" in error.what


def test_a_wrongly_typed_secret_is_refused_without_its_value() -> None:
    error = refused(lambda o: aws.s3.Bucket("models", force_destroy=pulumi.Output.secret("canary"), opts=o))  # type: ignore[arg-type]
    assert "canary" not in str(error)


@pytest.mark.parametrize(
    "build",
    [
        lambda _: aws.get_region(),
        lambda o: aws.s3.Bucket.get("existing", "seawall-models", opts=o),
        lambda _: pulumi.StackReference("other/stack/dev"),
        lambda o: aws.s3.Bucket("b", opts=pulumi.ResourceOptions(parent=o.parent, transforms=[lambda _: None])),
    ],
    ids=["lookup", "read", "stack reference", "transform"],
)
def test_what_needs_a_live_engine_is_refused(build: Build) -> None:
    assert "only a live engine can answer" in refused(build).what


def test_two_resources_of_one_urn_are_refused() -> None:
    error = refused(lambda o: [aws.s3.Bucket("models", opts=o), aws.s3.Bucket("models", opts=o)])
    assert "aws:s3/bucket:Bucket 'models'" in error.what


def test_a_bug_keeps_its_own_exception() -> None:
    def build(_: pulumi.ResourceOptions) -> object:
        return {}["missing"]

    with pytest.raises(KeyError):
        plan_program(lambda: Part(build) and None, "dev-aws")
