"""How refusals are read from Envoy Gateway's log."""

from __future__ import annotations

import json

from localcloud.gateway.statuses import judged, refused, statuses


def said(kind: str, key: str, status: str, reason: str = "Accepted", kind_of: str = "Accepted") -> str:
    conditions = f'conditions:\n- type: {kind_of}\n  status: "{status}"\n  reason: {reason}\n  message: because\n'
    return json.dumps({"level": "info", "msg": f"Got new status for {kind}\n{conditions}", "key": key}).replace(
        '{"level": "info"', '{"level":"info"', 1
    )


def test_the_newest_status_counts() -> None:
    log = "\n".join((said("HTTPRoute", "serving/a", "False"), "noise", said("HTTPRoute", "serving/a", "True")))
    assert not list(refused(statuses(log)["HTTPRoute serving/a"]))


def test_a_refusal_is_told_with_its_reason() -> None:
    log = said("SecurityPolicy", "serving/who", "False", "Invalid")
    assert list(refused(statuses(log)["SecurityPolicy serving/who"])) == ["Accepted is False (Invalid): because"]


def test_a_gateway_without_a_load_balancer_is_no_refusal() -> None:
    log = said("Gateway", "serving/door", "False", "AddressNotAssigned", "Programmed")
    assert not list(refused(statuses(log)["Gateway serving/door"]))


def test_an_object_of_the_cluster_is_found_by_its_name_alone() -> None:
    assert "GatewayClass door" in statuses(said("GatewayClass", "/door", "True"))


def test_policies_and_routes_are_waited_for_and_secrets_are_not() -> None:
    names = ("HTTPRoute a/b", "SecurityPolicy a/b", "Secret a/b")
    assert [judged(name) for name in names] == [True, True, False]
