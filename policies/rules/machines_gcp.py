"""Machines of Google Cloud beside a cluster: nothing of their own at the start, and no door beside IAM."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from policies.checks import ABSENT, PASS, all_of, equals, expect, failed, if_given, read, unreadable
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import GCP_INSTANCE, GCP_REGION_TEMPLATE, GCP_TEMPLATE

family = Family("Machines beside a cluster on Google Cloud")

_TEMPLATES: Final = (
    GCP_TEMPLATE,
    GCP_REGION_TEMPLATE,
)
_PROJECT: Final = "gcp:compute/projectMetadata:ProjectMetadata"
_ITEM: Final = "gcp:compute/projectMetadataItem:ProjectMetadataItem"
_SCRIPT: Final = "metadataStartupScript"
_BOOT: Final = "shieldedInstanceConfig.enableSecureBoot"
_ACCOUNT: Final = "serviceAccount.email"
_RUNS: Final = re.compile(r"(startup|shutdown|sysprep|windows-startup)-script.*|user-data|.*ssh-?keys", re.IGNORECASE)
"""What a machine runs, or lets in: jpassing.com/2021/01/19/compute-engine-feature-flags-controlled-by-metadata, read
2026-11-22; user-data is that of Container-Optimized OS (believed)."""
_SWITCHES: Final = {"serial-port-enable": "false", "enable-oslogin": "true", "block-project-ssh-keys": "true"}
_BOOLEANS: Final = {"1": "true", "y": "true", "yes": "true", "0": "false", "n": "false", "no": "false"}
_SECRETS: Final = re.compile(r"pass(word|wd)?|secret|token|private.?key|api.?key|credential", re.IGNORECASE)


@family.rule(
    "gcp-machines-plain",
    Severity.HIGH,
    "Machines run no script of metadata, take no keys of persons, and boot verified software as an account of theirs",
    types=(GCP_INSTANCE, *_TEMPLATES, _PROJECT, _ITEM),
    rationale="Whoever may write metadata, or reads it, is on the machine and has its account.",
    remedy="Put what the machine needs into its image, set OS Login, and give it an account of its own.",
    frameworks={Framework.NIST_800_53: ("CM-6", "CM-7", "IA-2")},
    examples=lambda: examples(
        given(
            GCP_INSTANCE,
            {
                "metadata": {"enable-oslogin": "TRUE", "block-project-ssh-keys": "true"},
                _BOOT: True,
                _ACCOUNT: "probe@111122223333.iam.gserviceaccount.com",
            },
        ),
        broken={
            f'{_SCRIPT} is "curl x | sh"': put(_SCRIPT, "curl x | sh"),
            "canIpForward is true": put("canIpForward", True),
            f"{_BOOT} is false": put(_BOOT, False),
            f"{_BOOT} is absent": drop(_BOOT),
            f"{_ACCOUNT} is absent": put("serviceAccount", {"scopes": ["cloud-platform"]}),
            f'{_ACCOUNT} is "1-compute@developer.gserviceaccount.com"': put(
                _ACCOUNT, "1-compute@developer.gserviceaccount.com"
            ),
            **{
                f"metadata holds {key}": put(f"metadata.{key}", value)
                for key, value in {
                    "startup-script": "x",
                    "startup-script-url": "gs://x/y",
                    "user-data": "x",
                    "ssh-keys": "x",
                    "serial-port-enable": "TRUE",
                    "enable-oslogin": "FALSE",
                    "db-password": "x",
                }.items()
            },
        },
        undecided={
            "metadata is known only to the provider": put("metadata", Hidden()),
            f"{_BOOT} is known only to the provider": put(_BOOT, Hidden()),
        },
        accepted={"": (drop("metadata"), drop("serviceAccount"), put("metadata.serial-port-enable", "FALSE"))},
    ),
)
def machines_plain(machine: Resource, _: Inventory) -> Judgement:
    if machine.type == _ITEM:
        return unreadable(machine, "key", "a key that the plan knows") or _metadata(
            {str(read(machine, "key")): read(machine, "value")}
        )
    told = unreadable(machine, "metadata", "metadata that the plan knows")
    value = read(machine, "metadata")
    metadata = told or _metadata(value if isinstance(value, Mapping) else {})
    if machine.type == _PROJECT:
        return metadata
    return all_of((metadata, *_itself(machine)))


def _itself(machine: Resource) -> tuple[Judgement, ...]:
    script, own = read(machine, _SCRIPT), "an account of its own"
    return (
        PASS if script is ABSENT else expect(machine, _SCRIPT, "no script", lambda text: not text),
        if_given(machine, "canIpForward", lambda: equals(machine, "canIpForward", False)),
        equals(machine, _BOOT, True),
        if_given(
            machine,
            "serviceAccount",
            lambda: expect(
                machine, _ACCOUNT, own, lambda v: not v.endswith("-compute@developer.gserviceaccount.com")
            ),
        ),
    )


def _metadata(entries: Mapping[str, Any]) -> Judgement:
    wrong = [key for key, value in entries.items() if value is not None and _is_wrong(key, value)]
    return all_of(failed("", f"metadata holds {key}", "OS Login, and what the image holds") for key in wrong)


def _is_wrong(key: str, value: object) -> bool:
    wanted = _SWITCHES.get(key)
    if wanted is not None:
        return _BOOLEANS.get(str(value).lower(), str(value).lower()) != wanted
    return bool(_RUNS.fullmatch(key) or _SECRETS.search(key))
