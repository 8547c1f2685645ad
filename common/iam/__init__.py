"""Judges requests by AWS policy documents, as AWS documents its evaluation: pure, and for every reader one.

Usage:

    principal = Principal.role("arn:aws:iam::111122223333:role/backup")
    request = Request(principal, "s3:GetObject", "arn:aws:s3:::models/a", {"aws:SourceIp": "10.0.0.1"})
    verdict = decide(request, identity=[parse(text)], resource=parse(bucket_policy))
    if not verdict:
        print(verdict.reason, verdict.unknown_keys)

moto has an evaluator too (`moto.iam.access_control`, 5.2.5), which says of itself that resources and conditions of
identity policies, resource policies and services as principals are still to be done; it knows neither permission
boundaries nor session policies. A judge that overlooks a condition proves nothing, so it is not used.
"""

from __future__ import annotations

from common.iam.documents import Policy, PolicyError, Statement, parse
from common.iam.evaluation import Grant, Principal, Request, Verdict, applying, decide, granted, refused

__all__ = [
    "Grant",
    "Policy",
    "PolicyError",
    "Principal",
    "Request",
    "Statement",
    "Verdict",
    "applying",
    "decide",
    "granted",
    "parse",
    "refused",
]
