"""Alerts: each watches something that the stack has, and each reaches everyone who is to be told."""

from __future__ import annotations

import json
from typing import Any

from components.contracts.vocabulary import Cloud

ALERT = "gcp:monitoring/alertPolicy:AlertPolicy"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"


def _condition(platform: Any, key: str) -> str:
    alert = platform.one("monitoring", key, ALERT)
    return json.dumps(alert.get("conditions")).replace('\\"', '"')


def test_the_copys_alert_watches_the_copy(gcp_platform: Any) -> None:
    (job,) = gcp_platform.inventory.of_type("gcp:storage/transferJob:TransferJob")
    for alert in ("copy-failed", "models-copy-missing"):
        assert job.get("name").rpartition("/")[2] in _condition(gcp_platform, alert)


def test_the_exports_alert_watches_the_schedule(gcp_platform: Any) -> None:
    said = _condition(gcp_platform, "export-not-started")
    for job in gcp_platform.inventory.of_type("gcp:cloudscheduler/job:Job"):
        assert f'"{job.get("name")}"' in said


def test_the_stores_alerts_watch_the_store(gcp_platform: Any) -> None:
    place, features = gcp_platform.place, gcp_platform.refs.feature_store
    instance = f'"projects/{place.account}/locations/{features.region}/instances/{features.name}"'
    assert instance in _condition(gcp_platform, "features-memory")
    assert instance in _condition(gcp_platform, "export-failed")


def test_an_alert_from_logs_says_how_often_it_may_speak(gcp_platform: Any) -> None:
    for alert in gcp_platform.inventory.of_type(ALERT):
        if alert.get("conditions.0.conditionMatchedLog"):
            limited = alert.get("alertStrategy.notificationRateLimit.period")
            assert limited, f"{alert.name}: Cloud Monitoring refuses it without a limit"


def test_every_alert_reaches_every_channel(plan_platform: Any) -> None:
    inventory = plan_platform(Cloud.GCP, monitoring={"alert_webhook": "https://hooks.example.com/token"}).inventory
    told = {
        alert.name: {channel.name for channel in inventory.linked(alert, "notificationChannels", CHANNEL)}
        for alert in inventory.of_type(ALERT)
    }
    assert told == {key: {"email", "webhook"} for key in told}


def test_the_webhooks_address_is_a_secret(plan_platform: Any) -> None:
    platform = plan_platform(Cloud.GCP, monitoring={"alert_webhook": "https://hooks.example.com/token"})
    webhook = platform.one("monitoring", "webhook", CHANNEL)
    assert any(path.startswith("labels") for path in webhook.secret_paths)
