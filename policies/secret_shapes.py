"""What secrets look like: shapes of keys and tokens, and names whose value is one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from policies.checks import is_hidden

_SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "an AWS secret key": re.compile(r"secret_?access_?key[\"']?\s*[=:]\s*[\"']?[A-Za-z0-9/+]{40}\b", re.IGNORECASE),
    "an AWS access key": re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a Google API key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a token": re.compile(r"\b(gh[opsur]_[0-9A-Za-z]{30,}|github_pat_\w{30,}|xox[abprs]-[\w-]{10,}|sk_live_\w{16,})"),
    "a signed token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s:@]{3,}@"),
    "a password among arguments": re.compile(
        r"(?<![\w-])--?[\w-]*(password|passwd|secret|api-?key|auth-?token|access-?key)(?![\w-]*-(file|id|name|arn|path)\b)"
        r"[\w-]*[= ](?![\"']?\$|/|\[|-)\S{4,}",
        re.IGNORECASE,
    ),
}
_CALLED: Final = re.compile(
    r"(pass(word|wd|phrase)|secret(?!.*(name|arn|id$|file|path|store))|api_?key|access_?key|private_?key|"
    r"auth_?token|credentials?|(^|_)token)$",
    re.IGNORECASE,
)
"""Names of variables and keys whose value is the secret itself."""


def shape_of(text: str) -> str:
    """What kind of secret a text holds; empty if none."""
    return next((called for called, pattern in _SHAPES.items() if pattern.search(text)), "")


def is_secret(name: str, text: str) -> bool:
    """Whether a name says that its value is a secret, and the value is one: no path, flag or number."""
    plain = len(text) >= 6 and not is_hidden(text) and not text.startswith(("/", "$", "."))
    return bool(plain and _CALLED.search(name) and text.lower() not in ("true", "false"))
