"""IAM permissions that the provider needs for each Google Cloud type.

Sources, read 2026-11-21: github.com/JamesWoolfenden/pike of 2026-08-21 for what the Terraform provider beneath
Pulumi's calls, corrected by the methods and the predefined roles in github.com/iann0036/iam-dataset of 2026-08-22,
which is read from Google's API documents. Permissions for reading an operation's state count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from common.permissions import Needs


def _crud(noun: str, *also: str, update: bool = True) -> Needs:
    """A type with Google's usual permissions; `also` is asked for whatever is changed of it."""
    read = f"{noun}.get"
    return Needs(
        (f"{noun}.create", read, *also),
        (read,),
        (f"{noun}.update", read, *also) if update else (),
        (f"{noun}.delete", read, *also),
    )


def _grant(noun: str) -> Needs:
    """A member of a resource's policy: read, changed, written back."""
    both = (f"{noun}.getIamPolicy", f"{noun}.setIamPolicy")
    return Needs(both, both[:1], both, both)


_ACT_AS: Final = "iam.serviceAccounts.actAs"
"""To hand a service account to nodes, jobs and transfers."""
_COMPUTE: Final = ("compute.globalOperations.get",)

GCP: Final[Mapping[str, Needs]] = {
    "gcp:artifactregistry/repository:Repository": _crud("artifactregistry.repositories"),
    "gcp:bigtable/gCPolicy:GCPolicy": Needs(
        ("bigtable.tables.get", "bigtable.tables.update"),
        ("bigtable.tables.get",),
        ("bigtable.tables.get", "bigtable.tables.update"),
        ("bigtable.tables.get", "bigtable.tables.update"),
    ),
    "gcp:bigtable/instance:Instance": Needs(
        (
            "bigtable.clusters.create",
            "bigtable.instances.create",
            "bigtable.instances.get",
            "bigtable.instances.list",
        ),
        ("bigtable.clusters.get", "bigtable.clusters.list", "bigtable.instances.get", "bigtable.instances.list"),
        (
            "bigtable.clusters.create",
            "bigtable.clusters.delete",
            "bigtable.clusters.update",
            "bigtable.instances.update",
        ),
        ("bigtable.clusters.delete", "bigtable.instances.delete"),
    ),
    "gcp:bigtable/table:Table": _crud("bigtable.tables"),
    "gcp:bigtable/tableIamMember:TableIamMember": _grant("bigtable.tables"),
    "gcp:billing/budget:Budget": _crud("billing.budgets"),
    "gcp:binaryauthorization/policy:Policy": Needs(
        ("binaryauthorization.policy.get", "binaryauthorization.policy.update"),
        ("binaryauthorization.policy.get",),
        ("binaryauthorization.policy.get", "binaryauthorization.policy.update"),
        ("binaryauthorization.policy.get", "binaryauthorization.policy.update"),
    ),
    "gcp:cloudscheduler/job:Job": Needs(
        ("cloudscheduler.jobs.create", "cloudscheduler.jobs.get", _ACT_AS),
        ("cloudscheduler.jobs.get",),
        ("cloudscheduler.jobs.enable", "cloudscheduler.jobs.pause", "cloudscheduler.jobs.update", _ACT_AS),
        ("cloudscheduler.jobs.delete",),
    ),
    "gcp:compute/firewall:Firewall": _crud("compute.firewalls", "compute.networks.updatePolicy", *_COMPUTE),
    "gcp:compute/globalAddress:GlobalAddress": Needs(
        (
            "compute.globalAddresses.create",
            "compute.globalAddresses.createInternal",
            "compute.globalAddresses.get",
            "compute.globalAddresses.setLabels",
            "compute.networks.use",
            *_COMPUTE,
        ),
        ("compute.globalAddresses.get",),
        ("compute.globalAddresses.setLabels", *_COMPUTE),
        ("compute.globalAddresses.delete", "compute.globalAddresses.deleteInternal", *_COMPUTE),
    ),
    "gcp:compute/network:Network": _crud("compute.networks", *_COMPUTE),
    "gcp:compute/route:Route": _crud("compute.routes", "compute.networks.updatePolicy", *_COMPUTE, update=False),
    "gcp:compute/subnetwork:Subnetwork": Needs(
        (
            "compute.networks.updatePolicy",
            "compute.regionOperations.get",
            "compute.subnetworks.create",
            "compute.subnetworks.get",
        ),
        ("compute.subnetworks.get",),
        (
            "compute.regionOperations.get",
            "compute.subnetworks.expandIpCidrRange",
            "compute.subnetworks.setPrivateIpGoogleAccess",
            "compute.subnetworks.update",
        ),
        ("compute.regionOperations.get", "compute.subnetworks.delete"),
    ),
    "gcp:container/cluster:Cluster": Needs(
        (
            _ACT_AS,
            "compute.networks.use",
            "compute.subnetworks.use",
            "container.clusters.create",
            "container.clusters.get",
            "container.operations.get",
        ),
        ("container.clusters.get", "container.operations.get"),
        ("container.clusters.update", "container.operations.get"),
        ("container.clusters.delete", "container.operations.get"),
    ),
    "gcp:container/nodePool:NodePool": Needs(
        (_ACT_AS, "container.clusters.get", "container.clusters.update", "container.operations.get"),
        ("compute.instanceGroupManagers.get", "container.clusters.get"),
        ("container.clusters.get", "container.clusters.update", "container.operations.get"),
        ("container.clusters.get", "container.clusters.update", "container.operations.get"),
    ),
    "gcp:dns/managedZone:ManagedZone": Needs(
        (
            "compute.networks.get",
            "dns.managedZones.create",
            "dns.managedZones.get",
            "dns.networks.bindPrivateDNSZone",
        ),
        ("dns.managedZones.get",),
        ("dns.managedZones.update", "dns.networks.bindPrivateDNSZone"),
        ("dns.managedZones.delete",),
    ),
    "gcp:dns/recordSet:RecordSet": Needs(
        (
            "dns.changes.create",
            "dns.changes.get",
            "dns.resourceRecordSets.create",
            "dns.resourceRecordSets.list",
        ),
        ("dns.resourceRecordSets.list",),
        ("dns.changes.create", "dns.changes.get", "dns.resourceRecordSets.update"),
        ("dns.changes.create", "dns.changes.get", "dns.resourceRecordSets.delete"),
    ),
    "gcp:firestore/backupSchedule:BackupSchedule": _crud("datastore.backupSchedules"),
    "gcp:firestore/database:Database": Needs(
        ("datastore.databases.create", "datastore.databases.getMetadata", "datastore.operations.get"),
        ("datastore.databases.getMetadata",),
        ("datastore.databases.update", "datastore.operations.get"),
        ("datastore.databases.delete", "datastore.operations.get"),
    ),
    "gcp:firestore/field:Field": Needs(
        ("datastore.indexes.get", "datastore.indexes.update", "datastore.operations.get"),
        ("datastore.indexes.get",),
        ("datastore.indexes.update", "datastore.operations.get"),
        ("datastore.indexes.update", "datastore.operations.get"),
    ),
    "gcp:gkebackup/backupPlan:BackupPlan": _crud("gkebackup.backupPlans", "gkebackup.operations.get"),
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": _crud("iam.workloadIdentityPools"),
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": _crud("iam.workloadIdentityPoolProviders"),
    "gcp:kms/cryptoKey:CryptoKey": Needs(
        ("cloudkms.cryptoKeys.create", "cloudkms.cryptoKeys.get"),
        ("cloudkms.cryptoKeys.get",),
        ("cloudkms.cryptoKeys.update",),
        ("cloudkms.cryptoKeys.update", "cloudkms.cryptoKeyVersions.destroy", "cloudkms.cryptoKeyVersions.list"),
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": _grant("cloudkms.cryptoKeys"),
    "gcp:kms/keyRing:KeyRing": Needs(
        ("cloudkms.keyRings.create", "cloudkms.keyRings.get"), ("cloudkms.keyRings.get",)
    ),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": _crud("logging.buckets"),
    "gcp:logging/projectExclusion:ProjectExclusion": _crud("logging.exclusions"),
    "gcp:logging/projectSink:ProjectSink": _crud("logging.sinks"),
    "gcp:monitoring/alertPolicy:AlertPolicy": _crud("monitoring.alertPolicies"),
    "gcp:monitoring/notificationChannel:NotificationChannel": _crud("monitoring.notificationChannels"),
    "gcp:orgpolicy/policy:Policy": Needs(
        ("orgpolicy.policies.create", "orgpolicy.policy.get"),
        ("orgpolicy.policy.get",),
        ("orgpolicy.policies.update", "orgpolicy.policy.get"),
        ("orgpolicy.policies.delete", "orgpolicy.policy.get"),
    ),
    "gcp:projects/iAMCustomRole:IAMCustomRole": _crud("iam.roles", "iam.roles.undelete"),
    "gcp:projects/iAMMember:IAMMember": _grant("resourcemanager.projects"),
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": _grant("resourcemanager.projects"),
    "gcp:projects/service:Service": Needs(
        ("serviceusage.services.enable", "serviceusage.services.get", "serviceusage.services.list"),
        ("serviceusage.services.get", "serviceusage.services.list"),
        (),
        ("serviceusage.services.disable", "serviceusage.services.get", "serviceusage.services.list"),
    ),
    "gcp:projects/serviceIdentity:ServiceIdentity": Needs(
        ("serviceusage.services.enable",)  # believed: the document of the method names none
    ),
    "gcp:redis/instance:Instance": _crud("redis.instances", "redis.operations.get"),
    "gcp:serviceaccount/account:Account": _crud("iam.serviceAccounts"),
    "gcp:serviceaccount/iAMMember:IAMMember": _grant("iam.serviceAccounts"),
    "gcp:servicenetworking/connection:Connection": Needs(
        (
            "compute.networks.get",
            "resourcemanager.projects.get",
            "servicenetworking.operations.get",
            "servicenetworking.services.addPeering",
            "servicenetworking.services.get",
        ),
        ("resourcemanager.projects.get", "servicenetworking.services.get"),
        ("servicenetworking.operations.get", "servicenetworking.services.addPeering"),
        (
            "compute.networks.removePeering",
            "servicenetworking.operations.get",
            "servicenetworking.services.deleteConnection",
        ),
    ),
    "gcp:storage/bucket:Bucket": Needs(
        ("storage.buckets.create", "storage.buckets.get"),
        ("storage.buckets.get",),
        ("storage.buckets.get", "storage.buckets.update"),
        ("storage.buckets.delete", "storage.objects.list"),
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": _grant("storage.buckets"),
    "gcp:storage/transferJob:TransferJob": Needs(
        ("storagetransfer.jobs.create", "storagetransfer.jobs.get", "storagetransfer.projects.getServiceAccount"),
        ("storagetransfer.jobs.get",),
        ("storagetransfer.jobs.get", "storagetransfer.jobs.update"),
        ("storagetransfer.jobs.delete", "storagetransfer.jobs.get", "storagetransfer.jobs.update"),
    ),
}
"""Pulumi's type → the permissions. A test asks that every type that a stack plans stands here."""

NOT_IN_PROJECT: Final = frozenset(
    {"orgpolicy.policies.create", "orgpolicy.policies.update", "orgpolicy.policies.delete", "orgpolicy.policy.get"}
)
"""Permissions that no role of a project holds: `roles/orgpolicy.policyAdmin` is granted on an organisation
(cloud.google.com/iam/docs/roles-permissions/orgpolicy, read 2026-11-21)."""
