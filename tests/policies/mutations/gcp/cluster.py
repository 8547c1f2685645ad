"""Harmful changes of the cluster, its machines and its backups."""

from __future__ import annotations

from tests.policies.mutations.gcp.words import CLUSTER, NODES, PROJECT, gcp, unprotected
from tests.policies.reach.planting import GONE, Change, To, edit, remove, several

HOUSE: dict[str, Change] = {
    "a public endpoint with networks of the world": several(
        edit(
            CLUSTER, "controlPlaneEndpointsConfig.ipEndpointsConfig", {"enabled": True, "enablePublicEndpoint": True}
        ),
    ),
    "the endpoint left to its default": edit(CLUSTER, "controlPlaneEndpointsConfig.ipEndpointsConfig", GONE),
    "the endpoint open globally": edit(
        CLUSTER, "controlPlaneEndpointsConfig.ipEndpointsConfig", {"enabled": True, "globalAccess": True}
    ),
    "tokens of Kubernetes by name": edit(
        CLUSTER, "controlPlaneEndpointsConfig.dnsEndpointConfig.enableK8sTokensViaDns", True
    ),
    "certificates of Kubernetes by name": edit(
        CLUSTER, "controlPlaneEndpointsConfig.dnsEndpointConfig.enableK8sCertsViaDns", True
    ),
    "rights by attribute": edit(CLUSTER, "enableLegacyAbac", True),
    "a client certificate": edit(CLUSTER, "masterAuth.clientCertificateConfig.issueClientCertificate", True),
    "images admitted without look": edit(CLUSTER, "binaryAuthorization.evaluationMode", "DISABLED"),
    "images' check left out": edit(CLUSTER, "binaryAuthorization", GONE),
    "the admission lets all in": edit(
        "binaryauthorization/policy:Policy", "defaultAdmissionRule.evaluationMode", "ALWAYS_ALLOW", "admission"
    ),
    "the admission only notes": edit(
        "binaryauthorization/policy:Policy",
        "defaultAdmissionRule.enforcementMode",
        "DRYRUN_AUDIT_LOG_ONLY",
        "admission",
    ),
    "the admission lets every name in": edit(
        "binaryauthorization/policy:Policy", "admissionWhitelistPatterns", [{"namePattern": "**"}], "admission"
    ),
    "the admission lets every registry of Google in": edit(
        "binaryauthorization/policy:Policy",
        "admissionWhitelistPatterns.1",
        {"namePattern": "europe-west4-docker.pkg.dev/**"},
        "admission",
    ),
    "the admission lets Docker Hub in": edit(
        "binaryauthorization/policy:Policy",
        "admissionWhitelistPatterns.1",
        {"namePattern": "docker.io/library/*"},
        "admission",
    ),
    "the admission lets another project in": edit(
        "binaryauthorization/policy:Policy",
        "admissionWhitelistPatterns.1",
        {"namePattern": "europe-west4-docker.pkg.dev/elsewhere/**"},
        "admission",
    ),
    "the admission lets the cluster be": edit(
        "binaryauthorization/policy:Policy",
        "clusterAdmissionRules",
        [
            {
                "cluster": "europe-west4.seawall-prod-cluster",
                "evaluationMode": "ALWAYS_ALLOW",
                "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
            }
        ],
        "admission",
    ),
    "the admission by no attestor": edit(
        "binaryauthorization/policy:Policy",
        "defaultAdmissionRule",
        {
            "evaluationMode": "REQUIRE_ATTESTATION",
            "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
            "requireAttestationsBies": [],
        },
        "admission",
    ),
    "the admission of another project": edit(
        "binaryauthorization/policy:Policy", "project", "elsewhere", "admission"
    ),
    "the admission gone": remove("binaryauthorization/policy:Policy", "admission"),
    "an attestor anyone signs for": gcp(
        "binaryauthorization/attestorIamMember",
        attestor="a",
        role="roles/binaryauthorization.attestorsEditor",
        member="allUsers",
    ),
    "machines not shielded": edit(CLUSTER, "enableShieldedNodes", False),
    "boot not secured": edit(NODES, "nodeConfig.shieldedInstanceConfig.enableSecureBoot", False),
    "integrity not watched": edit(NODES, "nodeConfig.shieldedInstanceConfig.enableIntegrityMonitoring", False),
    "machines' metadata for pods": edit(NODES, "nodeConfig.workloadMetadataConfig.mode", "GCE_METADATA"),
    "machines' metadata by default": edit(NODES, "nodeConfig.workloadMetadataConfig", GONE),
    "old metadata again": edit(NODES, "nodeConfig.metadata", {"disable-legacy-endpoints": "false"}),
    "no identities of pods": edit(CLUSTER, "workloadIdentityConfig", GONE),
    "identities of another project": edit(CLUSTER, "workloadIdentityConfig.workloadPool", "elsewhere.svc.id.goog"),
    "secrets not encrypted": edit(CLUSTER, "databaseEncryption.state", "DECRYPTED"),
    "secrets' key elsewhere": edit(
        CLUSTER, "databaseEncryption.keyName", "projects/elsewhere/locations/europe-west4/keyRings/k/cryptoKeys/k"
    ),
    "no channel": edit(CLUSTER, "releaseChannel.channel", "UNSPECIFIED"),
    "the rapid channel": edit(CLUSTER, "releaseChannel.channel", "RAPID"),
    "an old version": edit(CLUSTER, "minMasterVersion", "1.27"),
    "the default pool kept": edit(CLUSTER, "removeDefaultNodePool", False),
    "pools of the cluster's own": edit(CLUSTER, "nodePools", [{"name": "x", "initialNodeCount": 1}]),
    "the project's account for machines": edit(NODES, "nodeConfig.serviceAccount", GONE),
    "the default account for machines": edit(
        NODES, "nodeConfig.serviceAccount", "333344445555-compute@developer.gserviceaccount.com"
    ),
    "another account for machines": edit(
        NODES, "nodeConfig.serviceAccount", "seawall-prod-drill@acme-serving-prod.iam.gserviceaccount.com"
    ),
    "the default account in the cluster": edit(CLUSTER, "nodeConfig.serviceAccount", "default"),
    "made by itself with the default account": edit(
        CLUSTER, "clusterAutoscaling", {"enabled": True, "autoProvisioningDefaults": {}}
    ),
    "the kubelet's open port": edit(
        NODES, "nodeConfig.kubeletConfig", {"insecureKubeletReadonlyPortEnabled": "TRUE"}
    ),
    "the kubelet's open port by default": edit(
        CLUSTER, "nodePoolDefaults", {"nodeConfigDefaults": {"insecureKubeletReadonlyPortEnabled": "TRUE"}}
    ),
    "the kubelet's sysctls": edit(
        NODES, "nodeConfig.kubeletConfig", {"allowedUnsafeSysctls": ["kernel.shm*", "net.*"]}
    ),
    "sysctls of machines": edit(NODES, "nodeConfig.linuxNodeConfig", {"sysctls": {"kernel.kptr_restrict": "0"}}),
    "plain registries for machines": edit(
        NODES,
        "nodeConfig.containerdConfig",
        {"privateRegistryAccessConfig": {"enabled": True, "certificateAuthorityDomainConfigs": []}},
    ),
    "another image for machines": edit(NODES, "nodeConfig.imageType", "UBUNTU"),
    "no key for disks": edit(NODES, "nodeConfig.bootDiskKmsKey", GONE),
    "a start script for machines": edit(
        NODES, "nodeConfig.metadata", {"disable-legacy-endpoints": "true", "startup-script": "curl x | sh"}
    ),
    "keys of persons for machines": edit(
        NODES, "nodeConfig.metadata", {"disable-legacy-endpoints": "true", "ssh-keys": "x:ssh-rsa AAAA"}
    ),
    "a serial port for machines": edit(
        NODES, "nodeConfig.metadata", {"disable-legacy-endpoints": "true", "serial-port-enable": "true"}
    ),
    "machines outside the firewall's tag": edit(NODES, "nodeConfig.tags", ["other"]),
    "machines in one zone": edit(NODES, "nodeLocations", ["europe-west4-a"], "system-on-demand-e2-standard-8"),
    "the cluster in one zone": edit(CLUSTER, "location", "europe-west4-a"),
    "no logs": edit(CLUSTER, "loggingConfig.enableComponents", []),
    "no logs by service": several(edit(CLUSTER, "loggingConfig", GONE), edit(CLUSTER, "loggingService", "none")),
    "no logs of workloads": edit(CLUSTER, "loggingConfig.enableComponents", ["SYSTEM_COMPONENTS"]),
    "no metrics": edit(CLUSTER, "monitoringConfig.enableComponents", []),
    "no posture": edit(CLUSTER, "securityPostureConfig.mode", "DISABLED"),
    "pods' traffic unseen": edit(CLUSTER, "enableIntranodeVisibility", False),
    "the old data path": edit(CLUSTER, "datapathProvider", "LEGACY_DATAPATH"),
    "the data path left out": edit(CLUSTER, "datapathProvider", GONE),
    "maintenance never": edit(
        CLUSTER,
        "maintenancePolicy.maintenanceExclusions",
        [
            {
                "exclusionName": "x",
                "startTime": "2024-01-01T00:00:00Z",
                "endTime": "2099-01-01T00:00:00Z",
                "exclusionOptions": {"scope": "NO_MINOR_OR_NODE_UPGRADES"},
            }
        ],
    ),
    "maintenance never until the version ends": edit(
        CLUSTER,
        "maintenancePolicy.maintenanceExclusions",
        [
            {
                "exclusionName": "x",
                "startTime": "2024-01-01T00:00:00Z",
                "exclusionOptions": {"scope": "NO_MINOR_OR_NODE_UPGRADES", "endTimeBehavior": "UNTIL_END_OF_SUPPORT"},
            }
        ],
    ),
    "maintenance for an hour a year": edit(
        CLUSTER,
        "maintenancePolicy.recurringWindow",
        {"startTime": "2024-01-06T02:00:00Z", "endTime": "2024-01-06T03:00:00Z", "recurrence": "FREQ=YEARLY"},
    ),
    "pools that do not follow": edit(NODES, "management.autoUpgrade", False),
    "pools that are not repaired": edit(NODES, "management.autoRepair", False),
    "the pool at another version": edit(NODES, "version", "1.27.1-gke.100"),
    "the pool replaced all at once": edit(
        NODES, "upgradeSettings", {"maxSurge": 0, "maxUnavailable": 100, "strategy": "SURGE"}
    ),
    "no backups' agent": edit(CLUSTER, "addonsConfig.gkeBackupAgentConfig.enabled", False),
    "the dashboard": edit(CLUSTER, "addonsConfig.kubernetesDashboard", {"disabled": False}),
    "Istio's old addon": edit(CLUSTER, "addonsConfig.istioConfig", {"disabled": False, "auth": "AUTH_NONE"}),
    "Cloud Run's addon with a public door": edit(
        CLUSTER, "addonsConfig.cloudrunConfig", {"disabled": False, "loadBalancerType": "LOAD_BALANCER_TYPE_EXTERNAL"}
    ),
    "external addresses of services": edit(CLUSTER, "serviceExternalIpsConfig", {"enabled": True}),
    "alpha": edit(CLUSTER, "enableKubernetesAlpha", True),
    "beta interfaces": edit(CLUSTER, "enableK8sBetaApis", {"enabledApis": ["x/v1beta1/y"]}),
    "no groups": edit(CLUSTER, "authenticatorGroupsConfig", GONE),
    "groups of others": edit(
        CLUSTER, "authenticatorGroupsConfig.securityGroup", "gke-security-groups@elsewhere.example"
    ),
    "anonymous callers": edit(CLUSTER, "anonymousAuthenticationConfig", {"mode": "ENABLED"}),
    "bindings for everyone": edit(
        CLUSTER,
        "rbacBindingConfig",
        {"enableInsecureBindingSystemAuthenticated": True, "enableInsecureBindingSystemUnauthenticated": True},
    ),
    "multi-networking": edit(CLUSTER, "enableMultiNetworking", True),
    "deletion not protected": edit(CLUSTER, "deletionProtection", False),
    "the cluster unprotected": unprotected(CLUSTER, "cluster"),
    "privileged pods of partners": edit(CLUSTER, "enableAutopilot", True),
    "egress through another's translation": edit(CLUSTER, "defaultSnatStatus", {"disabled": True}),
    "a fleet of another project": edit(CLUSTER, "fleet", {"project": "elsewhere"}),
    "usage into a data set elsewhere": edit(
        CLUSTER,
        "resourceUsageExportConfig",
        {"bigqueryDestination": {"datasetId": "x"}, "enableNetworkEgressMetering": True},
    ),
    "notices to a topic elsewhere": edit(
        CLUSTER, "notificationConfig", {"pubsub": {"enabled": True, "topic": "projects/elsewhere/topics/x"}}
    ),
    "a second cluster without anything": gcp("container/cluster", name="x", location="europe-west4", project=PROJECT),
    "an Autopilot cluster without anything": gcp(
        "container/cluster", name="x", location="europe-west4", project=PROJECT, enableAutopilot=True
    ),
    "a second pool without anything": gcp(
        "container/nodePool", cluster=To(CLUSTER, "cluster"), location="europe-west4"
    ),
    "spot machines for the system": edit(NODES, "nodeConfig.spot", True, "system-on-demand-e2-standard-8"),
    "preemptible machines for the system": edit(
        NODES, "nodeConfig.preemptible", True, "system-on-demand-e2-standard-8"
    ),
    "the system's pool may vanish": edit(NODES, "autoscaling.totalMinNodeCount", 0, "system-on-demand-e2-standard-8"),
    "no scaling": edit(NODES, "autoscaling", GONE, "gpu-on-demand-g2-standard-8"),
    # backups of the cluster
    "backups paused": edit("gkebackup/backupPlan:BackupPlan", "backupSchedule.paused", True),
    "the plan deactivated": edit("gkebackup/backupPlan:BackupPlan", "deactivated", True),
    "backups of one namespace": several(
        edit("gkebackup/backupPlan:BackupPlan", "backupConfig.allNamespaces", GONE),
        edit("gkebackup/backupPlan:BackupPlan", "backupConfig.selectedNamespaces", {"namespaces": ["default"]}),
    ),
    "backups without secrets": edit("gkebackup/backupPlan:BackupPlan", "backupConfig.includeSecrets", False),
    "backups without volumes": edit("gkebackup/backupPlan:BackupPlan", "backupConfig.includeVolumeData", False),
    "backups that let faults pass": edit("gkebackup/backupPlan:BackupPlan", "backupConfig.permissiveMode", True),
    "backups without key": edit("gkebackup/backupPlan:BackupPlan", "backupConfig.encryptionKey", GONE),
    "backups for a day": edit("gkebackup/backupPlan:BackupPlan", "retentionPolicy.backupRetainDays", 1),
    "backups that may be deleted": edit("gkebackup/backupPlan:BackupPlan", "retentionPolicy.backupDeleteLockDays", 0),
    "backups once a year": edit("gkebackup/backupPlan:BackupPlan", "backupSchedule.cronSchedule", "0 0 1 1 *"),
    "backups beside the cluster": edit("gkebackup/backupPlan:BackupPlan", "location", "europe-west4"),
    "backups of another cluster": edit(
        "gkebackup/backupPlan:BackupPlan", "cluster", "projects/elsewhere/locations/x/clusters/y"
    ),
    "the plan gone": remove("gkebackup/backupPlan:BackupPlan", "cluster"),
    "a restore over what runs": gcp(
        "gkebackup/restorePlan",
        name="x",
        location="europe-west6",
        restoreConfig={"allNamespaces": True, "namespacedResourceRestoreMode": "DELETE_AND_RESTORE"},
    ),
    "a channel for backups elsewhere": gcp("gkebackup/backupChannel", destinationProject="projects/elsewhere"),
    # addons made by Google
    "a feature of fleets": gcp("gkehub/feature", name="configmanagement", location="global"),
    "a foreign configuration synchronised": gcp(
        "gkehub/featureMembership",
        feature="configmanagement",
        configmanagement={"configSync": {"git": {"syncRepo": "https://elsewhere.example/x"}}},
    ),
}
