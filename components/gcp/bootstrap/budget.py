"""Who is told when the month's budget is spent, or a key of the state is about to go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.contracts.bootstrap import BootstrapSpec
from components.contracts.component import Component
from components.contracts.place import Place
from components.gcp.alerts import key_alert
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
        alert = key_alert(ring_name(place))
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
