"""Feature stores: reached privately, over TLS, by whoever has a password, and there when traffic peaks."""

from __future__ import annotations

from policies.checks import ABSENT, all_of, best_of, expect, failed, is_hidden, items, passed, read, shown, unknown
from policies.examples import Hidden, Output, both, drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import customer_key, far_enough
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import BIGTABLE, DYNAMODB_TABLE, GCP_KEY, GCP_NETWORK, REDIS

family = Family("Feature stores")

_NEAR_KEY = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"


family.require(
    "gcp-redis-tls",
    Severity.HIGH,
    "Memorystore takes TLS connections only",
    type=REDIS,
    inputs={"transitEncryptionMode": ("SERVER_AUTHENTICATION", "DISABLED")},
    rationale="Features are personal data; on the wire they must not be readable.",
    remedy='Set transitEncryptionMode to "SERVER_AUTHENTICATION".',
    frameworks={Framework.CHECKOV: ("CKV_GCP_97",)},
)


family.require(
    "gcp-redis-auth",
    Severity.HIGH,
    "Memorystore asks for a password",
    type=REDIS,
    inputs={"authEnabled": (True, False)},
    rationale="Without AUTH any pod or machine in the network reads and writes all features.",
    remedy="Set authEnabled.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_95",)},
)


@family.rule(
    "gcp-redis-private",
    Severity.HIGH,
    "Memorystore stands in the stack's own network",
    types=(REDIS,),
    rationale="The project's default network is shared with whatever else the project runs.",
    remedy="Set authorizedNetwork to the stack's network.",
    frameworks={Framework.NIST_800_53: ("SC-7",)},
    examples=lambda: examples(
        given(REDIS, {"authorizedNetwork": Output(GCP_NETWORK)}),
        broken={
            "authorizedNetwork is absent, so the project's default network": drop("authorizedNetwork"),
            'authorizedNetwork is "projects/p/global/networks/default"': put(
                "authorizedNetwork", "projects/p/global/networks/default"
            ),
        },
        undecided={"authorizedNetwork is known only to the provider": put("authorizedNetwork", Hidden())},
    ),
)
def redis_private(instance: Resource, inventory: Inventory) -> Judgement:
    path, required = "authorizedNetwork", "the stack's own network"
    network = read(instance, path)
    if network is ABSENT:
        return failed(path, "absent, so the project's default network", required)
    if is_hidden(network) and not inventory.linked(instance, path, GCP_NETWORK):
        return unknown(path, required)
    if isinstance(network, str) and network.rsplit("/", 1)[-1] in ("", "default"):
        return failed(path, shown(network), required)
    return passed()


family.require(
    "gcp-redis-failover",
    Severity.MEDIUM,
    "Production Memorystore fails over",
    type=REDIS,
    inputs={"tier": ("STANDARD_HA", "BASIC")},
    rationale="A single node's upkeep or failure takes the features of every prediction away.",
    remedy='Set tier to "STANDARD_HA".',
    unless=lambda _, inventory: (
        "" if SettingsView.of(inventory.settings).production else "failover is required in production"
    ),
    accepted=lambda: {"failover is required in production": setting("environment", "dev")},
)


family.require(
    "aws-dynamodb-scales",
    Severity.MEDIUM,
    "DynamoDB tables scale with demand",
    type=DYNAMODB_TABLE,
    inputs={"billingMode": ("PAY_PER_REQUEST", "PROVISIONED")},
    rationale="A fixed capacity throttles feature look-ups just when traffic peaks.",
    remedy='Set billingMode to "PAY_PER_REQUEST".',
    frameworks={Framework.AWS_FSBP: ("DynamoDB.1",)},
)


@family.rule(
    "gcp-bigtable-replicated-far",
    Severity.HIGH,
    "Bigtable has a cluster in a region far enough away",
    types=(BIGTABLE,),
    rationale="A backup lies in its cluster, so what is in one region alone is lost with it.",
    remedy="Add a cluster in a region at least backup.min_distance_km away.",
    frameworks={Framework.NIST_800_53: ("CP-6", "CP-9")},
    examples=lambda: examples(
        given(BIGTABLE, {"clusters.0.zone": "europe-west1-b", "clusters.1.zone": "europe-north1-b"}),
        broken={
            "clusters.0.zone is in europe-west1, the same region": both(put("clusters.1.zone", "europe-west1-c")),
            "clusters is absent": drop("clusters"),
        },
        undecided={"clusters is known only to the provider": put("clusters", Hidden())},
    ),
)
def bigtable_replicated_far(instance: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    required = "a cluster in the backup region"
    if is_hidden(read(instance, "clusters")):
        return unknown("clusters", required)
    clusters = list(items(instance, "clusters"))
    if not clusters:
        return failed("clusters", "absent", required)
    zones = [read(instance, f"{cluster}.zone") for cluster in clusters]
    regions = ["" if is_hidden(zone) else str(zone).rpartition("-")[0] for zone in zones]
    home = expect(instance, "clusters", "a cluster in the stack's own region", lambda _: settings.region in regions)
    far = best_of(
        far_enough(settings, f"{cluster}.zone", settings.region, region)
        for cluster, region in zip(clusters, regions, strict=True)
    )
    return all_of((unknown("clusters", required) if "" in regions else home, far))


@family.rule(
    "gcp-bigtable-customer-key",
    Severity.HIGH,
    "Bigtable clusters are encrypted with a customer-managed key",
    types=(BIGTABLE,),
    rationale="Only a key of one's own can be audited and withdrawn, and each cluster has one of its own region.",
    remedy="Set kmsKeyName of each of the clusters to the stack's key in the cluster's region.",
    examples=lambda: examples(
        given(
            BIGTABLE,
            {
                "clusters.0.zone": "europe-west1-b",
                "clusters.0.kmsKeyName": Output(GCP_KEY),
                "clusters.1.zone": "europe-north1-b",
                "clusters.1.kmsKeyName": "projects/p/locations/europe-north1/keyRings/r/cryptoKeys/k",
            },
        ),
        broken={
            "clusters.1.kmsKeyName is absent": drop("clusters.1.kmsKeyName"),
            'clusters.1.kmsKeyName is ""': put("clusters.1.kmsKeyName", ""),
            f'clusters.1.kmsKeyName is "{_NEAR_KEY}" in europe-west1': put("clusters.1.kmsKeyName", _NEAR_KEY),
        },
        undecided={
            "clusters is known only to the provider": put("clusters", Hidden()),
            "clusters is 2 keys that are known only to the provider, 1 of them of this stack": put(
                "clusters.1.kmsKeyName", Hidden()
            ),
        },
    ),
)
def bigtable_customer_key(instance: Resource, inventory: Inventory) -> Judgement:
    required = "clusters with keys of the stack"
    if is_hidden(read(instance, "clusters")):
        return unknown("clusters", required)
    paths = [f"{cluster}.kmsKeyName" for cluster in items(instance, "clusters")]
    hidden = sum(is_hidden(read(instance, path)) for path in paths)
    known = len(inventory.linked(instance, "clusters", GCP_KEY))
    if hidden > known:
        why = f"{hidden} keys that are known only to the provider, {known} of them of this stack"
        return unknown("clusters", required, why)
    return all_of(customer_key(inventory, instance, path, _zone_region(instance, path)) for path in paths)


def _zone_region(instance: Resource, path: str) -> str:
    zone = read(instance, path.replace("kmsKeyName", "zone"))
    return zone.rpartition("-")[0] if isinstance(zone, str) and not is_hidden(zone) else ""
