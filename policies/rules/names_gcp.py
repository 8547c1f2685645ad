"""Names on Google Cloud: those of Google's APIs lead to Google alone, and public zones are signed."""

from __future__ import annotations

from typing import Any, Final

from policies.checks import ABSENT, PASS, all_of, expect, failed, is_hidden, one_of, passed, read, shown
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import GCP_ZONE

family = Family("Names on Google Cloud")

_RECORD: Final = "gcp:dns/recordSet:RecordSet"
_POLICY_RULE: Final = "gcp:dns/responsePolicyRule:ResponsePolicyRule"
_RESPONSES: Final = "gcp:dns/responsePolicy:ResponsePolicy"
_SERVERS: Final = "gcp:dns/policy:Policy"
_GOOGLE: Final = ("googleapis.com.", "gcr.io.", "pkg.dev.")
"""What machines fetch programs, models and tokens from."""
_FRONTS: Final = tuple(f"199.36.153.{n}" for n in range(4, 8))
"""restricted.googleapis.com, whose source stands beside API_RANGE in components/gcp/network.py."""
_ELSEWHERE: Final = ("forwardingConfig", "peeringConfig", "serviceDirectoryConfig")
_SC: Final = {Framework.NIST_800_53: ("SC-7",)}


@family.rule(
    "gcp-dns-answers-own",
    Severity.HIGH,
    "No zone, policy or rule of Cloud DNS asks somebody else for names, or makes answers up",
    types=(GCP_ZONE, _POLICY_RULE, _RESPONSES, _SERVERS),
    rationale="Whoever answers for a name decides where tokens and images go to, or come from.",
    remedy="Leave forwarding, peering, other name servers and response policies out.",
    frameworks=_SC,
    examples=lambda: examples(
        given(GCP_ZONE, {"dnsName": "googleapis.com.", "visibility": "private"}, "google"),
        broken={
            'forwardingConfig is {"targetNameServers": []}': put("forwardingConfig", {"targetNameServers": []}),
            'peeringConfig is {"targetNetwork": {}}': put("peeringConfig", {"targetNetwork": {}}),
            'serviceDirectoryConfig is {"namespace": {}}': put("serviceDirectoryConfig", {"namespace": {}}),
        },
    ),
)
def dns_answers_own(resource: Resource, _: Inventory) -> Judgement:
    if resource.type in (_POLICY_RULE, _RESPONSES):
        return failed("", "answers that are made up", "records in a zone of the stack")
    paths = _ELSEWHERE if resource.type == GCP_ZONE else ("alternativeNameServerConfig", "enableInboundForwarding")
    given_ = [path for path in paths if read(resource, path) not in (ABSENT, False)]
    return all_of(failed(path, shown(read(resource, path)), "answers of the stack's own zones") for path in given_)


@family.rule(
    "gcp-dns-signed",
    Severity.MEDIUM,
    "Public zones of Cloud DNS are signed",
    types=(GCP_ZONE,),
    rationale="Without DNSSEC an answer on the way may be anybody's, and a certificate may follow it.",
    remedy='Set dnssecConfig.state to "on".',
    frameworks={Framework.CHECKOV: ("CKV_GCP_16",)},
    examples=lambda: examples(
        given(GCP_ZONE, {"visibility": "private"}, "inside"),
        broken={'dnssecConfig.state is "off"': put("dnssecConfig.state", "off")},
        undecided={"dnssecConfig.state is known only to the provider": put("dnssecConfig.state", Hidden())},
        accepted={"its names are the network's own": put("description", "inside")},
    ),
)
def dns_signed(zone: Resource, _: Inventory) -> Judgement:
    if read(zone, "visibility") == "private" and read(zone, "dnssecConfig.state") is ABSENT:
        return passed("its names are the network's own")
    return one_of(zone, "dnssecConfig.state", ("on",))


@family.rule(
    "gcp-dns-google-leads-to-google",
    Severity.CRITICAL,
    "Names of Google's APIs and registries lead to Google's restricted front",
    types=(_RECORD,),
    rationale="A record of such a name that leads elsewhere sends each token there, and takes images from there.",
    remedy="Let A records be of 199.36.153.4/30, and the other names be aliases within their zone.",
    frameworks=_SC,
    examples=lambda: examples(
        given(_RECORD, {"name": "restricted.googleapis.com.", "type": "A", "rrdatas": ["199.36.153.4"]}, "google"),
        broken={
            **{
                f'rrdatas is ["{address}"]': put("rrdatas", [address])
                for address in ("203.0.113.9", "199.36.153.8", "10.0.0.9")
            },
            'rrdatas is ["199.36.153.4", "203.0.113.9"]': put("rrdatas.1", "203.0.113.9"),
            'type is "AAAA"': put("type", "AAAA"),
            "rrdatas is absent": drop("rrdatas"),
        },
        undecided={
            "rrdatas is known only to the provider": put("rrdatas", Hidden()),
            "name is known only to the provider": put("name", Hidden()),
        },
        accepted={"": (put("rrdatas.1", "199.36.153.7"), put("name", "models.example.internal."))},
    ),
)
def dns_google_leads_to_google(record: Resource, _: Inventory) -> Judgement:
    name = read(record, "name")
    if is_hidden(name):
        return expect(record, "name", "a name that the plan knows", bool)
    zone = next((zone for zone in _GOOGLE if f".{name}".lower().endswith(f".{zone}")), "")
    if not zone:
        return PASS
    kind = read(record, "type")
    if kind == "A":
        return expect(record, "rrdatas", "addresses of 199.36.153.4/30", lambda v: bool(v) and set(v) <= set(_FRONTS))
    if kind == "CNAME":
        return expect(
            record, "rrdatas", f"a name below {zone}", lambda v: bool(v) and all(_below(n, zone) for n in v)
        )
    return one_of(record, "type", ("A", "CNAME"))


def _below(name: Any, zone: str) -> bool:
    return f".{name}".lower().endswith(f".{zone}")
