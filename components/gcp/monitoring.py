"""Who is told when something goes wrong, and the logs of the services that move data."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.component import Component
from components.contracts.place import Place
from components.contracts.refs import BackupRef, ClusterRef, FeatureCacheRef, KeysRef, MonitoringRef, StorageRef
from components.contracts.specs import MonitoringSpec
from components.gcp.alerts import Alert, alerts
from components.gcp.logs import log_bucket

OPERATIONS_LOG_FILTER: Final = (
    'resource.type=("cloud_scheduler_job" OR "storage_transfer_job" OR "redis_instance")'
    ' OR protoPayload.serviceName="redis.googleapis.com"'
)


class Monitoring(Component):
    """Channels, alerts, and a log bucket beside the cluster's own.

    Google delivers to the webhook over TLS and to mail servers that offer it; alerts hold names, never data.
    """

    ref: MonitoringRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: MonitoringSpec,
        *,
        cluster: ClusterRef,  # noqa: ARG002 - its logs are kept from its first minute by `Cluster`
        features: FeatureCacheRef,
        backup: BackupRef,
        storage: StorageRef,  # noqa: ARG002 - the copy's name follows from the place
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:Monitoring", name, provider)
        log_bucket(
            "operations-logs",
            parent=self,
            place=place,
            key=keys.logs,
            retention_days=spec.log_retention_days,
            matching=OPERATIONS_LOG_FILTER,
        )
        email = self._channel("email", place, "email", {"email_address": spec.alert_email})
        channels = [email]
        if spec.alert_webhook is not None:
            url = pulumi.Output.secret(spec.alert_webhook.get_secret_value())
            channels.append(self._channel("webhook", place, "webhook_tokenauth", {"url": url}))
        for alert in alerts(place, features=features, backup=backup):
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
