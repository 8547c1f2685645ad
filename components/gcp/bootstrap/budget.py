"""Who is told when the month's budget is spent, a key of the state is about to go, or the state is not copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.contracts.bootstrap import STATE_COPY_MINUTES, BootstrapSpec
from components.contracts.component import Component
from components.contracts.place import Place
from components.gcp.alerts import copy_alert, key_alert, transfer_silent
from components.gcp.bootstrap.state import copy_job_name
from components.gcp.keys import ring_name


class Budget(Component):
    """One budget over the project, in the billing account's currency; it tells, and stops nothing."""

    def __init__(
        self,
        name: str,
        place: Place,
        spec: BootstrapSpec,
        *,
        after: Sequence[pulumi.Resource],
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:Budget", name, provider)
        channel = gcp.monitoring.NotificationChannel(
            "budget",
            project=place.account,
            type="email",
            display_name=f"{place.stack}: budget",
            labels={"email_address": spec.budget.alert_email},
            user_labels=place.labels,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )
        copied = copy_job_name(place)
        for alert in (
            key_alert(ring_name(place)),
            copy_alert("copy-failed", "Pulumi's state was not copied to the other region", copied),
            transfer_silent(
                "state-copy-missing",
                "Pulumi's state was not compared with its copy",
                "Look whether the transfer job is disabled or was deleted.",
                copied,
                minutes=STATE_COPY_MINUTES,
            ),
        ):
            gcp.monitoring.AlertPolicy(
                alert.key,
                project=place.account,
                display_name=f"{place.stack}: {alert.title}",
                combiner="OR",
                severity="ERROR",
                conditions=[alert.condition],
                alert_strategy=alert.strategy,
                notification_channels=[channel.id],
                documentation={"content": alert.remedy, "mime_type": "text/markdown"},
                user_labels=place.labels,
                opts=pulumi.ResourceOptions(parent=self),
            )
        percents = sorted(set(spec.budget.alert_percents))
        rules: list[Any] = [{"threshold_percent": percent / 100} for percent in percents]
        forecast: Any = {"threshold_percent": percents[-1] / 100, "spend_basis": "FORECASTED_SPEND"}
        budget = gcp.billing.Budget(
            "month",
            billing_account=spec.billing_account,
            display_name=place.name("month"),
            budget_filter={"projects": [f"projects/{place.project_number}"], "calendar_period": "MONTH"},
            amount={"specified_amount": {"units": str(spec.budget.monthly_amount)}},
            threshold_rules=[*rules, forecast],
            all_updates_rule={"monitoring_notification_channels": [channel.id]},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.finish({"name": budget.display_name})


def budget(
    place: Place, spec: BootstrapSpec, *, after: Sequence[pulumi.Resource], provider: pulumi.ProviderResource
) -> None:
    """See `BootstrapModule.budget`."""
    Budget("budget", place, spec, after=after, provider=provider)
