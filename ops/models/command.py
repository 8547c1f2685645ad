"""`seawall models`: publishes, lists, verifies, validates, rolls back and prunes releases of the model repository."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from common.console import Steps
from common.errors import EXIT_FOUND, UserError, when_interrupted
from common.paths import repo_root
from ops.deployed import TargetName, model_bucket, open_stack
from ops.models import releases
from ops.models.manifest import build_manifest, check_new_version, check_version
from ops.models.promote_command import KeyOption as RecordKey
from ops.models.promote_command import ServiceArgument, Why, promote_service, rollback_service, status
from ops.models.prune_command import prune
from ops.models.publishing import Publisher, publish_signed
from ops.models.trusting import publishers_of, signature_of
from ops.models.validation.command import validate
from ops.options import Quiet, StackArgument, StackOption, platform_stack
from stacks.settings import Settings, stack_file

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Publish, list, verify, roll back and prune releases of the model repository in a stack's bucket.\n\n"
    "Example: seawall models publish dev-aws --version 1.0.1 --target local",
)

TargetOption = Annotated[
    TargetName, typer.Option("--target", help="The real cloud, or the local one that `seawall local up` made.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


KeyOption = Annotated[
    str | None,
    typer.Option(
        "--signing-key",
        metavar="KEY",
        help="What signs: a file, awskms://ARN or gcpkms://VERSION; $SEAWALL_SIGNING_KEY or your own key by default.",
    ),
]


def default_repository() -> Path:
    """The model repository of this checkout."""
    return repo_root() / "serving_image" / "model_repository"


@app.command()
def publish(
    version: Annotated[str, typer.Option("--version", help="The release's name: major.minor.pipeline, e.g. 1.0.1.")],
    stack: StackArgument = None,
    named: StackOption = None,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="The model repository; this checkout's by default.")
    ] = None,
    target: TargetOption = "cloud",
    switch: Annotated[bool, typer.Option("--switch/--no-switch", help="Make it the current release.")] = True,
    replace_unfinished: Annotated[
        bool, typer.Option("--replace-unfinished", help="Discard an unfinished publication of other content.")
    ] = False,
    key: KeyOption = None,
    lineage: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where the model comes from; lineage.json beside the repository by default."
        ),
    ] = None,
    without_lineage: Annotated[
        str | None, typer.Option(metavar="REASON", help="Why there is no lineage; signed, and shown to who verifies.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Upload a model repository as a release that never changes, sign it, then make it current.

    Readers see the whole release or none of it, and it can be run again after an interruption: large files go on
    where they were. A release that nobody signed yet is signed by publishing it again.

    Example: seawall models publish dev-aws --version 1.0.1 --target local
    """
    check_new_version(version)  # before a cloud is started or asked
    chosen, steps = platform_stack(stack, named, "seawall models publish"), Steps(quiet=quiet)
    again = f"seawall models publish {chosen} --version {version} --target {target}"
    with (
        when_interrupted(f"readers see the whole release or none of it; run `{again}` again to go on"),
        open_stack(chosen, target, steps, writes=True) as opened,
        steps.step(f"Publish {version}"),
    ):
        done = publish_signed(
            model_bucket(opened),
            source or default_repository(),
            version,
            opened.target,
            Publisher(key, lineage, without_lineage),
            switch=switch,
            replace_unfinished=replace_unfinished,
        )
    if as_json:
        _print_json({"stack": chosen, **asdict(done)})
        return
    what = "published" if done.is_new else "was published already, with the same content"
    now = "; it is the current release" if done.is_current else ""
    typer.echo(f"{done.version} {what}: {done.files} files, {done.size} bytes{now}")
    typer.echo(f"  {done.uri}\n  manifest sha256 {done.manifest_sha256}")
    _tell_pin(chosen, done.version, done.manifest_sha256)


@app.command()
def digest(
    version: Annotated[str, typer.Option("--version", help="The release's name: major.minor.pipeline, e.g. 1.0.1.")],
    stack: StackArgument = None,
    named: StackOption = None,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="The model repository; this checkout's by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say which digest a model repository has as a release; offline. With a stack, whether its settings pin it.

    Ends with 1 if the stack's settings pin another version or digest.

    Example: seawall models digest --version 1.1.1 --from ./models
    """
    chosen = platform_stack(stack, named, "seawall models digest") if stack or named else None
    manifest = build_manifest(source or default_repository(), version)
    is_pinned = bool(_pinning(chosen, version, manifest.sha256)) if chosen else None
    if as_json:
        found = {"version": version, "manifest_sha256": manifest.sha256, "files": len(manifest.files)}
        _print_json({**found, "size": manifest.size, "stack": chosen, "is_pinned": is_pinned})
    else:
        typer.echo(manifest.sha256)
        if chosen:
            _tell_pin(chosen, version, manifest.sha256)
    if is_pinned is False:
        raise typer.Exit(EXIT_FOUND)


def _tell_pin(stack: str, version: str, manifest_sha256: str) -> None:
    """Whether the stack's settings pin this release; if not, what to write there."""
    pinning = _pinning(stack, version, manifest_sha256)
    if pinning:
        typer.echo(f"  the settings of {stack} pin it: {', '.join(pinning)}")
        return
    pins = Settings.load(stack_file(stack)).releases()
    for path, pin in pins.items():
        typer.echo(f"  {path} of {stack} is {pin.version}, sha256 {pin.manifest_sha256[:12]}…")
    typer.echo(
        f"  To serve this one, run `seawall models promote {stack} SERVICE {version} --why …`, or write into "
        f"{stack_file(stack).name}:\n    release:\n      version: {version}\n      manifest_sha256: {manifest_sha256}"
    )


def _pinning(stack: str, version: str, manifest_sha256: str) -> list[str]:
    """Where the stack's settings pin this release."""
    pins = Settings.load(stack_file(stack)).releases()
    return [path for path, pin in pins.items() if (pin.version, pin.manifest_sha256) == (version, manifest_sha256)]


@app.command()
def signer(key: KeyOption = None, as_json: Json = False) -> None:
    """Say by which fingerprint your signatures are known, for a service's `release.signers`; makes a key if need be.

    Example: seawall models signer
    """
    from common.attestation.signers import default_key, open_signer

    opened = open_signer(key or default_key())
    if as_json:
        _print_json({"fingerprint": opened.name, "public_key": opened.public_key_pem})
    else:
        typer.echo(opened.name)


@app.command("list")
def list_releases(
    stack: StackArgument = None,
    named: StackOption = None,
    target: TargetOption = "cloud",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List the releases in a stack's bucket, unfinished ones included.

    Example: seawall models list dev-aws --target local
    """
    chosen = platform_stack(stack, named, "seawall models list")
    with open_stack(chosen, target, Steps(quiet=quiet), writes=False) as opened:
        found = releases.releases(model_bucket(opened))
    if as_json:
        _print_json({"stack": chosen, "releases": [_as_json(release) for release in found]})
        return
    rows: list[tuple[str, ...]] = [("release", "state", "files", "bytes", "manifest sha256")]
    for release in found:
        state = _state(release)
        manifest = release.manifest
        numbers = (str(len(manifest.files)), str(manifest.size), manifest.sha256[:12]) if manifest else ("", "", "")
        rows.append((release.version, state, *numbers))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows if found else [("no releases",)]:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip())


def _state(release: releases.Release) -> str:
    if release.manifest:
        return "current" if release.is_current else "complete"
    return "pruned" if release.is_pruned else "unfinished"


app.command()(prune)
app.command()(validate)
app.command("promote")(promote_service)
app.command()(status)


@app.command()
def rollback(
    stack: StackArgument = None,
    service: ServiceArgument = None,
    named: StackOption = None,
    why: Why = "",
    key: RecordKey = None,
    to: Annotated[str | None, typer.Option("--to", help="The release; by default the one before.")] = None,
    target: TargetOption = "cloud",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take a service, or the bucket's current release, back to what was before, once that is verified.

    With SERVICE: its settings pin again what they did before its newest promotion, which goes on record with --why;
    `pulumi up` does the rest. With blue-green that is one switch to the colour that was kept.

    Without: one object is written, which says which release is current. A second rollback goes further back. With
    --to, a pointer that was damaged is written anew.

    The fleet serves what its settings pin: this prints what to set there, and `pulumi up` rolls the fleet back.

    Example: seawall models rollback dev-aws --to 1.0.1 --target local
    """
    chosen = platform_stack(stack, named, "seawall models rollback")
    if service is not None:
        if to is not None:
            raise UserError(
                "a service goes back to what is on record, and --to names another release",
                "--to",
                f"Run `seawall models promote {chosen} {service} {to} --why …`.",
            )
        rollback_service(chosen, service, why, target, key, as_json=as_json, quiet=quiet)
        return
    look = f"seawall models list {chosen} --target {target}"
    with (
        when_interrupted(f"the current release is the old one or the new one; `{look}` says which"),
        open_stack(chosen, target, Steps(quiet=quiet), writes=True) as opened,
    ):
        pointer = releases.rollback(model_bucket(opened), to, publishers_of(opened))
    if as_json:
        _print_json({"stack": chosen, **pointer.model_dump()})
    else:
        typer.echo(f"{pointer.version} is the current release")
        _tell_pin(chosen, pointer.version, pointer.manifest_sha256)


@app.command()
def verify(
    version: Annotated[str, typer.Option("--version", help="The release's name: major.minor.pipeline, e.g. 1.0.1.")],
    stack: StackArgument = None,
    named: StackOption = None,
    target: TargetOption = "cloud",
    replica: Annotated[bool, typer.Option("--replica", help="Verify the copy in the backup region instead.")] = False,
    signers: Annotated[
        list[str] | None,
        typer.Option("--signer", metavar="KEY", help="Whom to trust too, by fingerprint or public key file."),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read every object of a release, compare it with the manifest, and check its signature; exit 1 if one is wrong.

    The signers are those of the stack, and those that you name.

    Example: seawall models verify dev-aws --version 1.0.1 --target local
    """
    check_version(version)
    chosen, steps = platform_stack(stack, named, "seawall models verify"), Steps(quiet=quiet)
    with open_stack(chosen, target, steps, writes=False) as opened, steps.step(f"Verify {version}"):
        bucket = model_bucket(opened, replica=replica)
        result = releases.verify(bucket, version)
        signature = signature_of(bucket, version, publishers_of(opened, signers or ()))
    if as_json:
        told = {"stack": chosen, **asdict(result), "is_intact": result.is_intact}
        _print_json({**told, "signature": asdict(signature), "is_signed": signature.is_accepted})
    else:
        typer.echo(f"{result.verified} of {result.expected} files of {version} are intact ({result.size} bytes)")
        for line in signature.lines():
            typer.echo(f"  {line}")
        for kind in ("missing", "extra", "mismatched"):
            for path in getattr(result, kind):
                typer.echo(f"  {kind}: {path}")
    if not (result.is_intact and signature.is_accepted):
        raise typer.Exit(EXIT_FOUND)


def _as_json(release: releases.Release) -> dict[str, Any]:
    manifest = release.manifest
    return {
        "version": release.version,
        "is_current": release.is_current,
        "is_complete": manifest is not None,
        "manifest_sha256": manifest.sha256 if manifest else None,
        "files": len(manifest.files) if manifest else None,
        "size": manifest.size if manifest else None,
    }


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, sort_keys=True))
