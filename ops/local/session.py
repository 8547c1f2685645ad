"""Opens a stack on the local cloud for the length of a command: lock, emulator, engine, snapshot.

Usage:

    with open_local("dev-aws", steps) as local:
        local.up()
        s3 = boto3.client("s3", endpoint_url=local.target.aws_endpoint_url, …)
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from pulumi.automation import LocalWorkspace, Stack
from pulumi.automation._stack import StackInitMode
from pulumi.automation.errors import CommandError

from common.console import Steps
from common.errors import Interrupted, UserError
from common.os_errors import as_user_error, is_full, require_space
from common.paths import repo_root
from common.target import Target
from localcloud.front import Emulator, Engine, build_emulator, ensure_engine, provider_environment, signals_interrupt
from ops.check.pack import prepare_pack
from ops.local.lock import exclusive
from ops.local.runs import (
    EngineKilledError,
    EventReader,
    GuardedCommand,
    LeanStack,
    Outcome,
    first_trouble,
    last_words,
)
from ops.local.workspace import Workspace, as_platform, find_workspace, place_of, read_settings
from policies.inventory import Inventory
from policies.pack_names import REPORT_FILE_VARIABLE
from stacks.programs import AnySettings
from stacks.settings import Settings

_T = TypeVar("_T")

STACK_BYTES: Final = 64 * 2**20
"""What must be free for a stack on the local cloud. Its folder held at most 5 MiB, with one release, measured on
dev-aws and dev-gcp on 2026-11-21; the rest is for larger releases, and for a snapshot beside the last one.
"""


@dataclass(frozen=True)
class Deployed:
    """One resource of the deployed stack, from Pulumi's state; secrets stay encrypted."""

    urn: str
    type: str
    id: str
    custom: bool
    protect: bool
    retain_on_delete: bool
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rsplit("::", 1)[-1]


@dataclass(frozen=True)
class JudgedPreview:
    """A preview, and what the policy pack said of it inside the engine."""

    outcome: Outcome
    inventory: Inventory
    """What the engine showed, as the offline plan tells it."""
    verdict: Mapping[str, Any]
    """As `seawall check --json` prints one stack."""
    refusal: str
    """Why the engine ended the preview; empty if no policy did."""


class LocalCloud:
    """A stack on the local cloud while its emulator runs; made by `open_local`."""

    def __init__(
        self,
        workspace: Workspace,
        settings: AnySettings,
        engine: Engine,
        emulator: Emulator,
        steps: Steps,
        kubeconfig: Path | None = None,
    ) -> None:
        self.workspace = workspace
        self.settings = settings
        self.engine = engine
        self.emulator = emulator
        self.steps = steps
        self.kubeconfig = kubeconfig
        """Of the control plane that Kubernetes objects are applied to; without one they are recorded."""
        self.is_broken = False
        """Set when the engine was killed: what it did last is unknown, so the command leaves no snapshot."""
        self._stack: Stack | None = None

    @property
    def target(self) -> Target:
        """Where the stack's cloud is reached."""
        return self.emulator.target()

    @property
    def platform(self) -> Settings:
        """The settings of a platform stack.

        Raises:
            UserError: it is a bootstrap stack, which has no models, features or restores.
        """
        return as_platform(self.settings, self.workspace.stack)

    def environment(self) -> dict[str, str]:
        """The engine's environment, for running `pulumi` on this stack by hand; goes over the process's own."""
        return {
            **self.workspace.environment(self.engine),
            **self.target.environment,
            **self.emulator.provider_environment(),
            **provider_environment(self.workspace.store_file, kubeconfig=self.kubeconfig),
        }

    def up(self) -> Outcome:
        """Deploy. Raises UserError with the engine's first error."""
        return self._run("up", "Bring {} up", lambda stack, read: stack.up(on_event=read))

    def preview(self, *, expect_no_changes: bool = False) -> Outcome:
        """What `up` would change.

        Raises UserError with the engine's first error, or if `expect_no_changes` and there are some.
        """
        outcome = self._run("preview", "Preview {}", lambda stack, read: stack.preview(on_event=read))
        if expect_no_changes and outcome.changes:
            first = outcome.changes[0]
            raise UserError(
                f"the preview is not empty: {first}"
                + (f", and {len(outcome.changes) - 1} more" if len(outcome.changes) > 1 else ""),
                first.urn,
                f"Run `seawall local up {self.workspace.stack}`, or undo the change.",
            )
        return outcome

    def judged_preview(self, scratch: Path) -> JudgedPreview:
        """A preview with the policy pack inside the engine.

        Args:
            scratch: a folder for the pack's copy and its report.

        Raises UserError if the preview failed before the pack could judge; a violation is no error here.
        """
        pack, report = prepare_pack(scratch), scratch.absolute() / "report.json"
        report.unlink(missing_ok=True)
        stack, reader = self.stack(), EventReader("preview")
        before, refusal = stack.workspace.env_vars, ""
        stack.workspace.env_vars = {**before, REPORT_FILE_VARIABLE: str(report)}
        try:
            with self.steps.step(f"Preview {self.workspace.stack} with the policies in the engine"):
                self._guarded(lambda: stack.preview(policy_packs=[str(pack)], on_event=reader), reader)
        except UserError as error:
            # The engine ends a preview that violates a policy as a failed one, after the pack has written.
            if not report.exists() or self.is_broken:
                raise
            refusal = error.what
        finally:
            stack.workspace.env_vars = before
        self.steps.note(reader.outcome.summary())
        if not report.exists():
            raise self._error("the policies were not judged in the engine", self.workspace.stack)
        told = json.loads(report.read_text(encoding="utf-8"))
        inventory = _with_retained(Inventory.from_json(told["inventory"]), reader.outcome.retained)
        return JudgedPreview(reader.outcome, inventory, told["verdict"], refusal)

    def refresh(self) -> Outcome:
        """Compare Pulumi's state with the cloud and take over what is found; `changes` is the drift."""
        return self._run("refresh", "Refresh {}", lambda stack, read: stack.refresh(on_event=read))

    def destroy(self, *, unprotect: bool = False) -> Outcome:
        """Delete every resource.

        Args:
            unprotect: lift Pulumi's `protect` and the clouds' own deletion protection first.

        Raises UserError that names the protected resources, if there are any, before anything is deleted.
        """
        protected = [f"{r.name} ({r.type.rsplit(':', 1)[-1]})" for r in self.resources() if r.protect]
        if protected and not unprotect:
            raise UserError(
                f"{len(protected)} of its resources are protected: {', '.join(sorted(protected))}",
                f"stack {self.workspace.stack}",
                f"If they may go, run `seawall local down {self.workspace.stack} --unprotect`.",
            )
        stack = self.stack()
        if unprotect:
            if protected:
                self._guarded(lambda: self._pulumi("state", "unprotect", "--all", "--yes"))
            told = provider_environment(self.workspace.store_file, force_delete=True)
            stack.workspace.env_vars = {**stack.workspace.env_vars, **told}
        return self._run("destroy", "Destroy {}", lambda s, read: s.destroy(on_event=read))

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets in the clear; empty before the first `up`."""
        told = self._guarded(lambda: self._pulumi("stack", "output", "--json", "--show-secrets"))
        return json.loads(told or "{}")

    def resources(self) -> list[Deployed]:
        """The deployed resources as Pulumi's state has them, in the order of their creation."""
        # The Automation API's own export asks for secrets in the clear.
        told = json.loads(self._guarded(lambda: self._pulumi("stack", "export")))
        found = (told.get("deployment") or {}).get("resources") or []
        return [_deployed(r) for r in found]

    def stack(self) -> Stack:
        """The Automation API's handle, made on first use."""
        if self._stack is None:
            project = LocalWorkspace(
                work_dir=str(self.workspace.project),
                pulumi_home=str(self.workspace.home),
                env_vars=self.environment(),
                pulumi_command=GuardedCommand(self.engine.cli, self.engine.version),
            )
            mode = StackInitMode.SELECT if self.workspace.is_initialised() else StackInitMode.CREATE
            self._stack = self._guarded(lambda: LeanStack(self.workspace.stack, project, mode))
        return self._stack

    def lose_region(self, region: str) -> None:
        """From now on nothing in `region` answers; see `Emulator.lose_region`."""
        self.emulator.lose_region(region)

    def restore_region(self, region: str) -> None:
        """Undo `lose_region`."""
        self.emulator.restore_region(region)

    def check(self) -> None:
        """Raise UserError if the emulator is gone."""
        self.emulator.check()

    def _pulumi(self, *args: str) -> str:
        stack = self.stack()
        command = stack.workspace.pulumi_command
        where = str(self.workspace.project)
        return command.run([*args, "--stack", self.workspace.stack], where, stack.workspace.env_vars).stdout

    def _run(self, operation: Any, title: str, act: Callable[[Stack, EventReader], object]) -> Outcome:
        reader = EventReader(operation)
        with self.steps.step(title.format(self.workspace.stack)):
            self._guarded(lambda: act(self.stack(), reader), reader)
        self.steps.note(reader.outcome.summary())
        return reader.outcome

    def _guarded(self, call: Callable[[], _T], reader: EventReader | None = None) -> _T:
        try:
            return call()
        except EngineKilledError as e:
            self.is_broken = True
            if e.by_user:
                stack = self.workspace.stack
                raise Interrupted(f"the engine had to be killed, so {stack} is as it was before this command") from e
            self.check()
            raise self._error(str(e), self.workspace.stack) from e
        except CommandError as e:
            self.check()
            if reader is None:
                raise self._error(last_words(str(e)), self.workspace.stack) from e
            trouble = first_trouble(reader.outcome, str(e))
            raise self._error(
                f"{reader.outcome.operation} failed: {trouble.message}", trouble.urn or self.workspace.stack
            ) from e

    def _error(self, what: str, where: str) -> UserError:
        return UserError(what, where, "Remove the cause and run the command again; the stack is as far as it came.")


@contextmanager
def open_local(
    stack: str,
    steps: Steps,
    *,
    root: Path | None = None,
    home: Path | None = None,
    keep: bool = True,
    needed_bytes: int = STACK_BYTES,
    kubeconfig: Path | None = None,
) -> Iterator[LocalCloud]:
    """Hold a stack of the local cloud: its emulator serves while the block runs, and is saved and stopped after it.

    Args:
        stack: such as `dev-aws`.
        keep: save what the block did; False leaves the stack as it was before, as for a drill.
        root: the checkout whose `Pulumi.yaml` and stack configs are used; this one by default.
        home: the folder of all local stacks; `local_dir()` by default.
        needed_bytes: refuse to begin on a disk with less space than this.
        kubeconfig: the administrator's of a control plane that runs meanwhile, for Kubernetes objects. What it holds
            goes with it, so it takes `keep=False`, and a stack that is not on the local cloud.

    Raises:
        UserError: no such stack, refused settings, a disk that is nearly full, another command holds the stack, no
            engine, a dead emulator.
        KeyboardInterrupt: on SIGINT and SIGTERM, after the engine was wound down; the state is saved then too.
    """
    workspace = find_workspace(stack, (root or repo_root()).resolve(), home)
    if kubeconfig is not None and (keep or workspace.exists()):
        raise UserError(
            f"{stack} cannot be kept with objects on a control plane that is gone after this command",
            str(workspace.folder),
            "Name a folder of its own for it, and keep nothing.",
        )
    settings = read_settings(workspace)
    require_space(workspace.folder, needed_bytes)
    with signals_interrupt(), exclusive(workspace.folder, stack):
        workspace.check_format()
        engine = ensure_engine(steps)
        if workspace.begin():
            steps.note(f"the last command on {stack} was killed; its changes were taken back")
        workspace.copy_project()
        workspace.write_plugins()
        emulator = build_emulator(settings.cloud, place_of(settings), workspace.emulator)
        local = LocalCloud(workspace, settings, engine, emulator, steps, kubeconfig)
        try:
            with steps.step(f"Start the local cloud of {stack}"):
                _start(emulator, workspace)
            try:
                yield local
            finally:
                if keep and not local.is_broken:
                    _save(local)
        finally:
            emulator.stop()
            if not keep or local.is_broken:
                workspace.roll_back()
                if local.is_broken:
                    steps.note(f"what the killed engine did to {stack} was taken back")
            if not keep:
                workspace.abandon()


def _start(emulator: Emulator, workspace: Workspace) -> None:
    shutil.rmtree(workspace.emulator, ignore_errors=True)
    workspace.emulator.mkdir(parents=True)
    snapshot = workspace.snapshot()
    kept = snapshot / "emulator" if snapshot else None
    emulator.start(kept if kept and kept.exists() else None)


def _save(local: LocalCloud) -> None:
    local.check()
    fresh = None
    try:
        fresh = local.workspace.new_snapshot()
        local.emulator.save(fresh / "emulator")
        local.workspace.commit(fresh)
    except (OSError, UserError) as error:
        told = as_user_error(error) if isinstance(error, OSError) else error
        if is_full(local.workspace.folder):  # whatever could not be written, and whoever was to write it
            told = as_user_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(local.workspace.folder)))
        if fresh is not None and fresh != local.workspace.snapshot():
            shutil.rmtree(fresh, ignore_errors=True)
        stack = local.workspace.stack
        what = f"what was done to {stack} cannot be saved, so the next command takes it back: {told.what}"
        raise UserError(what, told.where, told.remedy) from error


def _with_retained(inventory: Inventory, retained: Set[str]) -> Inventory:
    """The engine tells a policy pack all of a resource but this; its events tell it."""
    resources = tuple(replace(r, retain_on_delete=r.urn in retained) for r in inventory.resources)
    return replace(inventory, resources=resources)


def _deployed(record: Mapping[str, Any]) -> Deployed:
    return Deployed(
        urn=record["urn"],
        type=record["type"],
        id=record.get("id", ""),
        custom=record.get("custom", False),
        protect=record.get("protect", False),
        retain_on_delete=record.get("retainOnDelete", False),
        inputs=record.get("inputs", {}),
        outputs=record.get("outputs", {}),
    )
