"""The commands of the recovery page, as whoever is on call would type them, and the real `aws` to run them with."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from common.paths import repo_root
from localcloud.toolchain.cache import Entry, build_once
from localcloud.toolchain.serving import install_serving_environment, python_in
from localcloud.toolchain.system import platform_tag
from tests.faults.harness import Stand

PAGE: Final = repo_root() / "docs" / "recovery.md"
LOCK: Final = Path(__file__).parent / "aws_cli" / "requirements.lock"
COMMAND_TIMEOUT_S: Final = 120.0
_HEADING: Final = re.compile(r"^## (.+)$")
_FENCE: Final = re.compile(r"^ *```(\w*)$")
_HEREDOC: Final = re.compile(r"<<'(\w+)'")
_ASSIGNED: Final = re.compile(r"^\w+=…")


@dataclass(frozen=True)
class Command:
    """One command of a shell block, under the page's heading above it."""

    section: str
    text: str

    @property
    def program(self) -> str:
        return self.text.split(maxsplit=1)[0]


def commands(page: str) -> Iterator[Command]:
    """Every command of the page's shell blocks, with continued lines and here-documents; assignments left out."""
    section, inside, gathered, ends = "", False, "", ""
    for line in page.splitlines():
        if fence := _FENCE.match(line):
            inside = fence.group(1) == "sh"
        elif heading := _HEADING.match(line):
            section = heading.group(1) if not inside else section
        elif inside and (text := gathered + (line if ends else line.strip())):
            if not gathered and (found := _HEREDOC.search(text)):
                ends = found.group(1)
            if (ends and line.strip() != ends) or (not ends and text.endswith("\\")):
                gathered = f"{text}\n" if ends else text.removesuffix("\\")
            else:
                if not _ASSIGNED.match(text):
                    yield Command(section, text)
                gathered, ends = "", ""


def aws_folder() -> Path:
    """The folder of the real `aws`, from the cache, else installed now with every hash checked."""
    digest, version = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12], ".".join(map(str, sys.version_info[:2]))
    folder = build_once(
        Entry("aws-cli", f"{digest}-py{version}-{platform_tag()}"),
        lambda shop: install_serving_environment(shop, LOCK, sys.executable),
        title="Install the AWS command line interface",
        steps=None,
        problem=lambda path: None if os.access(python_in(path).with_name("aws"), os.X_OK) else "`aws` is gone",
    )
    return python_in(folder).parent


@dataclass
class Shell:
    """A shell of whoever is on call: the page's variables, and what stands for the words to be filled in."""

    stand: Stand
    folder: Path
    variables: Mapping[str, str]
    words: dict[str, str] = field(default_factory=dict)
    """What the page writes in capitals (`RESTORE_JOB_ID`), learnt from earlier answers."""

    def run(self, command: Command) -> str:
        """Its output.

        Raises:
            AssertionError: it ends with another status than 0.
        """
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.filled(command.text)],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, f"{command.text}\n{done.stdout}{done.stderr}"
        return done.stdout

    def filled(self, text: str) -> str:
        """The command with the words filled in; those of options and variables stay as they are."""
        for word, value in self.words.items():
            text = re.sub(rf"(?<![\w$-]){word}(?![\w-])", lambda _, v=value: v, text)
        return text

    def answer(self, command: Command) -> dict[str, object]:
        """Its output as JSON; an empty one is none."""
        return json.loads(self.run(command) or "{}")

    def _environment(self) -> dict[str, str]:
        target, own = self.stand.target, str(self.folder)
        return {
            **target.environment,
            **self.variables,
            "AWS_ENDPOINT_URL": target.aws_endpoint_url or "",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "HOME": own,
            "PATH": f"{aws_folder()}:{os.environ['PATH']}",
        }
