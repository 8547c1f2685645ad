# ruff: noqa: E501 - one change is one line of a table
"""Changes of the production plan on Google Cloud that silence who watches copies, and the rule for each."""

from __future__ import annotations

from typing import Any

from tests.policies.mutations.changes import GONE, Change, Mutation, both, drop, link, options, put
from tests.policies.mutations.recovery_gcp import AWAY, EXPORTS, HERE, PROJECT, SOON, alert, placed

NAMES = (
    "copy-failed",
    "export-failed",
    "export-not-started",
    "features-copy-missing",
    "key-at-risk",
    "models-copy-missing",
)


def _(name: str, change: Change, rule: str = "") -> Mutation:
    return Mutation(name, change, rule, clouds=("gcp",))


def _said(name: str, key: str, old: str, new: str) -> Change:
    """A text of an alert's condition with something replaced."""

    def change(stack: Any) -> Any:
        found = next(r for r in stack.resources if r.type.endswith(":AlertPolicy") and r.name == name)
        text = found.get(f"conditions.0.{key}")
        assert old in text, text
        return alert(name, (f"conditions.0.{key}", text.replace(old, new)))(stack)

    return change


QUERY, LOG, METRIC = (
    "conditionPrometheusQueryLanguage.query",
    "conditionMatchedLog.filter",
    "conditionThreshold.filter",
)
MISSING = ("features-copy-missing", "models-copy-missing")
ALERTS = (
    *(_(f"no alert {name}", drop("AlertPolicy", name)) for name in NAMES),
    *(_(f"alert {name} is off", alert(name, ("enabled", False))) for name in NAMES),
    *(_(f"alert {name} tells nobody", both(link("AlertPolicy", name, "notificationChannels"), alert(name, ("notificationChannels", [])))) for name in NAMES),
    *(_(f"alert {name} at once with something else", alert(name, ("combiner", "AND"), ("conditions.+", {"displayName": "x", "conditionThreshold": {"filter": "x", "comparison": "COMPARISON_GT", "duration": "0s", "thresholdValue": 1}}))) for name in ("copy-failed", *MISSING)),
    *(_(f"alert {name} without conditions", alert(name, ("conditions", []))) for name in NAMES),
    *(_(f"alert {name} over a week", _said(name, QUERY, "[120m]", "[7d]")) for name in MISSING),
    *(_(f"alert {name} below nothing", _said(name, QUERY, "< 0.5", "< 0")) for name in MISSING),
    *(_(f"alert {name} turned round", _said(name, QUERY, "< 0.5", "> 0.5")) for name in MISSING),
    *(_(f"alert {name} is silent with silence", _said(name, QUERY, " or vector(0)", "")) for name in MISSING),
    *(_(f"alert {name} hears one at least", _said(name, QUERY, "or vector(0)", "or vector(1)")) for name in MISSING),
    *(_(f"alert {name} after two days", alert(name, ("conditions.0.conditionPrometheusQueryLanguage.duration", "172800s"))) for name in MISSING),
    *(_(f"alert {name} seldom looks", alert(name, ("conditions.0.conditionPrometheusQueryLanguage.evaluationInterval", "86400s"))) for name in MISSING),
    _("alert of another bucket", _said("features-copy-missing", QUERY, EXPORTS, "elsewhere")),
    _("alert of the models' bucket", _said("features-copy-missing", QUERY, EXPORTS, f"seawall-prod-models-{PROJECT}-{AWAY}")),
    _("alert of all requests", _said("features-copy-missing", QUERY, ',method=~"(Write|Rewrite|Copy|Compose|Move)Object"', "")),
    _("alert of reading", _said("features-copy-missing", QUERY, "(Write|Rewrite|Copy|Compose|Move)Object", "ReadObject")),
    _("alert of all answers", _said("features-copy-missing", QUERY, ',response_code="OK"', "")),
    _("alert of another job", _said("models-copy-missing", QUERY, "seawall-prod-copy-models", "elsewhere")),
    _("alert of failed copies too", _said("models-copy-missing", QUERY, ',status!="failed"', "")),
    _("alert that is always quiet", alert("models-copy-missing", ("conditions.0.conditionPrometheusQueryLanguage.query", "vector(0) > 1"))),
    _("alert of another job's errors", _said("copy-failed", METRIC, "seawall-prod-copy-models", "elsewhere")),
    _("alert of another metric", _said("copy-failed", METRIC, "error_count", "copied_objects_count")),
    _("alert of a million errors", alert("copy-failed", ("conditions.0.conditionThreshold.thresholdValue", 1_000_000))),
    _("alert of errors turned round", alert("copy-failed", ("conditions.0.conditionThreshold.comparison", "COMPARISON_LT"))),
    _("alert of errors for a day", alert("copy-failed", ("conditions.0.conditionThreshold.duration", "82800s"))),
    _("alert of the least errors", alert("copy-failed", ("conditions.0.conditionThreshold.aggregations.0.perSeriesAligner", "ALIGN_MIN"))),
    _("alert of many series", alert("copy-failed", ("conditions.0.conditionThreshold.trigger.count", 1000))),
    _("alert of emergencies", _said("export-failed", LOG, "severity>=ERROR", "severity>=EMERGENCY")),
    _("alert of another method", _said("export-failed", LOG, "ExportInstance", "ImportInstance")),
    _("alert of another store", _said("export-failed", LOG, "seawall-prod-features", "elsewhere")),
    _("alert of one export", _said("export-not-started", LOG, '"seawall-prod-feature-export-frequent" OR ', "")),
    _("alert of other exports", _said("export-not-started", LOG, "seawall-prod-feature-export", "elsewhere")),
    _("alert of what starts", _said("export-not-started", LOG, "severity>=ERROR", "severity=INFO")),
    _("alert of what does not happen", _said("export-not-started", LOG, "severity>=ERROR", "severity>=ERROR AND severity<ERROR")),
    _("alert of half of the risk", _said("key-at-risk", LOG, '("DestroyCryptoKeyVersion" OR "UpdateCryptoKeyVersion")', '"UpdateCryptoKeyVersion"')),
    _("alert of other keys", _said("key-at-risk", LOG, "seawall-prod-keys", "elsewhere")),
    _("alert of other keys but ours", _said("key-at-risk", LOG, "AND protoPayload.resourceName:", "AND NOT protoPayload.resourceName:")),
    _("alert that repeats after a month", alert("export-failed", ("alertStrategy.notificationRateLimit.period", "2592000s"))),
    _("nobody hears", drop("NotificationChannel", "email")),
    _("the channel is off", put("NotificationChannel", "email", ("enabled", False))),
    _("the channel has no address", put("NotificationChannel", "email", ("labels", GONE))),
    _("changes of an alert are not sent", options("AlertPolicy", "features-copy-missing", ignore_changes=("conditions",))),
)  # fmt: skip
STANDBY = (
    _("no images away", drop("Repository", "serving-copy")),
    _("images expire", put("Repository", "serving", ("cleanupPolicies.0.condition.tagState", "ANY"))),
    _("images away expire", put("Repository", "serving-copy", ("cleanupPolicies.0.condition", {"tagState": "TAGGED", "olderThan": "86400s"}))),
    _("images away are near", placed("Repository", "serving-copy", HERE)),
    _("images away have the near key", link("Repository", "serving-copy", "kmsKeyName", ("CryptoKey", "data"))),
    _("no standing subnet", drop("Subnetwork", "standby")),
    _("the standing subnet is near", placed("Subnetwork", "standby", HERE, "region")),
    _("nobody may drill", drop("IAMMember", "drill-bootstrap_workflow")),
    _("the drill may restore nothing", drop("IAMMember", "drill-restores")),
    _("the drill might restore once", put("IAMMember", "drill-restores", ("condition", {"title": "x", "expression": SOON}))),
    _("the drill may not read exports", drop("BucketIAMMember", "drill-exports-objectviewer")),
    _("the drill may not read the replica", drop("BucketIAMMember", "drill-replica-objectviewer")),
    _("the drill's account is off", put("Account", "drill", ("disabled", True))),
)  # fmt: skip
HARMFUL_WATCHED = (*ALERTS, *STANDBY)
