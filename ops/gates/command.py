"""`seawall gates` and `seawall approve`: what a change needs approval for, and the approvals."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from common.attestation.signers import default_key, open_signer
from common.console import Steps
from common.errors import EXIT_CLEAN, EXIT_FOUND, UserError
from common.files import check_writable, write_whole
from ops.options import Quiet, StackArgument, StackOption, StacksArgument, StacksOption, named_stacks, one_stack

APPROVALS: Final = Path("approvals")

ApprovalsOption = Annotated[
    Path | None, typer.Option("--approvals", metavar="DIR", help="Where the signed approvals lie.")
]
SignersOption = Annotated[
    Path | None,
    typer.Option(
        "--allowed-signers",
        metavar="FILE",
        help="Whose approvals count, if you vouch for this file; by default `allowed-signers` of the base commit.",
    ),
]
AuthorsOption = Annotated[
    list[str] | None,
    typer.Option("--author", metavar="WHO", help="Who wrote the change, beside those that git names."),
]


def gates(
    stacks: StacksArgument = None,
    stack: StacksOption = None,
    base: Annotated[
        str | None, typer.Option(metavar="REF", help="The commit to compare with, whose gates count.")
    ] = None,
    head: Annotated[
        str | None, typer.Option(metavar="REF", help="The commit to judge; the working tree by default.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge this plan, as `deploy --save-plan` wrote it.")
    ] = None,
    approvals: ApprovalsOption = None,
    allowed_signers: SignersOption = None,
    author: AuthorsOption = None,
    save_plan: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the plan of one stack, for `seawall approve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    quiet: Quiet = False,
) -> None:
    """Say what a change needs approval for, by whom, and which approvals it has.

    What `stacks/gates.yaml` says at the base commit counts: state at risk, cost, public reach, waivers, verdicts that
    got worse, steps without a way back, production, and changes of what judges. Without --plan both sides are planned
    offline.

    Exit codes: 0 no approval is lacking, 1 some are, 2 it could not be judged.

    Example: seawall gates prod-aws --base origin/main
    """
    from ops.gates.guards import gates_at  # with these come the SDKs
    from ops.gates.judging import Evidence, judge, lines

    named = named_stacks(stacks, stack, "seawall gates")
    evidence = Evidence(approvals, allowed_signers, tuple(author or ()))
    steps = Steps(quiet=quiet)
    if save_plan is not None:
        check_writable(save_plan)
    if plan is not None:
        from ops.diff.worktree import resolve
        from ops.gates.decide import required
        from ops.gates.offline import Asked
        from ops.gates.plan import read_plan

        read = read_plan(plan)
        if named and named != (read.stack,):
            raise UserError(f"the plan is about {read.stack}", str(plan), f"Name {read.stack}, or another plan.")
        start = resolve(base or read.base)
        found, where = gates_at(start, head)
        asked = (Asked(read, required(read.stack, read.items, found)),)
    elif base is not None:
        from ops.diff.worktree import resolve
        from ops.gates.offline import asked_offline

        asked, found, where = asked_offline(named, base, head, steps)
        start = resolve(base)
    else:
        raise UserError("nothing is named to judge", "seawall gates", "Name a commit with --base, or a --plan.")
    if save_plan is not None:
        if len(asked) != 1:
            raise UserError("a plan is of one stack", "--save-plan", "Name one stack.")
        write_whole(save_plan, json.dumps(asked[0].plan.to_json(), indent=1, ensure_ascii=False) + "\n")
    judged = [(each.plan, judge(each.plan, each.requirements, found, evidence, start, head)) for each in asked]
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "gates": where,
                    "passed": all(verdict.passed for _, verdict in judged),
                    "stacks": [
                        {
                            "stack": each.stack,
                            "fingerprint": each.fingerprint,
                            "passed": verdict.passed,
                            "needs": [
                                {
                                    **standing.requirement.to_json(),
                                    "approved_by": list(standing.people),
                                    "refused": list(standing.refused),
                                }
                                for standing in verdict.standings
                            ],
                            "refused": list(verdict.refused),
                        }
                        for each, verdict in judged
                    ],
                },
                ensure_ascii=False,
            )
        )
    else:
        for each, verdict in judged:
            typer.echo("\n".join(lines(each, verdict, where)))
    raise typer.Exit(EXIT_CLEAN if all(verdict.passed for _, verdict in judged) else EXIT_FOUND)


def approve(
    stack: StackArgument = None,
    named: StackOption = None,
    plan: Annotated[Path | None, typer.Option(metavar="FILE", help="The plan that you have read.")] = None,
    gate: Annotated[str | None, typer.Option(metavar="NAME", help="The gate at which you approve it.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why this is acceptable.")] = None,
    base: Annotated[
        str | None, typer.Option(metavar="REF", help="The commit whose gates count; the plan's by default.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to write the approval.")] = APPROVALS,
    signing_key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="What signs: a file, awskms://…, gcpkms://… or sigstore://…"),
    ] = None,
    allowed_signers: SignersOption = None,
) -> None:
    """Sign that you accept what one gate asks about a plan.

    The approval accepts these risks of this plan alone, for as many days as the gates say. A plan with another risk
    needs another approval; one with fewer does not. Nobody approves what they wrote.

    Example: seawall approve prod-aws --plan plan.json --gate state --reason "The bucket is empty since May"
    """
    from ops.diff.worktree import resolve
    from ops.gates.approval import give, signed
    from ops.gates.decide import required
    from ops.gates.guards import gates_at
    from ops.gates.plan import read_plan
    from ops.gates.settings import person
    from ops.gates.trusting import trust_at

    chosen = one_stack(stack, named, "seawall approve")
    for value, option in ((plan, "--plan"), (gate, "--gate"), (reason, "--reason")):
        if value is None:
            raise UserError(f"{option} is missing", "seawall approve", f"Add {option}; --help has an example.")
    assert plan is not None and reason is not None  # noqa: S101 - narrows the types
    read = read_plan(plan)
    if read.stack != chosen:
        raise UserError(
            f"the plan is about {read.stack}, not about {chosen}", str(plan), "Name the plan's own stack."
        )
    start = resolve(base or read.base)
    found, where = gates_at(start, None)
    asked = {each.gate: each for each in required(chosen, read.items, found)}
    if gate not in asked:
        others = f"It needs approval at: {', '.join(asked)}." if asked else "It needs no approval."
        raise UserError(f"the gate {gate!r} asks nothing about this plan", where, others)
    signing = open_signer(signing_key or default_key())
    trust = trust_at(start, None, allowed_signers)
    signer = next((s for s in trust.signers if s.signs_with == signing.name), None) if trust else None
    if signer is not None and person(signer.who) not in asked[gate].approvers:
        raise UserError(
            f"{signer.who} may not approve at the gate {gate}",
            where,
            f"Ask one of {', '.join(asked[gate].approvers)}.",
        )
    approval = give(read, asked[gate], reason, found.valid_days, datetime.now(UTC))
    out.mkdir(parents=True, exist_ok=True)
    name = f"{chosen}-{gate}-{read.fingerprint[7:19]}-{signing.name[-8:]}.json".replace("/", "_").replace(")", "")
    path = out / name
    check_writable(path)
    write_whole(path, json.dumps(signed(approval, signing), indent=1) + "\n")
    typer.echo(f"{path}: accepts at the gate {gate} of {chosen}, until {approval.until:%Y-%m-%d %H:%M} UTC:")
    for item in approval.accepts:
        typer.echo(f"  {item}")
    if signer is None:
        typer.echo(f"  Signed with {signing.name}, which counts once `allowed-signers` names it.", err=True)
