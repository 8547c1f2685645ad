"""No change weakens what judges it: gates, signers and waivers count as its base has them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.errors import UserError
from common.paths import repo_root
from ops.gates.facts import waivers_changed
from ops.gates.guards import GUARDED, authors, gates_at, guards_changed
from ops.gates.judging import Evidence, judge
from ops.gates.reading import Change
from ops.gates.settings import Gates
from ops.gates.trusting import trust_at
from tests.ops.gates.conftest import GATES, Checkout, costs, diff, lost, needs, plan_of

WAIVERS = """
waivers:
  - rule: aws-s3-lifecycle
    stack: prod-aws
    urn: urn:pulumi:prod-aws::seawall::aws:s3/bucket:Bucket::logs
    reason: kept by another system
    owner: ann
    expires: {until}
"""


def test_a_threshold_that_is_raised_with_an_expensive_change_holds_nothing_back_and_is_asked_about(
    checkout: Checkout,
) -> None:
    base = checkout.git("rev-parse", "HEAD")
    checkout.write(
        "stacks/gates.yaml", GATES.replace("over_usd_a_month: 5000, grows_by_percent: 20", "over_usd_a_month: 9e9")
    )
    head = checkout.commit()
    gates, where = gates_at(base, head, checkout.root)
    change = diff("dev-aws", lost("dev-aws", "x"), cost=costs(1000, 90000))
    asked = needs(plan_of(Change(change, guards=guards_changed(base, head, checkout.root))), gates)
    assert {"cost", "guards"} <= set(asked) and base[:12] in where
    assert [item.subject for item in asked["guards"].items] == ["stacks/gates.yaml"]


@pytest.mark.parametrize("committed", [True, False])
def test_gates_that_are_deleted_still_judge(checkout: Checkout, committed: bool) -> None:
    base = checkout.git("rev-parse", "HEAD")
    checkout.write("stacks/gates.yaml", None)
    head = checkout.commit() if committed else None
    gates, _ = gates_at(base, head, checkout.root)
    assert "cost" in gates.gates
    (gone,) = guards_changed(base, head, checkout.root)
    assert gone.subject == "stacks/gates.yaml" and ("after", "absent") in gone.facts


def test_where_there_are_no_gates_nothing_passes(checkout: Checkout) -> None:
    checkout.write("stacks/gates.yaml", None)
    base = checkout.commit()
    with pytest.raises(UserError, match="there are no gates"):
        gates_at(base, None, checkout.root)


def test_the_first_gates_judge_the_change_that_brings_them(checkout: Checkout) -> None:
    checkout.write("stacks/gates.yaml", None)
    base = checkout.commit()
    checkout.write("stacks/gates.yaml", GATES)
    assert "cost" in gates_at(base, None, checkout.root)[0].gates
    assert [item.subject for item in guards_changed(base, None, checkout.root)] == ["stacks/gates.yaml"]


@pytest.mark.parametrize(
    "path",
    [
        "policies/rules/buckets.py",
        ".github/workflows/deploy.yml",
        "allowed-signers",
        "ops/gates/decide.py",
        "ops/deploying/deciding.py",
        "ops/diff/hazards.py",
        "common/attestation/trust.py",
        "common/sdk/replacement_aws.py",
        "requirements.lock",
        "Pulumi.yaml",
    ],
)
@pytest.mark.parametrize("committed", [True, False])
def test_what_judges_is_guarded(checkout: Checkout, path: str, committed: bool) -> None:
    base = checkout.git("rev-parse", "HEAD")
    checkout.write(path, "# other\n")
    head = checkout.commit() if committed else None
    assert [item.subject for item in guards_changed(base, head, checkout.root)] == [path]


def test_a_script_that_becomes_executable_is_a_change(checkout: Checkout) -> None:
    base = checkout.git("rev-parse", "HEAD")
    (checkout.root / "stacks/gates.yaml").chmod(0o755)
    assert guards_changed(base, None, checkout.root)


def test_what_judges_nothing_is_not_guarded(checkout: Checkout) -> None:
    base = checkout.git("rev-parse", "HEAD")
    checkout.write("stacks/config/Pulumi.prod-aws.yaml", "config: {}\n")
    assert not guards_changed(base, None, checkout.root)
    assert not guards_changed(base, checkout.commit(), checkout.root)


def test_a_change_adds_nobody_who_may_approve_it(checkout: Checkout) -> None:
    base = checkout.git("rev-parse", "HEAD")
    checkout.write("allowed-signers", f"sue@example.com SHA256:{'1' * 64}\nmallory@example.com SHA256:{'3' * 64}\n")
    trust = trust_at(base, None, None, checkout.root)
    assert trust is not None and [signer.who for signer in trust.signers] == ["sue@example.com"]


def test_a_key_that_is_put_under_a_trusted_name_counts_for_nothing(checkout: Checkout) -> None:
    base = checkout.git("rev-parse", "HEAD")
    checkout.write("allowed-signers", f"sue@example.com SHA256:{'3' * 64}\n")
    assert trust_at(base, checkout.commit(), None, checkout.root) is None


def test_whoever_runs_the_command_may_vouch_for_other_signers(checkout: Checkout) -> None:
    base = checkout.git("rev-parse", "HEAD")
    own = checkout.root / "mine"
    own.write_text(f"me@example.com SHA256:{'4' * 64}\n")
    trust = trust_at(base, None, own, checkout.root)
    assert trust is not None and [signer.who for signer in trust.signers] == ["me@example.com"]


def test_every_author_is_known(checkout: Checkout) -> None:
    base = checkout.git("rev-parse", "HEAD")
    checkout.commit("one", "Ann@Example.com")
    checkout.commit("two\n\nCo-authored-by: Ben <ben@example.com>", "sue@example.com")
    head = checkout.git("rev-parse", "HEAD")
    wrote = authors(base, head, checkout.root)
    assert wrote == {"ann@example.com", "ben@example.com", "sue@example.com", "author@example.com"}


def test_whoever_changes_files_here_is_an_author(checkout: Checkout) -> None:
    checkout.git("config", "user.email", "ben@example.com")
    base = checkout.commit("one", "ann@example.com")
    checkout.commit("two", "sue@example.com")
    assert authors(base, None, checkout.root) == {"sue@example.com", "ben@example.com"}
    checkout.git("config", "user.email", "sam@example.com")
    checkout.write("x", "y")
    assert authors(base, None, checkout.root) == {"sue@example.com", "ben@example.com", "sam@example.com"}


def test_whoever_works_here_says_who_they_are(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    base = checkout.git("rev-parse", "HEAD")
    checkout.git("config", "user.email", "")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    assert authors(base, None, checkout.root), "nothing is changed here"
    checkout.write("x", "y")
    with pytest.raises(UserError, match="does not say who works here"):
        authors(base, None, checkout.root)


def test_whoever_wrote_a_new_stack_does_not_approve_it_though_no_commit_lies_between(checkout: Checkout) -> None:
    checkout.write("stacks/config/Pulumi.prod-aws.yaml", "config: {}\n")
    checkout.commit("the stack", "ann@example.com")
    checkout.git("config", "user.email", "ben@example.com")
    base = checkout.commit("something else", "sam@example.com")
    assert authors(base, base, checkout.root) == {"sam@example.com", "ben@example.com"}
    wrote = authors(base, base, checkout.root, of_new="stacks/config/Pulumi.prod-aws.yaml")
    assert wrote == {"ann@example.com", "author@example.com", "sam@example.com", "ben@example.com"}


def test_an_older_commit_that_is_deployed_again_has_its_author(checkout: Checkout) -> None:
    old = checkout.commit("one", "ann@example.com")
    new = checkout.commit("two", "sue@example.com")
    assert authors(new, old, checkout.root) == {"ann@example.com", "author@example.com"}


def test_all_code_that_judges_is_guarded() -> None:
    """What the gates and the deployment import, apart from the program that is judged and the local cloud."""
    folders = ("ops/gates", "ops/deploying", "ops/diff", "ops/preview")
    found, todo = set[str](), [path for folder in folders for path in (repo_root() / folder).glob("*.py")]
    while todo:
        path = todo.pop()
        name = path.relative_to(repo_root()).as_posix()
        if name in found or name.startswith(("stacks/", "components/", "localcloud/", "ops/local/")):
            continue
        found.add(name)
        todo += [file for module in _imported(path) for file in _files(module)]
    assert "common/sdk/replacement.py" in found
    assert not [name for name in sorted(found) if not _is_guarded(name)]


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{name.name}" for name in node.names))
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def _files(module: str) -> Iterator[Path]:
    path = repo_root() / module.replace(".", "/")
    yield from (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file())


def _is_guarded(name: str) -> bool:
    return any(name == guarded or name.startswith(f"{guarded}/") for guarded in GUARDED)


def test_a_waiver_is_asked_about_when_it_is_new_or_changes_and_not_else(checkout: Checkout) -> None:
    base = checkout.git("rev-parse", "HEAD")
    checkout.write("policies/waivers.yaml", WAIVERS.format(until="2026-12-31"))
    assert len(waivers_changed("prod-aws", base, None, checkout.root)) == 1
    assert not waivers_changed("dev-aws", base, None, checkout.root)
    second = checkout.commit()
    assert not waivers_changed("prod-aws", second, None, checkout.root)
    checkout.write("policies/waivers.yaml", WAIVERS.format(until="2027-03-31"))
    assert len(waivers_changed("prod-aws", second, None, checkout.root)) == 1
    checkout.write("policies/waivers.yaml", "waivers: []\n")
    assert not waivers_changed("prod-aws", second, None, checkout.root)


@pytest.mark.parametrize(("update", "asked"), [("none", True), ("none, update 1 of now", True), ("update 1", False)])
def test_the_authors_of_a_stacks_settings_are_asked_for_until_it_is_deployed(
    update: str, asked: bool, monkeypatch: pytest.MonkeyPatch, gates: Gates
) -> None:
    seen: list[str] = []

    def told(base: str, head: str | None, *, of_new: str) -> frozenset[str]:
        seen.append(of_new)
        return frozenset()

    monkeypatch.setattr("ops.gates.judging.authors", told)
    plan = plan_of(Change(diff("prod-aws", lost("prod-aws", "x"))), update=update)
    judge(plan, tuple(needs(plan, gates).values()), gates, Evidence(), "base", None)
    assert seen == ["stacks/config/Pulumi.prod-aws.yaml" if asked else ""]
