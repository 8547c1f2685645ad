"""Google Cloud's side: a project that lacks nothing is ready; each lack is named with its command; a denial is
unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from common.errors import UserError
from localcloud.gcp.wire import Request
from ops.preflight.asked import gcp_questions, questions
from ops.preflight.gcp.permissions import held_of
from ops.preflight.gcp.quotas import PUBLIC_DOOR, wanted_by_metric
from ops.preflight.gcp.quotas import quotas as quotas_of
from ops.preflight.gcp.reader import GcpReader
from ops.preflight.gcp.services import apis
from ops.preflight.model import Status
from ops.preflight.runner import answer
from ops.preflight.state import Backend, PulumiFiles, Secrets
from ops.preflight.wanted import Machines, Wanted
from policies.inventory import Inventory
from tests.ops.preflight.conftest import GCP_KEY, Ask, findings, gcp_files, is_sentence
from tests.ops.preflight.recorded import (
    DENIED_GCP,
    Answers,
    RecordedGcp,
    Refusal,
    gcp_answers,
    placed,
    quotas,
    services,
    serving,
    sold_in,
    subnets,
)

P = "acme-serving-dev"
COMPUTE = f"GET compute/compute/v1/projects/{P}"
MANAGER = f"cloudresourcemanager/v1/projects/{P}"
RING = f"projects/{P}/locations/<region>/keyRings/seawall-dev-keys"
MODELS = "GET storage/v1/b/seawall-dev-models-acme-serving-dev-<region>"
LATER = {"images", "release", "alerts", "control plane", "DNS and certificate", "once per project"}


def test_a_project_that_lacks_nothing_is_ready(ask_gcp: Ask) -> None:
    report = ask_gcp({})
    assert not findings(report, Status.MISSING)
    # Who may change the organisation's policies is not a project's to tell.
    assert {f.subject.partition(":")[0] for f in findings(report, Status.UNKNOWN)} <= {"organisation"}


def test_every_check_but_those_of_later_steps_says_ok_there(ask_gcp: Ask) -> None:
    for check in ask_gcp({}).answered:
        statuses = {f.status for f in check.findings if not f.subject.startswith("organisation")}
        assert statuses == ({Status.NOT_APPLICABLE} if check.title in LATER else {Status.OK}), check.title


def without(*permissions: str) -> Any:
    """`testIamPermissions` of a caller who lacks these."""

    def granted(request: Request) -> dict[str, Any]:
        return {"permissions": [p for p in request.json()["permissions"] if p not in permissions]}

    return granted


def fault_of(wanted: Wanted) -> dict[str, tuple[Answers, str, str]]:
    """A lack → the answers that make it, the check that finds it, and what its remedy says."""
    return {
        "a permission that is not held": (
            {f"POST {MANAGER}:testIamPermissions": without("container.clusters.create")},
            "permissions",
            "gcloud iam roles create seawall_container --project=acme-serving-dev "
            "--permissions=container.clusters.create",
        ),
        "an API that must be on first": (
            {f"GET serviceusage/v1/projects/{P}/services:batchGet": services(wanted, "serviceusage.googleapis.com")},
            "APIs",
            f"gcloud services enable serviceusage.googleapis.com --project={P}",
        ),
        "a quota of zero for GPUs": (
            {f"{COMPUTE}/regions/<region>": quotas(PREEMPTIBLE_NVIDIA_L4_GPUS=0, NVIDIA_L4_GPUS=0)},
            "quotas in <region>",
            "NVIDIA-L4-GPUS-per-project-region --preferred-value=3 --dimensions=region=<region>",
        ),
        "a quota in the backup region": (
            {f"{COMPUTE}/regions/<backup>": quotas(PREEMPTIBLE_NVIDIA_L4_GPUS=0, NVIDIA_L4_GPUS=0)},
            "quotas in <backup>",
            "--dimensions=region=<backup>",
        ),
        "disks beyond the quota": (
            {f"{COMPUTE}/regions/<region>": quotas(SSD_TOTAL_GB=100)},
            "quotas in <region>",
            "--quota-id=SSD-TOTAL-GB-per-project-region",
        ),
        "no GPU in any region": (
            {COMPUTE: quotas(GPUS_ALL_REGIONS=0)},
            "quotas of the project",
            "--quota-id=GPUS-ALL-REGIONS-per-project --preferred-value=3",
        ),
        "machines that a zone does not sell": (
            {f"{COMPUTE}/aggregated/machineTypes": sold_in(["<region>-z"], "machineTypes")},
            "machines in zones",
            "to zones among <region>-z",
        ),
        "an accelerator that the backup region does not sell": (
            {f"{COMPUTE}/aggregated/acceleratorTypes": sold_in(list(wanted.machines[0].zones), "acceleratorTypes")},
            "machines in zones",
            "Choose a backup.region that sells it",
        ),
        "a Kubernetes version that the channel does not offer": (
            {
                f"GET container/v1/projects/{P}/locations/<region>/serverConfig": {
                    "channels": [{"channel": "REGULAR", "validVersions": ["1.40.1-gke.1"]}]
                }
            },
            "Kubernetes version",
            "Set cluster.version to one of 1.40.",
        ),
        "a network with the same addresses": (
            {f"{COMPUTE}/aggregated/subnetworks": subnets(("10.20.130.0/24", "default"))},
            "addresses",
            "Set network.cidr to 10.0.0.0/16",
        ),
        "a reserved range with the same addresses": (
            {
                f"{COMPUTE}/global/addresses": {
                    "items": [{"name": "sql", "purpose": "VPC_PEERING", "address": "10.20.48.0", "prefixLength": 24}]
                }
            },
            "addresses",
            "before the first `pulumi up`",
        ),
        "a bucket's name that another project has": (
            {MODELS: {"name": "x", "projectNumber": "1"}},
            "bucket names",
            "in another project",
        ),
        "a bucket's name behind a refusal": (
            {MODELS: DENIED_GCP, "GET storage/v1/b": {"items": []}},
            "bucket names",
            "in another project",
        ),
        "a key ring that survived without keys": (
            {f"GET kms/v1/{RING}": {"name": RING}, f"GET kms/v1/{RING}/cryptoKeys": {}},
            "key rings",
            f"pulumi import gcp:kms/keyRing:KeyRing primary {RING}",
        ),
        "a key whose version is about to be destroyed": (
            {
                f"GET kms/v1/{RING}": {"name": RING},
                f"GET kms/v1/{RING}/cryptoKeys": {
                    "cryptoKeys": [
                        {
                            "name": f"{RING}/cryptoKeys/data",
                            "purpose": "ENCRYPT_DECRYPT",
                            "primary": {"name": f"{RING}/cryptoKeys/data/v/3", "state": "DESTROY_SCHEDULED"},
                        }
                    ]
                },
            },
            "key rings",
            "gcloud kms keys versions restore 3 --location=<region> --keyring=seawall-dev-keys --key=data",
        ),
        "a state bucket in the primary region": (
            {"GET storage/v1/b/acme-state": {"location": "<region>", "versioning": {"enabled": True}}},
            "state and secrets",
            "Move it",
        ),
        "a state bucket without versions": (
            {"GET storage/v1/b/acme-state": {"location": "<backup>"}},
            "state and secrets",
            "gcloud storage buckets update gs://acme-state --versioning",
        ),
        "a state bucket that the caller may not write": (
            {"GET storage/v1/b/acme-state/iam/testPermissions": {}},
            "state and secrets",
            "gcloud storage buckets add-iam-policy-binding gs://acme-state",
        ),
        "a secrets key that is disabled": (
            {f"GET kms/v1/{GCP_KEY}": {"primary": {"name": f"{GCP_KEY}/v/1", "state": "DISABLED"}}},
            "state and secrets",
            "gcloud kms keys versions enable 1",
        ),
        "a secrets key that the caller may not use": (
            {f"POST kms/v1/{GCP_KEY}:testIamPermissions": {}},
            "state and secrets",
            "gcloud kms keys add-iam-policy-binding",
        ),
        "an image that nobody pushed": (
            {
                f"GET artifactregistry/v1/projects/{P}/*": lambda request: (
                    Refusal(404) if "/packages/" in request.path else {"name": "a repository"}
                )
            },
            "images",
            "Run `seawall images sync dev-gcp`.",
        ),
        "a release that nobody published": (
            {MODELS: {"name": "x", "projectNumber": wanted.inventory.settings["project_number"]}},
            "release",
            "seawall models publish dev-gcp --version 1.0.1",
        ),
        "a release with other content than is pinned": (
            {
                MODELS: {"name": "x", "projectNumber": wanted.inventory.settings["project_number"]},
                f"{MODELS}/o/releases/1.0.1/manifest.json": b"other content",
            },
            "release",
            "Publish the pinned content under a new version",
        ),
        "a control plane that does not answer here": (
            {
                f"GET container/v1/projects/{P}/locations/<region>/clusters/seawall-dev-cluster": {
                    "endpoint": "control-plane.invalid"
                }
            },
            "control plane",
            "Run `pulumi up` from inside the network",
        ),
    }


LACKS = (
    *("a permission that is not held", "an API that must be on first", "a quota of zero for GPUs"),
    *("a quota in the backup region", "disks beyond the quota", "no GPU in any region"),
    *("machines that a zone does not sell", "an accelerator that the backup region does not sell"),
    *("a Kubernetes version that the channel does not offer", "a network with the same addresses"),
    *("a reserved range with the same addresses", "a bucket's name that another project has"),
    *("a bucket's name behind a refusal", "a key ring that survived without keys"),
    *("a key whose version is about to be destroyed", "a state bucket in the primary region"),
    *("a state bucket without versions", "a state bucket that the caller may not write"),
    *("a secrets key that is disabled", "a secrets key that the caller may not use"),
    *(
        "an image that nobody pushed",
        "a release that nobody published",
        "a release with other content than is pinned",
        "a control plane that does not answer here",
    ),
)


@pytest.mark.parametrize("lack", LACKS)
def test_each_lack_is_found_with_its_command(lack: str, gcp: Wanted, ask_gcp: Ask) -> None:
    answers, title, remedy = placed(list(fault_of(gcp)[lack]), gcp)
    report = ask_gcp(answers, title)
    assert any(remedy in finding.remedy for finding in findings(report, Status.MISSING, title))
    assert report.exit_code(allow_unknown=True) == 1
    assert not [f.remedy for f in findings(report, Status.MISSING) if not (f.command or is_sentence(f.remedy))]


def test_every_check_has_a_planted_lack(gcp: Wanted) -> None:
    faults = fault_of(gcp)
    assert tuple(faults) == LACKS
    with serving(RecordedGcp(gcp_answers(gcp))) as target:
        checks = {check.title for check in gcp_questions(GcpReader(target, gcp.account), gcp, gcp_files(gcp)).checks}
    never_missing = {"service agents", "alerts", "DNS and certificate", "once per project"}
    assert checks - {placed(title, gcp) for _, title, _ in faults.values()} == never_missing


def test_a_read_that_is_denied_is_unknown_and_never_ok(gcp: Wanted) -> None:
    """Every request that any check makes is denied in turn; what then says ok asked for something else."""
    with serving(cloud := RecordedGcp(gcp_answers(gcp))) as target:
        asked = gcp_questions(GcpReader(target, gcp.account), gcp, gcp_files(gcp))
        for check in asked.checks:
            cloud.answers = gcp_answers(gcp)
            cloud.asked.clear()
            answer(check)
            for request in dict.fromkeys(cloud.asked):
                cloud.answers = {**gcp_answers(gcp), request: DENIED_GCP}
                if check.title == "bucket names":
                    cloud.answers["GET storage/v1/b"] = DENIED_GCP
                told = answer(check)
                assert any(f.status is Status.UNKNOWN and "403" in f.detail for f in told), request


def test_an_api_that_is_off_is_told_with_its_command(ask_gcp: Ask) -> None:
    off = Refusal(403, "Kubernetes Engine API has not been used in project 1 before or it is disabled.")
    path = f"GET container/v1/projects/{P}/locations/<region>/serverConfig"
    told = findings(ask_gcp({path: off}, "Kubernetes version"), Status.UNKNOWN)
    assert [f.remedy for f in told] == [f"gcloud services enable container.googleapis.com --project={P}"]


def test_an_api_that_bootstrap_switches_on_is_missing_for_a_platform_alone(
    plans: dict[str, Inventory], gcp: Wanted
) -> None:
    for wanted, status in ((Wanted(plans["bootstrap-gcp"]), Status.NOT_APPLICABLE), (gcp, Status.MISSING)):
        path = f"GET serviceusage/v1/projects/{P}/services:batchGet"
        answers = {**gcp_answers(wanted), path: services(wanted, "redis.googleapis.com")}
        with serving(RecordedGcp(answers)) as target:
            told = {f.subject: f.status for f in apis(GcpReader(target, wanted.account), wanted)}
        assert told.pop("redis.googleapis.com") is status
        assert set(told.values()) == {Status.OK}


def test_an_agent_without_a_role_is_unknown_with_the_command_that_makes_it(gcp: Wanted, ask_gcp: Ask) -> None:
    report = ask_gcp({f"POST {MANAGER}:getIamPolicy": {}}, "service agents")
    told = {f.subject: f for f in findings(report, Status.UNKNOWN)}
    assert set(told) == set(gcp.service_agents)
    (compute,) = (f for subject, f in told.items() if "@compute-system." in subject)
    assert compute.remedy == f"gcloud beta services identity create --service=compute.googleapis.com --project={P}"


def test_one_permission_that_cannot_be_tested_hides_no_other(gcp: Wanted) -> None:
    def granted(request: Request) -> Any:
        names = request.json()["permissions"]
        return (
            Refusal(400, "Permission a.b.odd is not valid for this resource.")
            if "a.b.odd" in names
            else {"permissions": [n for n in names if n != "a.b.lacking"]}
        )

    names = [f"a.b.{n}" for n in ("one", "two", "odd", "lacking", "three")]
    with serving(RecordedGcp({f"POST {MANAGER}:testIamPermissions": granted})) as target:
        held, untestable = held_of(GcpReader(target, gcp.account), names)
    assert held == {"a.b.one", "a.b.two", "a.b.three"}
    assert untestable == {"a.b.odd"}


def test_nodes_of_the_stack_itself_are_not_counted_twice(gcp: Wanted, ask_gcp: Ask) -> None:
    pool = next(m for m in gcp.machines if m.accelerator)
    metric = f"{'PREEMPTIBLE_' if pool.spot else ''}NVIDIA_L4_GPUS"
    node = {
        "machineType": f"https://compute/zones/<region>-b/machineTypes/{pool.machine_type}",
        "scheduling": {"provisioningModel": "SPOT" if pool.spot else "STANDARD"},
        "guestAccelerators": [
            {"acceleratorType": "https://compute/acceleratorTypes/nvidia-l4", "acceleratorCount": 1}
        ],
        "disks": [{"diskSizeGb": "100"}],
    }
    limits = {q["metric"]: q for q in quotas(**{metric: pool.most})["quotas"]}
    limits[metric]["usage"] = 2.0
    answers: Answers = {f"{COMPUTE}/regions/<region>": {"quotas": list(limits.values())}}
    assert findings(ask_gcp(answers, "quotas in <region>"), Status.MISSING), "two are in use by others"
    answers[f"{COMPUTE}/aggregated/instances"] = {"items": {"zones/<region>-b": {"instances": [node, node]}}}
    assert not findings(ask_gcp(answers, "quotas in <region>"), Status.MISSING)


def test_a_newer_accelerator_is_asked_of_its_familys_quota(gcp: Wanted) -> None:
    from ops.preflight.gcp.quotas import FAMILY_QUOTA, family_quota

    path = (
        f"GET cloudquotas/v1/projects/{P}/locations/global/services/compute.googleapis.com/quotaInfos/{FAMILY_QUOTA}"
    )
    info = {
        "dimensionsInfos": [
            {"dimensions": {"gpu_family": "NVIDIA_H100"}, "details": {"value": "8"}, "applicableLocations": ["a"]}
        ]
    }
    with serving(RecordedGcp({path: info})) as target:
        reader = GcpReader(target, P)
        told = [family_quota(reader, gcp, "NVIDIA_H100", needs, "a") for needs in (8, 9)]
    assert [f.status for f in told] == [Status.OK, Status.MISSING]
    assert "--dimensions=region=a,gpu_family=NVIDIA_H100" in told[1].remedy


def test_choices_within_a_pool_count_once_and_pools_add_up() -> None:
    def group(pool: str, most: int) -> Machines:
        return Machines(pool, "g2-standard-4", False, most, ("z",), 0, "nvidia-l4", 1)

    assert wanted_by_metric((group("a", 3), group("a", 5), group("b", 2)), {})["NVIDIA_L4_GPUS"] == 7


LOST: dict[str, Callable[[PulumiFiles], PulumiFiles]] = {
    "state": lambda files: replace(files, backend=Backend("none", "")),
    "state: file": lambda files: replace(files, backend=Backend("file", "file://~")),
    "secrets provider": lambda files: replace(files, secrets=Secrets("none")),
    "secrets key pulumi": lambda files: files,
}


@pytest.mark.parametrize("subject", LOST)
def test_state_or_secrets_that_would_be_lost_are_missing(subject: str, gcp: Wanted, ask_gcp: Ask) -> None:
    files = LOST[subject](gcp_files(gcp, key_region="<region>"))
    report = ask_gcp({}, "state and secrets", files=files)
    assert subject.partition(":")[0] in {f.subject for f in findings(report, Status.MISSING)}


def test_a_project_with_another_number_ends_the_preflight(ask_gcp: Ask) -> None:
    with pytest.raises(UserError, match="has the number 7") as told:
        ask_gcp({f"GET {MANAGER}": {"projectNumber": "7", "lifecycleState": "ACTIVE"}})
    assert told.value.remedy.startswith("Set project_number to 7")


def test_a_project_out_of_reach_ends_the_preflight(ask_gcp: Ask) -> None:
    with pytest.raises(UserError, match=f"the project {P} cannot be read"):
        ask_gcp({f"GET {MANAGER}": DENIED_GCP})


def test_a_project_that_is_about_to_go_ends_the_preflight(gcp: Wanted, ask_gcp: Ask) -> None:
    number = gcp.inventory.settings["project_number"]
    with pytest.raises(UserError, match="DELETE_REQUESTED"):
        ask_gcp({f"GET {MANAGER}": {"projectNumber": number, "lifecycleState": "DELETE_REQUESTED"}})


def test_another_principal_is_refused_with_the_way_to_be_it(gcp: Wanted) -> None:
    from common.target import REAL_CLOUD

    with pytest.raises(UserError, match="only the caller's own") as told:
        questions(gcp, gcp_files(gcp), REAL_CLOUD, principal="deploy@acme.iam.gserviceaccount.com")
    assert "--impersonate-service-account=deploy@acme.iam.gserviceaccount.com" in told.value.remedy


@pytest.fixture
def public(gcp: Wanted) -> Wanted:
    """What dev-gcp wants, with a door on the internet."""
    settings = dict(gcp.inventory.settings)
    settings["fleet"] = {**settings["fleet"], "door": {**settings["fleet"]["door"], "public": {"source_ranges": []}}}
    return Wanted(replace(gcp.inventory, settings=settings))


def told_of_door(wanted: Wanted, answers: Answers) -> dict[str, Status]:
    """What the quotas of the primary region say of the door's load balancer."""
    with serving(RecordedGcp({**gcp_answers(wanted), **placed(answers, wanted)})) as target:
        found = quotas_of(GcpReader(target, wanted.account), wanted, wanted.region)
        return {f.subject.rpartition(" ")[2]: f.status for f in found if f.subject.endswith(PUBLIC_DOOR)}


def test_a_public_door_needs_a_forwarding_rule_and_an_address(public: Wanted) -> None:
    assert told_of_door(public, {}) == dict.fromkeys(PUBLIC_DOOR, Status.OK)
    none_left = {f"{COMPUTE}/regions/<region>": quotas(EXTERNAL_NETWORK_LB_FORWARDING_RULES=0, IN_USE_ADDRESSES=0)}
    assert told_of_door(public, none_left) == dict.fromkeys(PUBLIC_DOOR, Status.MISSING)


def test_an_internal_door_needs_neither(gcp: Wanted) -> None:
    assert told_of_door(gcp, {}) == {}
