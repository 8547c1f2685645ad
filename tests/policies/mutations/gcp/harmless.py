"""Changes of the production plan on Google Cloud that harm nobody: twins of the harmful ones."""

from __future__ import annotations

from tests.policies.mutations.gcp.words import (
    ALERT,
    BUCKET,
    CLUSTER,
    KEY,
    MEMBER,
    MODELS,
    NODES,
    PROJECT,
    REDIS,
    custom,
    gcp,
    grant,
    instance,
    provider,
    when,
)
from tests.policies.reach.planting import GONE, Change, To, edit, remove, several

_SINK = "logging/projectSink:ProjectSink"
_EXCLUSION = "logging/projectExclusion:ProjectExclusion"
_RECORD = "dns/recordSet:RecordSet"
_ADMISSION = "binaryauthorization/policy:Policy"
_OWN = f"europe-west4-docker.pkg.dev/{PROJECT}"

HARMLESS: dict[str, Change] = {
    "a grant for an account of the project": grant("roles/logging.logWriter"),
    "a grant for a group of the house": grant("roles/monitoring.viewer", "group:data@example.com"),
    "a grant for a person of the house": grant("roles/monitoring.viewer", "user:someone@example.com"),
    "a grant for pods of the project": gcp(
        "storage/bucketIAMMember",
        bucket="seawall-prod-models-acme-serving-prod-europe-west4",
        role="roles/storage.objectViewer",
        member=f"serviceAccount:{PROJECT}.svc.id.goog[serving/triton]",
    ),
    "a grant for an agent of Google": gcp(
        "kms/cryptoKeyIAMMember",
        cryptoKeyId=To("kms/cryptoKey:CryptoKey", "data"),
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member="serviceAccount:service-333344445555@gcp-sa-pubsub.iam.gserviceaccount.com",
    ),
    "the drill's buckets, the other way round": edit(
        MEMBER,
        "condition",
        when("resource.name.startsWith('projects/_/buckets/seawall-prod-drill-') && resource.name != 'x'"),
        "drill-own-buckets",
    ),
    "a provider of one repository": provider(),
    "a provider that reads more claims": provider(
        attributeMapping={"google.subject": "assertion.sub", "attribute.branch": "assertion.ref"}
    ),
    "the fleet's account for its pods, as a principal": edit(
        "serviceaccount/iAMMember:IAMMember",
        "member",
        f"principal://iam.googleapis.com/projects/333344445555/locations/global/workloadIdentityPools/{PROJECT}"
        ".svc.id.goog/subject/ns/serving/sa/triton",
        "fleet",
    ),
    "a role of its own that reads": custom("compute.regions.list", "monitoring.timeSeries.list"),
    "a bucket's own condition": grant(
        "roles/storage.objectViewer", expression=f"resource.name.startsWith('projects/_/buckets/{MODELS}/')"
    ),
    "keys of accounts forbidden": gcp(
        "orgpolicy/policy",
        name=f"projects/{PROJECT}/policies/iam.disableServiceAccountKeyCreation",
        parent=f"projects/{PROJECT}",
        spec={"rules": [{"enforce": "TRUE"}]},
    ),
    "a cluster that only takes signed images": edit(
        _ADMISSION,
        "defaultAdmissionRule",
        {
            "evaluationMode": "REQUIRE_ATTESTATION",
            "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
            "requireAttestationsBies": [f"projects/{PROJECT}/attestors/built"],
        },
    ),
    "fewer images admitted": edit(
        _ADMISSION, "admissionWhitelistPatterns", [{"namePattern": f"{_OWN}/seawall-prod-serving/*"}]
    ),
    "two registries admitted": edit(
        _ADMISSION, "admissionWhitelistPatterns.1", {"namePattern": f"europe-west6-docker.pkg.dev/{PROJECT}/**"}
    ),
    "no exemption, in words": edit(
        "iAMAuditConfig:IAMAuditConfig",
        "auditLogConfigs.1",
        {"logType": "DATA_READ", "exemptedMembers": []},
        "objects",
    ),
    "more of the audit": gcp(
        "projects/iAMAuditConfig",
        project=PROJECT,
        service="cloudkms.googleapis.com",
        auditLogConfigs=[{"logType": "DATA_READ"}, {"logType": "DATA_WRITE"}],
    ),
    "a sink that is on, in words": several(
        edit(_SINK, "disabled", False, "audit"), edit(_SINK, "exclusions", [], "audit")
    ),
    "an exclusion that is off": edit(_EXCLUSION, "disabled", True, "audit"),
    "an exclusion gone": remove(_EXCLUSION, "audit"),
    "logs kept for longer": edit("projectBucketConfig:ProjectBucketConfig", "retentionDays", 400, "audit"),
    "an alert that waits a few minutes": edit(
        ALERT, "conditions.0.conditionThreshold.duration", "300s", "copy-failed"
    ),
    "an alert sooner": edit(ALERT, "conditions.0.conditionThreshold.thresholdValue", 0.7, "features-memory"),
    "a key that rotates sooner": edit(KEY, "rotationPeriod", "2592000s", "data"),
    "a bucket that keeps what is deleted longer": edit(
        BUCKET, "softDeletePolicy.retentionDurationSeconds", 2592000, "models"
    ),
    "switches of the cluster in words": several(
        edit(CLUSTER, "enableKubernetesAlpha", False),
        edit(CLUSTER, "serviceExternalIpsConfig", {"enabled": False}),
        edit(CLUSTER, "nodePoolDefaults", {"nodeConfigDefaults": {"insecureKubeletReadonlyPortEnabled": "FALSE"}}),
    ),
    "booleans of the cluster as text": several(
        edit(CLUSTER, "enableIntranodeVisibility", "true"), edit(CLUSTER, "removeDefaultNodePool", "true")
    ),
    "more of the posture": edit(CLUSTER, "securityPostureConfig.mode", "ENTERPRISE"),
    "an exclusion of a fortnight": edit(
        CLUSTER,
        "maintenancePolicy.maintenanceExclusions",
        [{"exclusionName": "x", "startTime": "2026-12-20T00:00:00Z", "endTime": "2027-01-03T00:00:00Z"}],
    ),
    "the fleet of the project": edit(CLUSTER, "fleet", {"project": PROJECT}),
    "no metadata of machines": edit(NODES, "nodeConfig.metadata", GONE),
    "the kubelet's port closed in words": edit(
        NODES, "nodeConfig.kubeletConfig", {"insecureKubeletReadonlyPortEnabled": "FALSE"}
    ),
    "Google's front by fewer addresses": edit(_RECORD, "rrdatas", ["199.36.153.5"], "googleapis"),
    "a name below Google's": edit(_RECORD, "rrdatas", ["restricted.googleapis.com."], "googleapis-all"),
    "a machine inside": instance(),
    "a machine inside without an account": instance(serviceAccount=GONE),
    "a store of more memory": edit(REDIS, "memorySizeGb", 32),
}
"""What is changed, and no rule finds fault with."""
