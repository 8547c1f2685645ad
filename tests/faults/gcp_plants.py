"""Faults in a deployed Google Cloud stack: each function plants one, through Google's own APIs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal
from urllib.parse import quote

from common.gcp_api import GcpApi
from components.contracts.backup import TierName
from tests.faults.harness import Stand

Plant = Callable[[Stand], None]
Which = Literal["models", "replica", "exports"]
KeyName = Literal["data", "recovery"]

ENCRYPTS: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
YEARLY: Final = "0 0 1 1 *"
NOT_UNDERSTOOD: Final = 'resource.matchTag("1/environment", "dev")'
OVER: Final = 'request.time < timestamp("2020-01-01T00:00:00Z")'


# Who may do what


def bucket_policy(which: Which, change: Callable[[list[dict[str, Any]]], object]) -> Plant:
    """Change the bindings of a bucket."""

    def plant(stand: Stand) -> None:
        api, path = stand.gcp(), f"storage/v1/b/{bucket_of(stand, which)}/iam"
        policy = api.get("storage", path)
        change(policy["bindings"])
        api.put("storage", path, {"etag": policy["etag"], "bindings": policy["bindings"]})

    return plant


def without_role(which: Which, role: str, member: str) -> Plant:
    """Take a role on a bucket from the members whose name contains `member`."""
    return bucket_policy(which, lambda bindings: _drop(bindings, role, member))


def other_role(which: Which, role: str, instead: str, member: str) -> Plant:
    """Give the members whose name contains `member` another role in the place of one."""

    def change(bindings: list[dict[str, Any]]) -> None:
        bindings.append({"role": instead, "members": _drop(bindings, role, member)})

    return bucket_policy(which, change)


def on_condition(which: Which, member: str, expression: str) -> Plant:
    """Let every grant on a bucket to these members depend on a condition."""

    def change(bindings: list[dict[str, Any]]) -> None:
        for binding in list(bindings):
            moved = _taken(binding, member)
            if moved:
                condition = {"title": "only", "expression": expression}
                bindings.append({"role": binding["role"], "members": moved, "condition": condition})

    return bucket_policy(which, change)


def key_users(key: KeyName, change: Callable[[list[dict[str, Any]]], object]) -> Plant:
    """Change the bindings of a key."""

    def plant(stand: Stand) -> None:
        api, name = stand.gcp(), key_of(stand, key)
        policy = api.get("kms", f"v1/{name}:getIamPolicy")
        change(policy["bindings"])
        api.post("kms", f"v1/{name}:setIamPolicy", {"policy": policy})

    return plant


def without_key(key: KeyName, agent: str) -> Plant:
    """Take a key from a service agent."""
    return key_users(key, lambda bindings: _drop(bindings, ENCRYPTS, agent))


def only_encrypts(key: KeyName, agent: str) -> Plant:
    """Let a service agent encrypt with a key, and not decrypt."""

    def change(bindings: list[dict[str, Any]]) -> None:
        bindings.append({"role": "roles/cloudkms.cryptoKeyEncrypter", "members": _drop(bindings, ENCRYPTS, agent)})

    return key_users(key, change)


def key_for_another_project(key: KeyName, agent: str) -> Plant:
    """Grant a key to the same agent of another project."""

    def change(bindings: list[dict[str, Any]]) -> None:
        _drop(bindings, ENCRYPTS, agent)
        stranger = f"serviceAccount:service-999@{agent}.iam.gserviceaccount.com"
        bindings.append({"role": ENCRYPTS, "members": [stranger]})

    return key_users(key, change)


def project_without(member: str) -> Plant:
    """Take every role in the project from the members whose name contains `member`."""

    def plant(stand: Stand) -> None:
        api, path = stand.gcp(), f"v1/projects/{stand.outputs.account}"
        policy = api.post("cloudresourcemanager", f"{path}:getIamPolicy")
        assert [m for binding in policy["bindings"] for m in _taken(binding, member)], f"{member} has no role"
        api.post("cloudresourcemanager", f"{path}:setIamPolicy", {"policy": policy})

    return plant


def custom_role(changes: Mapping[str, Any]) -> Plant:
    """Change the custom role by which features are exported."""

    def plant(stand: Stand) -> None:
        api, role = stand.gcp(), _export_role(stand)
        api.patch("iam", f"v1/{role}", dict(changes), {"updateMask": ",".join(changes)})

    return plant


def no_custom_role(stand: Stand) -> None:
    stand.gcp().delete("iam", f"v1/{_export_role(stand)}")


def account_disabled(purpose: str) -> Plant:
    """Disable one of the stack's service accounts."""

    def plant(stand: Stand) -> None:
        stand.gcp().patch("iam", f"v1/{_account(stand, purpose)}", {"serviceAccount": {"disabled": True}})

    return plant


def account_gone(purpose: str) -> Plant:
    """Delete one of the stack's service accounts."""
    return lambda stand: _ignore(stand.gcp().delete("iam", f"v1/{_account(stand, purpose)}"))


def nobody_becomes(purpose: str) -> Plant:
    """Take away every right to become one of the stack's service accounts."""

    def plant(stand: Stand) -> None:
        stand.gcp().post("iam", f"v1/{_account(stand, purpose)}:setIamPolicy", {"policy": {"bindings": []}})

    return plant


# Keys


def key_state(key: KeyName, state: str) -> Plant:
    """Disable every version of a key."""

    def plant(stand: Stand) -> None:
        for version in _versions(stand, key):
            stand.gcp().patch("kms", f"v1/{version}", {"state": state}, {"updateMask": "state"})

    return plant


def key_destroyed(key: KeyName) -> Plant:
    """Schedule the destruction of every version of a key."""

    def plant(stand: Stand) -> None:
        for version in _versions(stand, key):
            stand.gcp().post("kms", f"v1/{version}:destroy")

    return plant


# The transfer job


def transfer(change: Callable[[dict[str, Any], Stand], object]) -> Plant:
    """Change the job that copies the models."""

    def plant(stand: Stand) -> None:
        api, name, project = stand.gcp(), stand.outputs.model_replica.copy_job, stand.outputs.account
        job = api.get("storagetransfer", f"v1/{name}", {"projectId": project})
        change(job, stand)
        fields = [f for f in ("transferSpec", "schedule", "status") if f in job]
        body = {"projectId": project, "transferJob": job, "updateTransferJobFieldMask": ",".join(fields)}
        api.patch("storagetransfer", f"v1/{name}", body)

    return plant


def transfer_options(**options: Any) -> Plant:
    """Change what the job does with objects."""
    return transfer(lambda job, _: job["transferSpec"]["transferOptions"].update(options))


def transfer_only(**conditions: Any) -> Plant:
    """Let the job copy a part of the objects alone."""
    return transfer(lambda job, _: job["transferSpec"].update(objectConditions=conditions))


def transfer_schedule(**schedule: Any) -> Plant:
    """Change when the job runs; None takes a field away."""

    def change(job: dict[str, Any], _: Stand) -> None:
        job["schedule"] = {k: v for k, v in {**job["schedule"], **schedule}.items() if v is not None}

    return transfer(change)


def no_transfer(stand: Stand) -> None:
    name, project = stand.outputs.model_replica.copy_job, stand.outputs.account
    stand.gcp().delete("storagetransfer", f"v1/{name}", {"projectId": project})


def transfer_to(stand: Stand) -> str:
    """A bucket of the primary region that the agent may write to."""
    api, name = stand.gcp(), f"{stand.outputs.model_bucket.name}-near"
    body = {"name": name, "location": stand.outputs.region, "versioning": {"enabled": True}}
    api.post("storage", "storage/v1/b", body, {"project": stand.outputs.account})
    policy = api.get("storage", f"storage/v1/b/{bucket_of(stand, 'replica')}/iam")
    api.put("storage", f"storage/v1/b/{name}/iam", {"bindings": policy["bindings"]})
    return name


def into_another_bucket(stand: Stand) -> None:
    """Let the job copy into a bucket that is no replica."""
    name = transfer_to(stand)
    transfer(lambda job, _: job["transferSpec"]["gcsDataSink"].update(bucketName=name))(stand)


def from_the_exports(stand: Stand) -> None:
    """Let the job copy from the exports instead of the models."""
    bucket_policy("exports", lambda bindings: bindings.extend(_of_the_agent(stand, "models")))(stand)
    name = bucket_of(stand, "exports")
    transfer(lambda job, _: job["transferSpec"]["gcsDataSource"].update(bucketName=name))(stand)


def transfer_that_moves(stand: Stand) -> None:
    """Let the job delete what it has copied."""
    bucket_policy("models", lambda bindings: bindings.extend(_of_the_agent(stand, "replica")))(stand)
    transfer_options(deleteObjectsFromSourceAfterTransfer=True)(stand)


def _of_the_agent(stand: Stand, which: Which) -> list[dict[str, Any]]:
    """What the transfer agent holds on a bucket."""
    policy = stand.gcp().get("storage", f"storage/v1/b/{bucket_of(stand, which)}/iam")
    held = [(b["role"], [m for m in b["members"] if "storage-transfer-service" in m]) for b in policy["bindings"]]
    return [{"role": role, "members": members} for role, members in held if members]


# Exports


def export(change: Callable[[dict[str, Any], Stand], object]) -> Plant:
    """Change every job that exports the features."""

    def plant(stand: Stand) -> None:
        for job in _export_jobs(stand):
            change(job, stand)
            params = {"updateMask": "schedule,timeZone,httpTarget"}
            stand.gcp().patch("cloudscheduler", f"v1/{job['name']}", job, params)

    return plant


def export_target(**changes: Any) -> Plant:
    """Change what the jobs call."""
    return export(lambda job, _: job["httpTarget"].update(changes))


def export_as(purpose: str) -> Plant:
    """Let the jobs call as another of the stack's accounts."""

    def change(job: dict[str, Any], stand: Stand) -> None:
        job["httpTarget"]["oauthToken"]["serviceAccountEmail"] = _account(stand, purpose).rpartition("/")[2]

    return export(change)


def export_into(change: Callable[[str, Stand], str]) -> Plant:
    """Change the address that the jobs export to."""

    def into(job: dict[str, Any], stand: Stand) -> None:
        body = json.loads(base64.b64decode(job["httpTarget"]["body"]))
        destination = body["outputConfig"]["gcsDestination"]
        destination["uri"] = change(destination["uri"], stand)
        job["httpTarget"]["body"] = base64.b64encode(json.dumps(body).encode()).decode()

    return export(into)


def exports_paused(stand: Stand) -> None:
    for job in _export_jobs(stand):
        stand.gcp().post("cloudscheduler", f"v1/{job['name']}:pause")


def no_exports(stand: Stand) -> None:
    for job in _export_jobs(stand):
        stand.gcp().delete("cloudscheduler", f"v1/{job['name']}")


# Buckets


def bucket(which: Which, **settings: Any) -> Plant:
    """Change a bucket's settings."""
    return lambda stand: _ignore(stand.gcp().patch("storage", f"storage/v1/b/{bucket_of(stand, which)}", settings))


def lifecycle(which: Which, condition: Mapping[str, Any], *, more: bool = True) -> Plant:
    """Let a bucket's lifecycle delete what meets a condition; `more`: beside the rules that it has."""

    def plant(stand: Stand) -> None:
        path = f"storage/v1/b/{bucket_of(stand, which)}"
        rules = stand.gcp().get("storage", path).get("lifecycle", {}).get("rule", []) if more else []
        rule = {"action": {"type": "Delete"}, "condition": dict(condition)}
        stand.gcp().patch("storage", path, {"lifecycle": {"rule": [*rules, rule]}})

    return plant


def public(which: Which) -> Plant:
    """Let everybody read a bucket."""

    def plant(stand: Stand) -> None:
        bucket(which, iamConfiguration={"publicAccessPrevention": "inherited"})(stand)
        grant = {"role": "roles/storage.objectViewer", "members": ["allUsers"]}
        bucket_policy(which, lambda bindings: bindings.append(grant))(stand)

    return plant


def put(which: Which, key: Callable[[Stand], str], data: bytes) -> Plant:
    """Write an object, whatever is there."""

    def plant(stand: Stand) -> None:
        client = stand.gcp().storage_client()
        client.bucket(bucket_of(stand, which)).blob(key(stand)).upload_from_string(data)

    return plant


def remove(which: Which, key: Callable[[Stand], str]) -> Plant:
    """Delete an object."""

    def plant(stand: Stand) -> None:
        path = f"storage/v1/b/{bucket_of(stand, which)}/o/{quote(key(stand), safe='')}"
        stand.gcp().delete("storage", path)

    return plant


# The instance


def instance(**changes: Any) -> Plant:
    """Change the feature store in place."""

    def plant(stand: Stand) -> None:
        api, name = stand.gcp(), stand.outputs.feature_store.id
        api.wait("redis", api.patch("redis", f"v1/{name}", changes, {"updateMask": ",".join(changes)}))

    return plant


def instance_anew(**changes: Any) -> Plant:
    """Replace the feature store by an empty one that is made otherwise, and let it export as the old one did."""

    def plant(stand: Stand) -> None:
        api, name = stand.gcp(), stand.outputs.feature_store.id
        parent, _, identifier = name.rpartition("/instances/")
        shown = ("connectMode", "authEnabled", "transitEncryptionMode", "customerManagedKey", "persistenceConfig",
                 "memorySizeGb", "redisConfigs", "redisVersion", "tier", "authorizedNetwork", "labels")  # fmt: skip
        old = api.get("redis", f"v1/{name}")
        body = {k: old[k] for k in shown if k in old} | changes
        api.wait("redis", api.delete("redis", f"v1/{name}"))
        made = {k: v for k, v in body.items() if v is not None}
        api.wait("redis", api.post("redis", f"v1/{parent}/instances", made, {"instanceId": identifier}))

    return plant


# Names


def bucket_of(stand: Stand, which: Which) -> str:
    """A bucket's name."""
    outputs = stand.outputs
    return {"models": outputs.model_bucket.name, "replica": outputs.model_replica.name}.get(
        which, outputs.backup.vault
    )


def key_of(stand: Stand, key: KeyName) -> str:
    """A key's full name."""
    keys = stand.outputs.keys
    return keys.data.id if key == "data" else keys.recovery.id


def _versions(stand: Stand, key: KeyName) -> list[str]:
    path = f"v1/{key_of(stand, key)}/cryptoKeyVersions"
    return [version["name"] for version in stand.gcp().list("kms", path, "cryptoKeyVersions")]


def _account(stand: Stand, purpose: str) -> str:
    place = stand.settings.place
    email = f"{place.name(purpose, max_length=30)}@{place.account}.iam.gserviceaccount.com"
    return f"projects/{place.account}/serviceAccounts/{email}"


def _export_role(stand: Stand) -> str:
    api: GcpApi = stand.gcp()
    policy = api.post("cloudresourcemanager", f"v1/projects/{stand.outputs.account}:getIamPolicy")
    member = f"serviceAccount:{_account(stand, 'exporter').rpartition('/')[2]}"
    return next(b["role"] for b in policy["bindings"] if member in b["members"])


def _export_jobs(stand: Stand) -> list[dict[str, Any]]:
    api, place = stand.gcp(), stand.settings.place
    parent = f"projects/{place.account}/locations/{place.region}/jobs"
    names = [f"{parent}/{place.name(f'feature-export-{tier}')}" for tier in TierName]
    return [job for name in names if (job := api.find("cloudscheduler", f"v1/{name}"))]


def _drop(bindings: list[dict[str, Any]], role: str, member: str) -> list[str]:
    """Take members out of a role; returns them."""
    taken = [m for binding in bindings if binding["role"] == role for m in _taken(binding, member)]
    assert taken, f"{role} is granted to no {member}"
    return taken


def _taken(binding: dict[str, Any], member: str) -> list[str]:
    """Take members out of a binding; returns them."""
    taken = [m for m in binding["members"] if member in m]
    binding["members"] = [m for m in binding["members"] if member not in m]
    return taken


def _ignore(_: object) -> None:
    """A plant returns nothing."""
