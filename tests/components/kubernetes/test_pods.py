"""What holds for every pod of the platform: the restricted standard, probes, and references that resolve."""

from __future__ import annotations

from typing import Any

import pytest

ALLOWED_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected"}
ALLOWED_VOLUMES |= {"secret"}
"""The volume types of the restricted Pod Security Standard."""


def containers(manifests: Any) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Workload, pod and container, one by one."""
    return [
        (owner, template["spec"], container)
        for owner, template in manifests.pods().items()
        for container in (*template["spec"]["containers"], *template["spec"].get("initContainers", []))
    ]


def test_pods_use_nothing_of_the_machines(manifests: Any) -> None:
    for owner, template in manifests.pods().items():
        spec = template["spec"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), owner
        used = {kind for volume in spec.get("volumes", []) for kind in volume if kind != "name"}
        assert used <= ALLOWED_VOLUMES, owner


def test_pods_run_as_ordinary_users_under_the_default_seccomp_profile(manifests: Any) -> None:
    for owner, template in manifests.pods().items():
        context = template["spec"]["securityContext"]
        assert context["runAsNonRoot"] is True and context["runAsUser"] > 0, owner
        assert context["seccompProfile"]["type"] == "RuntimeDefault", owner


def test_containers_cannot_gain_rights_nor_write_to_their_image(manifests: Any) -> None:
    for owner, _, container in containers(manifests):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False, owner
        assert context["capabilities"] == {"drop": ["ALL"]}, owner
        assert context["readOnlyRootFilesystem"] is True, owner
        assert not context.get("privileged"), owner


def test_namespaces_of_ours_admit_restricted_pods_only(manifests: Any) -> None:
    levels = {
        m["metadata"]["name"]: m["metadata"]["labels"].get("pod-security.kubernetes.io/enforce")
        for m in manifests.of("Namespace")
    }
    assert set(levels.values()) == {"restricted"}, levels


@pytest.mark.parametrize("probe", ["readinessProbe", "livenessProbe", "startupProbe"])
def test_probes_ask_a_port_that_the_container_opens(manifests: Any, probe: str) -> None:
    for owner, _, container in containers(manifests):
        if "httpGet" in container.get(probe, {}):
            assert container[probe]["httpGet"]["port"] in {p["name"] for p in container["ports"]}, owner


def test_every_container_tells_whether_it_is_ready_and_alive(manifests: Any) -> None:
    # Kubernetes takes no probes on init containers: they end.
    for owner, pod in manifests.pods().items():
        for container in pod["spec"]["containers"]:
            assert {"readinessProbe", "livenessProbe"} <= container.keys(), owner


def test_what_starts_slowly_is_not_killed_for_it(manifests: Any) -> None:
    paths = {
        owner: container["livenessProbe"]["httpGet"]["path"]
        for owner, _, container in containers(manifests)
        if "httpGet" in container.get("livenessProbe", {})
    }
    alive = manifests.container("tumour-risk")["livenessProbe"]["exec"]["command"]
    assert alive[-1] == "--alive", "a server that is only busy must not be restarted"
    assert paths["prometheus"] == "/-/healthy", "while it replays its log it is not ready, and must not be restarted"
    assert paths["prometheus-adapter"] == "/livez"
    startup = manifests.container("tumour-risk")["startupProbe"]
    assert startup["exec"]["command"][:3] == ["python3", "-m", "self_check"], "loaded is not yet right"
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 600, "a repository is copied at each start"


def test_containers_state_what_they_need_and_how_much_memory_at_most(manifests: Any) -> None:
    for owner, _, container in containers(manifests):
        resources = container["resources"]
        assert {"cpu", "memory"} <= resources["requests"].keys() and "memory" in resources["limits"], owner


def test_mounts_name_volumes_that_the_pod_has(manifests: Any) -> None:
    mounted: dict[str, set[str]] = {}
    for owner, _, container in containers(manifests):
        mounted.setdefault(owner, set()).update(mount["name"] for mount in container.get("volumeMounts", []))
    for owner, pod in manifests.pods().items():
        assert mounted[owner] == {volume["name"] for volume in pod["spec"].get("volumes", [])}, owner


def test_config_maps_and_secrets_that_pods_mount_exist_with_their_keys(manifests: Any) -> None:
    for owner, template in manifests.pods().items():
        namespace = manifests.namespace_of(owner)
        for volume in template["spec"].get("volumes", []):
            kind, name = (
                ("ConfigMap", volume["configMap"]["name"])
                if "configMap" in volume
                else ("Secret", volume["secret"]["secretName"])
                if "secret" in volume
                else (None, None)
            )
            if kind is not None:
                assert manifests.one(kind, name)["metadata"]["namespace"] == namespace, owner


def test_service_accounts_of_pods_exist_in_their_namespace(manifests: Any) -> None:
    accounts = {(m["metadata"]["namespace"], m["metadata"]["name"]) for m in manifests.of("ServiceAccount")}
    for owner, template in manifests.pods().items():
        assert (manifests.namespace_of(owner), template["spec"]["serviceAccountName"]) in accounts, owner


def test_only_pods_that_talk_to_the_api_server_get_its_credentials(manifests: Any) -> None:
    given = {o for o, t in manifests.pods().items() if t["spec"].get("automountServiceAccountToken", True)}
    assert given == set(manifests.pods()) - {"tumour-risk"}


def test_a_changed_configuration_rolls_the_pods_that_read_it(manifests: Any) -> None:
    for owner, template in manifests.pods().items():
        if any("configMap" in volume for volume in template["spec"].get("volumes", [])):
            assert "seawall.dev/config" in template["metadata"]["annotations"], owner
