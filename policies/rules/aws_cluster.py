"""Rules for EKS, its machines, its registry and its logs."""

from __future__ import annotations

from collections.abc import Iterator

from components.contracts.machines import MACHINES
from components.contracts.serving import GPU_TAINT_KEY
from components.contracts.vocabulary import Cloud, OptOut
from policies.checks import (
    ABSENT,
    PASS,
    absent_or,
    all_of,
    any_of,
    at_least,
    equals,
    expect,
    failed,
    holds_none,
    is_hidden,
    items,
    not_applicable,
    one_of,
    passed,
    read,
    shown,
    unknown,
    unreadable,
)
from policies.inventory import Inventory, Resource
from policies.links import customer_key, refers_to
from policies.model import Framework, Judgement, Rule, Severity
from policies.settings_view import SettingsView

CLUSTER = "aws:eks/cluster:Cluster"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
LAUNCH_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
SUBNET = "aws:ec2/subnet:Subnet"
REPOSITORY = "aws:ecr/repository:Repository"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"

_LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_ANYWHERE = ("0.0.0.0/0", "::/0")


def _endpoint_closed(cluster: Resource, _: Inventory) -> Judgement:
    if read(cluster, "vpcConfig.endpointPublicAccess") is False:
        return PASS
    required = "false, or named networks in publicAccessCidrs"
    public = read(cluster, "vpcConfig.endpointPublicAccess")
    if is_hidden(public):
        return unknown("vpcConfig.endpointPublicAccess", required)
    cidrs = read(cluster, "vpcConfig.publicAccessCidrs")
    if cidrs is ABSENT or cidrs == []:
        return failed("vpcConfig.endpointPublicAccess", f"{shown(public)}, for every address", required)
    return holds_none(cluster, "vpcConfig.publicAccessCidrs", _ANYWHERE, "named networks")


def _secrets_encrypted(cluster: Resource, inventory: Inventory) -> Judgement:
    return all_of(
        (
            expect(cluster, "encryptionConfig.resources", '["secrets"]', lambda v: "secrets" in v),
            customer_key(inventory, cluster, "encryptionConfig.provider.keyArn"),
        )
    )


def _control_plane_logs(cluster: Resource, _: Inventory) -> Judgement:
    required = "all of " + ", ".join(_LOG_TYPES)
    return expect(cluster, "enabledClusterLogTypes", required, lambda v: set(_LOG_TYPES) <= set(v))


def _deletion_protected(cluster: Resource, inventory: Inventory) -> Judgement:
    reason = SettingsView.of(inventory.settings).opt_outs.get(OptOut.DELETION_PROTECTION)
    if reason:
        return not_applicable(f"the stack's settings opt out of deletion protection: {reason}")
    return equals(cluster, "deletionProtection", True)


def _imdsv2(template: Resource, _: Inventory) -> Judgement:
    return all_of(
        (
            equals(template, "metadataOptions.httpTokens", "required"),
            expect(template, "metadataOptions.httpPutResponseHopLimit", "1", lambda v: int(v) == 1),
        )
    )


def _volumes_encrypted(template: Resource, _: Inventory) -> Judgement:
    volumes = list(items(template, "blockDeviceMappings"))
    if not volumes:
        return expect(template, "blockDeviceMappings", "an encrypted volume", lambda _: False)
    return all_of(_volume(template, volume) for volume in volumes)


def _volume(template: Resource, volume: str) -> Judgement:
    path = f"{volume}.ebs.encrypted"
    return expect(template, path, "true", lambda v: v in (True, "true"))


def _uses_template(group: Resource, inventory: Inventory) -> Judgement:
    path = "launchTemplate"
    required = "a launch template of this stack, where metadata and volumes are secured"
    value = read(group, path)
    if value is ABSENT:
        return failed(path, "absent", required)
    if inventory.linked(group, path, LAUNCH_TEMPLATE):
        return PASS
    names = [str(read(template, "name")) for template in inventory.of_type(LAUNCH_TEMPLATE)]
    return PASS if read(group, f"{path}.name") in names else failed(path, shown(value), required)


def _private_subnets(group: Resource, inventory: Inventory) -> Judgement:
    subnets = inventory.linked(group, "subnetIds", SUBNET)
    if not subnets:
        return unknown("subnetIds", "private subnets of this stack", "not subnets of this stack")
    return all_of(_is_private(inventory, subnet) for subnet in subnets)


def _is_private(inventory: Inventory, subnet: Resource) -> Judgement:
    flag = "mapPublicIpOnLaunch"
    no_addresses = absent_or(subnet, flag, lambda: equals(subnet, flag, False))
    return all_of((_named(no_addresses, subnet), _no_way_in(inventory, subnet)))


def _named(judgement: Judgement, resource: Resource) -> Judgement:
    problem = next(iter(judgement.problems), None)
    return failed(f"{resource.name}.{problem.path}", problem.found, problem.required) if problem else judgement


def _no_way_in(inventory: Inventory, subnet: Resource) -> Judgement:
    gateway_type = "aws:ec2/internetGateway:InternetGateway"
    for association in inventory.of_type("aws:ec2/routeTableAssociation:RouteTableAssociation"):
        if not refers_to(inventory, association, "subnetId", subnet):
            continue
        tables = inventory.linked(association, "routeTableId", "aws:ec2/routeTable:RouteTable")
        routes = [r for r in inventory.of_type("aws:ec2/route:Route") if _routes(inventory, r, tables)]
        if any(inventory.linked(route, "gatewayId", gateway_type) for route in routes) or any(
            inventory.linked(table, "routes", gateway_type) for table in tables
        ):
            return failed(f"{subnet.name}", "a subnet with a route to an internet gateway", "a private subnet")
    return PASS


def _routes(inventory: Inventory, route: Resource, tables: tuple[Resource, ...]) -> bool:
    return any(table in tables for table in inventory.linked(route, "routeTableId", "aws:ec2/routeTable:RouteTable"))


def _no_ssh(group: Resource, _: Inventory) -> Judgement:
    if read(group, "remoteAccess") is ABSENT:
        return passed("no remote access is configured")
    path = "remoteAccess.sourceSecurityGroupIds"
    return expect(group, path, "named security groups", lambda v: bool(v))


def _gpu_types(group: Resource) -> Iterator[str]:
    for path in items(group, "instanceTypes"):
        machine = MACHINES[Cloud.AWS].get(str(read(group, path)))
        if machine and machine.accelerator:
            yield str(read(group, path))


def _gpu_tainted(group: Resource, _: Inventory) -> Judgement:
    required = f"a NO_SCHEDULE taint on {GPU_TAINT_KEY}"
    hidden = unreadable(group, "instanceTypes", required) or unreadable(group, "taints", required)
    if hidden:
        return hidden
    if not any(_gpu_types(group)):
        return not_applicable("the pool has no GPU")
    return any_of(
        (
            all_of(
                (
                    equals(group, f"{t}.key", GPU_TAINT_KEY),
                    one_of(group, f"{t}.effect", ("NO_SCHEDULE", "NO_EXECUTE")),
                )
            )
            for t in items(group, "taints")
        ),
        otherwise=failed("taints", shown(read(group, "taints")), required),
    )


def _registry_immutable(repository: Resource, _: Inventory) -> Judgement:
    return equals(repository, "imageTagMutability", "IMMUTABLE")


def _registry_key(repository: Resource, inventory: Inventory) -> Judgement:
    return all_of(
        (
            equals(repository, "encryptionConfigurations.0.encryptionType", "KMS"),
            customer_key(inventory, repository, "encryptionConfigurations.0.kmsKey"),
        )
    )


def _logs_kept(group: Resource, _: Inventory) -> Judgement:
    return at_least(group, "retentionInDays", 30, "days")


def _logs_key(group: Resource, inventory: Inventory) -> Judgement:
    return customer_key(inventory, group, "kmsKeyId")


AWS_CLUSTER: tuple[Rule, ...] = (
    Rule(
        id="aws-eks-endpoint-closed",
        severity=Severity.CRITICAL,
        title="The EKS endpoint is not open to the world",
        rationale="An open control plane is one stolen token or one vulnerability away from the whole cluster.",
        remedy="Set endpointPublicAccess to false, or name the networks in publicAccessCidrs.",
        types=(CLUSTER,),
        check=_endpoint_closed,
        frameworks={
            Framework.AWS_FSBP: ("EKS.1",),
            Framework.CIS_EKS: ("5.4.1", "5.4.2"),
            Framework.CHECKOV: ("CKV_AWS_38", "CKV_AWS_39"),
        },
    ),
    Rule(
        id="aws-eks-secrets-encrypted",
        severity=Severity.HIGH,
        title="Kubernetes secrets in EKS are encrypted with a customer-managed key",
        rationale="Without it, whoever reads etcd's storage reads every credential in the cluster.",
        remedy='Set encryptionConfig with resources ["secrets"] and the stack\'s cluster key.',
        types=(CLUSTER,),
        check=_secrets_encrypted,
        frameworks={
            Framework.AWS_FSBP: ("EKS.3",),
            Framework.CIS_EKS: ("5.3.1",),
            Framework.CHECKOV: ("CKV_AWS_58",),
        },
    ),
    Rule(
        id="aws-eks-control-plane-logs",
        severity=Severity.MEDIUM,
        title="EKS writes all control-plane logs",
        rationale="Without the audit log nobody can say who did what in the cluster.",
        remedy="List all five types in enabledClusterLogTypes.",
        types=(CLUSTER,),
        check=_control_plane_logs,
        frameworks={Framework.AWS_FSBP: ("EKS.8",), Framework.CHECKOV: ("CKV_AWS_37",)},
    ),
    Rule(
        id="aws-eks-deletion-protection",
        severity=Severity.HIGH,
        title="EKS clusters cannot be deleted by mistake",
        rationale="A replaced or destroyed cluster takes the whole service with it.",
        remedy="Set deletionProtection, or opt out in the settings with a reason.",
        types=(CLUSTER,),
        check=_deletion_protected,
    ),
    Rule(
        id="aws-eks-node-metadata-v2",
        severity=Severity.HIGH,
        title="EKS machines answer metadata requests by token only, and not from pods",
        rationale="With version 1, or a second hop, any pod can take the machine's credentials.",
        remedy='Set metadataOptions.httpTokens to "required" and httpPutResponseHopLimit to 1.',
        types=(LAUNCH_TEMPLATE,),
        check=_imdsv2,
        frameworks={Framework.AWS_FSBP: ("EC2.170",), Framework.CHECKOV: ("CKV_AWS_79", "CKV_AWS_341")},
    ),
    Rule(
        id="aws-eks-node-volumes-encrypted",
        severity=Severity.MEDIUM,
        title="EKS machines have encrypted volumes",
        rationale="Models and container layers lie on the volume, and stay there when it is detached.",
        remedy="Set ebs.encrypted on each block device of the launch template.",
        types=(LAUNCH_TEMPLATE,),
        check=_volumes_encrypted,
    ),
    Rule(
        id="aws-eks-nodes-from-template",
        severity=Severity.MEDIUM,
        title="EKS node groups start from a launch template of the stack",
        rationale="Without one, AWS' defaults decide on metadata access and disk encryption.",
        remedy="Set launchTemplate on the node group.",
        types=(NODE_GROUP,),
        check=_uses_template,
    ),
    Rule(
        id="aws-eks-nodes-private",
        severity=Severity.HIGH,
        title="EKS machines stand in private subnets",
        rationale="A machine with a public address can be attacked without going through anything.",
        remedy="Use subnets without public addresses and without a route to an internet gateway.",
        types=(NODE_GROUP,),
        check=_private_subnets,
        frameworks={Framework.CIS_EKS: ("5.4.3",)},
    ),
    Rule(
        id="aws-eks-no-open-ssh",
        severity=Severity.HIGH,
        title="EKS machines take no SSH from anywhere",
        rationale="Remote access without source groups opens port 22 to the world.",
        remedy="Leave remoteAccess out, or name sourceSecurityGroupIds.",
        types=(NODE_GROUP,),
        check=_no_ssh,
        frameworks={Framework.CHECKOV: ("CKV_AWS_100",)},
    ),
    Rule(
        id="aws-eks-gpu-pool-tainted",
        severity=Severity.MEDIUM,
        title="EKS GPU pools are tainted",
        rationale="Without a taint any pod may hold a GPU machine up, at its price.",
        remedy=f"Add a NO_SCHEDULE taint on {GPU_TAINT_KEY}.",
        types=(NODE_GROUP,),
        check=_gpu_tainted,
    ),
    Rule(
        id="aws-ecr-immutable-tags",
        severity=Severity.MEDIUM,
        title="ECR tags cannot be moved",
        rationale="A moved tag changes what runs without a review.",
        remedy='Set imageTagMutability to "IMMUTABLE".',
        types=(REPOSITORY,),
        check=_registry_immutable,
        frameworks={Framework.CHECKOV: ("CKV_AWS_51",)},
    ),
    Rule(
        id="aws-ecr-customer-key",
        severity=Severity.MEDIUM,
        title="ECR repositories are encrypted with a customer-managed key",
        rationale="Images carry code and models; a key of one's own can be audited and withdrawn.",
        remedy="Set encryptionConfigurations with the type KMS and the stack's key.",
        types=(REPOSITORY,),
        check=_registry_key,
        frameworks={Framework.CHECKOV: ("CKV_AWS_136",)},
    ),
    Rule(
        id="aws-logs-retained",
        severity=Severity.LOW,
        title="Log groups keep logs for a stated time",
        rationale="Without a retention logs are kept, and paid for, forever; a short one loses the evidence.",
        remedy="Set retentionInDays to 30 or more.",
        types=(LOG_GROUP,),
        check=_logs_kept,
        frameworks={Framework.CHECKOV: ("CKV_AWS_66",)},
    ),
    Rule(
        id="aws-logs-customer-key",
        severity=Severity.MEDIUM,
        title="Log groups are encrypted with a customer-managed key",
        rationale="Audit logs name people, roles and resources.",
        remedy="Set kmsKeyId to the stack's log key.",
        types=(LOG_GROUP,),
        check=_logs_key,
        frameworks={Framework.CHECKOV: ("CKV_AWS_158",)},
    ),
)
