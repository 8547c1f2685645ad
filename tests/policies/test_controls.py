"""Frameworks map controls to rules that exist, say what is left, and why what is not covered is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from policies.controls import FOLDER, Catalogue, Coverage, _catalogue, catalogues  # pyright: ignore[reportPrivateUsage]
from policies.rules import RULES

ALL = list(catalogues().values())
KNOWN = {rule.id for rule in RULES}


def test_the_frameworks_are_those_that_auditors_ask_for() -> None:
    assert set(catalogues()) == {"cis-aws", "cis-eks", "cis-gke", "gdpr", "hipaa", "nist-800-53", "soc2"}


@pytest.mark.parametrize("catalogue", ALL, ids=lambda c: c.id)
def test_every_rule_that_a_mapping_names_exists(catalogue: Catalogue) -> None:
    named = {rule for control in catalogue.controls for rule in control.rules}
    assert named and named <= KNOWN, f"take {sorted(named - KNOWN)} out of policies/frameworks/{catalogue.id}.yaml"


@pytest.mark.parametrize("catalogue", ALL, ids=lambda c: c.id)
def test_a_framework_says_its_version_and_where_its_numbers_are_from(catalogue: Catalogue) -> None:
    assert catalogue.version and re.search(r"\d{4}-\d\d-\d\d", catalogue.source)


@pytest.mark.parametrize("catalogue", ALL, ids=lambda c: c.id)
def test_each_control_is_listed_once_with_rules_or_a_reason(catalogue: Catalogue) -> None:
    ids = [control.id for control in catalogue.controls]
    assert len(ids) == len(set(ids))
    for control in catalogue.controls:
        assert control.title, control.id
        assert bool(control.rules) is control.is_covered, control.id
        assert bool(control.reason) is (control.coverage is not Coverage.WHOLE), control.id


@pytest.mark.parametrize("catalogue", ALL, ids=lambda c: c.id)
def test_no_reason_why_a_control_is_not_covered_outlives_the_rule_that_covers_it(catalogue: Catalogue) -> None:
    written = YAML(typ="safe").load((FOLDER / f"{catalogue.id}.yaml").read_text(encoding="utf-8"))["controls"]
    stale = [c.id for c in catalogue.controls if c.rules and "not_covered" in written.get(c.id, {})]
    assert not stale, f"give these rules and a gap in policies/frameworks/{catalogue.id}.yaml: {', '.join(stale)}"


def test_the_mapping_is_many_to_many() -> None:
    of_rule: dict[str, set[str]] = {}
    for catalogue in ALL:
        for control in catalogue.controls:
            for rule in control.rules:
                of_rule.setdefault(rule, set()).add(f"{catalogue.id} {control.id}")
    assert max(map(len, of_rule.values())) > 5
    assert any(len(control.rules) > 5 for catalogue in ALL for control in catalogue.controls)


@pytest.mark.parametrize("catalogue", ALL, ids=lambda c: c.id)
def test_no_rule_of_one_cloud_stands_for_another_s_benchmark(catalogue: Catalogue) -> None:
    others = [cloud for cloud in ("aws", "gcp") if catalogue.clouds and cloud not in catalogue.clouds]
    wrong = [r for c in catalogue.controls for r in c.rules if r.startswith(tuple(f"{other}-" for other in others))]
    assert not others or not wrong


@pytest.mark.parametrize(
    "control",
    [
        '{title: "t"}',
        '{title: "t", rules: [], gap: "g"}',
        '{title: "t", not_covered: manual}',
        '{title: "t", rules: [x], not_covered: manual, because: "b"}',
        '{title: "t", rules: [x], because: "b"}',
        '{title: "t", rules: [x], gaps: "g"}',
    ],
)
def test_a_control_that_says_neither_rules_nor_why_not_is_refused(tmp_path: Path, control: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(f'id: x\ntitle: X\nversion: "1"\nsource: here\ncontrols:\n  "1": {control}\n')
    with pytest.raises(ValueError, match=r"x\.yaml: 1: "):
        _catalogue(file)


def test_a_control_that_a_rule_claims_by_itself_is_covered_though_the_list_does_not_know(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(
        'id: x\ntitle: X\nversion: "1"\nsource: here\nframework: CIS_GKE\ncontrols:\n'
        '  "5.6.5": {title: "t", not_covered: manual, because: "b"}\n'
    )
    controls = {control.id: control for control in _catalogue(file).controls}
    assert "gcp-gke-private-nodes" in controls["5.6.5"].rules
    assert controls["5.6.5"].coverage is Coverage.PART
    assert "gcp-gke-node-own-account" in controls["5.2.1"].rules
