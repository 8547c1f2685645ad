"""Secrets in plain text: neither pods nor configuration nor a chart's values hold a password."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import all_of, failed, is_hidden, not_applicable, passed
from policies.cluster_objects import EVERY_OBJECT
from policies.examples import both, drop, examples, given, put
from policies.family import Family
from policies.inventory import SECRET, Inventory, Resource
from policies.model import Judgement, Severity
from policies.secret_shapes import is_secret, shape_of
from policies.tokens import CONFIG_MAP, DEPLOYMENT, EXTENSION_POLICY, KUBE_SECRET, RELEASE

family = Family("Secrets in plain text")

_ENV: Final = "spec.template.spec.containers.0.env.0"
_ARGS: Final = "spec.template.spec.containers.0.args.0"
_READ: Final = (DEPLOYMENT, KUBE_SECRET, CONFIG_MAP, RELEASE)
_REQUIRED: Final = "a Secret that the pod mounts, marked as one in the program"
_SALT: Final = re.compile(r"spec\.lua\.\d+\.filterContext\.salt")
"""Envoy Gateway 1.9 gives a filter its context from the object alone, by no reference to a Secret (its API's page,
`Lua`, 2026-11-22). A salt opens nothing: it keeps names out of a log, from those who may not read the policy."""


@family.rule(
    "k8s-no-secrets-in-plain-text",
    Severity.HIGH,
    "No pod, configuration or chart holds a secret in plain text",
    types=(DEPLOYMENT, EVERY_OBJECT),
    rationale="What stands in a pod's variables, a ConfigMap or an annotation is read by everyone who may look at "
    "the cluster, and lies in each of its backups.",
    remedy="Put it into a Secret that the pod mounts as a file, and mark it as a secret in the program.",
    examples=lambda: examples(
        given(
            DEPLOYMENT,
            {_ENV: {"name": "FEATURES_AUTH_FILE", "value": "/etc/auth"}, _ARGS: "--http-port=8000"},
            "plain",
        ),
        broken={
            f"{_ENV}.value is a value of DB_PASSWORD": both(put(_ENV, {"name": "DB_PASSWORD", "value": "hunter22"})),
            f"{_ENV}.value is a secret": both(put(_ENV, {"name": "AUTH", "value": SECRET})),
            f"{_ENV}.value is an AWS access key": both(put(f"{_ENV}.value", f"AKIA{'Q' * 16}")),
            f"{_ARGS} is a password among arguments": both(put(_ARGS, "--db-password=hunter22")),
            "metadata.annotations.url is a password in an address": both(
                put("metadata.annotations", {"url": "postgres://me:hunter22@db/x"})
            ),
        },
        accepted={
            "": (
                drop(_ENV),
                put(_ENV, {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "p"}}}),
                put(_ENV, {"name": "DB_PASSWORD_FILE", "value": "/etc/password"}),
            )
        },
    ),
)
def no_secrets_in_plain_text(found: Resource, _: Inventory) -> Judgement:
    """A value that only the provider knows is not written in the program, so it is none of these."""
    if "#" in found.urn:
        return not_applicable("judged as a part of what carries it")
    problems = (
        [] if found.type == KUBE_SECRET else list(_plain(found.inputs, "", salted=found.type == EXTENSION_POLICY))
    )
    if found.type == KUBE_SECRET:
        problems = [each for key in ("data", "stringData") for each in _kept(found.inputs.get(key), key)]
    if problems:
        return all_of(problems)
    return passed() if found.type in _READ else not_applicable("it holds no text that could be a secret")


def _kept(value: Any, path: str) -> Iterator[Judgement]:
    """What a Secret holds is masked in the plan, or stands in the program in plain text."""
    for key, text in value.items() if isinstance(value, Mapping) else ():
        if isinstance(text, str) and text and not is_hidden(text):
            yield failed("", f"{path}.{key} is in plain text", _REQUIRED)


def _plain(value: Any, path: str, *, salted: bool = False) -> Iterator[Judgement]:
    if salted and _SALT.fullmatch(path):
        if not is_hidden(value):
            yield failed("", f"{path} is in plain text", "a value that the program marks as a secret")
        return
    if isinstance(value, Mapping):
        name, text = value.get("name"), value.get("value")
        if isinstance(name, str) and isinstance(text, str) and is_secret(name, text):
            yield failed("", f"{path}.value is a value of {name}", _REQUIRED)
            return
        for key, item in value.items():
            here = f"{path}.{key}" if path else str(key)
            if isinstance(item, str) and is_secret(str(key), item) and not path.endswith(("labels", "matchLabels")):
                yield failed("", f"{here} is a value of {key}", _REQUIRED)
            else:
                yield from _plain(item, here, salted=salted)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _plain(item, f"{path}.{index}", salted=salted)
    elif value == SECRET:
        yield failed("", f"{path} is a secret", _REQUIRED)
    elif isinstance(value, str):
        shape = shape_of(value)
        if shape:
            yield failed("", f"{path} is {shape}", _REQUIRED)
