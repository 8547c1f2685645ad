"""AWS's side: an account that lacks nothing is ready; each lack is named with its command; a denial is unknown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from common.errors import UserError
from ops.preflight.asked import aws_questions
from ops.preflight.aws.permissions import asked
from ops.preflight.aws.quotas import quota_of
from ops.preflight.aws.reader import READS, action_of
from ops.preflight.images import images_of
from ops.preflight.model import Report, Status
from ops.preflight.runner import answer
from ops.preflight.state import Backend, PulumiFiles, Secrets
from ops.preflight.wanted import Wanted
from tests.ops.preflight.conftest import Ask, aws_files, findings, is_sentence
from tests.ops.preflight.recorded import (
    DENIED_AWS,
    Answers,
    RecordedAws,
    Refusal,
    aws_answers,
    key,
    load_balancer,
    object_of,
    offers,
    placed,
    tag_list,
    tags_of,
    vpc,
)

TOPIC = "arn:aws:sns:<region>:111122223333:seawall-dev-alerts"


def test_an_account_that_lacks_nothing_is_ready(ask_aws: Ask) -> None:
    report = ask_aws({})
    assert not findings(report, Status.MISSING)
    assert not findings(report, Status.UNKNOWN)
    assert report.exit_code(allow_unknown=False) == 0


def test_every_check_but_those_of_later_steps_says_ok_there(ask_aws: Ask) -> None:
    later = {"images", "release", "alerts", "control plane", "DNS and certificate", "once per account"}
    for check in ask_aws({}).answered:
        statuses = {finding.status for finding in check.findings}
        assert statuses == ({Status.NOT_APPLICABLE} if check.title in later else {Status.OK}), check.title


def deny(*actions: str, decision: str = "implicitDeny", **more: Any) -> Callable[..., dict[str, Any]]:
    """A simulation in which these actions are not allowed."""

    def simulate(params: dict[str, Any], _region: str) -> dict[str, Any]:
        results = [
            {"EvalActionName": a, "EvalDecision": decision, **more}
            if a in actions
            else {"EvalActionName": a, "EvalDecision": "allowed"}
            for a in params["ActionNames"]
        ]
        return {"EvaluationResults": results}

    return simulate


def subscribed(arn: str) -> dict[str, Any]:
    return {"Subscriptions": [{"SubscriptionArn": arn, "Endpoint": "ml-platform@example.com", "Protocol": "email"}]}


FAULTS: dict[str, tuple[Answers, str, str]] = {
    "an action that is not allowed": (
        {"iam.SimulatePrincipalPolicy": deny("eks:CreateCluster")},
        "permissions",
        "aws iam put-role-policy --role-name deployer --policy-name seawall-eks",
    ),
    "an action that a statement denies": (
        {"iam.SimulatePrincipalPolicy": deny("kms:CreateKey", decision="explicitDeny")},
        "permissions",
        "Remove the statement that denies kms:CreateKey.",
    ),
    "an action that the organisation does not allow": (
        {
            "iam.SimulatePrincipalPolicy": deny(
                "ec2:CreateVpc", OrganizationsDecisionDetail={"AllowedByOrganizations": False}
            )
        },
        "permissions",
        "Ask the organisation's administrator: its policies do not allow ec2:CreateVpc.",
    ),
    "an action that is denied on one resource": (
        {
            "iam.SimulatePrincipalPolicy": lambda params, _: (
                {
                    "EvaluationResults": [
                        {
                            "EvalActionName": action,
                            "EvalDecision": "allowed",
                            "ResourceSpecificResults": [
                                {
                                    "EvalResourceName": arn,
                                    "EvalResourceDecision": "implicitDeny" if "replica" in arn else "allowed",
                                }
                                for arn in params["ResourceArns"]
                            ],
                        }
                        for action in params["ActionNames"]
                    ]
                }
                if "iam:PassRole" not in params["ActionNames"]
                else {
                    "EvaluationResults": [
                        {
                            "EvalActionName": action,
                            "EvalDecision": "allowed",
                            "ResourceSpecificResults": [
                                {
                                    "EvalResourceName": params["ResourceArns"][0],
                                    "EvalResourceDecision": "implicitDeny",
                                }
                            ],
                        }
                        for action in params["ActionNames"]
                    ]
                }
            )
        },
        "permissions",
        "--policy-name seawall-iam",
    ),
    "a quota of zero for spot GPUs": (
        {"service-quotas.GetServiceQuota L-3819A6DF": {"Quota": {"Value": 0.0}}},
        "quotas in <region>",
        "aws service-quotas request-service-quota-increase --region <region> --service-code ec2 "
        "--quota-code L-3819A6DF --desired-value ",
    ),
    "a quota in the backup region": (
        {"service-quotas.GetServiceQuota <backup> L-3819A6DF": {"Quota": {"Value": 0.0}}},
        "quotas in <backup>",
        "--region <backup>",
    ),
    "a quota that others use up": (
        {
            "service-quotas.GetServiceQuota L-1216C47A": {"Quota": {"Value": 64.0}},
            "ec2.DescribeInstances": {
                "Reservations": [
                    {
                        "Instances": [
                            {"InstanceType": "c7i.16xlarge", "CpuOptions": {"CoreCount": 32, "ThreadsPerCore": 2}}
                        ]
                    }
                ]
            },
        },
        "quotas in <region>",
        "--quota-code L-1216C47A",
    ),
    "a quota that only has its default": (
        {"service-quotas.GetServiceQuota L-F678F1CE": Refusal("NoSuchResourceException")},
        "quotas in <region>",
        "--quota-code L-F678F1CE --desired-value 2",
    ),
    "network load balancers that others use up": (
        {
            "service-quotas.GetServiceQuota L-69A177A2": {"Quota": {"Value": 2.0}},
            "elbv2.DescribeLoadBalancers": {
                "LoadBalancers": [load_balancer(name, "network") for name in ("one", "another")]
            },
        },
        "quotas in <region>",
        "--service-code elasticloadbalancing --quota-code L-69A177A2 --desired-value 3",
    ),
    "a zone that is not open": (
        {"ec2.DescribeAvailabilityZones": {"AvailabilityZones": [{"ZoneId": "euc1-az9", "State": "available"}]}},
        "zones",
        "Choose among euc1-az9 in the settings.",
    ),
    "machines that the zone does not sell": (
        {"ec2.DescribeInstanceTypeOfferings <region>": offers([("m7i.large", "euc1-az9")])},
        "machines in zones",
        "to zones among euc1-az9",
    ),
    "machines that the backup region does not sell": (
        {"ec2.DescribeInstanceTypeOfferings <backup>": offers([])},
        "machines in zones",
        "Choose a backup.region that sells it",
    ),
    "a Kubernetes version that is gone": (
        {
            "eks.DescribeClusterVersions": {
                "clusterVersions": [{"clusterVersion": "1.40", "versionStatus": "STANDARD_SUPPORT"}]
            }
        },
        "Kubernetes version",
        "Set cluster.version to one of 1.40.",
    ),
    "a Kubernetes version past its standard support": (
        {
            "eks.DescribeClusterVersions": {
                "clusterVersions": [{"clusterVersion": "1.35", "versionStatus": "EXTENDED_SUPPORT"}]
            }
        },
        "Kubernetes version",
        "Set cluster.version",
    ),
    "a service-linked role that no key can name yet": (
        {"iam.GetRole AWSServiceRoleForAutoScaling": Refusal("NoSuchEntity")},
        "service-linked roles",
        "aws iam create-service-linked-role --aws-service-name autoscaling.amazonaws.com",
    ),
    "a network with the same addresses": (
        {"ec2.DescribeVpcs": {"Vpcs": [vpc("10.20.128.0/20")]}},
        "addresses",
        "Set network.cidr to 10.0.0.0/16, which is free",
    ),
    "a network with the addresses that wait in the backup region": (
        {"ec2.DescribeVpcs <backup>": {"Vpcs": [vpc("10.21.128.0/20")]}},
        "addresses",
        "Set standby.cidr to 10.0.0.0/16, which is free",
    ),
    "a bucket's name that another account has": (
        {"s3.HeadBucket": Refusal("403", "Forbidden"), "s3.HeadBucket acme-state": {"BucketRegion": "<backup>"}},
        "bucket names",
        "in another account",
    ),
    "an alias of a key that is about to go": (
        {
            "kms.ListAliases": {"Aliases": [{"AliasName": "alias/seawall-dev-data", "TargetKeyId": "5678"}]},
            "kms.DescribeKey 5678": key("PendingDeletion"),
        },
        "key aliases",
        "aws kms cancel-key-deletion --region <region> --key-id 5678",
    ),
    "a state bucket in the primary region": (
        {"s3.HeadBucket acme-state": {"BucketRegion": "<region>"}},
        "state and secrets",
        "Move it",
    ),
    "a state bucket without versions": (
        {"s3.GetBucketVersioning": {}},
        "state and secrets",
        "aws s3api put-bucket-versioning --bucket acme-state",
    ),
    "a state bucket that does not exist": (
        {"s3.HeadBucket acme-state": Refusal("404")},
        "state and secrets",
        "Bring up the bootstrap stack",
    ),
    "a secrets key that is disabled": (
        {"kms.DescribeKey alias/pulumi": key("Disabled")},
        "state and secrets",
        "aws kms enable-key --region <backup>",
    ),
    "a secrets key that does not exist": (
        {"kms.DescribeKey alias/pulumi": Refusal("NotFoundException")},
        "state and secrets",
        "pulumi stack change-secrets-provider --stack dev-aws",
    ),
    "an image that nobody pushed": (
        {"ecr.DescribeRepositories": {"repositories": [{"repositoryName": "some/image"}]}},
        "images",
        "seawall images sync dev-aws",
    ),
    "a release that nobody published": (
        {"s3.HeadBucket": {"BucketRegion": "<region>"}, "s3.GetObject": Refusal("NoSuchKey")},
        "release",
        "seawall models publish dev-aws --version 1.0.1",
    ),
    "a release with other content than is pinned": (
        {"s3.HeadBucket": {"BucketRegion": "<region>"}, "s3.GetObject": object_of(b"{}")},
        "release",
        "Publish the pinned content under a new version",
    ),
    "alerts that nobody confirmed": (
        {"sns.ListSubscriptionsByTopic": subscribed("PendingConfirmation")},
        "alerts",
        f"aws sns subscribe --region <region> --topic-arn {TOPIC} --protocol email",
    ),
    "alerts that nobody is subscribed to": (
        {"sns.ListSubscriptionsByTopic": {"Subscriptions": []}},
        "alerts",
        "aws sns subscribe",
    ),
    "a control plane that does not answer here": (
        {"eks.DescribeCluster": {"cluster": {"endpoint": "https://control-plane.invalid"}}},
        "control plane",
        "Run `pulumi up` from inside the network",
    ),
}
"""A lack → the answers that make it, the check that finds it, and what its remedy says."""


@pytest.mark.parametrize("lack", FAULTS)
def test_each_lack_is_found_with_its_command(lack: str, aws: Wanted, ask_aws: Ask) -> None:
    answers, title, remedy = placed(list(FAULTS[lack]), aws)
    report = ask_aws(answers, title)
    assert any(remedy in finding.remedy for finding in findings(report, Status.MISSING, title))
    assert report.exit_code(allow_unknown=True) == 1
    assert not [f.remedy for f in findings(report, Status.MISSING) if not (f.command or is_sentence(f.remedy))]


def test_every_check_has_a_planted_lack(aws: Wanted) -> None:
    checks = {check.title for check in aws_questions(RecordedAws(up(aws)).reader(), aws, aws_files(aws), None).checks}
    assert checks - {placed(title, aws) for _, title, _ in FAULTS.values()} == {
        "DNS and certificate",
        "once per account",
    }


def pushed(wanted: Wanted) -> Callable[..., dict[str, Any]]:
    """Every image under the tag that keeps it."""
    digests = {(i.repository.partition("/")[2], i.tag): i.digest for i in images_of(wanted)}

    def describe(asked: dict[str, Any], _region: str) -> dict[str, Any]:
        (which,) = asked["imageIds"]
        return {"imageDetails": [{"imageDigest": digests[asked["repositoryName"], which["imageTag"]]}]}

    return describe


def up(wanted: Wanted) -> Answers:
    """Answers of an account in which the stack is up, so that every read is made."""
    return {
        **aws_answers(wanted),
        "s3.HeadBucket": {"BucketRegion": wanted.region},
        "s3.HeadBucket acme-state": {"BucketRegion": wanted.backup_region},
        "s3.GetObject": object_of(b"{}"),
        "service-quotas.GetServiceQuota L-F678F1CE": Refusal("NoSuchResourceException"),
        "service-quotas.GetAWSDefaultServiceQuota": {"Quota": {"Value": 5.0}},
        "ecr.DescribeRepositories": {"repositories": [{"repositoryName": "some/image"}]},
        "ecr.DescribeImages": pushed(wanted),
        "sns.ListSubscriptionsByTopic": subscribed(f"{TOPIC}:1234"),
        "eks.DescribeCluster": {"cluster": {"endpoint": "https://control-plane.invalid"}},
    }


@pytest.fixture(scope="module")
def asked_by(aws: Wanted) -> dict[str, set[str]]:
    """Operation → the checks that ask for it, of a stack that is up."""
    found: dict[str, set[str]] = {}
    refused = {placed("s3.HeadBucket seawall-dev-logs-111122223333-<region>", aws): Refusal("403")}
    cloud = RecordedAws({**up(aws), **refused})
    for check in aws_questions(cloud.reader(), aws, aws_files(aws), None).checks:
        cloud.asked.clear()
        answer(check)
        for operation in cloud.asked:
            found.setdefault(operation, set()).add(check.title)
    return found


ELSEWHERE = {
    "sts.GetCallerIdentity",
    "ec2.DescribeAddresses",
    "ec2.DescribeInternetGateways",
    "iam.GetOpenIDConnectProvider",
    "iam.ListRoles",
}
"""Reads whose denial ends the preflight, or that dev-aws gives no reason for."""


@pytest.mark.parametrize("operation", sorted(READS - ELSEWHERE))
def test_a_read_that_is_denied_is_unknown_and_never_ok(
    operation: str, aws: Wanted, ask_aws: Ask, asked_by: dict[str, set[str]]
) -> None:
    answers = {k: (DENIED_AWS if k.partition(" ")[0] == operation else v) for k, v in up(aws).items()}
    if operation == "s3.ListBuckets":
        answers["s3.HeadBucket"] = Refusal("403", "Forbidden")  # only then is the list asked for
    report = ask_aws(answers, *asked_by[operation])
    service, _, name = operation.partition(".")
    action = action_of(service, name)
    told = [f for f in findings(report, Status.UNKNOWN) if action in f.detail and action in f.remedy]
    assert told, f"{operation} was denied, and nothing says that {action} is needed"
    assert report.exit_code(allow_unknown=False) == 1


def test_a_stack_that_is_up_is_ready_too(aws: Wanted, ask_aws: Ask) -> None:
    report = ask_aws({**up(aws), "eks.DescribeCluster": Refusal("ResourceNotFoundException")})
    told = [f for f in findings(report, Status.MISSING) if "the settings pin" not in f.detail]
    assert not told
    assert {f.detail for f in findings(report, Status.OK, "images")} == {"present"}


def test_nodes_and_networks_of_the_stack_itself_are_not_counted_twice(aws: Wanted, ask_aws: Ask) -> None:
    node = {
        "InstanceType": "m7i.large",
        "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 2},
        "Tags": tag_list({"eks:cluster-name": "seawall-dev-cluster"}),
    }
    answers = {
        "service-quotas.GetServiceQuota L-1216C47A": {"Quota": {"Value": 6.0}},
        "service-quotas.GetServiceQuota L-F678F1CE": {"Quota": {"Value": 5.0}},
        "ec2.DescribeInstances": {"Reservations": [{"Instances": [node, node, node]}]},
        "ec2.DescribeVpcs": {"Vpcs": [vpc(str(aws.networks[f"network {aws.region}"]), stack="dev-aws")]},
    }
    assert not findings(ask_aws(answers, "quotas in <region>", "addresses"), Status.MISSING)


def test_a_condition_that_decides_is_unknown(ask_aws: Ask) -> None:
    simulate = deny("s3:CreateBucket", MissingContextValues=["aws:SourceVpc"])
    told = findings(ask_aws({"iam.SimulatePrincipalPolicy": simulate}, "permissions"), Status.UNKNOWN, "permissions")
    assert ["aws:SourceVpc" in f.remedy for f in told] == [True]


def test_an_action_that_the_simulation_leaves_out_is_unknown(ask_aws: Ask) -> None:
    def simulate(params: dict[str, Any], region: str) -> dict[str, Any]:
        told = deny()(params, region)["EvaluationResults"]
        return {"EvaluationResults": [r for r in told if r["EvalActionName"] != "s3:CreateBucket"]}

    told = findings(ask_aws({"iam.SimulatePrincipalPolicy": simulate}, "permissions"), Status.UNKNOWN, "permissions")
    assert ["s3:CreateBucket" in f.detail for f in told] == [True]


def test_a_denial_is_not_lost_behind_another_resources_answer(ask_aws: Ask) -> None:
    def simulate(params: dict[str, Any], region: str) -> dict[str, Any]:
        first = deny("s3:CreateBucket")(params, region)["EvaluationResults"]
        return {"EvaluationResults": [*first, *deny()(params, region)["EvaluationResults"]]}

    told = findings(ask_aws({"iam.SimulatePrincipalPolicy": simulate}, "permissions"), Status.MISSING, "permissions")
    assert ["s3:CreateBucket" in f.detail for f in told] == [True]


def test_another_account_ends_the_preflight(ask_aws: Ask) -> None:
    caller = {"Account": "999988887777", "Arn": "arn:aws:iam::999988887777:user/a"}
    with pytest.raises(UserError, match="999988887777, and dev-aws is in 111122223333"):
        ask_aws({"sts.GetCallerIdentity": caller})


def test_refused_credentials_end_the_preflight(ask_aws: Ask) -> None:
    with pytest.raises(UserError, match="ExpiredToken") as told:
        ask_aws({"sts.GetCallerIdentity": Refusal("ExpiredToken")})
    assert "aws sso login" in told.value.remedy


def test_the_root_user_is_told_to_take_a_role(ask_aws: Ask) -> None:
    root = {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:root"}
    told = findings(ask_aws({"sts.GetCallerIdentity": root}, "permissions"), Status.UNKNOWN, "permissions")
    assert ["Use a role's credentials" in f.remedy for f in told] == [True]


def test_a_named_principal_is_judged_instead_of_the_caller(aws: Wanted) -> None:
    heard: list[str] = []

    def simulate(params: dict[str, Any], _region: str) -> dict[str, Any]:
        heard.append(params["PolicySourceArn"])
        return deny()(params, "")

    cloud = RecordedAws({**aws_answers(aws), "iam.SimulatePrincipalPolicy": simulate})
    deploy = "arn:aws:iam::111122223333:role/seawall-deploy"
    for check in aws_questions(cloud.reader(), aws, aws_files(aws), deploy).checks:
        answer(check)
    assert set(heard) == {deploy}


def test_actions_are_asked_on_the_resources_that_are_planned(aws: Wanted) -> None:
    resources = {action: arns for arns, actions in asked(aws).items() for action in actions}
    assert placed("arn:aws:s3:::seawall-dev-models-111122223333-<region>", aws) in resources["s3:PutBucketPolicy"]
    assert "arn:aws:iam::111122223333:role/seawall-dev-fleet" in resources["iam:PassRole"]
    assert resources["ec2:CreateVpc"] == {"*"}


@pytest.mark.parametrize(
    ("machine_type", "spot", "code"),
    [
        ("g6.xlarge", False, "L-DB2E81BA"),
        ("g6e.12xlarge", True, "L-3819A6DF"),
        ("g4dn.xlarge", False, "L-DB2E81BA"),
        ("p4d.24xlarge", False, "L-417A185B"),
        ("p4de.24xlarge", True, "L-7212CCBC"),
        ("p5.48xlarge", True, "L-C4BD4855"),
        ("m7i.large", False, "L-1216C47A"),
        ("m7i.large", True, "L-34B43A08"),
    ],
)
def test_a_machine_counts_against_its_familys_quota(machine_type: str, spot: bool, code: str) -> None:
    quota = quota_of(machine_type, spot=spot)
    assert quota is not None and quota.code == code


def test_a_family_without_a_known_quota_is_none() -> None:
    assert quota_of("trn2.48xlarge", spot=False) is None


LOST: dict[str, Callable[[PulumiFiles], PulumiFiles]] = {
    "state": lambda files: replace(files, backend=Backend("none", "")),
    "state: file": lambda files: replace(files, backend=Backend("file", "file:///home/a")),
    "secrets provider": lambda files: replace(files, secrets=Secrets("none")),
    "secrets key alias/pulumi": lambda files: files,
}


@pytest.mark.parametrize("subject", LOST)
def test_state_or_secrets_that_would_be_lost_are_missing(subject: str, aws: Wanted, ask_aws: Ask) -> None:
    files = LOST[subject](aws_files(aws, key_region="<region>"))
    report: Report = ask_aws({}, "state and secrets", files=files)
    assert subject.partition(":")[0] in {f.subject for f in findings(report, Status.MISSING)}


def test_the_report_is_plain_json(ask_aws: Ask) -> None:
    told = json.loads(
        json.dumps(ask_aws({"s3.GetBucketVersioning": {}}, "state and secrets").to_json(allow_unknown=False))
    )
    assert told["counts"]["missing"] == 1
    assert told["exit_code"] == 1


def test_load_balancers_of_the_stack_itself_and_of_other_kinds_are_not_counted(ask_aws: Ask) -> None:
    names = {"own": "network", "web": "application", "classic-like": "gateway"}
    answers = {
        "service-quotas.GetServiceQuota L-69A177A2": {"Quota": {"Value": 1.0}},
        "elbv2.DescribeLoadBalancers": {"LoadBalancers": [load_balancer(*each) for each in names.items()]},
        "elbv2.DescribeTags": lambda asked, _: tags_of(asked, {"own": {"stack": "dev-aws"}}),
    }
    [told] = [f for f in findings(ask_aws(answers), Status.OK) if "network load balancers" in f.subject]
    assert told.detail == "1 needed, quota 1"
