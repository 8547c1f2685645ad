"""Two clouds that answer from a table: every answer is made from the API references (read 2026-11-21), none was
recorded from a real account. AWS's are checked against botocore's own models of the answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import boto3
import botocore.session
from botocore.loaders import create_loader
from botocore.model import OperationModel
from botocore.validate import validate_parameters

from common.target import Target
from localcloud.gcp.wire import ApiError, FrontServer, Request, Response
from ops.preflight.aws.reader import AwsReader
from ops.preflight.gcp.services import AGENT_SERVICES, BEFORE_ANY, api_of
from ops.preflight.wanted import Wanted

_MODELS = create_loader()
"""Read once for all tests: AWS's descriptions of its services take most of a client's time to make."""

Answers = dict[str, Any]
"""What is asked → a body, a `Refusal`, or a function of the request that gives one."""


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """An answer that is an error: AWS's code, or Google's HTTP status."""

    def __init__(self, code: str | int, message: str = "refused by the test") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


DENIED_AWS = Refusal("AccessDeniedException", "User is not authorized to perform this action")
DENIED_GCP = Refusal(403, "Permission denied on the resource")


class _Body:
    """The streamed body of an object."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self) -> bytes:
        return self._content


class _Http:
    def __init__(self, status_code: int) -> None:
        self.status_code = status_code
        self.headers: dict[str, str] = {}


class RecordedAws:
    """AWS, as `answers` has it: `service.Operation`, narrowed by a region, a parameter's value, or both.

    `ec2.DescribeVpcs`, `ec2.DescribeVpcs eu-west-1`, `iam.GetRole AWSServiceRoleForAutoScaling`. What is not there
    fails the test.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[str] = []
        core = botocore.session.get_session()
        core.register_component("data_loader", _MODELS)
        self.session = boto3.session.Session("test", "test", botocore_session=core)
        self.session.events.register("before-parameter-build", self._remember)
        self.session.events.register("before-call", self._answer)  # pyright: ignore[reportArgumentType]

    def reader(self) -> AwsReader:
        """A reader that asks this cloud."""
        return AwsReader(self.session)

    def _remember(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = dict(params)

    def _answer(self, model: OperationModel, context: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        called = f"{model.service_model.service_name}.{model.name}"
        asked, region = context["asked"], context["client_region"]
        self.asked.append(called)
        values = [value for value in asked.values() if isinstance(value, str)]
        keys = [f"{called} {region} {v}" for v in values] + [f"{called} {v}" for v in values]
        key = next((k for k in (*keys, f"{called} {region}", called) if k in self.answers), None)
        if key is None:
            raise AssertionError(f"the test has no answer to {called} {region} {asked}")
        answer = self.answers[key]
        found: Any = answer(asked, region) if callable(answer) else answer
        if isinstance(found, Refusal):
            status = 404 if found.code == "404" else 403
            return _Http(status), {"Error": {"Code": str(found.code), "Message": found.message}}
        stated = {k: v for k, v in found.items() if not isinstance(v, _Body)}
        if model.output_shape is not None:
            validate_parameters(stated, model.output_shape)
        return _Http(200), found


def aws_answers(wanted: Wanted) -> Answers:
    """An account in which `wanted` lacks nothing, before its first `up`."""
    sold = sorted({(m.machine_type, zone) for m in wanted.machines for zone in m.zones})
    types = sorted({m.machine_type for m in wanted.machines})
    zones = sorted({zone for m in wanted.machines for zone in m.zones})

    def allow(asked: Mapping[str, Any], _region: str) -> dict[str, Any]:
        results = [{"EvalActionName": action, "EvalDecision": "allowed"} for action in asked["ActionNames"]]
        return {"EvaluationResults": results, "IsTruncated": False}

    def role(asked: Mapping[str, Any], _region: str) -> dict[str, Any]:
        name = asked["RoleName"]
        path = f"/aws-service-role/{wanted.service_linked_roles.get(name, 'x')}/" if name != "deployer" else "/ci/"
        about = {"Path": path, "RoleName": name, "RoleId": "AROA" + "0" * 17, "CreateDate": "2026-01-01"}
        return {"Role": {**about, "Arn": f"arn:aws:iam::{wanted.account}:role{path}{name}"}}

    return {
        "sts.GetCallerIdentity": {
            "UserId": "AROA0:ci",
            "Account": wanted.account,
            "Arn": f"arn:aws:sts::{wanted.account}:assumed-role/deployer/ci",
        },
        "iam.GetRole": role,
        "iam.SimulatePrincipalPolicy": allow,
        "service-quotas.GetServiceQuota": lambda asked, _: {"Quota": {"QuotaCode": asked["QuotaCode"], "Value": 5e3}},
        "service-quotas.GetAWSDefaultServiceQuota": {"Quota": {"Value": 0.0}},
        "ec2.DescribeInstances": {"Reservations": []},
        "ec2.DescribeVpcs": {"Vpcs": [vpc("172.31.0.0/16", "vpc-default")]},
        "ec2.DescribeVpcEndpoints": {"VpcEndpoints": []},
        "ec2.DescribeAddresses": {"Addresses": []},
        "elbv2.DescribeLoadBalancers": {"LoadBalancers": [load_balancer("others", "network")]},
        "elbv2.DescribeTags": lambda asked, _: tags_of(asked, {}),
        "ec2.DescribeAvailabilityZones": {
            "AvailabilityZones": [{"ZoneId": zone, "State": "available"} for zone in zones]
        },
        f"ec2.DescribeInstanceTypeOfferings {wanted.region}": offers(sold),
        f"ec2.DescribeInstanceTypeOfferings {wanted.backup_region}": offers(
            (machine_type, zone) for machine_type in types for zone in ("far-az1", "far-az2")
        ),
        "eks.DescribeClusterVersions": {
            "clusterVersions": [
                {"clusterVersion": wanted.kubernetes_version, "versionStatus": "STANDARD_SUPPORT"},
                {"clusterVersion": "1.30", "versionStatus": "EXTENDED_SUPPORT"},
            ]
        },
        "eks.DescribeCluster": Refusal("ResourceNotFoundException"),
        "s3.HeadBucket": Refusal("404"),
        "s3.HeadBucket acme-state": {"BucketRegion": wanted.backup_region},
        "s3.GetBucketVersioning": {"Status": "Enabled"},
        "s3.GetBucketEncryption": {
            "ServerSideEncryptionConfiguration": {
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
            }
        },
        "s3.ListBuckets": {"Buckets": []},
        "kms.ListAliases": {"Aliases": [{"AliasName": "alias/aws/s3"}], "Truncated": False},
        "kms.DescribeKey": key("Enabled"),
        "ecr.DescribeRepositories": Refusal("RepositoryNotFoundException"),
        "ecr.DescribeImages": Refusal("ImageNotFoundException"),
        "sns.ListSubscriptionsByTopic": Refusal("NotFound"),
    }


def load_balancer(name: str, kind: str) -> dict[str, Any]:
    """One of `DescribeLoadBalancers`'."""
    return {"LoadBalancerArn": f"arn:aws:elasticloadbalancing:::loadbalancer/{name}", "Type": kind}


def tags_of(asked: Mapping[str, Any], tags: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """An answer of `DescribeTags`: the tags of each load balancer by its name."""
    found = [(arn, tags.get(arn.rpartition("/")[2], {})) for arn in asked["ResourceArns"]]
    return {
        "TagDescriptions": [{"ResourceArn": arn, **({"Tags": tag_list(own)} if own else {})} for arn, own in found]
    }


def vpc(cidr: str, name: str = "vpc-1", **tags: str) -> dict[str, Any]:
    """One of `DescribeVpcs`' networks."""
    blocks = [{"CidrBlock": cidr, "CidrBlockState": {"State": "associated"}}]
    return {"VpcId": name, "CidrBlockAssociationSet": blocks, "Tags": tag_list(tags)}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as EC2 writes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def offers(sold: Any) -> dict[str, Any]:
    """An answer of `DescribeInstanceTypeOfferings`."""
    location = {"LocationType": "availability-zone-id"}
    return {"InstanceTypeOfferings": [{**location, "InstanceType": t, "Location": zone} for t, zone in sold]}


def placed(value: Any, wanted: Wanted) -> Any:
    """`value` with `<region>` and `<backup>` put to the stack's own, in keys and texts at any depth."""
    if isinstance(value, str):
        return value.replace("<region>", wanted.region).replace("<backup>", wanted.backup_region)
    if isinstance(value, dict):
        return {placed(k, wanted): placed(v, wanted) for k, v in value.items()}
    return [placed(v, wanted) for v in value] if isinstance(value, list) else value


def key(state: str) -> dict[str, Any]:
    """An answer of `DescribeKey`."""
    arn = "arn:aws:kms:eu-central-1:111122223333:key/1234"
    return {"KeyMetadata": {"KeyId": "1234", "Arn": arn, "KeyState": state}}


def object_of(content: bytes) -> dict[str, Any]:
    """An answer of `GetObject`."""
    return {"Body": _Body(content)}


class RecordedGcp:
    """Google Cloud, as `answers` has it: `METHOD service/path` → the body. What is not there is a 404.

    A key's path may end in `*`; the longest that fits is taken.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, request: Request) -> Response:
        asked = f"{request.method} {unquote(request.path).lstrip('/')}"
        self.asked.append(asked)
        fitting = [k for k in self.answers if k == asked or (k.endswith("*") and asked.startswith(k[:-1]))]
        if not fitting:
            raise ApiError(404, f"there is no {asked}")
        answer = self.answers[max(fitting, key=len)]
        found = answer(request) if callable(answer) else answer
        if isinstance(found, Refusal):
            raise ApiError(int(found.code), found.message)
        return Response(200, [], found) if isinstance(found, bytes) else Response.of(found)


@contextmanager
def serving(cloud: RecordedGcp) -> Iterator[Target]:
    """Where the recorded Google Cloud listens."""
    server = FrontServer(cloud)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield Target("local", "emulated", gcp_endpoint_url=f"http://127.0.0.1:{server.port}")
    finally:
        server.shutdown()
        server.server_close()


def gcp_answers(wanted: Wanted) -> Answers:
    """A project in which `wanted` lacks nothing, before its first `up`."""
    project, compute = wanted.account, f"GET compute/compute/v1/projects/{wanted.account}"
    manager = f"cloudresourcemanager/v1/projects/{project}"
    zones = sorted({zone for m in wanted.machines for zone in m.zones} | {f"{wanted.backup_region}-b"})

    def granted(request: Request) -> dict[str, Any]:
        return {"permissions": request.json()["permissions"]}

    return {
        f"GET {manager}": {
            "projectId": project,
            "projectNumber": wanted.inventory.settings["project_number"],
            "lifecycleState": "ACTIVE",
        },
        f"POST {manager}:testIamPermissions": granted,
        f"POST {manager}:getIamPolicy": {
            "bindings": [{"role": "roles/x", "members": [f"serviceAccount:{a}" for a in wanted.service_agents]}]
        },
        f"GET serviceusage/v1/projects/{project}/services:batchGet": services(wanted),
        compute: quotas(),
        f"{compute}/regions/*": quotas(),
        f"{compute}/aggregated/instances": {"items": {}},
        f"{compute}/aggregated/machineTypes": sold_in(zones, "machineTypes"),
        f"{compute}/aggregated/acceleratorTypes": sold_in(zones, "acceleratorTypes"),
        f"{compute}/aggregated/subnetworks": subnets(("10.132.0.0/20", "default")),
        f"{compute}/global/addresses": {"items": []},
        f"GET container/v1/projects/{project}/locations/{wanted.region}/serverConfig": {
            "channels": [{"channel": "REGULAR", "validVersions": [f"{wanted.kubernetes_version}.1-gke.100"]}],
            "validMasterVersions": ["1.30.0-gke.1"],
        },
        "GET storage/v1/b/acme-state": {
            "name": "acme-state",
            "location": wanted.backup_region.upper(),
            "versioning": {"enabled": True},
        },
        "GET storage/v1/b/acme-state/iam/testPermissions": {
            "permissions": [f"storage.objects.{verb}" for verb in ("create", "delete", "get", "list")]
        },
        "GET kms/v1/projects/acme/*": {"purpose": "ENCRYPT_DECRYPT", "primary": {"state": "ENABLED"}},
        "POST kms/v1/projects/acme/*": granted,
    }


def services(wanted: Wanted, *off: str) -> dict[str, Any]:
    """An answer of `services.batchGet`: all are on but `off`."""
    planned = wanted.named("gcp:projects/service:Service", "service")
    names = {*planned, *BEFORE_ANY, *AGENT_SERVICES.values(), *map(api_of, wanted.types)}
    states = {name: "DISABLED" if name in off else "ENABLED" for name in names}
    return {"services": [{"name": f"projects/1/services/{name}", "state": state} for name, state in states.items()]}


METRICS = (
    *("CPUS", "E2_CPUS", "N2_CPUS", "SSD_TOTAL_GB", "NVIDIA_L4_GPUS", "PREEMPTIBLE_NVIDIA_L4_GPUS"),
    *("NVIDIA_T4_GPUS", "PREEMPTIBLE_NVIDIA_T4_GPUS", "NVIDIA_A100_GPUS", "PREEMPTIBLE_NVIDIA_A100_GPUS"),
    *("GPUS_ALL_REGIONS", "CPUS_ALL_REGIONS", "EXTERNAL_NETWORK_LB_FORWARDING_RULES", "IN_USE_ADDRESSES"),
)


def quotas(**limits: float) -> dict[str, Any]:
    """The quotas of a region or a project: these have these limits, the others plenty."""
    return {"quotas": [{"metric": m, "limit": limits.get(m, 5e4), "usage": 0.0} for m in METRICS]}


def sold_in(zones: list[str], member: str) -> dict[str, Any]:
    """An aggregated list in which the asked type is sold in `zones`."""
    sold = {f"zones/{zone}": {member: [{"name": "asked"}]} for zone in zones}
    return {"items": {**sold, "zones/asia-east1-a": {"warning": {"code": "NO_RESULTS_ON_PAGE"}}}}


def subnets(*ranges: tuple[str, str]) -> dict[str, Any]:
    """An answer of `subnetworks.aggregatedList`: subnets of (range, network)."""
    url = "https://www.googleapis.com/compute/v1/projects/p/global/networks/"
    listed = [{"name": f"{n}-subnet", "network": f"{url}{n}", "ipCidrRange": cidr} for cidr, n in ranges]
    return {"items": {"regions/europe-west1": {"subnetworks": listed}}}
