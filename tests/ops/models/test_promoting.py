"""A service is given another release only if that is verified; who and why goes on record; comments stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.attestation.signers import Signing, open_signer
from common.attestation.trust import Trust, TrustedSigner
from common.errors import UserError
from components.contracts.services import ServiceSpec
from ops.models import promotions
from ops.models.lineage import Origin
from ops.models.promoting import Done, Subject, promote, rollback
from ops.models.releases import publish

Store = Any
WHY = "fixes the units of two features"
STACK, SERVICE = "dev-aws", "tumour-risk"

FILE = """config:
  seawall:settings:
    # The fleet, in words of its own.
    fleet:
      services:
        tumour-risk:
          release:
            version: {first}  # what we began with
            manifest_sha256: {digest}
            signers: [ "SHA256:aa" ]
          accelerator: cpu   # no GPU yet
"""


@pytest.fixture
def signing(tmp_path: Path) -> Signing:
    return open_signer(str(tmp_path / "publisher.pem"))


@pytest.fixture
def trust(signing: Signing) -> Trust:
    return Trust((TrustedSigner("publisher", signing.name, "test"),))


@pytest.fixture
def published(store: Store, make_repository: Callable[..., Path], signing: Signing) -> dict[str, str]:
    """Version → digest of two signed releases."""
    done = [
        publish(store, make_repository(version), version, signing=signing, origin=lambda _: Origin(None, "a test's"))
        for version in ("1.0.0", "1.0.1")
    ]
    return {each.version: each.manifest_sha256 for each in done}


def spec(version: str, digest: str, **more: Any) -> ServiceSpec:
    told = {
        "release": {"version": version, "manifest_sha256": digest},
        "accelerator": "cpu",
        "max_replicas": 2,
        "objective": {"p99_ms": 250, "availability_percent": 99.9},
        "fallback": {"none_because": "A test has nobody else to ask."},
        **more,
    }
    return ServiceSpec.model_validate(told)


@pytest.fixture
def file(tmp_path: Path, published: dict[str, str]) -> Path:
    path = tmp_path / "Pulumi.dev-aws.yaml"
    path.write_text(FILE.format(first="1.0.0", digest=published["1.0.0"]))
    return path


def subject(file: Path, version: str, digest: str, **more: Any) -> Subject:
    return Subject(STACK, SERVICE, spec(version, digest, **more), file, check=lambda _: None)


@pytest.fixture
def promoted(store: Store, file: Path, published: dict[str, str], trust: Trust, signing: Signing) -> Done:
    return promote(store, subject(file, "1.0.0", published["1.0.0"]), "1.0.1", WHY, trust, signing)


def test_a_promotion_pins_version_and_digest_and_changes_nothing_else(
    promoted: Done, file: Path, published: dict[str, str]
) -> None:
    assert promoted.promotion is not None
    expected = FILE.format(first="1.0.1", digest=f'"{published["1.0.1"]}"')
    assert file.read_text() == expected


def test_the_file_says_who_promoted_where_no_comment_stood(
    store: Store, file: Path, published: dict[str, str], trust: Trust, signing: Signing
) -> None:
    file.write_text(file.read_text().replace("  # what we began with", ""))
    promote(store, subject(file, "1.0.0", published["1.0.0"]), "1.0.1", WHY, trust, signing)
    (line,) = (line for line in file.read_text().splitlines() if "version:" in line)
    assert "# promoted 20" in line
    assert WHY in line


def test_who_and_why_is_on_a_signed_record(promoted: Done, store: Store, trust: Trust) -> None:
    (kept,) = promotions.history(store, STACK, SERVICE, trust)
    assert (kept.promotion.why, kept.problem, bool(kept.promotion.who)) == (WHY, None, True)


def test_a_rollback_pins_what_was_before(
    promoted: Done, store: Store, file: Path, published: dict[str, str], trust: Trust, signing: Signing
) -> None:
    rollback(store, subject(file, "1.0.1", published["1.0.1"]), "it is slower than it was", trust, signing)
    assert published["1.0.0"] in file.read_text()
    assert [k.promotion.action for k in promotions.history(store, STACK, SERVICE, trust)] == ["promote", "rollback"]


def test_a_second_rollback_of_the_same_promotion_is_refused(
    promoted: Done, store: Store, file: Path, published: dict[str, str], trust: Trust, signing: Signing
) -> None:
    rollback(store, subject(file, "1.0.1", published["1.0.1"]), "it is slower than it was", trust, signing)
    with pytest.raises(UserError, match="no promotion on record"):
        rollback(store, subject(file, "1.0.0", published["1.0.0"]), "further back, please", trust, signing)


def test_a_release_that_was_never_published_is_refused(
    store: Store, file: Path, published: dict[str, str], trust: Trust, signing: Signing
) -> None:
    with pytest.raises(UserError, match="no complete release"):
        promote(store, subject(file, "1.0.0", published["1.0.0"]), "9.9.9", WHY, trust, signing)


def test_a_release_that_nobody_trusted_signed_is_refused(
    store: Store, file: Path, published: dict[str, str], signing: Signing, tmp_path: Path
) -> None:
    other = Trust((TrustedSigner("other", open_signer(str(tmp_path / "other.pem")).name, "test"),))
    with pytest.raises(UserError):
        promote(store, subject(file, "1.0.0", published["1.0.0"]), "1.0.1", WHY, other, signing)
    assert not promotions.history(store, STACK, SERVICE, None), "nothing is on record"


def test_a_release_whose_files_changed_is_refused(
    store: Store, file: Path, published: dict[str, str], trust: Trust, signing: Signing
) -> None:
    store.put("releases/1.0.1/repository/first/1/model.py", b"other")
    with pytest.raises(UserError, match="missing, changed"):
        promote(store, subject(file, "1.0.0", published["1.0.0"]), "1.0.1", WHY, trust, signing)


@pytest.mark.parametrize("why", ["", "  ", "because"])
def test_a_promotion_without_a_reason_is_refused(
    store: Store, file: Path, published: dict[str, str], trust: Trust, signing: Signing, why: str
) -> None:
    with pytest.raises(UserError, match="does not say why"):
        promote(store, subject(file, "1.0.0", published["1.0.0"]), "1.0.1", why, trust, signing)


def test_settings_that_would_not_be_sound_are_not_written(
    store: Store, file: Path, published: dict[str, str], trust: Trust, signing: Signing
) -> None:
    def refuse(_: str) -> None:
        raise UserError("not sound", "test", "Do not.")

    before = file.read_text()
    asked = Subject(STACK, SERVICE, spec("1.0.0", published["1.0.0"]), file, check=refuse)
    with pytest.raises(UserError, match="not sound"):
        promote(store, asked, "1.0.1", WHY, trust, signing)
    assert (file.read_text(), promotions.history(store, STACK, SERVICE, trust)) == (before, [])


def test_promoting_what_is_served_changes_nothing(
    store: Store, file: Path, published: dict[str, str], trust: Trust, signing: Signing
) -> None:
    done = promote(store, subject(file, "1.0.0", published["1.0.0"]), "1.0.0", WHY, trust, signing)
    assert done.promotion is None


def test_a_record_that_was_taken_out_shows(
    promoted: Done, store: Store, file: Path, published: dict[str, str], trust: Trust, signing: Signing
) -> None:
    rollback(store, subject(file, "1.0.1", published["1.0.1"]), "it is slower than it was", trust, signing)
    store.delete(promoted.key)
    (kept,) = promotions.history(store, STACK, SERVICE, trust)
    assert kept.problem == "the record before it was taken out or altered"


def test_a_record_that_somebody_else_signed_shows(promoted: Done, store: Store, tmp_path: Path) -> None:
    other = Trust((TrustedSigner("other", open_signer(str(tmp_path / "other.pem")).name, "test"),))
    (kept,) = promotions.history(store, STACK, SERVICE, other)
    assert kept.problem


COLOURS = """config:
  seawall:settings:
    fleet:
      services:
        tumour-risk:
          release: {{version: 1.0.0, manifest_sha256: {digest}}}
          traffic: {{strategy: blue-green, live: stable}}
          challengers:
            green:
              release:
                version: 0.9.0
                manifest_sha256: {other}
"""


def test_with_two_colours_the_idle_one_gets_the_release_and_is_live(
    store: Store, file: Path, published: dict[str, str], trust: Trust, signing: Signing
) -> None:
    other = "b" * 64
    file.write_text(COLOURS.format(digest=published["1.0.0"], other=other))
    green = {"green": {"release": {"version": "0.9.0", "manifest_sha256": other}, "max_replicas": 2}}
    asked = subject(file, "1.0.0", published["1.0.0"], traffic={"strategy": "blue-green"}, challengers=green)
    promote(store, asked, "1.0.1", WHY, trust, signing)
    text = file.read_text()
    assert "live: green" in text
    assert "release: {version: 1.0.0," in text, "the old one is kept"
    assert "version: 1.0.1" in text


def test_with_two_colours_a_rollback_is_one_switch(
    store: Store, file: Path, published: dict[str, str], trust: Trust, signing: Signing
) -> None:
    file.write_text(COLOURS.format(digest=published["1.0.0"], other="b" * 64))
    green = {"green": {"release": {"version": "0.9.0", "manifest_sha256": "b" * 64}, "max_replicas": 2}}
    told = {"strategy": "blue-green"}
    promote(
        store,
        subject(file, "1.0.0", published["1.0.0"], traffic=told, challengers=green),
        "1.0.1",
        WHY,
        trust,
        signing,
    )
    green["green"]["release"] = {"version": "1.0.1", "manifest_sha256": published["1.0.1"]}
    now = subject(file, "1.0.0", published["1.0.0"], traffic={**told, "live": "green"}, challengers=green)
    rollback(store, now, "wrong answers for children", trust, signing)
    text = file.read_text()
    assert "live: stable" in text
    assert "version: 1.0.1" in text, "green is kept too"


def test_a_rollback_follows_no_record_that_nobody_trusted_signed(
    promoted: Done,
    store: Store,
    file: Path,
    published: dict[str, str],
    trust: Trust,
    signing: Signing,
    tmp_path: Path,
) -> None:
    """Whoever may write to the bucket could else choose an old release, which was signed well, to go back to."""
    now, old = (promotions.Pin(variant="stable", version=v, manifest_sha256=published[v]) for v in ("1.0.1", "1.0.0"))
    forged = promotions.next_promotion(
        promotions.history(store, STACK, SERVICE, trust),
        stack=STACK,
        service=SERVICE,
        action="promote",
        before=old,
        after=now,
        live=None,
        why="a stranger wants it so",
        who="a stranger",
    )
    promotions.keep(store, forged, open_signer(str(tmp_path / "stranger.pem")))
    before = file.read_text()

    with pytest.raises(UserError, match="record 2 is not to be relied on"):
        rollback(store, subject(file, "1.0.1", published["1.0.1"]), WHY, trust, signing)
    assert file.read_text() == before


def test_a_promotion_that_was_killed_before_the_file_was_written_can_be_made_again(
    promoted: Done, store: Store, file: Path, published: dict[str, str], trust: Trust, signing: Signing
) -> None:
    file.write_text(FILE.format(first="1.0.0", digest=published["1.0.0"]))
    again = promote(store, subject(file, "1.0.0", published["1.0.0"]), "1.0.1", WHY, trust, signing)

    assert again.promotion is not None and again.promotion.number == 2
    assert [each.problem for each in promotions.history(store, STACK, SERVICE, trust)] == [None, None]
    rollback(store, subject(file, "1.0.1", published["1.0.1"]), WHY, trust, signing)
    assert "version: 1.0.0" in file.read_text()
