"""The types that the local cloud only records: they get ids, links and addresses as Google's, and enforce nothing.

A type that is in none of the services' kinds and not in `RECORDED` is refused. Shapes: see `shapes`.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from localcloud.gcp import clock
from localcloud.gcp.context import Context, project_of
from localcloud.gcp.shapes import (
    COMPUTE,
    Identify,
    Shape,
    compute_resource,
    created,
    digits,
    full_name,
    named,
    numbered,
    template,
)
from localcloud.providers.base import ProviderError, Request, physical_name, stable_hex, stable_uuid

_POOL: Final = "workloadIdentityPoolId"
_POOL_PROVIDER: Final = "workloadIdentityPoolProviderId"
CONTAINER: Final = "https://container.googleapis.com/v1"


def _network(_request: Request, physical_id: str, _context: Context) -> Mapping[str, Any]:
    number = digits(19, physical_id)
    return {"networkId": number, "numericId": number, "gatewayIpv4": ""}


def _timed(_request: Request, _id: str, _context: Context) -> Mapping[str, Any]:
    return {"creationTimestamp": created(_request, "creationTimestamp")}


def _subnetwork(request: Request, physical_id: str, context: Context) -> Mapping[str, Any]:
    try:
        gateway = str(next(ipaddress.ip_network(str(request.inputs["ipCidrRange"])).hosts()))
    except (KeyError, ValueError) as e:
        raise ProviderError(f"is not a valid range: {e}", "ipCidrRange") from e
    return {
        **_timed(request, physical_id, context),
        "region": request.inputs.get("region") or context.region,
        "gatewayAddress": gateway,
        "fingerprint": stable_hex(12, repr(sorted(request.inputs.items()))),
        "subnetworkId": int(digits(15, physical_id)),
        "purpose": "PRIVATE",
        "stackType": "IPV4_ONLY",
    }


def _route(_request: Request, _id: str, context: Context) -> Mapping[str, Any]:
    return {"nextHopNetwork": f"{COMPUTE}/projects/{context.project}/global/networks/default"}


def _global_address(request: Request, physical_id: str, context: Context) -> Mapping[str, Any]:
    address = request.inputs.get("address") or f"34.128.{int(stable_hex(2, physical_id), 16)}.7"
    return {
        **_timed(request, physical_id, context),
        "address": address,
        "labelFingerprint": stable_hex(8, physical_id),
    }


def _cluster(request: Request, physical_id: str, context: Context) -> Mapping[str, Any]:
    number = int(stable_hex(4, physical_id), 16)
    private = request.inputs.get("privateClusterConfig") or {}
    block = private.get("masterIpv4CidrBlock") or "172.16.0.0/28"
    internal = str(ipaddress.ip_network(block)[2])
    endpoints = request.inputs.get("controlPlaneEndpointsConfig") or {}
    location = physical_id.split("/")[3]
    host = f"gke-{stable_hex(20, physical_id)}-{digits(12, context.project)}.{location}.gke.goog"
    public = f"34.140.{number // 256}.{number % 256}"
    certificate = request.outputs.get("masterAuth", {}).get("clusterCaCertificate") or _ca(physical_id)
    version = str(request.inputs.get("minMasterVersion") or "1.35")
    check_step(str(request.old_inputs.get("minMasterVersion") or ""), version)
    return {
        "name": physical_id.rsplit("/", 1)[1],
        "project": project_of(request, context),
        "selfLink": f"{CONTAINER}/{physical_id}",
        "endpoint": internal if private.get("enablePrivateEndpoint") else public,
        "controlPlaneEndpointsConfig": {
            **endpoints,
            "dnsEndpointConfig": {**(endpoints.get("dnsEndpointConfig") or {}), "endpoint": host},
        },
        "masterVersion": version if version.count(".") == 2 else f"{version}.1-gke.1000000",
        "masterAuth": {
            **(request.inputs.get("masterAuth") or {}),
            "clusterCaCertificate": certificate,
            "clientCertificate": "",
            "clientKey": "",
        },
        "privateClusterConfig": {
            **private,
            "privateEndpoint": internal,
            "publicEndpoint": public,
            "peeringName": f"gke-{stable_hex(20, physical_id)}-peer",
        },
        "labelFingerprint": stable_hex(8, repr(request.inputs.get("resourceLabels"))),
        "servicesIpv4Cidr": "34.118.224.0/20",
    }


def check_step(before: str, after: str) -> None:
    """A control plane goes up by one minor version at a time, and not down (GKE guide, "Cluster upgrades").

    Raises:
        ProviderError: it would skip one, or go back.
    """
    if before and int(after.split(".")[1]) - int(before.split(".")[1]) not in (0, 1):
        raise ProviderError(
            f"the control plane cannot be upgraded from {before} to {after}: one minor version at a time",
            "minMasterVersion",
        )


def _ca(physical_id: str) -> str:
    from localcloud.gcp.redis.server import issue_certificates

    return base64.b64encode(issue_certificates(physical_id.rsplit("/", 1)[1], "10.0.0.2").ca.encode()).decode()


def _node_pool_id(request: Request, context: Context) -> str:
    cluster = str(request.inputs.get("cluster", ""))
    name = physical_name(request, "name")
    if "/" not in cluster:
        location = request.inputs.get("location") or context.region
        cluster = f"projects/{project_of(request, context)}/locations/{location}/clusters/{cluster}"
    return f"{cluster}/nodePools/{name}"


def _node_pool(request: Request, physical_id: str, context: Context) -> Mapping[str, Any]:
    project, cluster, name = (physical_id.split("/")[i] for i in (1, 5, 7))
    zones = request.inputs.get("nodeLocations") or [f"{request.inputs.get('location') or context.region}-b"]
    groups = [f"gke-{cluster}-{name}-{stable_hex(8, physical_id, z)}-grp" for z in zones]
    managers = [
        f"{COMPUTE}/projects/{project}/zones/{zone}/instanceGroupManagers/{group}"
        for zone, group in zip(zones, groups, strict=True)
    ]
    return {
        "name": name,
        "project": project,
        "location": physical_id.split("/")[3],
        "instanceGroupUrls": managers,
        "managedInstanceGroupUrls": [m.replace("instanceGroupManagers", "instanceGroups") for m in managers],
        "version": request.inputs.get("version") or request.outputs.get("version") or "1.35.1-gke.1000000",
    }


def _repository(request: Request, physical_id: str, _context: Context) -> Mapping[str, Any]:
    _, project, _, location, _, name = physical_id.split("/")
    return {
        "name": name,
        "project": project,
        "location": location,
        "createTime": created(request, "createTime"),
        "updateTime": clock.now_text(),
        "registryUri": f"{location}-docker.pkg.dev/{project}/{name}",
    }


def _record_set_id(request: Request, context: Context) -> str:
    i = request.inputs
    return f"projects/{project_of(request, context)}/managedZones/{i['managedZone']}/rrsets/{i['name']}/{i['type']}"


def _managed_zone(request: Request, physical_id: str, _context: Context) -> Mapping[str, Any]:
    return {
        "name": physical_id.rsplit("/", 1)[1],
        "managedZoneId": int(digits(15, physical_id)),
        "creationTime": created(request, "creationTime"),
        "nameServers": ["ns-gcp-private.googledomains.com."],
    }


def _alert_policy(request: Request, physical_id: str, context: Context) -> Mapping[str, Any]:
    conditions = [
        {**c, "name": f"{physical_id}/conditions/{digits(19, physical_id, str(i))}"}
        for i, c in enumerate(request.inputs.get("conditions") or [])
    ]
    made = request.outputs.get("creationRecords") or [{"mutateTime": clock.now_text(), "mutatedBy": "local"}]
    return {**full_name(creationRecords=made)(request, physical_id, context), "conditions": conditions}


def _member_id(of: str) -> Identify:
    granted = template(f"{of}/{{role}}/{{member}}", "role")

    def identify(request: Request, context: Context) -> str:
        title = (request.inputs.get("condition") or {}).get("title")
        return granted(request, context) + (f"/{title}" if title else "")

    return identify


def _member(request: Request, physical_id: str, _context: Context) -> Mapping[str, Any]:
    return {"etag": base64.b64encode(stable_hex(8, request.urn, physical_id).encode()).decode()}


def _connection_id(request: Request, _context: Context) -> str:
    return f"{quote(str(request.inputs['network']), safe='')}:{request.inputs['service']}"


def _backup_plan(request: Request, physical_id: str, context: Context) -> Mapping[str, Any]:
    return {
        **named()(request, physical_id, context),
        "uid": request.outputs.get("uid") or stable_uuid(physical_id),
        "etag": stable_hex(8, repr(sorted(request.inputs.items()))),
        "state": "READY",
        "stateReason": "",
        "protectedPodCount": 0,
        "protectedNamespaceCount": 0,
    }


def _identity_pool(request: Request, physical_id: str, context: Context) -> Mapping[str, Any]:
    return {"name": physical_id, "project": project_of(request, context), "state": "ACTIVE"}


def _nothing(_request: Request, _id: str, _context: Context) -> Mapping[str, Any]:
    return {}


def _sink(request: Request, physical_id: str, context: Context) -> Mapping[str, Any]:
    writer = "serviceAccount:cloud-logs@system.gserviceaccount.com"
    unneeded = str(request.inputs.get("destination", "")).startswith("logging.googleapis.com/")
    return {**named()(request, physical_id, context), "writerIdentity": "" if unneeded else writer}


def _firestore_database(request: Request, physical_id: str, context: Context) -> Mapping[str, Any]:
    kept = request.inputs.get("pointInTimeRecoveryEnablement") == "POINT_IN_TIME_RECOVERY_ENABLED"
    made = created(request, "createTime")
    return {
        **named(keyPrefix="", versionRetentionPeriod="604800s" if kept else "3600s")(request, physical_id, context),
        "createTime": made,
        "updateTime": clock.now_text(),
        "earliestVersionTime": made,
        "uid": request.outputs.get("uid") or stable_uuid(physical_id),
        "etag": stable_hex(8, repr(sorted(request.inputs.items()))),
    }


def _backup_schedule_id(request: Request, context: Context) -> str:
    database = template("projects/{project}/databases/{database}", "database")(request, context)
    return f"{database}/backupSchedules/{stable_uuid(request.urn)}"


def _gc_policy_id(request: Request, context: Context) -> str:
    # Google's provider takes the policy's own text for its id, which names neither table nor family.
    family = template("projects/{project}/instances/{instanceName}/tables/{table}/{columnFamily}", "table")
    return f"{family(request, context)}/{stable_hex(7, request.urn)}"


RECORDED: Final[Mapping[str, Shape]] = {
    "gcp:artifactregistry/repository:Repository": Shape(
        template("projects/{project}/locations/{location}/repositories/{repositoryId}", "repositoryId"),
        _repository,
        labels_property="labels",
    ),
    "gcp:bigtable/gCPolicy:GCPolicy": Shape(_gc_policy_id, _nothing, exclusive=False),
    "gcp:bigtable/instance:Instance": Shape(
        template("projects/{project}/instances/{name}"), named(), labels_property="labels"
    ),
    "gcp:bigtable/table:Table": Shape(template("projects/{project}/instances/{instanceName}/tables/{name}"), named()),
    "gcp:bigtable/tableIamMember:TableIamMember": Shape(
        _member_id("projects/{project}/instances/{instanceName}/tables/{table}"), _member
    ),
    "gcp:billing/budget:Budget": Shape(
        lambda r, _: f"billingAccounts/{r.inputs['billingAccount']}/budgets/{stable_uuid(r.urn)}",
        lambda _, i, __: {"name": i.rsplit("/", 1)[1]},
    ),
    "gcp:binaryauthorization/policy:Policy": Shape(
        lambda r, c: f"projects/{project_of(r, c)}", lambda r, _, c: {"project": project_of(r, c)}
    ),
    "gcp:compute/firewall:Firewall": compute_resource("projects/{project}/global/firewalls/{name}", _timed),
    "gcp:compute/globalAddress:GlobalAddress": compute_resource(
        "projects/{project}/global/addresses/{name}", _global_address, "labels"
    ),
    "gcp:compute/network:Network": compute_resource("projects/{project}/global/networks/{name}", _network),
    "gcp:compute/route:Route": compute_resource("projects/{project}/global/routes/{name}", _route),
    "gcp:compute/subnetwork:Subnetwork": compute_resource(
        "projects/{project}/regions/{region}/subnetworks/{name}", _subnetwork
    ),
    "gcp:container/cluster:Cluster": Shape(
        template("projects/{project}/locations/{location}/clusters/{name}"),
        _cluster,
        labels_property="resourceLabels",
    ),
    "gcp:container/nodePool:NodePool": Shape(_node_pool_id, _node_pool),
    "gcp:dns/managedZone:ManagedZone": Shape(
        template("projects/{project}/managedZones/{name}"), _managed_zone, labels_property="labels"
    ),
    "gcp:dns/recordSet:RecordSet": Shape(_record_set_id, _nothing),
    "gcp:firestore/backupSchedule:BackupSchedule": Shape(_backup_schedule_id, named(), exclusive=False),
    "gcp:firestore/database:Database": Shape(template("projects/{project}/databases/{name}"), _firestore_database),
    "gcp:firestore/field:Field": Shape(
        template("projects/{project}/databases/{database}/collectionGroups/{collection}/fields/{field}", "field"),
        full_name(),
    ),
    "gcp:gkebackup/backupPlan:BackupPlan": Shape(
        template("projects/{project}/locations/{location}/backupPlans/{name}"),
        _backup_plan,
        labels_property="labels",
    ),
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": Shape(
        template("projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}", _POOL),
        _identity_pool,
    ),
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": Shape(
        template(
            f"projects/{{project}}/locations/global/workloadIdentityPools/{{{_POOL}}}/providers/{{{_POOL_PROVIDER}}}",
            _POOL_PROVIDER,
        ),
        _identity_pool,
    ),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": Shape(
        template("projects/{project}/locations/{location}/buckets/{bucketId}", "bucketId"),
        full_name(lifecycleState="ACTIVE"),
    ),
    "gcp:logging/projectExclusion:ProjectExclusion": Shape(template("projects/{project}/exclusions/{name}"), named()),
    "gcp:logging/projectSink:ProjectSink": Shape(template("projects/{project}/sinks/{name}"), _sink),
    "gcp:monitoring/alertPolicy:AlertPolicy": Shape(numbered("alertPolicies"), _alert_policy),
    "gcp:monitoring/notificationChannel:NotificationChannel": Shape(
        numbered("notificationChannels"), full_name(verificationStatus="")
    ),
    "gcp:orgpolicy/policy:Policy": Shape(
        lambda r, _: f"{r.inputs['parent']}/policies/{str(r.inputs['name']).rsplit('/', 1)[-1]}",
        lambda r, i, _: {"etag": stable_hex(8, i, repr(r.inputs.get("spec")))},
    ),
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": Shape(
        template("projects/{project}/audit_config/{service}", "service"),
        lambda r, i, _: {"etag": stable_hex(8, i, repr(r.inputs.get("auditLogConfigs")))},
    ),
    "gcp:projects/service:Service": Shape(
        template("{project}/{service}", "service"), lambda r, _, c: {"project": project_of(r, c)}
    ),
    "gcp:servicenetworking/connection:Connection": Shape(
        _connection_id, lambda *_: {"peering": "servicenetworking-googleapis-com"}
    ),
}
