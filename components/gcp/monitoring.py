"""Who is told when something goes wrong, and the logs of the services that move data."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.component import Component
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.place import Place
from components.contracts.refs import BackupRef, KeysRef, MonitoringRef, StorageRef
from components.contracts.specs import MonitoringSpec
from components.contracts.stateful import NotCopied, Stateful
from components.gcp.alerts import Alert, copy_alert, key_alert, transfer_silent
from components.gcp.feature_store import KINDS
from components.gcp.feature_store.kind import Kind
from components.gcp.keys import ring_name
from components.gcp.logs import log_bucket
from components.gcp.storage import copy_job_name

OPERATIONS_LOGS: Final = Stateful("logs of copies and exports", NotCopied("a restore needs no logs"))


def operations_log_filter(store: Kind) -> str:
    """The log entries of the services that move data."""
    movers = ("cloud_scheduler_job", "storage_transfer_job", *store.LOGGED_AS)
    types = " OR ".join(f'"{name}"' for name in movers)
    return f'resource.type=({types}) OR protoPayload.serviceName="{store.SERVICE}"'


class Monitoring(Component):
    """Channels, alerts, and a log bucket for what moves data; the cluster's own is `Cluster`'s, from the beginning.

    Google delivers to the webhook over TLS and to mail servers that offer it; alerts hold names, never data.
    """

    ref: MonitoringRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: MonitoringSpec,
        *,
        feature_store: FeatureStoreRef,
        backup: BackupRef,
        storage: StorageRef,  # noqa: ARG002 - the copy's name follows from the place
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:Monitoring", name, provider)
        store = KINDS[feature_store.kind]
        log_bucket(
            "operations-logs",
            OPERATIONS_LOGS,
            parent=self,
            place=place,
            key=keys.logs,
            retention_days=spec.log_retention_days,
            matching=operations_log_filter(store),
        )
        email = self._channel("email", place, "email", {"email_address": spec.alert_email})
        channels = [email]
        if spec.alert_webhook is not None:
            url = pulumi.Output.secret(spec.alert_webhook.get_secret_value())
            channels.append(self._channel("webhook", place, "webhook_tokenauth", {"url": url}))
        models = (
            copy_alert("copy-failed", "Models were not copied to the backup region", copy_job_name(place)),
            transfer_silent(
                "models-copy-missing",
                "Models were not compared with their copy within the recovery point objective",
                "Look whether the transfer job is disabled or was deleted. Before the first release is published "
                "there is nothing to compare: publish it.",
                copy_job_name(place),
                minutes=backup.rpo_minutes,
            ),
        )
        for alert in (*models, key_alert(ring_name(place)), *store.alerts(place, feature_store, backup)):
            self._alert(alert, place, channels)
        self.ref = MonitoringRef(channel=email.id)
        self.finish({"channel": email.id})

    def _channel(
        self, name: str, place: Place, kind: str, labels: dict[str, pulumi.Input[str]]
    ) -> gcp.monitoring.NotificationChannel:
        return gcp.monitoring.NotificationChannel(
            name,
            project=place.account,
            type=kind,
            display_name=f"{place.stack}: {name}",
            labels=labels,
            user_labels=place.labels,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _alert(self, alert: Alert, place: Place, channels: list[gcp.monitoring.NotificationChannel]) -> None:
        gcp.monitoring.AlertPolicy(
            alert.key,
            project=place.account,
            display_name=f"{place.stack}: {alert.title}",
            combiner="OR",
            severity="ERROR",
            conditions=[alert.condition],
            alert_strategy=alert.strategy,
            notification_channels=[channel.id for channel in channels],
            documentation={"content": alert.remedy, "mime_type": "text/markdown"},
            user_labels=place.labels,
            opts=pulumi.ResourceOptions(parent=self),
        )
