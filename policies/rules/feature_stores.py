"""Feature stores: reached privately, over TLS, by whoever has a password, and there when traffic peaks."""

from __future__ import annotations

from policies.checks import ABSENT, equals, failed, is_hidden, not_applicable, passed, read, shown, unknown
from policies.examples import Hidden, Output, drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import DYNAMODB_TABLE, REDIS

family = Family("Feature stores")

_NETWORK = "gcp:compute/network:Network"


@family.rule(
    "gcp-redis-tls",
    Severity.HIGH,
    "Memorystore takes TLS connections only",
    types=(REDIS,),
    rationale="Features are personal data; on the wire they must not be readable.",
    remedy='Set transitEncryptionMode to "SERVER_AUTHENTICATION".',
    frameworks={Framework.CHECKOV: ("CKV_GCP_97",)},
    examples=lambda: examples(
        given(REDIS, {"transitEncryptionMode": "SERVER_AUTHENTICATION"}),
        broken={
            'transitEncryptionMode is "DISABLED"': put("transitEncryptionMode", "DISABLED"),
            "transitEncryptionMode is absent": drop("transitEncryptionMode"),
        },
    ),
)
def redis_tls(instance: Resource, _: Inventory) -> Judgement:
    return equals(instance, "transitEncryptionMode", "SERVER_AUTHENTICATION")


@family.rule(
    "gcp-redis-auth",
    Severity.HIGH,
    "Memorystore asks for a password",
    types=(REDIS,),
    rationale="Without AUTH any pod or machine in the network reads and writes all features.",
    remedy="Set authEnabled.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_95",)},
    examples=lambda: examples(
        given(REDIS, {"authEnabled": True}),
        broken={
            "authEnabled is false": put("authEnabled", False),
            "authEnabled is absent": drop("authEnabled"),
        },
    ),
)
def redis_auth(instance: Resource, _: Inventory) -> Judgement:
    return equals(instance, "authEnabled", True)


@family.rule(
    "gcp-redis-private",
    Severity.HIGH,
    "Memorystore stands in the stack's own network",
    types=(REDIS,),
    rationale="The project's default network is shared with whatever else the project runs.",
    remedy="Set authorizedNetwork to the stack's network.",
    frameworks={Framework.NIST_800_53: ("SC-7",)},
    examples=lambda: examples(
        given(REDIS, {"authorizedNetwork": Output(_NETWORK)}),
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
    if is_hidden(network) and not inventory.linked(instance, path, _NETWORK):
        return unknown(path, required)
    if isinstance(network, str) and network.rsplit("/", 1)[-1] == "default":
        return failed(path, shown(network), required)
    return passed()


@family.rule(
    "gcp-redis-failover",
    Severity.MEDIUM,
    "Production Memorystore fails over",
    types=(REDIS,),
    rationale="A single node's upkeep or failure takes the features of every prediction away.",
    remedy='Set tier to "STANDARD_HA".',
    examples=lambda: examples(
        given(REDIS, {"tier": "STANDARD_HA"}),
        broken={'tier is "BASIC"': put("tier", "BASIC"), "tier is absent": drop("tier")},
        accepted={"failover is required in production": setting("environment", "dev")},
    ),
)
def redis_failover(instance: Resource, inventory: Inventory) -> Judgement:
    if not SettingsView.of(inventory.settings).production:
        return not_applicable("failover is required in production")
    return equals(instance, "tier", "STANDARD_HA")


@family.rule(
    "aws-dynamodb-scales",
    Severity.MEDIUM,
    "DynamoDB tables scale with demand",
    types=(DYNAMODB_TABLE,),
    rationale="A fixed capacity throttles feature look-ups just when traffic peaks.",
    remedy='Set billingMode to "PAY_PER_REQUEST".',
    frameworks={Framework.AWS_FSBP: ("DynamoDB.1",)},
    examples=lambda: examples(
        given(DYNAMODB_TABLE, {"billingMode": "PAY_PER_REQUEST"}),
        broken={
            'billingMode is "PROVISIONED"': put("billingMode", "PROVISIONED"),
            "billingMode is absent": drop("billingMode"),
        },
    ),
)
def dynamodb_scales(table: Resource, _: Inventory) -> Judgement:
    return equals(table, "billingMode", "PAY_PER_REQUEST")
