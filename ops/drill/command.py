"""`seawall drill`: prove that the backups bring the service back, down to a correct prediction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from common.console import Steps
from common.errors import EXIT_CLEAN, EXIT_FOUND, UserError, when_interrupted
from ops.drill.requirements import REQUIREMENTS
from ops.options import Quiet, StackArgument, StackOption, platform_stack


class DrillTarget(StrEnum):
    """Where a drill may run."""

    LOCAL = "local"
    """On a copy of the local cloud's stack, which stays as it is."""
    CLOUD = "cloud"
    """In the account, beside the stack: the newest copies are restored to a drill's own resources, and removed."""


def drill(
    stack: StackArgument = None,
    named: StackOption = None,
    target: Annotated[DrillTarget, typer.Option(help="Where to drill.")] = DrillTarget.LOCAL,
    scenario: Annotated[
        str | None,
        typer.Option(metavar="SCENARIO", help=f"What is lost: {', '.join(REQUIREMENTS)}; region-lost by default."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the evidence as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where evidence goes; out/ by default.")] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--signing-key",
            metavar="KEY",
            help="What signs the evidence: a file, awskms://ARN, gcpkms://VERSION or sigstore://IDENTITY?issuer=URL; "
            "$SEAWALL_SIGNING_KEY, or your own key, by default.",
        ),
    ] = None,
    check: Annotated[
        Path | None, typer.Option("--verify", metavar="FILE.json", help="Judge evidence instead of drilling.")
    ] = None,
    signer: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="With --verify: whom to trust, by fingerprint or public key file."),
    ] = None,
    allowed_signers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --verify: a file of those who are trusted.")
    ] = None,
    left: Annotated[
        bool, typer.Option("--clean-up", help="With --target cloud: remove what killed drills left, and end.")
    ] = False,
    kept: Annotated[
        Path | None,
        typer.Option(
            "--history", metavar="FOLDER", help="Show the trend of kept evidence; exit 1 if no proof is fresh."
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Lose the primary region, or what `--scenario` names; restore, and compare golden predictions.

    The stack must be up on the local cloud with a published model; the drill works on a copy, so the stack stays
    as it was. Evidence is written as signed JSON and as Markdown. Exit 1 if the restore is not proven.

    With --target cloud nothing is lost: the newest copies are restored to resources of the drill's own in the backup
    region, served from, measured and removed, as the identity that the stack makes for drills.

    With --verify, evidence is judged: its signer must be one that you trust, and its verdict must follow from its own
    checks. Exit 0 if it proves the restore, 1 if it does not or was changed, 2 if it cannot be read.

    Example: seawall drill dev-aws --scenario key-lost
    """
    if check is not None:
        about = platform_stack(stack, named, "seawall drill") if stack or named else None
        raise typer.Exit(_verify(check, signer or (), allowed_signers, about, as_json))
    if (signer or allowed_signers) and kept is None:
        told = "--signer and --allowed-signers say whom to trust when evidence is judged"
        raise UserError(
            told, "seawall drill", "Add --verify FILE.json or --history FOLDER, or sign with --signing-key."
        )
    chosen = platform_stack(stack, named, "seawall drill")
    if kept is not None:
        raise typer.Exit(_history(chosen, kept, target, (signer or (), allowed_signers), as_json))
    if left and target is not DrillTarget.CLOUD:
        told = "on the local cloud a drill works on a copy, of which nothing is left"
        raise UserError(told, "--clean-up", "Add --target cloud, or leave it out.")
    scenario = scenario or ("restore-test" if target is DrillTarget.CLOUD else "region-lost")
    if scenario not in REQUIREMENTS:
        remedy = f"Name one of {', '.join(REQUIREMENTS)}."
        raise UserError("there is no such scenario", f"--scenario {scenario}", remedy)
    if target is DrillTarget.CLOUD and scenario != "restore-test":
        raise UserError(
            f"{scenario} destroys what it restores, so it does not run in an account",
            "--target cloud",
            f"Leave --scenario out, or run `seawall drill {chosen} --scenario {scenario}` on the local cloud.",
        )
    from common.paths import out_dir

    steps, folder = Steps(quiet=quiet), out or out_dir()
    with when_interrupted(f"{chosen} is as it was, and no evidence was written"):
        if left:
            from ops.drill.account import clean_up_stack

            for removed in clean_up_stack(chosen, steps) or ["nothing is left"]:
                typer.echo(removed)
            raise typer.Exit(EXIT_CLEAN)
        if target is DrillTarget.CLOUD:
            from ops.drill.account import drill_stack

            document, paths = drill_stack(chosen, folder, steps, key)
        else:
            from ops.drill.local import drill_local  # with it comes Pulumi's whole SDK
            from ops.drill.scenarios import SCENARIOS

            document, paths = drill_local(chosen, folder, steps, SCENARIOS.get(scenario), key=key)
    if as_json:
        typer.echo(json.dumps(document, indent=1))
    else:
        _show(document, paths)
    raise typer.Exit(EXIT_CLEAN if document["verdict"] == "proven" else EXIT_FOUND)


def _history(
    stack: str, folder: Path, target: DrillTarget, trusted: tuple[Sequence[str], Path | None], as_json: bool
) -> int:
    """Show the trend; the exit code."""
    from common.attestation.trust import default_files, trust_from
    from ops.drill.history import Promised, history, table
    from stacks.files import stack_file
    from stacks.settings import Settings

    backup = Settings.load(stack_file(stack)).backup
    promised = Promised(60.0 * backup.rpo_minutes, 60.0 * backup.rto_minutes)
    # What an emulator proves is a proof of the program, and never of the account.
    modes = ("real",) if target is DrillTarget.CLOUD else ("real", "emulated")
    trust = trust_from(*trusted, default_files())
    found = history(stack, folder, trust, backup.proof_max_age_days, modes, promised=promised)
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=1))
    else:
        for line in (*table(found.entries), found.told):
            typer.echo(line)
    return EXIT_CLEAN if found.is_fresh else EXIT_FOUND


def _verify(path: Path, signers: Sequence[str], allowed: Path | None, stack: str | None, as_json: bool) -> int:
    """Judge evidence; the exit code."""
    from common.attestation.problems import RefusedError
    from common.attestation.trust import default_files, trust_from
    from ops.drill.verifying import verify_file

    trust = trust_from(signers, allowed, default_files())
    try:
        found = verify_file(path, trust, stack)
    except RefusedError as error:
        if as_json:
            typer.echo(json.dumps({"file": str(path), "verdict": "refused", "problems": [error.what]}, indent=1))
        else:
            typer.echo(f"{path}: refused: {error.what}\n  remedy: {error.remedy}")
        return EXIT_FOUND
    told, verdict = found.predicate, "proven" if found.proven else "not proven"
    if as_json:
        names = ("stack", "drill_id", "scenario", "mode", "t_failure", "artefacts", "program")
        facts = {name: told.get(name) for name in names}
        signed = {"file": str(path), "verdict": verdict, "signer": found.who, "signed_with": found.signed_with}
        typer.echo(json.dumps({**signed, **facts, "problems": list(found.problems)}, indent=1))
    else:
        typer.echo(f"{path}: {verdict}: {told.get('title')}, {told.get('stack')}, mode {told.get('mode')}")
        typer.echo(f"  unchanged since it was signed by {found.who}, {found.signed_with}")
        for line in (*_made_by(told), *(f"finding: {problem}" for problem in found.problems)):
            typer.echo(f"  {line}")
    return EXIT_CLEAN if found.proven else EXIT_FOUND


def _made_by(predicate: Mapping[str, Any]) -> list[str]:
    """What the drilled stack was made by, for people."""
    program = predicate.get("program")
    if not isinstance(program, Mapping):
        return []
    differs = program.get("differs") or []
    commit = f"commit {program.get('commit') or 'unknown'}"
    changed = " with uncommitted changes" if program.get("uncommitted_changes") else ""
    state = f"differs from it in {len(differs)} places, first {differs[0]}" if differs else "is what it makes"
    return [f"program: {commit}{changed}; the deployed stack {state}"]


def _show(document: dict[str, Any], paths: tuple[Path, Path]) -> None:
    from ops.drill.reading import objectives

    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{document['stack']}: restore {document['verdict']} (mode: {document['mode']})", markup=False)
    for each in objectives(document):
        told = f"{each.name} {each.measured_s:.1f} s of {each.allowed_s:.0f} s allowed"
        console.print(f"  {told}", markup=False)
    for finding in document["findings"]:
        console.print(f"  finding: {finding}", markup=False)
    for path in paths:
        console.print(f"  evidence: {path}", markup=False)
