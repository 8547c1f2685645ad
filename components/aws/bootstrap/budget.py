"""The month's budget of the account, and the messages when it is spent."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.contracts.bootstrap import BootstrapSpec
from components.contracts.component import Component
from components.contracts.place import Place


class Budget(Component):
    """One budget over everything in the account; AWS updates it a few times a day, so it stops nothing by itself."""

    def __init__(
        self,
        name: str,
        place: Place,
        spec: BootstrapSpec,
        *,
        after: Sequence[pulumi.Resource],
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:Budget", name, provider)
        highest = max(spec.budget.alert_percents)
        notices = [("ACTUAL", percent) for percent in sorted(set(spec.budget.alert_percents))]
        budget = aws.budgets.Budget(
            "month",
            name=place.name("month"),
            account_id=place.account,
            budget_type="COST",
            limit_amount=f"{spec.budget.monthly_amount}.0",
            limit_unit="USD",
            time_unit="MONTHLY",
            notifications=[
                aws.budgets.BudgetNotificationArgs(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=percent,
                    threshold_type="PERCENTAGE",
                    subscriber_email_addresses=[spec.budget.alert_email],
                )
                for kind, percent in (*notices, ("FORECASTED", highest))
            ],
            tags=place.labels,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )
        self.finish({"name": budget.name})


def budget(
    place: Place, spec: BootstrapSpec, *, after: Sequence[pulumi.Resource], provider: pulumi.ProviderResource
) -> None:
    """See `BootstrapModule.budget`."""
    Budget("budget", place, spec, after=after, provider=provider)
