"""Harmful changes of who may do what: members, roles, conditions, federation, keys, and what forbids them."""

from __future__ import annotations

from tests.policies.mutations.gcp.words import (
    ACCOUNT,
    DATA_KEY,
    FLEET,
    MEMBER,
    MODELS,
    POOL,
    PROJECT,
    STRANGER,
    custom,
    gcp,
    grant,
    policy,
    provider,
    when,
)
from tests.policies.reach.planting import GONE, Change, edit, several

RIGHTS: dict[str, Change] = {
    # members
    "a binding of the project for a domain outside": gcp(
        "projects/iAMBinding", project=PROJECT, role="roles/storage.objectViewer", members=["domain:gmail.com"]
    ),
    "a binding with one public member among many": gcp(
        "storage/bucketIAMBinding", bucket=MODELS, role="roles/storage.objectViewer", members=[FLEET, "allUsers"]
    ),
    "a policy of the project for all": gcp(
        "projects/iAMPolicy", project=PROJECT, policyData=policy({"role": "roles/viewer", "members": ["allUsers"]})
    ),
    "a policy of the project that replaces all grants": gcp(
        "projects/iAMPolicy", project=PROJECT, policyData=policy({"role": "roles/browser", "members": [FLEET]})
    ),
    "a policy of a bucket for all": gcp(
        "storage/bucketIAMPolicy",
        bucket=MODELS,
        policyData=policy({"role": "roles/storage.objectViewer", "members": ["allAuthenticatedUsers"]}),
    ),
    "a policy of a key for all": gcp(
        "kms/cryptoKeyIAMPolicy",
        cryptoKeyId=DATA_KEY,
        policyData=policy({"role": "roles/cloudkms.cryptoKeyDecrypter", "members": ["allUsers"]}),
    ),
    "a key ring for all": gcp(
        "kms/keyRingIAMMember", keyRingId="k", role="roles/cloudkms.cryptoKeyDecrypter", member="allUsers"
    ),
    "a key ring for a stranger": gcp(
        "kms/keyRingIAMMember", keyRingId="k", role="roles/cloudkms.cryptoKeyDecrypter", member=STRANGER
    ),
    "a key for a stranger": gcp(
        "kms/cryptoKeyIAMMember", cryptoKeyId=DATA_KEY, role="roles/cloudkms.cryptoKeyDecrypter", member=STRANGER
    ),
    "a bucket for a stranger's account": gcp(
        "storage/bucketIAMMember", bucket=MODELS, role="roles/storage.objectViewer", member=STRANGER
    ),
    "a bucket for a group of others": gcp(
        "storage/bucketIAMMember",
        bucket=MODELS,
        role="roles/storage.objectViewer",
        member="group:x@googlegroups.com",
    ),
    "a bucket for whoever owns a project": gcp(
        "storage/bucketIAMMember", bucket=MODELS, role="roles/storage.objectViewer", member="projectViewer:elsewhere"
    ),
    "a bucket for a person at home": gcp(
        "storage/bucketIAMMember", bucket=MODELS, role="roles/storage.objectViewer", member="user:x@gmail.com"
    ),
    "an account acted as by a stranger": gcp(
        "serviceaccount/iAMMember", serviceAccountId=ACCOUNT, role="roles/iam.serviceAccountUser", member=STRANGER
    ),
    "an account acted as by all, by binding": gcp(
        "serviceaccount/iAMBinding",
        serviceAccountId=ACCOUNT,
        role="roles/iam.serviceAccountTokenCreator",
        members=["allAuthenticatedUsers"],
    ),
    "an account's policy": gcp(
        "serviceaccount/iAMPolicy",
        serviceAccountId=ACCOUNT,
        policyData=policy({"role": "roles/iam.serviceAccountTokenCreator", "members": ["allUsers"]}),
    ),
    "an account for every pod of the cluster's project": gcp(
        "serviceaccount/iAMMember",
        serviceAccountId=ACCOUNT,
        role="roles/iam.workloadIdentityUser",
        member=f"principalSet://iam.googleapis.com/projects/333344445555/locations/global/workloadIdentityPools/{PROJECT}.svc.id.goog/namespace/default",
    ),
    "an account for pods of another project": gcp(
        "serviceaccount/iAMMember",
        serviceAccountId=ACCOUNT,
        role="roles/iam.workloadIdentityUser",
        member="serviceAccount:elsewhere.svc.id.goog[serving/triton]",
    ),
    "the fleet's account for the default pods": edit(
        "serviceaccount/iAMMember:IAMMember",
        "member",
        f"serviceAccount:{PROJECT}.svc.id.goog[default/default]",
        "fleet",
    ),
    "the drill's account for the fleet's pods": edit(
        "serviceaccount/iAMMember:IAMMember",
        "member",
        f"serviceAccount:{PROJECT}.svc.id.goog[serving/triton]",
        "drill-platform",
    ),
    "a deleted member": grant("roles/container.viewer", f"deleted:{FLEET}?uid=123456789"),
    "a stranger reads the project": grant("roles/monitoring.viewer", STRANGER),
    "a stranger reads images": grant("roles/artifactregistry.reader", STRANGER),
    "a repository for all": gcp(
        "artifactregistry/repositoryIamMember",
        repository="seawall-prod-serving",
        role="roles/artifactregistry.reader",
        member="allUsers",
    ),
    "a repository written by a stranger": gcp(
        "artifactregistry/repositoryIamMember",
        repository="seawall-prod-serving",
        role="roles/artifactregistry.writer",
        member=STRANGER,
    ),
    "a repository written by the fleet": gcp(
        "artifactregistry/repositoryIamBinding",
        repository="seawall-prod-serving",
        role="roles/artifactregistry.repoAdmin",
        members=[FLEET, "allAuthenticatedUsers"],
    ),
    "a topic for all": gcp("pubsub/topicIAMMember", topic="t", role="roles/pubsub.publisher", member="allUsers"),
    "a subscription for all": gcp(
        "pubsub/subscriptionIAMBinding", subscription="t", role="roles/pubsub.subscriber", members=["allUsers"]
    ),
    "a secret for all": gcp(
        "secretmanager/secretIamMember", secretId="s", role="roles/secretmanager.secretAccessor", member="allUsers"
    ),
    "a secret for a stranger": gcp(
        "secretmanager/secretIamMember", secretId="s", role="roles/secretmanager.secretAccessor", member=STRANGER
    ),
    "a secret's policy for all": gcp(
        "secretmanager/secretIamPolicy",
        secretId="s",
        policyData=policy({"role": "roles/secretmanager.secretAccessor", "members": ["allUsers"]}),
    ),
    "a data set for all": gcp("bigquery/datasetIamMember", datasetId="d", role="roles/viewer", member="allUsers"),
    "a data set's own access for all": gcp(
        "bigquery/dataset", datasetId="d", accesses=[{"role": "READER", "specialGroup": "allAuthenticatedUsers"}]
    ),
    "a data set's access entry": gcp(
        "bigquery/datasetAccess", datasetId="d", role="READER", specialGroup="allAuthenticatedUsers"
    ),
    "a table for all": gcp(
        "bigquery/iamMember", datasetId="d", tableId="t", role="roles/bigquery.dataViewer", member="allUsers"
    ),
    "a service that anyone calls": gcp(
        "cloudrunv2/serviceIamMember", name="s", role="roles/run.invoker", member="allUsers"
    ),
    "a function that anyone calls": gcp(
        "cloudfunctions/functionIamMember", cloudFunction="f", role="roles/cloudfunctions.invoker", member="allUsers"
    ),
    "an instance for all": gcp(
        "compute/instanceIAMMember", instanceName="i", role="roles/compute.instanceAdmin.v1", member="allUsers"
    ),
    "a disk image for all": gcp(
        "compute/imageIamMember", image="i", role="roles/compute.imageUser", member="allAuthenticatedUsers"
    ),
    "a snapshot for all": gcp(
        "compute/snapshotIamMember", name="i", role="roles/compute.storageAdmin", member="allAuthenticatedUsers"
    ),
    "a subnet for a stranger": gcp(
        "compute/subnetworkIAMMember", subnetwork="s", role="roles/compute.networkUser", member=STRANGER
    ),
    "a backup plan for all": gcp(
        "gkebackup/backupPlanIamMember", name="b", role="roles/gkebackup.admin", member="allUsers"
    ),
    "a tunnel for all": gcp(
        "iap/tunnelInstanceIAMMember", instance="i", role="roles/iap.tunnelResourceAccessor", member="allUsers"
    ),
    "a zone of names for all": gcp(
        "dns/dnsManagedZoneIamMember", managedZone="z", role="roles/dns.admin", member="allUsers"
    ),
    "a managed folder for all": gcp(
        "storage/managedFolderIamMember",
        bucket=MODELS,
        managedFolder="f",
        role="roles/storage.objectViewer",
        member="allUsers",
    ),
    "a folder's grant": gcp("folder/iAMMember", folder="folders/1", role="roles/owner", member=FLEET),
    "a folder's policy": gcp(
        "folder/iAMPolicy", folder="folders/1", policyData=policy({"role": "roles/owner", "members": [FLEET]})
    ),
    "an organisation's grant": gcp("organizations/iAMMember", orgId="1", role="roles/viewer", member=FLEET),
    "an organisation's binding": gcp(
        "organizations/iAMBinding", orgId="1", role="roles/resourcemanager.organizationAdmin", members=[FLEET]
    ),
    "a billing account's grant": gcp(
        "billing/accountIamMember", billingAccountId="b", role="roles/billing.admin", member=FLEET
    ),
    "default accounts kept as editors": gcp("projects/defaultServiceAccounts", project=PROJECT, action="NONE"),
    # roles
    **{
        f"a role of its own with {permission}": custom(permission)
        for permission in (
            "resourcemanager.projects.setIamPolicy",
            "iam.serviceAccounts.actAs",
            "iam.serviceAccounts.getAccessToken",
            "iam.serviceAccounts.getOpenIdToken",
            "iam.serviceAccounts.signBlob",
            "iam.serviceAccounts.signJwt",
            "iam.serviceAccounts.implicitDelegation",
            "iam.serviceAccounts.setIamPolicy",
            "iam.serviceAccountKeys.create",
            "iam.roles.update",
            "iam.roles.create",
            "iam.workloadIdentityPoolProviders.update",
            "storage.hmacKeys.create",
            "storage.buckets.setIamPolicy",
            "storage.objects.get",
            "storage.objects.delete",
            "cloudkms.cryptoKeys.setIamPolicy",
            "cloudkms.cryptoKeyVersions.destroy",
            "cloudkms.cryptoKeyVersions.useToDecrypt",
            "secretmanager.versions.access",
            "compute.instances.setMetadata",
            "compute.projects.setCommonInstanceMetadata",
            "compute.instances.osAdminLogin",
            "compute.firewalls.create",
            "container.pods.exec",
            "container.secrets.get",
            "container.clusterRoleBindings.create",
            "container.clusters.getCredentials",
            "deploymentmanager.deployments.create",
            "cloudbuild.builds.create",
            "orgpolicy.policy.set",
            "logging.sinks.delete",
            "logging.buckets.delete",
            "redis.instances.getAuthString",
            "redis.instances.export",
            "cloudscheduler.jobs.create",
            "run.jobs.runWithOverrides",
            "artifactregistry.repositories.uploadArtifacts",
        )
    },
    "an own role of the organisation that escalates": several(
        gcp("organizations/iAMCustomRole", orgId="1", roleId="r", permissions=["iam.serviceAccountKeys.create"]),
        grant("organizations/1/roles/r"),
    ),
    "a role of another project": grant("projects/elsewhere/roles/harmless"),
    "an own role that the plan lacks": grant(f"projects/{PROJECT}/roles/unheard_of"),
    "the exporter becomes an editor": edit(MEMBER, "role", "roles/editor", "exporter"),
    "the drill's buckets without condition": edit(MEMBER, "condition", GONE, "drill-own-buckets"),
    **{
        f"the drill's buckets where {expression}": edit(MEMBER, "condition", when(expression), "drill-own-buckets")
        for expression in (
            "true",
            "1 == 1",
            "!false",
            "resource.name.startsWith('')",
            "resource.name.startsWith('projects/_/buckets/')",
            "resource.name.startsWith('projects/_/buckets/seawall-prod-')",
            "resource.name.endsWith('')",
            "resource.name.contains('')",
            "resource.name.matches('.*')",
            "resource.name != 'x'",
            "resource.type == 'storage.googleapis.com/Object'",
            "resource.name.startsWith('projects/_/buckets/seawall-prod-drill-') || true",
            "resource.name.startsWith('projects/_/buckets/seawall-prod-drill-') || resource.name != ''",
            "!resource.name.startsWith('projects/_/buckets/seawall-prod-drill-')",
            "request.time > timestamp('2020-01-01T00:00:00Z')",
            "request.time < timestamp('2099-01-01T00:00:00Z')",
            "resource.service == 'storage.googleapis.com'",
            "has(resource.name)",
            "resource.name == resource.name",
            "'a' in ['a']",
            "true ? true : resource.name.startsWith('projects/_/buckets/seawall-prod-drill-')",
            "resource.name.extract('x/{name}').startsWith('')",
            "size(resource.name) > 0",
        )
    },
    # federation
    "a provider without condition": provider(attributeCondition=GONE),
    "a provider whose condition is true": provider(attributeCondition="true"),
    "a provider whose condition is any repository": provider(attributeCondition="assertion.repository != ''"),
    "a provider whose condition begins like it": provider(
        attributeCondition="assertion.repository_owner.startsWith('acme')"
    ),
    "a provider whose condition is one of two": provider(
        attributeCondition="assertion.repository == 'acme/serving' || assertion.ref == 'refs/heads/main'"
    ),
    "a provider that trusts who asks": provider(attributeMapping={"google.subject": "assertion.actor"}),
    "a provider whose subject is all the same": provider(attributeMapping={"google.subject": "'ci'"}),
    "a provider that lets the token say the repository": provider(
        attributeMapping={"google.subject": "assertion.sub", "attribute.repository": "assertion.head_ref"}
    ),
    "a provider of another issuer": provider(oidc={"issuerUri": "https://issuer.example.net"}),
    "a provider with keys of its own": provider(
        oidc={"issuerUri": "https://token.actions.githubusercontent.com", "jwksJson": "{}"}
    ),
    "a provider for any audience": provider(
        oidc={"issuerUri": "https://token.actions.githubusercontent.com", "allowedAudiences": ["sts.amazonaws.com"]}
    ),
    "a provider of another AWS account": provider(
        oidc=GONE, attributeCondition=GONE, aws={"accountId": "999988887777"}
    ),
    "a provider by SAML without condition": provider(
        oidc=GONE, attributeCondition=GONE, saml={"idpMetadataXml": "<x/>"}
    ),
    "everyone of a pool acts as the fleet": gcp(
        "serviceaccount/iAMMember",
        serviceAccountId=ACCOUNT,
        role="roles/iam.workloadIdentityUser",
        member=f"principalSet://iam.googleapis.com/{POOL}/*",
    ),
    "everyone of an owner acts as the fleet": gcp(
        "serviceaccount/iAMMember",
        serviceAccountId=ACCOUNT,
        role="roles/iam.workloadIdentityUser",
        member=f"principalSet://iam.googleapis.com/{POOL}/attribute.repository_owner/someone",
    ),
    "a pool of another project acts as the fleet": gcp(
        "serviceaccount/iAMMember",
        serviceAccountId=ACCOUNT,
        role="roles/iam.workloadIdentityUser",
        member="principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/x",
    ),
    "a pool for a workforce without condition": gcp(
        "iam/workforcePoolProvider",
        workforcePoolId="p",
        providerId="x",
        attributeMapping={"google.subject": "assertion.sub"},
        oidc={"issuerUri": "https://issuer.example.net"},
    ),
    "a key of an account": gcp("serviceaccount/key", serviceAccountId=ACCOUNT),
    "a key of an account made elsewhere": gcp("serviceaccount/key", serviceAccountId=ACCOUNT, publicKeyData="x"),
    "a key for storage": gcp("storage/hmacKey", serviceAccountEmail="x"),
    "an API key without bounds": gcp("projects/apiKey", name="k", project=PROJECT),
    "a denial with an exception for all": gcp(
        "iam/denyPolicy",
        parent="p",
        rules=[
            {
                "denyRule": {
                    "deniedPrincipals": ["principalSet://goog/public:all"],
                    "exceptionPrincipals": ["principalSet://goog/public:all"],
                    "deniedPermissions": ["iam.googleapis.com/serviceAccountKeys.create"],
                }
            }
        ],
    ),
    "keys of accounts allowed again": gcp(
        "orgpolicy/policy",
        name=f"projects/{PROJECT}/policies/iam.disableServiceAccountKeyCreation",
        parent=f"projects/{PROJECT}",
        spec={"rules": [{"enforce": "FALSE"}]},
    ),
    "public buckets allowed again": gcp(
        "orgpolicy/policy",
        name=f"projects/{PROJECT}/policies/storage.publicAccessPrevention",
        parent=f"projects/{PROJECT}",
        spec={"rules": [{"enforce": "FALSE"}]},
    ),
    "members of any domain allowed again": gcp(
        "orgpolicy/policy",
        name=f"projects/{PROJECT}/policies/iam.allowedPolicyMemberDomains",
        parent=f"projects/{PROJECT}",
        spec={"rules": [{"allowAll": "TRUE"}]},
    ),
    "an older kind of policy that allows all": gcp(
        "projects/organizationPolicy",
        project=PROJECT,
        constraint="compute.vmExternalIpAccess",
        listPolicy={"allow": {"all": True}},
    ),
    "an older kind of policy that is off": gcp(
        "projects/organizationPolicy",
        project=PROJECT,
        constraint="iam.disableServiceAccountKeyCreation",
        booleanPolicy={"enforced": False},
    ),
}
