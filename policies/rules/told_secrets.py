"""Secrets that resources on AWS are told in plain text: in user data, in variables, in parameters."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import all_of, failed, is_hidden, not_applicable, passed
from policies.examples import both, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.secret_shapes import is_secret, shape_of
from policies.tokens import EC2_INSTANCE, EC2_LAUNCH_CONFIGURATION, EC2_LAUNCH_TEMPLATE, LAMBDA

family = Family("Secrets that AWS is told")

_READ: Final = (
    EC2_LAUNCH_TEMPLATE,
    LAMBDA,
    EC2_INSTANCE,
    EC2_LAUNCH_CONFIGURATION,
)
_ENCODED: Final = re.compile(r"[A-Za-z0-9+/\s]{24,}={0,2}\s*")
_INSIDE: Final = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_HOLDS: Final = frozenset(
    {"password", "masterPassword", "masterUserPassword", "authToken", "secretString", "secretBinary", "loginPassword"}
)
"""Inputs of AWS' providers whose value is the secret itself."""
_TWICE: Final = 2
_REQUIRED: Final = "a reference to a secret, which the program marks as one"


@family.rule(
    "aws-no-secrets-in-plain-text",
    Severity.HIGH,
    "No machine, function, build or parameter is told a secret in plain text",
    types=(*_READ, "aws:*"),
    rationale="Whoever may describe a machine or a function reads its user data and variables, and so do the state "
    "and every preview of it.",
    remedy="Keep it in Secrets Manager, name its ARN, and let the machine or function read it by its role.",
    frameworks={Framework.NIST_800_53: ("IA-5", "SC-28"), Framework.CHECKOV: ("CKV_AWS_46", "CKV_AWS_45")},
    examples=lambda: examples(
        given(LAMBDA, {"environment.variables": {"TABLE": "features"}}, "plain"),
        given(EC2_LAUNCH_TEMPLATE, {"userData": _text("#!/bin/sh\necho hello\n")}, "plain"),
        broken={
            "environment.variables.URL is a token": both(put("environment.variables.URL", f"ghp_{'a1B2' * 9}")),
            "environment.variables.DB_PASSWORD is a value of DB_PASSWORD": both(
                put("environment.variables.DB_PASSWORD", "hunter22")
            ),
            "description is an AWS access key": both(put("description", f"use AKIA{'Q' * 16}")),
        },
        accepted={
            "": (
                drop("environment"),
                put("environment.variables.DB_PASSWORD", "/run/secrets/password"),
                put("environment.variables.DB_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x"),
            )
        },
    ),
)
def no_secrets_in_plain_text(resource: Resource, _: Inventory) -> Judgement:
    """A value that the provider knows alone, or that the program marks as a secret, is not in the plan's text."""
    problems = [failed("", f"{path} is {what}", _REQUIRED) for path, what in _found(resource.inputs, "")]
    if problems:
        return all_of(problems)
    return passed() if resource.type in _READ else not_applicable("it holds no text that could be a secret")


def _found(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        name, text = value.get("name"), value.get("value")
        if isinstance(name, str) and isinstance(text, str) and _named(name.rpartition("/")[2], text):
            yield f"{path}.value" if path else "value", f"a value of {name}"
            return
        for key, item in value.items():
            here = f"{path}.{key}" if path else str(key)
            if isinstance(item, str) and _called(str(key), item, path):
                yield here, f"a value of {key}"
            else:
                yield from _found(item, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _found(item, f"{path}.{index}")
    elif isinstance(value, str) and not is_hidden(value):
        what = next(filter(None, map(shape_of, _readings(value))), "")
        if what:
            yield path, what


def _named(name: str, text: str) -> bool:
    return is_secret(name.replace("-", "_"), text) and not text.startswith("arn:")


def _called(key: str, text: str, path: str) -> bool:
    if key in _HOLDS:
        return bool(text) and not is_hidden(text)
    return path.rpartition(".")[2] in ("variables", "runtimeEnvironmentVariables") and _named(key, text)


def _readings(text: str) -> Iterator[str]:
    """The text, and what it holds in base64, once or twice encoded."""
    waiting = [(text, 0)]
    while waiting:
        each, depth = waiting.pop()
        yield each
        if depth < _TWICE:
            whole = [each] if _ENCODED.fullmatch(each) else []
            for part in (*whole, *(found for found in _INSIDE.findall(each) if not whole)):
                try:
                    made = base64.b64decode(part, validate=False).decode()
                except (binascii.Error, UnicodeDecodeError, ValueError):
                    continue
                waiting.append((made, depth + 1))


def _text(script: str) -> str:
    return base64.b64encode(script.encode()).decode()
