"""Whose releases a stack serves, and what their signature says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.attestation.keys import fingerprint_of
from common.attestation.problems import RefusedError, UnreadableError
from common.attestation.trust import Trust, TrustedSigner
from ops.deployed import DeployedStack
from ops.models.lineage import provenance
from ops.models.releases import read_manifest
from ops.objects.store import ObjectStore


@dataclass(frozen=True)
class Signature:
    """What a release's signature says."""

    signed_with: str | None
    """The trusted signer's fingerprint."""
    problem: str | None
    """Why it is not accepted."""
    states: Mapping[str, Any] | None
    """What the signer states of the release."""
    is_asked_for: bool = True

    @property
    def is_accepted(self) -> bool:
        """Whether a fleet would serve the release."""
        return self.problem is None

    def lines(self) -> Iterator[str]:
        """For people."""
        if not self.is_asked_for:
            yield "the stack does not ask for a signature (opt_outs.unsigned_releases)"
        if self.problem:
            yield f"signature: {self.problem}"
        if self.states is None:
            return
        changed = " with uncommitted changes" if self.states.get("uncommitted_changes") else ""
        commit = self.states.get("commit") or "unknown"
        yield f"signed by {self.signed_with}, published from commit {commit}{changed}"
        lineage = self.states.get("lineage")
        if not isinstance(lineage, Mapping):
            yield f"no lineage: {self.states.get('without_lineage')}"
            return
        metrics = ", ".join(f"{name} {value:g}" for name, value in lineage["metrics"].items())
        trainer, data = lineage["trainer"], lineage["data"]
        yield f"made by {trainer['program']} (sha256 {trainer['sha256'][:12]}…); {metrics}"
        yield f"trained on {data['name']}, {data['rows']} rows, sha256 {data['sha256'][:12]}…"


def publishers_of(stack: DeployedStack, more: Sequence[str] = ()) -> Trust | None:
    """Whose signature the stack's fleet asks for, and others that are named; None if it asks for none.

    Args:
        more: fingerprints, or files with a public key.

    Raises:
        UserError: one of these is neither.
    """
    asked = trust_of(stack.name, stack.outputs.fleet.signers)
    named = tuple(TrustedSigner(signer, fingerprint_of(signer), "--signer") for signer in more)
    return Trust((*(asked.signers if asked else ()), *named)) if asked or named else None


def trust_of(stack: str, signers: Sequence[str]) -> Trust | None:
    """Trust in the fingerprints that a stack's fleet asks for; None if it asks for none."""
    return Trust(tuple(TrustedSigner(s, s, f"settings of {stack}") for s in signers)) if signers else None


def signature_of(store: ObjectStore, version: str, trust: Trust | None) -> Signature:
    """The signature of a complete release; None for `trust` asks for none.

    Raises:
        UserError: the bucket cannot be used, or the manifest cannot be read.
    """
    manifest = read_manifest(store, version)
    if trust is None or manifest is None:
        return Signature(None, None, None, is_asked_for=False)
    try:
        found = provenance(store, manifest, trust)
    except (RefusedError, UnreadableError) as error:
        return Signature(None, error.what, None)
    return Signature(found.signed_with, None, found.predicate)
