"""Bad settings are refused with the key's path, the value, what is allowed and the remedy; good ones pass."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contracts.offers import regions_with
from components.contracts.regions import MULTI_REGIONS, REGIONS, distance_km, multi_region_contains
from components.contracts.vocabulary import Cloud
from stacks.files import platform_names
from stacks.settings import Settings, SettingsError, stack_file, stack_names

Values = Callable[[str], dict[str, Any]]
Refusal = Callable[[object], SettingsError]
STACKS = ("dev-aws", "dev-gcp", "prod-aws", "prod-gcp", "staging-aws", "staging-gcp")

SERVICE = "fleet.services.tumour-risk"


def _set(values: dict[str, Any], path: str, value: object) -> None:
    *parents, last = path.split(".")
    for part in parents:
        values = values.setdefault(part, {})
    values[last] = value


def test_six_platforms_and_two_bootstrap_stacks_are_there() -> None:
    assert platform_names() == STACKS
    assert set(stack_names()) - set(STACKS) == {"bootstrap-aws", "bootstrap-gcp"}


@pytest.mark.parametrize("stack", STACKS)
def test_each_committed_stack_is_accepted(stack: str) -> None:
    assert Settings.load(stack_file(stack)).place.stack == stack


@pytest.mark.parametrize(
    ("stack", "path", "value", "says"),
    [
        ("dev-aws", f"{SERVICE}.max_replicas", "3", "integer"),
        ("dev-aws", "account", 111122223333, "quoted"),
        ("dev-aws", "region", "eu-west-9", "eu-central-1"),
        ("dev-gcp", "region", "eu-west-1", "europe-west4"),
        ("dev-aws", "backup.region", "eu-central-1", "other than the primary"),
        ("dev-gcp", "backup.region", "europe-west1", "392 km"),
        ("dev-gcp", "backup.region", "EU", "contains the primary"),
        ("dev-gcp", "backup.region", "moon-1", "europe-north1"),
        ("dev-aws", "pools.gpu.min_nodes", 9, "at most max_nodes"),
        ("dev-aws", "pools.system.min_nodes", 0, "at least 1"),
        ("staging-gcp", "pools.system.max_nodes", 2, "at least 3"),
        ("dev-aws", "pools.gpu.machine_types", ["g2-standard-8"], "g6.xlarge"),
        ("dev-aws", "pools.system.machine_types", ["g6.xlarge"], "without GPUs"),
        ("dev-aws", "pools.gpu.machine_types", ["g6.xlarge", "g6.12xlarge"], "same number of the same GPU"),
        ("dev-aws", "pools.gpu.machine_types", ["g6.xlarge", "g6.xlarge"], "each once"),
        ("dev-aws", "pools.gpu.capacity", [], "at least 1 item"),
        ("dev-aws", "pools.gpu.capacity", ["flex-start"], "flex-start is Google Cloud's"),
        ("dev-aws", "pools.gpu.capacity", ["reservation"], "reservations with the capacity reservation"),
        ("dev-aws", "pools.gpu.max_nodes", 101, "at most 100"),
        ("dev-aws", "pools.system.capacity", ["on-demand", "spot"], "one way of buying it"),
        ("dev-gcp", "pools.system.capacity", ["flex-start"], "for a pool without GPUs"),
        ("dev-gcp", "pools.gpu.local_disk", True, "g2-standard-8 brings none"),
        ("dev-aws", f"{SERVICE}.exit_timeout_seconds", 86, "at most 110"),
        ("dev-gcp", f"{SERVICE}.exit_timeout_seconds", 81, "at most 105"),
        ("dev-gcp", "cluster.version", "1.34", "15 seconds to end"),
        (
            "prod-aws",
            f"{SERVICE}.hours",
            {"start": "07:00", "end": "19:00", "time_zone": "Europe/Berlin"},
            "at all hours",
        ),
        ("dev-aws", "fleet.services.tumour-risk.hours.time_zone", "CET", "IANA"),
        ("dev-aws", "fleet.services.tumour-risk.hours.end", "06:00", "a start before the end"),
        ("dev-aws", f"{SERVICE}.accelerator", "h100", "1 × l4"),
        ("dev-aws", f"{SERVICE}.gpus_per_replica", 2, "at most 1"),
        ("dev-aws", f"{SERVICE}.vcpus_per_replica", 64, "at most 3"),
        ("dev-aws", f"{SERVICE}.memory_gib_per_replica", 1024, "at most 13"),
        ("dev-aws", f"{SERVICE}.repository_gib", 1000, "at most 149"),
        ("dev-aws", f"{SERVICE}.max_replicas", 30, "at most 2"),
        ("dev-aws", "fleet.images.serving", "latest", "sha256"),
        ("dev-aws", "feature_store.memory_gib", 4, "one that has it"),
        ("dev-gcp", "feature_store.memory_gib", 301, "less than or equal to 300"),
        ("dev-gcp", "project_number", "", "the project's number"),
        ("dev-aws", "project_number", "1", "Google Cloud"),
        ("dev-aws", "zones", ["euc1-az2", "euc1-az2"], "each zone once"),
        ("dev-aws", "zones", ["euc1-az2", "use1-az1"], "zone of eu-central-1"),
        ("dev-aws", "zones", ["eu-central-1a", "eu-central-1b"], "euc1-az1, euc1-az2"),
        ("dev-aws", "network.cidr", "8.8.0.0/16", "private"),
        ("dev-aws", "network.cidr", "10.0.0.0/8", "/16"),
        ("dev-aws", "network.cidr", "127.0.0.0/16", "private"),
        ("dev-gcp", "network.cidr", "169.254.0.0/16", "private"),
        ("dev-aws", "network.cidr", "172.17.0.0/16", "private"),
        ("dev-gcp", "standby.cidr", "198.18.0.0/16", "private"),
        ("dev-aws", "standby.cidr", "172.20.0.0/16", "cluster's services"),
        ("dev-aws", "cluster.authorized_cidrs", ["0.0.0.0/0"], "16 or more"),
        ("dev-aws", "cluster.authorized_cidrs", ["169.254.0.0/24"], "public IPv4 networks"),
        ("dev-aws", "cluster.authorized_cidrs", [f"8.8.{n}.0/24" for n in range(41)], "40"),
        ("dev-aws", "labels", {"aws:owner": "me"}, "none of aws:"),
        ("dev-aws", "labels", {"kubernetes.io/cluster/other": "owned"}, "kubernetes.io/"),
        ("dev-aws", "labels", {f"k{n}": "v" for n in range(60)}, "leaves room for 45"),
        ("dev-gcp", "monitoring.alert_webhook", "https://", "https"),
        ("dev-aws", "backup.frequency_hours", 12, "rpo_minutes"),
        ("dev-aws", "labels", {"stack": "mine"}, "set by Seawall itself"),
        ("dev-gcp", "labels", {"Owner": "me"}, "not accepted by gcp"),
        ("dev-aws", "opt_outs", {"deletion_protection": "because"}, "20 characters"),
        ("dev-aws", "monitoring.alert_email", "nobody", "pattern"),
    ],
)
def test_a_bad_value_is_refused_with_its_path_and_what_is_allowed(
    values: Values, refusal: Refusal, stack: str, path: str, value: object, says: str
) -> None:
    broken = values(stack)
    _set(broken, path, value)
    error = refusal(broken)
    assert any(p.path.startswith((path.rpartition(".")[0] or path, path.split(".")[0])) for p in error.problems)
    assert says in str(error)
    assert all(p.remedy for p in error.problems)


def test_production_on_spot_alone_needs_a_reason(values: Values, refusal: Refusal) -> None:
    broken = values("prod-aws")
    broken["pools"]["gpu"]["capacity"] = ["spot"]
    assert "opt_outs.on_demand_capacity" in str(refusal(broken))
    broken["opt_outs"] = {"on_demand_capacity": "batch scoring only, retried by its queue"}
    Settings.parse(broken, "test")


def test_a_misspelt_key_is_refused_with_the_nearest_one(values: Values, refusal: Refusal) -> None:
    broken = values("dev-aws")
    service = broken["fleet"]["services"]["tumour-risk"]
    service["max_replica"] = service.pop("max_replicas")
    [misspelt, missing] = sorted(refusal(broken).problems, key=lambda p: p.value is None)
    assert (misspelt.path, misspelt.remedy) == (f"{SERVICE}.max_replica", "Did you mean max_replicas?")
    assert missing.path == f"{SERVICE}.max_replicas"


@pytest.mark.parametrize("key", ["cloud", "environment", "region", "zones", "pools", "backup", "monitoring", "fleet"])
def test_a_missing_key_is_named(values: Values, refusal: Refusal, key: str) -> None:
    broken = values("dev-aws")
    del broken[key]
    assert [p.path for p in refusal(broken).problems] == [key]


def test_a_store_that_is_sold_by_size_needs_one(values: Values, refusal: Refusal) -> None:
    broken = values("dev-gcp")
    del broken["feature_store"]
    [problem] = refusal(broken).problems
    assert (problem.path, problem.remedy) == ("feature_store.memory_gib", "Add the key.")
    assert "Memorystore is sold by size" in problem.allowed


@pytest.mark.parametrize(("stack", "kind"), [("dev-aws", "redis"), ("dev-gcp", "dynamodb")])
def test_a_kind_of_the_other_cloud_is_refused_with_this_clouds_own(
    values: Values, refusal: Refusal, stack: str, kind: str
) -> None:
    broken = values(stack)
    broken["feature_store"] = {"kind": kind, **({"memory_gib": 1} if kind == "redis" else {})}
    [problem] = refusal(broken).problems
    assert problem.path == "feature_store.kind"
    assert kind not in problem.allowed


@pytest.mark.parametrize(
    ("path", "value", "allowed"),
    [
        ("region", "eu-south-1", "where valkey has copies in two regions"),
        ("backup.region", "eu-south-2", "where valkey has copies in two regions"),
        ("backup.frequency_hours", 12, "at least 24"),
        ("backup.retention_days", 36, "at most 35"),
    ],
)
def test_valkey_refuses_what_elasticache_cannot_do(
    values: Values, refusal: Refusal, path: str, value: Any, allowed: str
) -> None:
    broken = values("dev-aws")
    broken["feature_store"] = {"kind": "valkey", "memory_gib": 2}
    broken["backup"] |= {"frequency_hours": 24, "rpo_minutes": 1440, "retention_days": 35}
    section, _, key = path.rpartition(".")
    (broken[section] if section else broken)[key] = value
    if path == "region":
        broken["zones"] = [f"{value}{letter}" for letter in "abc"]
    problems = {p.path: p for p in refusal(broken).problems}
    assert allowed in problems[path].allowed


def test_valkeys_zones_far_away_differ(values: Values, refusal: Refusal) -> None:
    broken = values("dev-aws")
    broken["feature_store"] = {"kind": "valkey", "memory_gib": 2, "backup_zones": ["eun1-az1", "eun1-az1"]}
    (problem,) = (p for p in refusal(broken).problems if p.path.startswith("feature_store"))
    assert problem.allowed == "two zones or more, each once"


def test_a_kind_that_does_not_exist_is_refused_with_those_that_do(values: Values, refusal: Refusal) -> None:
    broken = values("dev-aws")
    broken["feature_store"] = {"kind": "memcached"}
    [problem] = refusal(broken).problems
    assert (problem.path, problem.value) == ("feature_store.kind", "memcached")
    assert "dynamodb" in problem.allowed


def test_every_problem_is_told_at_once(values: Values, refusal: Refusal) -> None:
    broken = values("dev-aws")
    broken["account"], broken["backup"]["region"] = "x", broken["region"]
    broken["fleet"]["services"]["tumour-risk"]["max_replicas"] = 99
    assert {p.path for p in refusal(broken).problems} == {"account", "backup.region", f"{SERVICE}.max_replicas"}


def test_a_refused_secret_is_not_repeated(values: Values, refusal: Refusal) -> None:
    broken = values("dev-aws")
    broken["monitoring"]["alert_webhook"] = "http://example.com/canary-token"
    assert "canary-token" not in str(refusal(broken))


def test_an_encrypted_webhook_is_accepted_without_its_key(values: Values) -> None:
    settled = values("dev-aws")
    settled["monitoring"]["alert_webhook"] = {"secure": "v1:abc"}
    assert Settings.parse(settled, "test").monitoring.alert_webhook is not None


@pytest.mark.parametrize(
    ("text", "says"),
    [("config: [", "valid YAML"), ("config: {}", "seawall:settings"), ("", "seawall:settings"), ("- 1", "object")],
)
def test_a_broken_file_is_refused_with_its_name(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "Pulumi.dev-aws.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"Pulumi\.dev-aws\.yaml") as caught:
        Settings.load(path)
    assert says in str(caught.value)


def test_a_file_named_after_another_stack_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.prod-aws.yaml"
    path.write_text(stack_file("dev-aws").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(SettingsError, match="dev-aws"):
        Settings.load(path)


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_any_other_value_is_refused_and_never_crashes(value: object) -> None:
    with pytest.raises(SettingsError):
        Settings.parse(value, "test")


@given(cloud=st.sampled_from(Cloud), data=st.data())
def test_a_backup_region_is_accepted_exactly_when_it_is_far_enough_and_sells_the_gpu(
    cloud: Cloud, data: st.DataObject
) -> None:
    region, backup = (data.draw(st.sampled_from(sorted(REGIONS[cloud]))) for _ in range(2))
    base = Settings.load(stack_file(f"dev-{cloud}"))
    moved = base.model_copy(update={"region": region, "backup": base.backup.model_copy(update={"region": backup})})
    refused = any(p.path == "backup.region" for p in moved.cross_section_problems())
    near = distance_km(cloud, region, backup) < base.backup.min_distance_km
    gpu = base.fleet.services["tumour-risk"].gpu
    assert gpu and refused == (near or backup not in regions_with(cloud, gpu))


@given(region=st.sampled_from(sorted(REGIONS[Cloud.GCP])), multi=st.sampled_from(sorted(MULTI_REGIONS)))
def test_a_multi_region_is_never_a_backup(region: str, multi: str) -> None:
    base = Settings.load(stack_file("dev-gcp"))
    moved = base.model_copy(update={"region": region, "backup": base.backup.model_copy(update={"region": multi})})
    [problem] = [p for p in moved.cross_section_problems() if p.path == "backup.region"]
    assert ("contains the primary" in problem.allowed) == multi_region_contains(multi, region)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("account", "x"),
        ("zones", ["euc1-az1", "use1-az2", "use1-az2"]),
        ("pools.gpu.zones", ["euc1-az9"]),
        ("backup.region", "eu-west-1"),
        ("labels", {"stack": "mine"}),
        ("features.memory_gib", 4),
        ("backup.region", "eu-central-1"),
        ("backup.frequency_hours", 12),
        (f"{SERVICE}.vcpus_per_replica", 64),
        (f"{SERVICE}.max_replicas", 0),
        ("pools.system.min_nodes", 0),
        ("network.cidr", "8.8.0.0/16"),
        ("surplus", 1),
    ],
)
def test_a_remedy_is_a_sentence(values: Values, refusal: Refusal, path: str, value: object) -> None:
    broken = values("dev-aws")
    _set(broken, path, value)
    remedies = [problem.remedy for problem in refusal(broken).problems]
    assert not [remedy for remedy in remedies if not remedy[0].isupper() or remedy[-1] not in ".?"]


@pytest.mark.parametrize(
    ("stack", "name", "changed", "says"),
    [
        ("dev-aws", "cr-0123456789abcdef0", {"zone": "euc1-az1"}, "one of the pool's zones"),
        ("dev-aws", "cr-0123456789abcdef0", {"machine_type": "g6.2xlarge"}, "one of the pool's: g6.xlarge"),
        ("dev-aws", "mine", {}, "a Capacity Reservation's id"),
        ("dev-gcp", "mine-", {}, "the name of a reservation"),
    ],
)
def test_a_reservation_that_no_machine_of_the_pool_can_use_is_refused(
    values: Values, refusal: Refusal, stack: str, name: str, changed: dict[str, str], says: str
) -> None:
    broken = values(stack)
    pool = broken["pools"]["gpu"]
    whole = {"machine_type": pool["machine_types"][0], "zone": broken["zones"][0], "machines": 3}
    pool.update(capacity=["reservation", "spot"], reservations={name: whole | changed})
    assert says in str(refusal(broken))


@pytest.mark.parametrize(("stack", "most"), [("dev-aws", 85), ("dev-gcp", 80)])
def test_a_spot_machine_leaves_a_replica_just_enough_time(values: Values, stack: str, most: int) -> None:
    changed = values(stack)
    changed["fleet"]["services"]["tumour-risk"]["exit_timeout_seconds"] = most
    Settings.parse(changed, "test")


def test_keys_of_a_fleet_of_one_service_are_told_where_they_went(values: Values, refusal: Refusal) -> None:
    broken = values("dev-aws")
    service = broken["fleet"].pop("services")["tumour-risk"]
    broken["fleet"] |= {"model_release": service["release"], "accelerator": "l4", "max_replicas": 2}
    remedies = {problem.path: problem.remedy for problem in refusal(broken).problems}
    assert remedies["fleet.model_release"] == "Move it to fleet.services.NAME.release."
    assert remedies["fleet.accelerator"] == "Move it to fleet.services.NAME.accelerator."
    assert remedies["fleet.services"] == "Add the key."


def test_a_strategy_that_is_none_is_refused_with_those_that_are(values: Values, refusal: Refusal) -> None:
    broken = values("dev-aws")
    broken["fleet"]["services"]["tumour-risk"]["traffic"] = {"strategy": "roulette"}
    [problem] = refusal(broken).problems
    assert problem.path == f"{SERVICE}.traffic.strategy"
    assert "canary" in problem.allowed and "rolling" in problem.allowed


def test_two_services_cannot_serve_other_content_under_one_version(values: Values, refusal: Refusal) -> None:
    broken = values("prod-aws")
    fleet = broken["fleet"]
    fleet["drilled"] = "tumour-risk"
    other = copy.deepcopy(fleet["services"]["tumour-risk"])
    other["release"]["manifest_sha256"] = "1" * 64
    fleet["services"]["other"] = other
    assert "pins another content of the release 1.0.1" in str(refusal(broken))
