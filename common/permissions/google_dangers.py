"""Permissions of Google Cloud by which rights grow, and those that reach data, keys, images and records.

Which ones let rights grow: Google's IAM guide, "Best practices for using service accounts securely", and Rhino
Security Labs, "Privilege Escalation in Google Cloud Platform", as other tools cite it (believed, 2026-11-22).
The names are those of github.com/iann0036/iam-dataset of 2026-08-22, which is read from Google's API documents.
"""

from __future__ import annotations

from typing import Final

IMPERSONATES: Final = frozenset(
    {
        "iam.serviceAccounts.getAccessToken",
        "iam.serviceAccounts.getOpenIdToken",
        "iam.serviceAccounts.implicitDelegation",
        "iam.serviceAccounts.signBlob",
        "iam.serviceAccounts.signJwt",
        "iam.serviceAccountKeys.create",
        "iam.serviceAccountApiKeyBindings.create",
        "container.serviceAccounts.createToken",
        "storage.hmacKeys.create",
    }
)
"""Whoever has one of these acts as a service account."""

WIDENS: Final = frozenset(
    {
        "apikeys.keys.create",
        "apikeys.keys.getKeyString",
        "cloudbuild.builds.create",
        "cloudfunctions.functions.create",
        "cloudfunctions.functions.sourceCodeSet",
        "cloudfunctions.functions.update",
        "composer.environments.create",
        "compute.instances.create",
        "compute.instances.osAdminLogin",
        "compute.instances.osLogin",
        "compute.instances.setMetadata",
        "compute.instances.setServiceAccount",
        "compute.projects.setCommonInstanceMetadata",
        "container.clusterRoleBindings.create",
        "container.clusterRoles.bind",
        "container.clusterRoles.escalate",
        "container.pods.exec",
        "container.roles.bind",
        "container.roles.escalate",
        "container.secrets.get",
        "container.thirdPartyObjects.create",
        "dataflow.jobs.create",
        "dataproc.clusters.create",
        "deploymentmanager.deployments.create",
        "iam.denypolicies.delete",
        "iam.denypolicies.update",
        "iam.roles.create",
        "iam.roles.update",
        "iam.workloadIdentityPoolProviders.create",
        "iam.workloadIdentityPoolProviders.update",
        "orgpolicy.policies.create",
        "orgpolicy.policies.delete",
        "orgpolicy.policies.update",
        "orgpolicy.policy.set",
        "resourcemanager.folders.setIamPolicy",
        "resourcemanager.organizations.setIamPolicy",
        "resourcemanager.projects.delete",
        "resourcemanager.projects.setIamPolicy",
        "resourcemanager.projects.updateLiens",
        "run.jobs.create",
        "run.jobs.run",
        "run.services.create",
        "run.services.update",
    }
)
"""Whoever has one of these gets more rights than were given, or takes a guard rail off."""

ACTS_AS: Final = frozenset({"iam.serviceAccounts.actAs"})
"""Hands a service account to what one starts: a deployer needs it, a workload does not."""

STARTS: Final = frozenset(
    {
        "cloudscheduler.jobs.create",
        "cloudscheduler.jobs.update",
        "container.clusters.getCredentials",
        "run.jobs.runWithOverrides",
    }
)
"""Starts something under an account, or takes a cluster's credentials: no workload needs it."""

CONTROL: Final = IMPERSONATES | WIDENS | ACTS_AS

DATA: Final = frozenset(
    {
        "artifactregistry.repositories.delete",
        "artifactregistry.repositories.deleteArtifacts",
        "artifactregistry.repositories.uploadArtifacts",
        "bigquery.tables.export",
        "bigquery.tables.getData",
        "bigquery.tables.updateData",
        "bigtable.instances.delete",
        "bigtable.tables.mutateRows",
        "bigtable.tables.readRows",
        "cloudkms.cryptoKeyVersions.destroy",
        "cloudkms.cryptoKeyVersions.useToDecrypt",
        "cloudkms.cryptoKeyVersions.useToEncrypt",
        "cloudkms.cryptoKeyVersions.useToSign",
        "cloudsql.instances.connect",
        "cloudsql.instances.export",
        "compute.disks.createSnapshot",
        "compute.disks.useReadOnly",
        "compute.firewalls.create",
        "compute.firewalls.update",
        "compute.images.create",
        "compute.packetMirrorings.create",
        "compute.snapshots.create",
        "compute.snapshots.useReadOnly",
        "container.clusters.delete",
        "binaryauthorization.policy.update",
        "datastore.databases.delete",
        "datastore.databases.export",
        "datastore.entities.create",
        "datastore.entities.delete",
        "datastore.entities.get",
        "gkebackup.backupPlans.delete",
        "gkebackup.backups.delete",
        "gkebackup.restores.create",
        "logging.buckets.delete",
        "logging.buckets.update",
        "logging.logs.delete",
        "logging.privateLogEntries.list",
        "logging.sinks.delete",
        "logging.sinks.update",
        "pubsub.snapshots.create",
        "pubsub.subscriptions.consume",
        "redis.instances.delete",
        "redis.instances.export",
        "redis.instances.getAuthString",
        "secretmanager.secrets.delete",
        "secretmanager.versions.access",
        "spanner.databases.read",
        "storage.buckets.delete",
        "storage.buckets.update",
        "storage.objects.create",
        "storage.objects.delete",
        "storage.objects.get",
        "storage.objects.update",
        "storagetransfer.jobs.create",
        "storagetransfer.jobs.update",
    }
)
"""Permissions that reach data, keys, images, backups or records: in a whole project, those of every workload."""


def changes_policy(permission: str) -> bool:
    """Whether a permission lets its holder say who may do what with something."""
    return permission.endswith((".setIamPolicy", ".setTagBinding"))
