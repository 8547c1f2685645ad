"""The file of gates is refused where it would let through what it seems to hold back."""

from __future__ import annotations

import pytest

from common.errors import UserError
from common.paths import repo_root
from ops.gates.model import Kind
from ops.gates.settings import FILE, parse
from tests.ops.gates.conftest import GATES


def test_the_committed_gates_are_accepted_and_look_for_every_kind() -> None:
    found = parse((repo_root() / FILE).read_text(encoding="utf-8"))
    assert {gate.kind for gate in found.gates.values()} == {*Kind}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("valid_days: 7", "valid_days: 365", "valid_days"),
        ("valid_days: 7", "valid_days: 0", "valid_days"),
        ("valid_days: 7", "valid_dais: 7", "valid_dais"),
        ("looks_for: any-change", "looks_for: nothing", "looks_for"),
        ("approvals: 2", "approvals: 0", "approvals"),
        ("approvals: 2", "approvals: 5", "asks for 5 approvals"),
        ("approvals: 2", "approvals: 2, approvals: 1", "approvals"),
        ("approvals: 2", "approval: 2", "approval"),
        ("over_usd_a_month: 5000, grows_by_percent: 20, ", "", "a gate for cost has at least one"),
        ("over_usd_a_month: 5000", "over_usd_a_month: .inf", "over_usd_a_month"),
        ("over_usd_a_month: 5000", "over_usd_a_month: .nan", "over_usd_a_month"),
        ("over_usd_a_month: 5000", "over_usd_a_month: -1", "over_usd_a_month"),
        ("looks_for: public-reach", "looks_for: public-reach, over_usd_a_month: 1", "no other gate has any"),
        ("environments: [prod]", "environments: [production]", "there is no environment 'production'"),
        ("environments: [prod]", "environments: []", "environments"),
        ("approvers: [platform]}", "approvers: []}", "approvers"),
        ("approvers: [platform]}", "approvers: [plattform]}", "no group and no person"),
        ("because: Production is looked at.", "because: x", "because"),
        ("platform: [ann@example.com, ben@example.com]", "platform: []", "groups.platform"),
        ("looks_for: guards-changed", "looks_for: verdict-worse", "anybody could change the gates"),
        ("looks_for: guards-changed,", "looks_for: guards-changed, environments: [prod],", "anybody could change"),
        ("gates:\n", "gates: {}\nothers:\n", "others"),
        ("groups:\n", "groups: [\n", "cannot be read"),
        ("platform: [ann@example.com, ben@example.com]", "platform: [ann, ben]", "what 'ann' wrote"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_what_is_wrong(old: str, new: str, told: str) -> None:
    assert old in GATES
    with pytest.raises(UserError) as refused:
        parse(GATES.replace(old, new))
    assert told in refused.value.what


@pytest.mark.parametrize("text", ["", "[]", "gates", "gates: {}"])
def test_what_holds_no_gates_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        parse(text)


def test_two_names_of_one_person_are_no_two_people() -> None:
    alone = GATES.replace("platform: [ann@example.com, ben@example.com]", "platform: [ann@example.com]")
    one = alone.replace(
        "approvers: [platform, security], approvals: 2", "approvers: [Ann@example.com, platform], approvals: 2"
    )
    with pytest.raises(UserError, match="names 1 different people"):
        parse(one)
