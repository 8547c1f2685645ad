"""What Bottlerocket's device plugin is told, as Bottlerocket reads it."""

from __future__ import annotations

import base64
import tomllib
from typing import Any

import pytest

from components.aws.bottlerocket import settings, user_data
from components.contracts.machines import MACHINES
from components.contracts.specs import SharingSpec
from components.contracts.vocabulary import Cloud, SharingStrategy

AWS = MACHINES[Cloud.AWS]
SLICED = SharingSpec(strategy=SharingStrategy.TIME_SLICING, replicas=4)


def plugin(text: str) -> dict[str, Any]:
    """The device plugin's settings."""
    return tomllib.loads(text)["settings"]["kubelet-device-plugins"]["nvidia"]


def test_shares_of_time_are_counted_like_gpus() -> None:
    told = plugin(settings(AWS["g6.xlarge"], SLICED))
    assert told["device-sharing-strategy"] == "time-slicing"
    assert told["time-slicing"] == {
        "replicas": 4,
        "rename-by-default": False,
        "fail-requests-greater-than-one": True,
    }


@pytest.mark.parametrize(
    ("machine", "name", "profile"),
    [("p4d.24xlarge", "a100.40gb", "1g.5gb"), ("p5en.48xlarge", "h200.141gb", "1g.18gb")],
)
def test_a_gpu_is_cut_by_the_profile_of_its_model(machine: str, name: str, profile: str) -> None:
    told = plugin(settings(AWS[machine], SharingSpec(strategy=SharingStrategy.MIG, profile=profile)))
    assert told == {"device-partitioning-strategy": "mig", "mig": {"profile": {name: profile}}}


def test_a_machine_whose_gpus_are_not_shared_is_told_nothing_of_sharing() -> None:
    assert "kubelet-device-plugins" not in tomllib.loads(settings(AWS["g6.xlarge"], None))["settings"]
    assert settings(AWS["m7i.large"], SLICED) == ""
    assert user_data("") is None


def test_a_gpu_machine_pulls_and_unpacks_an_image_in_parts_at_once() -> None:
    told = tomllib.loads(settings(AWS["g6.xlarge"], None))["settings"]
    assert told["container-runtime"] == {"snapshotter": "soci"}
    assert told["container-runtime-plugins"]["soci-snapshotter"]["pull-mode"] == "parallel-pull-unpack"


def test_user_data_is_encoded_as_a_launch_template_takes_it() -> None:
    assert base64.b64decode(user_data("a = 1") or "") == b"a = 1"
