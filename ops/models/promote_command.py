"""`seawall models promote`, `rollback STACK SERVICE` and `status`: what a service serves, by whom and why."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML

from common.attestation.signers import default_key, local_key, open_signer
from common.attestation.trust import Trust
from common.console import Steps
from common.errors import UserError, when_interrupted
from ops.deployed import TargetName, model_bucket, open_stack
from ops.models import promotions
from ops.models.lineage import check_signer
from ops.models.promoting import SETTINGS_KEY, Done, Subject, promote, rollback
from ops.models.standing import look_at, standing
from ops.models.trusting import trust_of
from ops.options import Quiet, StackArgument, platform_stack
from stacks.settings import Settings, stack_file

TargetOption = Annotated[
    TargetName, typer.Option("--target", help="The real cloud, or the local one that `seawall local up` made.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
ServiceArgument = Annotated[str | None, typer.Argument(metavar="SERVICE", help="The service, as tumour-risk.")]
Why = Annotated[str, typer.Option("--why", help="Why, for whoever reads the record.")]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--signing-key",
        metavar="KEY",
        help="What signs the record: a file, awskms://ARN or gcpkms://VERSION; your own key by default.",
    ),
]


def promote_service(
    stack: StackArgument = None,
    service: ServiceArgument = None,
    version: Annotated[str | None, typer.Argument(metavar="VERSION", help="The release, as 1.0.2.")] = None,
    why: Why = "",
    target: TargetOption = "cloud",
    key: KeyOption = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Have a service serve a published release: verify it, put who and why on record, and pin it in the settings.

    The release is read in full, and must be signed by whom the service's settings trust. `pulumi up` then
    lets it take over as the service's traffic strategy says; with blue-green it goes into the idle colour, which is
    live then.

    Example: seawall models promote dev-aws tumour-risk 1.0.2 --why "fixes the units of two features" --target local
    """
    chosen = platform_stack(stack, None, "seawall models promote")
    if service is None or version is None:
        raise UserError(
            "no service is named" if service is None else "no release is named",
            "seawall models promote",
            'Name both, as in `seawall models promote dev-aws tumour-risk 1.0.2 --why "…"`.',
        )
    subject, trust = subject_of(chosen, service)
    again = f"`seawall models status {chosen} --target {target}` says whether it is on record and pinned"
    with (
        when_interrupted(again),
        open_stack(chosen, target, Steps(quiet=quiet), writes=True) as opened,
    ):
        done = promote(model_bucket(opened), subject, version, why, trust, _signing(key, opened.target))
    tell(done, subject, target, as_json=as_json)


def rollback_service(
    stack: str, service: str, why: str, target: TargetName, key: str | None, *, as_json: bool, quiet: bool
) -> None:
    """Pin again what the service served before its newest promotion."""
    subject, trust = subject_of(stack, service)
    with (
        when_interrupted(
            f"`seawall models status {stack} --target {target}` says whether it is on record and pinned"
        ),
        open_stack(stack, target, Steps(quiet=quiet), writes=True) as opened,
    ):
        done = rollback(model_bucket(opened), subject, why, trust, _signing(key, opened.target))
    tell(done, subject, target, as_json=as_json)


def tell(done: Done, subject: Subject, target: TargetName, *, as_json: bool) -> None:
    """What was changed, and what is left to do."""
    change = done.promotion
    up = f"seawall local up {subject.stack}" if target == "local" else f"pulumi up --stack {subject.stack}"
    if as_json:
        told = change.model_dump() if change else None
        typer.echo(json.dumps({"changed": told, "record": done.key}, indent=1, ensure_ascii=False))
        return
    if change is None:
        typer.echo(f"{subject.service} serves it already; nothing was changed")
        return
    live = f", and {change.live[1]} is live" if change.live else ""
    typer.echo(
        f"{change.service}: {change.before.version} → {change.after.version}{live}; number {change.number} on record"
    )
    typer.echo(f"  {subject.file.name} is changed: commit it, and run `{up}`")
    if subject.colours:
        typer.echo(
            f"  {change.after.variant} answers all requests at once: let its min_replicas be what "
            f"{change.before.variant} runs at, and run `{up}` for that first"
        )


def status(
    stack: StackArgument = None,
    service: ServiceArgument = None,
    target: TargetOption = "cloud",
    kubeconfig: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Ask this cluster what runs, and where a canary is.", exists=True),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say for each service what its settings pin, what runs, where a canary is, and who changed it why.

    Example: seawall models status dev-aws --target local
    """
    chosen = platform_stack(stack, None, "seawall models status")
    names = sorted(Settings.load(stack_file(chosen)).fleet.services) if service is None else [service]
    subjects = [subject_of(chosen, name) for name in names]
    live = look_at(kubeconfig) if kubeconfig else {}
    with open_stack(chosen, target, Steps(quiet=quiet), writes=False) as opened:
        store = model_bucket(opened)
        now = datetime.now(UTC)
        found = [standing(s, promotions.history(store, chosen, s.service, t), live, now) for s, t in subjects]
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], indent=1, ensure_ascii=False))
        return
    for each in found:
        for line in each.lines():
            typer.echo(line)


def subject_of(stack: str, service: str) -> tuple[Subject, Trust | None]:
    """The service as the stack's settings have it, and whose releases it serves.

    Raises:
        UserError: the stack has no such service.
    """
    file = stack_file(stack)
    services = Settings.load(file).fleet.services
    if service not in services:
        raise UserError(
            f"{stack} has no service {service!r}", str(file), f"Name one of: {', '.join(sorted(services)) or 'none'}."
        )

    def check(text: str) -> None:
        Settings.parse(YAML(typ="safe").load(text)["config"][SETTINGS_KEY], str(file))

    subject = Subject(stack, service, services[service], file, check)
    return subject, trust_of(stack, subject.release(subject.live).signers)


def _signing(key: str | None, target: Any) -> Any:
    named = key or (local_key() if target.mode == "emulated" else default_key())
    check_signer(named)
    return open_signer(named, target)
