"""Versions that no cloud has, that do not fit each other, or that no earlier environment has seen."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.contracts.releases import MINORS, READ_ON, offered, resolved, versions_key
from components.contracts.vocabulary import Cloud
from stacks.settings import Settings, SettingsError, stack_file

Values = Callable[[str], dict[str, Any]]
Refusal = Callable[[object], SettingsError]


@pytest.mark.parametrize("cloud", Cloud)
def test_each_version_on_offer_names_what_runs_with_it(cloud: Cloud) -> None:
    assert offered(cloud), "no stack could be made"
    for version in offered(cloud):
        if cloud is Cloud.AWS:
            assert resolved(version).nodes and all(resolved(version).addons.values()), version
            assert resolved(version).addons["kube-proxy"].startswith(f"v{version}."), version
        else:
            assert MINORS[cloud][version].newest.startswith(f"{version}."), version


@pytest.mark.parametrize(("cloud", "version"), [("aws", "1.33"), ("aws", "1.32"), ("gcp", "1.33"), ("gcp", "1.34")])
def test_a_version_past_its_support_is_refused_with_the_day(
    values: Values, refusal: Refusal, cloud: str, version: str
) -> None:
    broken = values(f"dev-{cloud}")
    broken["cluster"]["version"] = version
    ended = f"ended on {MINORS[Cloud(cloud)][version].supported_until}"
    assert [p.path for p in refusal(broken).problems if ended in p.allowed] == ["cluster.version"]
    assert MINORS[Cloud(cloud)][version].supported_until < READ_ON


def test_a_version_that_nobody_offers_is_refused(values: Values, refusal: Refusal) -> None:
    broken = values("dev-aws")
    broken["cluster"]["version"] = "1.99"
    assert "cluster.version" in {p.path for p in refusal(broken).problems}


@pytest.mark.parametrize(("proxy", "accepted"), [("v1.36.0-eksbuild.21", False), ("v1.34.6-eksbuild.11", True)])
def test_an_addon_newer_than_the_control_plane_is_refused(
    values: Values, refusal: Refusal, proxy: str, accepted: bool
) -> None:
    asked = values("dev-aws")
    asked["cluster"]["release"] = {"addons": {"kube-proxy": proxy}}
    if accepted:
        assert Settings.parse(asked, "test").cluster.release.addons == {"kube-proxy": proxy}
    else:
        assert [p.path for p in refusal(asked).problems] == ["cluster.release.addons.kube-proxy"]


@pytest.mark.parametrize(
    ("stack", "setting", "value", "says"),
    [
        ("dev-aws", "channel", "stable", "EKS has no channels"),
        ("dev-aws", "maintenance", {"days": ["SA", "SU"]}, "EKS upgrades nothing by itself"),
        ("dev-gcp", "release", {"nodes": "1.58.0-c5c37032"}, "choose a cluster.channel"),
        ("dev-gcp", "release", {"addons": {"vpc-cni": "v1.22.4-eksbuild.3"}}, "choose a cluster.channel"),
        ("dev-aws", "release", {"nodes": "1.58.0"}, "pattern"),
        ("dev-aws", "release", {"addons": {"kubeproxy": "v1.35.3-eksbuild.29"}}, "kube-proxy"),
        ("dev-gcp", "maintenance", {"days": ["SA"], "hours": 8}, "at least 48 hours"),
        ("dev-gcp", "maintenance", {"days": ["SA", "SA"], "hours": 8}, "at least 48 hours"),
        (
            "dev-gcp",
            "maintenance",
            {"exclusions": {"peak": {"starts": "2026-11-20", "ends": "2027-01-10"}}},
            "at most 30 days",
        ),
        (
            "dev-gcp",
            "maintenance",
            {"exclusions": {"peak": {"starts": "2026-11-20", "ends": "2026-11-20"}}},
            "after the start",
        ),
        (
            "dev-gcp",
            "maintenance",
            {"exclusions": {"peak": {"starts": "2026-11-20", "ends": "2026-11-31"}}},
            "a day of the calendar",
        ),
        (
            "dev-gcp",
            "maintenance",
            {
                "exclusions": {
                    "one": {"starts": "2026-11-20", "ends": "2026-11-25"},
                    "two": {"starts": "2026-11-24", "ends": "2026-11-28"},
                }
            },
            "do not overlap",
        ),
    ],
)
def test_what_one_cloud_has_not_is_refused_with_what_it_has(
    values: Values, refusal: Refusal, stack: str, setting: str, value: object, says: str
) -> None:
    broken = values(stack)
    broken["cluster"][setting] = value
    error = refusal(broken)
    assert all(p.path.startswith(f"cluster.{setting}") for p in error.problems)
    assert says in str(error)


def test_four_full_stops_are_one_too_many(values: Values, refusal: Refusal) -> None:
    broken = values("dev-gcp")
    months = {f"m{month}": {"starts": f"2027-0{month}-01", "ends": f"2027-0{month}-05"} for month in (1, 2, 3, 4)}
    broken["cluster"]["maintenance"] = {"exclusions": months}
    assert "at most 3" in str(refusal(broken))
    for exclusion in months.values():
        exclusion["nodes_too"] = False  # type: ignore[assignment]
    Settings.parse(broken, "test")


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Copies the committed stacks, changes one, and gives the file of another: `changed(stack, old, new)`."""

    def change(stack: str, old: str, new: str) -> Path:
        for file in stack_file(stack).parent.glob("Pulumi.*.yaml"):
            shutil.copy2(file, tmp_path)
        file = tmp_path / stack_file(stack).name
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1
        file.write_text(text.replace(old, new), encoding="utf-8")
        return file

    return change


@pytest.mark.parametrize(("stack", "first"), [("prod-aws", "staging-aws"), ("staging-aws", "dev-aws")])
def test_a_version_goes_through_the_earlier_environment_first(changed: Any, stack: str, first: str) -> None:
    file = changed(stack, "    cluster:\n", '    cluster:\n      version: "1.36"\n')
    with pytest.raises(SettingsError, match=f"Upgrade {first} first"):
        Settings.load(file)


def test_a_version_that_the_earlier_environment_has_is_accepted(changed: Any) -> None:
    changed("staging-aws", "    cluster:\n", '    cluster:\n      version: "1.36"\n')
    staging = stack_file("staging-aws").name
    folder = changed("prod-aws", "    cluster:\n", '    cluster:\n      version: "1.36"\n').parent
    (folder / staging).write_text(
        stack_file("staging-aws").read_text().replace("    cluster:\n", '    cluster:\n      version: "1.36"\n')
    )
    assert Settings.load(folder / stack_file("prod-aws").name).cluster.version == "1.36"


def test_a_faster_channel_than_the_earlier_environments_is_refused(changed: Any) -> None:
    file = changed("prod-gcp", "    cluster:\n", "    cluster:\n      channel: rapid\n")
    with pytest.raises(SettingsError, match="Change staging-gcp first"):
        Settings.load(file)


def test_versions_are_ordered_by_age_and_not_as_text() -> None:
    assert versions_key("v1.9.0-eksbuild.9") < versions_key("v1.9.0-eksbuild.10") < versions_key("v1.10.0-eksbuild.1")
    assert versions_key("1.35.8-gke.999") < versions_key("1.35.8-gke.1036000")
    assert versions_key("1.58.0-ffffffff") == versions_key("1.58.0-00000000") < versions_key("1.59.0-00000000")
