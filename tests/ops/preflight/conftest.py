"""Plans, and what a preflight of them asks for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from common.console import Steps
from ops.preflight.asked import aws_questions, gcp_questions
from ops.preflight.gcp.reader import GcpReader
from ops.preflight.model import Finding, Report, Status
from ops.preflight.runner import run_checks
from ops.preflight.state import Backend, PulumiFiles, Secrets
from ops.preflight.wanted import Wanted
from policies.inventory import Inventory
from tests.ops.preflight.recorded import Answers, RecordedAws, RecordedGcp, aws_answers, gcp_answers, placed, serving

GCP_KEY = "projects/acme/locations/<backup>/keyRings/pulumi/cryptoKeys/pulumi"


def aws_files(wanted: Wanted, *, key_region: str = "<backup>") -> PulumiFiles:
    """State in `acme-state`, secrets under a key of the backup region or another."""
    region = placed(key_region, wanted)
    return PulumiFiles(
        Backend("s3", f"s3://acme-state?region={wanted.backup_region}", "acme-state", wanted.backup_region),
        Secrets("awskms", f"awskms://alias/pulumi?region={region}", "alias/pulumi", region),
    )


def gcp_files(wanted: Wanted, *, key_region: str = "<backup>") -> PulumiFiles:
    """The same on Google Cloud."""
    key = placed(GCP_KEY, wanted)
    secrets = Secrets("gcpkms", f"gcpkms://{key}", key, placed(key_region, wanted))
    return PulumiFiles(Backend("gs", "gs://acme-state", "acme-state"), secrets)


Ask = Callable[..., Report]


@pytest.fixture(scope="session")
def aws(plans: dict[str, Inventory]) -> Wanted:
    """What dev-aws wants."""
    return Wanted(plans["dev-aws"])


@pytest.fixture(scope="session")
def gcp(plans: dict[str, Inventory]) -> Wanted:
    """What dev-gcp wants."""
    return Wanted(plans["dev-gcp"])


@pytest.fixture
def ask_aws(aws: Wanted, steps: Steps) -> Ask:
    """A preflight of dev-aws, or of its named checks, where these answers differ from those of a ready account."""

    def ask(answers: Answers, *titles: str, files: PulumiFiles | None = None) -> Report:
        cloud = RecordedAws({**aws_answers(aws), **placed(answers, aws)})
        asked = aws_questions(cloud.reader(), aws, files or aws_files(aws), None)
        checks = [check for check in asked.checks if not titles or check.title in placed(list(titles), aws)]
        return Report(aws.stack, aws.account, asked.caller, run_checks(checks, steps))

    return ask


@pytest.fixture
def ask_gcp(gcp: Wanted, steps: Steps) -> Ask:
    """A preflight of dev-gcp, or of its named checks, where these answers differ from those of a ready project."""

    def ask(answers: Answers, *titles: str, files: PulumiFiles | None = None) -> Report:
        with serving(RecordedGcp({**gcp_answers(gcp), **placed(answers, gcp)})) as target:
            asked = gcp_questions(GcpReader(target, gcp.account), gcp, files or gcp_files(gcp))
            checks = [c for c in asked.checks if not titles or c.title in placed(list(titles), gcp)]
            return Report(gcp.stack, gcp.account, asked.caller, run_checks(checks, steps))

    return ask


def findings(report: Report, status: Status, title: str = "") -> list[Finding]:
    """What has this status, of the check with this title or of all."""
    return [f for c in report.answered if title in ("", c.title) for f in c.findings if f.status is status]


def is_sentence(remedy: str) -> bool:
    """Whether a remedy that is no command begins and ends as a sentence."""
    return remedy[:1].isupper() and remedy.endswith(".")
