"""An approval counts for what was accepted, by who may, once; a new risk voids it, and a fix does not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.attestation.envelope import sealed
from common.attestation.problems import RefusedError, UnreadableError
from common.attestation.signers import Signing
from common.attestation.statement import Statement, Subject
from common.attestation.trust import Trust
from common.errors import UserError
from ops.diff.model import PropertyChange, ResourceChange
from ops.gates.approval import PREDICATE_TYPE, Given, give, read_approval, read_approvals, standing
from ops.gates.plan import Plan
from ops.gates.reading import Change
from ops.gates.settings import Gates
from tests.ops.gates.conftest import NOW, costs, diff, lost, needs, plan_of, resource, shortened, worse

Read = Callable[[Sequence[Path]], list[Given]]
Approve = Callable[..., Path]
TWO = plan_of(Change(diff("prod-aws", lost("prod-aws", "models"), lost("prod-aws", "logs"))))


def stands(
    plan: Plan, gate: str, given: Sequence[Given], gates: Gates, authors: Sequence[str] = (), days: float = 0
) -> tuple[bool, str]:
    """Whether a gate is passed, and why approvals were refused."""
    found = standing(needs(plan, gates)[gate], plan, given, gates, authors, NOW + timedelta(days=days))
    return found.passed, " ".join(found.refused)


def edited(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The approval with another payload and the old signature."""
    envelope = json.loads(path.read_text())
    payload = json.loads(base64.b64decode(envelope["payload"]))
    change(payload)
    envelope["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    path.write_text(json.dumps(envelope))
    return path


class TestWhatItAccepts:
    """The risks of one plan, each by itself."""

    def test_an_approval_of_the_plan_passes_the_gate(self, approve: Approve, read: Read, gates: Gates) -> None:
        assert stands(TWO, "prod", read([approve("ann", TWO, "prod")]), gates) == (True, "")

    def test_a_fix_voids_nothing(self, approve: Approve, read: Read, gates: Gates) -> None:
        fixed = plan_of(Change(diff("prod-aws", lost("prod-aws", "models"))))
        assert fixed.fingerprint != TWO.fingerprint
        given = read([approve("ann", TWO, "state"), approve("sue", TWO, "state"), approve("ann", TWO, "prod")])
        assert stands(fixed, "state", given, gates)[0]
        assert stands(fixed, "prod", given, gates)[0]

    def test_a_part_of_a_change_that_is_fixed_voids_nothing(self, approve: Approve, read: Read, gates: Gates) -> None:
        both = plan_of(Change(diff("dev-aws", shortened("dev-aws", ("days", 365, 30), ("versions", 9, 1)))))
        one = plan_of(Change(diff("dev-aws", shortened("dev-aws", ("days", 365, 30)))))
        given = read([approve("ann", both, "state"), approve("sue", both, "state")])
        assert stands(one, "state", given, gates)[0]

    @pytest.mark.parametrize(
        "worse_plan",
        [
            plan_of(Change(diff("prod-aws", lost("prod-aws", "models"), lost("prod-aws", "features")))),
            plan_of(
                Change(diff("prod-aws", *(lost("prod-aws", name) for name in ("models", "logs", "features")))),
            ),
            plan_of(
                Change(
                    diff(
                        "prod-aws",
                        lost("prod-aws", "models"),
                        replace(lost("prod-aws", "logs"), action="replaced", order="deleted first"),
                    )
                )
            ),
        ],
    )
    def test_a_new_risk_voids_it(self, worse_plan: Plan, approve: Approve, read: Read, gates: Gates) -> None:
        given = read([approve("ann", TWO, "state"), approve("sue", TWO, "state")])
        passed, why = stands(worse_plan, "state", given, gates)
        assert not passed and "does not accept" in why

    def test_another_value_of_the_same_input_is_another_risk(
        self, approve: Approve, read: Read, gates: Gates
    ) -> None:
        month, day = (plan_of(Change(diff("dev-aws", shortened("dev-aws", ("days", 365, days))))) for days in (30, 1))
        given = read([approve("ann", month, "state"), approve("sue", month, "state")])
        assert not stands(day, "state", given, gates)[0]

    def test_any_other_change_in_production_needs_another_look(
        self, approve: Approve, read: Read, gates: Gates
    ) -> None:
        def tagged(value: str) -> Plan:
            change = PropertyChange("tags.owner", "a", value)
            return plan_of(Change(diff("prod-aws", ResourceChange("changed", resource("prod-aws", "x"), (change,)))))

        given = read([approve("ann", tagged("b"), "prod")])
        assert stands(tagged("b"), "prod", given, gates)[0]
        assert not stands(tagged("c"), "prod", given, gates)[0]

    def test_another_secret_in_production_needs_another_look(
        self, approve: Approve, read: Read, gates: Gates
    ) -> None:
        first, second = (
            plan_of(Change(diff("prod-aws", lost("prod-aws", "x")), secrets={"urn:x": f"scrypt:{n}"})) for n in "12"
        )
        assert not stands(second, "prod", read([approve("ann", first, "prod")]), gates)[0]

    def test_a_lower_cost_is_accepted_with_the_higher_and_a_higher_one_is_not(
        self, approve: Approve, read: Read, gates: Gates
    ) -> None:
        def costing(sum_usd: float) -> Plan:
            return plan_of(Change(diff("dev-aws", lost("dev-aws", "x"), cost=costs(1000, sum_usd))))

        given = read([approve("ann", costing(9000), "cost")])
        assert stands(costing(8000), "cost", given, gates)[0]
        assert not stands(costing(9001), "cost", given, gates)[0]

    def test_a_second_problem_of_a_rule_does_not_hide_behind_the_first(
        self, approve: Approve, read: Read, gates: Gates
    ) -> None:
        one, two = (
            plan_of(Change(diff("dev-aws", verdicts=(worse(problems=problems),))))
            for problems in (("acl: public",), ("acl: public", "policy: *"))
        )
        assert not stands(two, "verdict", read([approve("sue", one, "verdict")]), gates)[0]


class TestWhoAndWhen:
    """Who may, for how long, and for what alone."""

    def test_two_people_are_two_and_two_keys_of_one_are_not(self, approve: Approve, read: Read, gates: Gates) -> None:
        twice = read([approve("ann", TWO, "state"), approve("ann-laptop", TWO, "state")])
        assert not stands(TWO, "state", twice, gates)[0]
        assert stands(TWO, "state", [*twice, *read([approve("ben", TWO, "state")])], gates)[0]

    def test_one_approval_twice_is_one(self, approve: Approve, read: Read, gates: Gates) -> None:
        one = read([approve("ann", TWO, "state")])
        assert not stands(TWO, "state", [*one, *one], gates)[0]

    def test_who_may_not_approve_at_a_gate_does_not_count(self, approve: Approve, read: Read, gates: Gates) -> None:
        passed, why = stands(TWO, "prod", read([approve("sue", TWO, "prod")]), gates)
        assert not passed and "none of those who may approve here" in why

    @pytest.mark.parametrize("author", ["ann@example.com", "ANN@Example.com", "ann@users.example.com"])
    def test_nobody_approves_their_own_change(self, author: str, approve: Approve, read: Read, gates: Gates) -> None:
        passed, why = stands(TWO, "prod", read([approve("ann", TWO, "prod")]), gates, [author])
        assert not passed and "nobody approves their own" in why

    def test_an_approval_expires_and_its_signer_cannot_prolong_it(
        self, approve: Approve, read: Read, gates: Gates
    ) -> None:
        long = read([approve("ann", TWO, "prod", days=365)])
        assert stands(TWO, "prod", long, gates, days=6.9)[0]
        assert "expired" in stands(TWO, "prod", long, gates, days=7)[1]
        assert "expired" in stands(TWO, "prod", read([approve("ann", TWO, "prod", days=1)]), gates, days=2)[1]

    def test_an_approval_from_the_future_does_not_count(self, approve: Approve, read: Read, gates: Gates) -> None:
        later = read([approve("ann", TWO, "prod", now=NOW + timedelta(days=3))])
        assert "future" in stands(TWO, "prod", later, gates)[1]

    def test_staging_s_approval_is_none_of_production(self, approve: Approve, read: Read, gates: Gates) -> None:
        staging = plan_of(Change(diff("staging-aws", lost("staging-aws", "models"))))
        given = read([approve("ann", staging, "state"), approve("sue", staging, "state")])
        assert "about staging-aws" in stands(TWO, "state", given, gates)[1]
        renamed = read([approve(who, staging, "state", stack="prod-aws") for who in ("ann", "sue")])
        assert "does not accept" in stands(TWO, "state", renamed, gates)[1]

    def test_one_gate_s_approval_is_none_of_another(self, approve: Approve, read: Read, gates: Gates) -> None:
        assert not stands(TWO, "prod", read([approve("ann", TWO, "no-way-back")]), gates)[0]

    def test_an_approval_is_used_up_by_the_next_update(self, approve: Approve, read: Read, gates: Gates) -> None:
        again = replace(TWO, after_update="update 2")
        assert "used up" in stands(again, "prod", read([approve("ann", TWO, "prod")]), gates)[1]

    def test_an_approval_of_an_offline_plan_deploys_nothing(self, approve: Approve, read: Read, gates: Gates) -> None:
        offline = replace(TWO, source="offline", after_update="")
        assert not stands(TWO, "prod", read([approve("ann", offline, "prod")]), gates)[0]

    def test_a_reason_says_something(self, gates: Gates) -> None:
        with pytest.raises(UserError, match="says too little"):
            give(TWO, needs(TWO, gates)["prod"], " ok \n", 7, NOW)


class TestForgeries:
    """Files that nobody who is trusted signed as they are."""

    def test_an_unknown_signer_is_refused(self, approve: Approve, trust: Trust) -> None:
        with pytest.raises(RefusedError, match="nobody here trusts"):
            read_approval(approve("mallory", TWO, "prod"), trust)

    def test_a_signer_that_was_removed_is_refused(self, approve: Approve, trust: Trust) -> None:
        path = approve("ann", TWO, "prod")
        left = Trust(tuple(signer for signer in trust.signers if "ann" not in signer.who))
        with pytest.raises(RefusedError):
            read_approval(path, left)
        with pytest.raises(RefusedError):
            read_approval(path, None)

    @pytest.mark.parametrize(
        "change",
        [
            lambda d: d["predicate"].update(stack="prod-gcp"),
            lambda d: d["predicate"].update(gate="state"),
            lambda d: d["predicate"].update(until="2099-01-01T00:00:00+00:00"),
            lambda d: d["predicate"]["accepts"].append({}),
            lambda d: d["subject"][0]["digest"].update(sha256="0" * 64),
        ],
    )
    def test_an_edited_approval_is_refused(
        self, change: Callable[[dict[str, Any]], object], approve: Approve, trust: Trust
    ) -> None:
        with pytest.raises(RefusedError, match="one of them was changed"):
            read_approval(edited(approve("ann", TWO, "prod"), change), trust)

    def test_an_approval_that_names_another_plan_than_its_subject_is_refused(
        self, tmp_path: Path, people: dict[str, Signing], gates: Gates, trust: Trust
    ) -> None:
        other = Subject("plan of prod-aws", {"sha256": "0" * 64})
        path = self.stated(tmp_path, people["ann"], gates, other, PREDICATE_TYPE)
        with pytest.raises(RefusedError, match="another plan"):
            read_approval(path, trust)

    @staticmethod
    def stated(folder: Path, signing: Signing, gates: Gates, subject: Subject, kind: str) -> Path:
        """A statement with an approval's content, about another subject or of another kind."""
        content = give(TWO, needs(TWO, gates)["prod"], "It was looked at", 7, NOW).to_json()
        path = folder / "stated.json"
        path.write_text(json.dumps(sealed(Statement((subject,), kind, content), signing)))
        return path

    @pytest.mark.parametrize("cut", [1, 40, 400])
    def test_a_file_that_is_cut_off_is_refused(self, cut: int, approve: Approve, trust: Trust) -> None:
        path = approve("ann", TWO, "prod")
        path.write_text(path.read_text()[:-cut])
        with pytest.raises((RefusedError, UnreadableError)):
            read_approval(path, trust)

    def test_a_member_that_stands_twice_is_refused(self, approve: Approve, trust: Trust) -> None:
        path = approve("ann", TWO, "prod")
        path.write_text(path.read_text().replace('"payload":', '"payload": "e30=", "payload":', 1))
        with pytest.raises(RefusedError, match="stands there twice"):
            read_approval(path, trust)

    def test_a_second_signature_is_refused(self, approve: Approve, trust: Trust) -> None:
        path = approve("ann", TWO, "prod")
        envelope = json.loads(path.read_text())
        path.write_text(json.dumps({**envelope, "signatures": envelope["signatures"] * 2}))
        with pytest.raises(RefusedError):
            read_approval(path, trust)

    def test_evidence_of_another_kind_is_no_approval(
        self, tmp_path: Path, people: dict[str, Signing], gates: Gates, trust: Trust
    ) -> None:
        subject = Subject("plan of prod-aws", {"sha256": TWO.fingerprint.removeprefix("sha256:")})
        path = self.stated(tmp_path, people["ann"], gates, subject, "https://seawall.dev/restore-drill/v4")
        with pytest.raises(RefusedError):
            read_approval(path, trust)

    def test_a_folder_tells_each_file_that_counts_for_nothing(
        self, tmp_path: Path, approve: Approve, trust: Trust
    ) -> None:
        folder = tmp_path / "approvals"
        folder.mkdir()
        approve("ann", TWO, "prod").rename(folder / "good.json")
        approve("mallory", TWO, "prod").rename(folder / "forged.json")
        (folder / "text.json").write_text("no JSON")
        (folder / "link.json").symlink_to(folder / "good.json")
        given, refused = read_approvals(folder, trust)
        assert [each.who for each in given] == ["ann@example.com"]
        assert sorted(line.partition(":")[0] for line in refused) == ["forged.json", "link.json", "text.json"]
