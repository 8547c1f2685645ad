"""The folder of one stack on the local cloud: a copied project, an engine home and backend of its own, snapshots.

    <local_dir()>/<stack>/
        lock, holder.json       one command at a time
        project/                Pulumi.yaml and the stack's config, copied anew for each command
        plugins/                the stand-in providers' executables
        home/                   PULUMI_HOME
        live/                   what a command works on: Pulumi's state and the providers' store
        snapshots/<n>/          all of it as the n-th command left it; `current` points to the newest
        emulator/               scratch files and logs

A command that ends in order leaves a new snapshot. One that is killed leaves `live/unfinished`, and the next
command takes everything back to the last snapshot, so that Pulumi's state and the emulator never disagree.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from common.errors import UserError
from common.paths import local_dir
from components.contracts.cluster import AccessRole
from components.contracts.naming import drill_workflow_email
from components.contracts.vocabulary import Cloud
from localcloud.front import PROVIDERS, Engine, StackPlace, engine_environment, provider_environment, provider_script
from ops.options import known_stack
from stacks import programs
from stacks.bootstrap_settings import bootstrap_policies
from stacks.files import is_bootstrap
from stacks.problems import SettingsError
from stacks.programs import AnySettings
from stacks.settings import CONFIG_KEY, Settings

SNAPSHOT_FORMAT = "4"
"""Raised when a snapshot of before can no longer be served."""
_STATE_PARTS = ("stacks", "meta.yaml")
"""What of `.pulumi` a snapshot holds; history and locks are no state."""


@dataclass(frozen=True)
class Workspace:
    """One stack's folder on the local cloud, and the checkout that its program comes from."""

    stack: str
    folder: Path
    root: Path
    """Holds `Pulumi.yaml`; its files are only read."""

    @property
    def project(self) -> Path:
        """Where the engine runs: the copied `Pulumi.yaml` lies here."""
        return self.folder / "project"

    @property
    def config_file(self) -> Path:
        """The copied stack config; tests and drills may edit it until the next command copies it anew."""
        return self.project / "config" / f"Pulumi.{self.stack}.yaml"

    @property
    def home(self) -> Path:
        """PULUMI_HOME of this stack alone."""
        return self.folder / "home"

    @property
    def backend(self) -> Path:
        """The folder of Pulumi's file backend."""
        return self.folder / "live" / "state"

    @property
    def store_file(self) -> Path:
        """The providers' store."""
        return self.folder / "live" / "store.sqlite3"

    @property
    def emulator(self) -> Path:
        """The emulator's scratch folder."""
        return self.folder / "emulator"

    @property
    def _current(self) -> Path:
        return self.folder / "current"

    @property
    def _unfinished(self) -> Path:
        return self.folder / "live" / "unfinished"

    @property
    def _checkpoint(self) -> Path:
        return self.backend / ".pulumi" / "stacks"

    def exists(self) -> bool:
        """Whether the stack was ever used on the local cloud."""
        return self._current.exists() or self._checkpoint.exists()

    def is_initialised(self) -> bool:
        """Whether the backend has the stack."""
        return any(self._checkpoint.glob(f"*/{self.stack}.json"))

    def snapshot(self) -> Path | None:
        """The newest complete snapshot's folder, if there is one."""
        return self._current.resolve() if self._current.exists() else None

    def check_format(self) -> None:
        """Raise UserError if another version of Seawall kept the stack, in a way that this one cannot read."""
        kept = self.snapshot()
        marker = kept / "format" if kept else None
        found = marker.read_text() if marker and marker.is_file() else "1"
        if kept is not None and found != SNAPSHOT_FORMAT:
            raise UserError(
                f"{self.stack} was kept by another version of Seawall (format {found}, this one reads "
                f"{SNAPSHOT_FORMAT})",
                str(self.folder),
                f"Remove it with `seawall local down {self.stack} --force`, and bring it up again.",
            )

    def begin(self) -> bool:
        """Mark a command as running; take back what a killed one left half done, and say whether there was one."""
        rolled_back = self._unfinished.exists()
        if rolled_back:
            self.roll_back()
        self.backend.mkdir(parents=True, exist_ok=True)
        # The stack's file lock is held, so whatever engine made a lock here is gone.
        shutil.rmtree(self.backend / ".pulumi" / "locks", ignore_errors=True)
        self._unfinished.touch()
        return rolled_back

    def new_snapshot(self) -> Path:
        """An empty folder for the next snapshot, to be filled with the emulator's data and then committed."""
        last = self.snapshot()
        number = int(last.name) + 1 if last else 1
        fresh = self.folder / "snapshots" / f"{number:06d}"
        shutil.rmtree(fresh, ignore_errors=True)
        (fresh / "emulator").mkdir(parents=True)
        (fresh / "format").write_text(SNAPSHOT_FORMAT)
        return fresh

    def commit(self, fresh: Path) -> None:
        """Add Pulumi's state and the store to a snapshot, make it the current one, and end the command."""
        state = fresh / "state"
        state.mkdir()
        for part in _STATE_PARTS:
            _copy(self.backend / ".pulumi" / part, state / part)
        _copy(self.store_file, fresh / "store.sqlite3")
        previous = self.snapshot()
        pointer = self.folder / "current.new"
        pointer.unlink(missing_ok=True)
        pointer.symlink_to(fresh.relative_to(self.folder))
        os.replace(pointer, self._current)  # noqa: PTH105 - Path.replace follows no rule of its own for links
        self._unfinished.unlink(missing_ok=True)
        if previous is not None:
            shutil.rmtree(previous, ignore_errors=True)

    def abandon(self) -> None:
        """End the command and take back what it did, on purpose; the engine's logs of it go too."""
        shutil.rmtree(self.home / "logs", ignore_errors=True)
        self.roll_back()
        self._unfinished.unlink(missing_ok=True)

    def roll_back(self) -> None:
        """Take Pulumi's state and the store back to the last snapshot; the command counts as ended."""
        for left in (self.store_file, *self.store_file.parent.glob("store.sqlite3-*")):
            left.unlink(missing_ok=True)
        last = self.snapshot()
        for part in _STATE_PARTS:
            path = self.backend / ".pulumi" / part
            _delete(path)
            if last is not None:
                _copy(last / "state" / part, path)
        if last is not None:
            _copy(last / "store.sqlite3", self.store_file)
        self._unfinished.unlink(missing_ok=True)

    def copy_project(self) -> None:
        """Copy `Pulumi.yaml` and the stack's config from the checkout, made absolute and with our providers."""
        original = _read_yaml(self.root / "Pulumi.yaml")
        config_dir = self.root / original.get("stackConfigDir", ".")
        _write_yaml(self.project / "Pulumi.yaml", self._project_settings(original))
        source = config_dir / self.config_file.name
        copied = _read_yaml(source)
        previous = _read_yaml(self.config_file) if self.config_file.exists() else {}
        # `stack init` writes the salt of the secrets' key here; a state is unreadable without it.
        if "encryptionsalt" in previous and "encryptionsalt" not in copied:
            copied["encryptionsalt"] = previous["encryptionsalt"]
        _trust_this_machine(copied)
        _write_yaml(self.config_file, copied)

    def _project_settings(self, original: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **original,
            "main": str((self.root / original.get("main", ".")).resolve()) + "/",
            "stackConfigDir": "config",
            "runtime": {
                "name": "python",
                "options": {"toolchain": "pip", "virtualenv": sys.prefix},
            },
            "plugins": {"providers": [{"name": p, "path": str(self.folder / "plugins" / p)} for p in PROVIDERS]},
        }

    def write_plugins(self) -> None:
        """Write one small executable for each stand-in provider."""
        for package in PROVIDERS:
            script = self.folder / "plugins" / package / f"pulumi-resource-{package}"
            script.parent.mkdir(parents=True, exist_ok=True)
            script.write_text(provider_script(package))
            script.chmod(0o755)

    def environment(self, engine: Engine) -> dict[str, str]:
        """The engine's environment for this stack, over the process's own."""
        return {
            **engine_environment(engine, self.home, self.backend),
            "PULUMI_DISABLE_CHECKPOINT_BACKUPS": "true",
            **_past_proxies(),
            # Without compiled modules the SDKs alone take three seconds to load, each time.
            "PYTHONDONTWRITEBYTECODE": "",
            **provider_environment(self.store_file),
        }

    def remove(self) -> None:
        """Delete the folder; the lock file inside goes last."""
        for entry in self.folder.iterdir() if self.folder.exists() else ():
            if entry.name == "lock":
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)


def find_workspace(stack: str, root: Path, home: Path | None = None) -> Workspace:
    """The workspace of a stack of the checkout `root`; nothing is created.

    Args:
        home: the folder of all local stacks; `local_dir()` by default.

    Raises:
        UserError: there is no such stack.
    """
    project = _read_yaml(root / "Pulumi.yaml")
    config_dir = root / project.get("stackConfigDir", ".")
    known = sorted(p.name.removeprefix("Pulumi.").removesuffix(".yaml") for p in config_dir.glob("Pulumi.*.yaml"))
    return Workspace(known_stack(stack, known, str(config_dir)), (home or local_dir()).resolve() / stack, root)


def read_settings(workspace: Workspace) -> AnySettings:
    """The stack's settings, from the checkout.

    Raises:
        UserError: they are refused; every problem is named.
    """
    project = _read_yaml(workspace.root / "Pulumi.yaml")
    file = workspace.root / project.get("stackConfigDir", ".") / workspace.config_file.name
    try:
        return programs.load(file)
    except SettingsError as e:
        raise UserError(str(e), str(file), "Change the settings as said above.") from e


def read_platform(workspace: Workspace) -> Settings:
    """The settings of a platform stack, from the checkout.

    Raises:
        UserError: as `read_settings`, or it is a bootstrap stack.
    """
    return as_platform(read_settings(workspace), workspace.stack)


def as_platform(settings: AnySettings, stack: str) -> Settings:
    """`settings`, if they are those of a platform.

    Raises:
        UserError: it is a bootstrap stack, which has no models, features or restores.
    """
    if not isinstance(settings, Settings):
        remedy = f"Name a platform stack, as dev-{settings.cloud}."
        raise UserError(f"{stack} prepares an account, and serves nothing", stack, remedy)
    return settings


def place_of(settings: AnySettings) -> StackPlace:
    """What an emulator needs of the settings."""
    place = settings.place
    known = tuple(settings.cluster.access.principals()) if isinstance(settings, Settings) else ()
    accounts = (principal for _, _, principal in known)
    is_platform = isinstance(settings, Settings) and settings.cloud is Cloud.GCP
    workflows = (drill_workflow_email(place.environment, place.account),) if is_platform else ()
    return StackPlace(
        place.stack,
        place.region,
        place.backup_region,
        place.account,
        people=(*(p.partition(":")[2] for p in accounts if p.startswith("serviceAccount:")), *workflows),
        project_number=place.project_number,
        # A bootstrap stack begins in an account that has nothing yet; every other, after one.
        bootstrapped=not is_bootstrap(place.stack),
        operator=next((p for role, _, p in known if role is AccessRole.ADMINISTRATOR and ":role/" in p), ""),
        policies=bootstrap_policies(settings) if isinstance(settings, Settings) else {},
    )


def _trust_this_machine(config: dict[str, Any]) -> None:
    """Have the local stack's fleet serve what this machine's own key signed, beside what its settings trust."""
    settings = (config.get("config") or {}).get(CONFIG_KEY)
    fleet = settings.get("fleet") if isinstance(settings, dict) else None
    signed = [release for release in _releases_of(fleet or {}) if release.get("signers")]
    if not signed:
        return  # a bootstrap stack, or one whose releases need not be signed
    from common.attestation.signers import local_key, open_signer  # with it come the clouds' libraries

    own = open_signer(local_key()).name
    for release in signed:
        release["signers"] = [*dict.fromkeys([*release["signers"], own])]


def _releases_of(fleet: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The releases that a stack's file names, of every service and its challengers."""
    for service in (fleet.get("services") or {}).values():
        for variant in (service, *(service.get("challengers") or {}).values()):
            if isinstance(variant.get("release"), dict):
                yield variant["release"]


def _past_proxies() -> dict[str, str]:
    """A user's proxy must not be asked for what runs on this machine."""
    names = ("NO_PROXY", "no_proxy")
    return {name: ",".join(filter(None, [os.environ.get(name), "127.0.0.1", "localhost"])) for name in names}


def _copy(source: Path, target: Path) -> None:
    """Copy a file or folder if it is there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        shutil.copy2(source, target)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        loaded = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as e:
        raise UserError("a file of the project is missing", str(path), "Run this in a whole checkout.") from e
    return loaded or {}


def _write_yaml(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(dict(value), file)
