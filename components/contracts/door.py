"""The fleet's door: how clients reach its services, who they must be, and how much each may ask.

Plain data. What a cloud makes of it is `components.aws.door` and `components.gcp.door`; the Gateway API objects are
`components.kubernetes.gateway.objects`. Not to be confused with `doors`, which are what pods must reach.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator, model_validator

from components.contracts.cluster import PRIVATE_RANGES
from components.contracts.spec import Reason, Spec, check_each_once, refused

GATEWAY: Final = "door"
"""The name of the Gateway, of its class, and of the policies that hang on it."""
HTTPS_PORT: Final = 443
PROXY_NAMESPACE: Final = "envoy-gateway-system"
"""Where Envoy Gateway runs, and the Envoy pods that it makes: apart from the fleet."""
PROXY_APP: Final = "envoy"
"""What Envoy Gateway labels Envoy's pods with (internal/infrastructure/kubernetes/proxy/resource.go)."""
PROXY_METRICS_PORT: Final = 19001
"""Where Envoy tells its figures (`EnvoyStatsPort` of Envoy Gateway 1.9.1, internal/xds/bootstrap/bootstrap.go)."""
LISTENER: Final = "https"
CERTIFICATE_SECRET: Final = "door-certificate"  # noqa: S105 - a Kubernetes object's name
CLIENT_HEADER: Final = "x-seawall-client"
"""Who asks, as the token or the certificate says it: set by the door alone."""

RESERVED_PREFIXES: Final = ("x-seawall-", "x-envoy-")
"""Request headers that clients may not set: the platform's own words, and those that steer Envoy."""


@dataclass(frozen=True)
class Exposure:
    """How a cloud puts a load balancer before the door, as the cloud's own controller reads it from a Service."""

    annotations: Mapping[str, str] = field(default_factory=dict)
    load_balancer_class: str = ""
    source_ranges: tuple[str, ...] = ()
    """Whom the load balancer and the network policies let through."""
    external_traffic_policy: str = "Local"
    """`Local` keeps the client's address."""


_NAME: Final = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$"
_DOMAIN: Final = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"
_HOST: Final = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
_HTTPS: Final = rf"^https://{_HOST}(:[1-9][0-9]{{0,4}})?(/[^\s?#]*)?$"
_KEY_MEMBERS: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
"""What a public key of each kind has (RFC 7518, sections 6.2 and 6.3; RFC 8037, section 2)."""
_RSA_BITS_MIN: Final = 2048
"""RFC 7518, section 3.3."""
_PORT_MAX: Final = 65535
_INSIDE: Final = tuple(
    ipaddress.IPv4Network(each)
    for each in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8"),
        *("169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3"),
    )
)
"""What no client on the internet has (RFC 6890)."""
_MOST_ADDRESSES: Final = ipaddress.IPv4Network("10.0.0.0/8").num_addresses
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})


class GivenCertificate(Spec):
    """A certificate that somebody puts into the namespace `serving` as a TLS secret."""

    kind: Literal["secret"]
    name: Annotated[str, Field(pattern=_NAME, max_length=253)]
    """The secret's name; it has `tls.crt` and `tls.key`, for `*.<domain>`."""


class IssuedCertificate(Spec):
    """A certificate that cert-manager orders and renews."""

    kind: Literal["cert-manager"]
    issuer: Annotated[str, Field(pattern=_NAME, max_length=253)]
    """The name of an issuer that is there, in the namespace `serving` or over the whole cluster. It must be reachable
    without the internet, which machines have no way to: a private CA, Vault, AWS Private CA or Google's CA Service.
    Let's Encrypt is not."""
    issuer_kind: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]{2,60}$")] = "ClusterIssuer"
    """Its kind: ClusterIssuer, Issuer, or that of another group."""
    issuer_group: Annotated[str, Field(pattern=_NAME, max_length=253)] = "cert-manager.io"
    """Its API group: cert-manager's own, or that of an external issuer, as awspca.cert-manager.io."""
    issuer_cidrs: tuple[str, ...] = ()
    """Private address ranges in which the issuer answers on 443, where it is outside the cluster."""
    valid_days: Annotated[int, Field(ge=2, le=397)] = 90
    """Days that a certificate is valid; it is renewed when a third of them is left."""

    @field_validator("issuer_cidrs")
    @classmethod
    def _private(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _checked_ranges("issuer_cidrs", value, private=True)


Certificate = Annotated[GivenCertificate | IssuedCertificate, Field(discriminator="kind")]


class TokenAuthentication(Spec):
    """Clients bring a signed token (JWT) of one issuer, in the header `authorization: Bearer …`.

    Have the issuer give every token an end (`exp`): one without is good for as long as the key is, and Envoy Gateway
    1.9.1 has no field by which the door could refuse it.
    """

    kind: Literal["jwt"]
    issuer: Annotated[str, Field(pattern=_HTTPS, max_length=253)]
    """Who issues the tokens: what their claim `iss` must be."""
    audiences: Annotated[tuple[Annotated[str, Field(pattern=r"^\S+$", max_length=253)], ...], Field(min_length=1)]
    """One of these must be in a token's claim `aud`, so that a token for another service opens nothing here."""
    keys: str = ""
    """The issuer's public keys themselves, as a JSON Web Key Set. They change only with these settings."""
    keys_uri: Annotated[str, Field(pattern=_HTTPS + "|^$", max_length=253)] = ""
    """Where the issuer shows its public keys. Envoy fetches them every five minutes, from a network that machines can
    reach: they have no way to the internet."""
    keys_cidrs: tuple[str, ...] = ()
    """The private address ranges in which `keys_uri` answers; the door's pods are let out to them."""
    client_claim: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "sub"
    """The claim that tells one client from another, for its limit. A string."""

    @field_validator("keys")
    @classmethod
    def _public_keys(cls, value: str) -> str:
        return _checked_keys(value) if value else value

    @field_validator("keys_uri")
    @classmethod
    def _reachable(cls, value: str) -> str:
        port = _port(value)
        if port > _PORT_MAX:
            raise refused(f"keys_uri names the port {port}", allowed=f"1 to {_PORT_MAX}", remedy="Correct the port.")
        return value

    @field_validator("keys_cidrs")
    @classmethod
    def _private(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _checked_ranges("keys_cidrs", value, private=True)

    @property
    def keys_port(self) -> int:
        """The port of `keys_uri`."""
        return _port(self.keys_uri)

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> TokenAuthentication:
        if bool(self.keys) == bool(self.keys_uri):
            raise refused(
                "keys and keys_uri are both set" if self.keys else "neither keys nor keys_uri is set",
                allowed="one of them: the issuer's public keys, or where it shows them",
                remedy="Set keys, or keys_uri with keys_cidrs.",
            )
        if bool(self.keys_uri) != bool(self.keys_cidrs):
            raise refused(
                f"keys_uri is {self.keys_uri or 'not set'}, and keys_cidrs has {len(self.keys_cidrs)} ranges",
                allowed="keys_uri with the private ranges in which it answers, and only then",
                remedy="Name the ranges under keys_cidrs, or give the keys themselves under keys.",
            )
        return self


class CertificateAuthentication(Spec):
    """Clients bring a certificate of a private CA (mutual TLS)."""

    kind: Literal["mtls"]
    ca: Annotated[str, Field(pattern=_NAME, max_length=253)]
    """The name of a ConfigMap in the namespace `serving` that has the CA's certificates as `ca.crt`."""
    dns_suffix: Annotated[str, Field(pattern=_DOMAIN + "|^$")] = ""
    """What a client certificate's DNS name must end in, as clients.example.com; left out: any of the CA's."""


class NoAuthentication(Spec):
    """Whoever reaches the door may use every model."""

    kind: Literal["none"]
    because: Reason
    """Why that is right here; the policy report prints it."""


Authentication = Annotated[
    TokenAuthentication | CertificateAuthentication | NoAuthentication, Field(discriminator="kind")
]


class PublicSpec(Spec):
    """The door answers on the internet, to these networks only."""

    source_ranges: Annotated[tuple[str, ...], Field(min_length=1, max_length=20)]
    """Public address ranges of the clients, together no wider than a /8."""
    firewall_because: Reason
    """What stands in for a web application firewall, which neither cloud offers at a load balancer that passes
    connections through; the policy report prints it."""

    @field_validator("source_ranges")
    @classmethod
    def _bounded(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        values = _checked_ranges("source_ranges", value, private=False)
        for each in values:
            if any(ipaddress.IPv4Network(each).overlaps(inside) for inside in _INSIDE):
                raise refused(
                    f"source_ranges has {each}, which has addresses that the internet does not",
                    allowed="public ranges of at most a /8, as 203.0.113.0/24",
                    remedy="Name private networks under client_cidrs, of a door that is not public.",
                )
        reached = sum(each.num_addresses for each in ipaddress.collapse_addresses(map(ipaddress.IPv4Network, values)))
        if reached > _MOST_ADDRESSES:
            raise refused(
                f"source_ranges has {reached:,} addresses together",
                allowed=f"at most {_MOST_ADDRESSES:,}, which is a /8",
                remedy="Name only the networks that are meant.",
            )
        return values


class LimitsSpec(Spec):
    """How much is let in."""

    requests_per_minute: Annotated[int, Field(ge=1, le=10_000_000)] = 6000
    """Requests a minute of one client at one service, over all of the door's replicas together."""
    request_mib: Annotated[int, Field(ge=1, le=64)] = 8
    """The largest request body; a larger one is answered 413."""
    connections: Annotated[int, Field(ge=10, le=100_000)] = 10_000
    """Open connections of all clients at one replica of the door."""
    requests_per_connection: Annotated[int, Field(ge=100, le=10_000_000)] = 100_000
    """Requests after which a connection is closed in good order, so that long-lived clients spread anew."""
    header_seconds: Annotated[int, Field(ge=1, le=60)] = 10
    """Seconds in which a request's headers must have come."""
    request_seconds: Annotated[int, Field(ge=1, le=600)] = 30
    """Seconds that a request may take, retries included."""
    idle_seconds: Annotated[int, Field(ge=10, le=3600)] = 300
    """Seconds after which an idle connection is closed."""


class RetriesSpec(Spec):
    """Second attempts. Only idempotent calls pass the door at all: see `components.kubernetes.routes`."""

    attempts: Annotated[int, Field(ge=0, le=5)] = 2
    """Further attempts of one request, each at another replica where there is one."""
    budget_percent: Annotated[int, Field(ge=1, le=50)] = 20
    """Most requests in flight to a service that may be further attempts, so that retries end no overload."""
    attempt_seconds: Annotated[int, Field(ge=1, le=300)] = 10
    """Seconds after which an attempt is given up."""


class ProtectionSpec(Spec):
    """What the door does to spare a service that is overloaded, and its clients a replica that fails."""

    parallel_requests: Annotated[int, Field(ge=1, le=100_000)] = 1024
    """Requests in flight to one service, at one replica of the door; more are answered 503."""
    pending_requests: Annotated[int, Field(ge=1, le=100_000)] = 256
    """Requests that wait for a connection to one service, at one replica of the door."""
    failures: Annotated[int, Field(ge=1, le=100)] = 5
    """Failures one after the other (502, 503, 504, or no connection) after which a replica is left out."""
    ejection_seconds: Annotated[int, Field(ge=1, le=600)] = 30
    """Seconds for which it is left out the first time; each further time as much longer."""
    ejected_percent: Annotated[int, Field(ge=1, le=90)] = 50
    """Most replicas of a service that are left out at once."""


class DoorSpec(Spec):
    """The door of the fleet: one for all of its services, each by a name of its own below the domain."""

    domain: Annotated[str, Field(pattern=_DOMAIN, max_length=180)]
    """The services' domain: a service is `<service>.<domain>`, and `<service>-grpc.<domain>` by gRPC."""
    certificate: Certificate
    """The certificate for `*.<domain>`: given as a secret, or ordered by cert-manager."""
    authentication: Authentication
    """Who may use the models: `jwt`, `mtls`, or `none` with its reason."""
    client_cidrs: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    """Private networks, connected to the stack's own, whose clients may reach the door too."""
    public: PublicSpec | None = None
    """Opens the door to these networks on the internet, instead of private ones; left out: private networks only. The
    load balancer is made anew, with another address, when it comes or goes: delete the door's Service then."""
    replicas: Annotated[int, Field(ge=2, le=50)] = 2
    """Envoy's replicas, spread over hosts and zones."""
    tls_version: Literal["1.2", "1.3"] = "1.2"
    """The oldest version of TLS that is spoken."""
    limits: LimitsSpec = LimitsSpec()
    """How much is let in."""
    retries: RetriesSpec = RetriesSpec()
    """Second attempts."""
    protection: ProtectionSpec = ProtectionSpec()
    """Circuit breaking and outlier ejection."""

    @field_validator("client_cidrs")
    @classmethod
    def _private(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _checked_ranges("client_cidrs", value, private=True)

    @model_validator(mode="after")
    def _attempts_fit(self) -> DoorSpec:
        if self.retries.attempts and self.retries.attempt_seconds > self.limits.request_seconds:
            raise refused(
                f"retries.attempt_seconds is {self.retries.attempt_seconds}, more than limits.request_seconds, "
                f"which is {self.limits.request_seconds}",
                allowed="an attempt within the request's time",
                remedy="Lower retries.attempt_seconds, or raise limits.request_seconds.",
            )
        return self

    @model_validator(mode="after")
    def _one_load_balancer(self) -> DoorSpec:
        if self.public is not None and self.client_cidrs:
            raise refused(
                "public and client_cidrs are both set",
                allowed="one of them: the door has one load balancer, on the internet or inside",
                remedy="Remove client_cidrs, or public.",
            )
        return self

    @model_validator(mode="after")
    def _public_asks_who(self) -> DoorSpec:
        if self.public is not None and isinstance(self.authentication, NoAuthentication):
            raise refused(
                "public is set, and authentication is none",
                allowed="jwt or mtls where the door answers on the internet",
                remedy="Set authentication, or remove public.",
            )
        return self

    @property
    def certificate_secret(self) -> str:
        """The secret that the listener's certificate comes from."""
        named = self.certificate
        return named.name if isinstance(named, GivenCertificate) else CERTIFICATE_SECRET


def _port(uri: str) -> int:
    return int(uri.removeprefix("https://").partition("/")[0].partition(":")[2] or HTTPS_PORT)


def _checked_ranges(field: str, values: tuple[str, ...], *, private: bool) -> tuple[str, ...]:
    check_each_once(field, values)
    allowed = "private ranges, as 10.64.0.0/16" if private else "public ranges of at most a /8, as 203.0.113.0/24"
    for value in values:
        try:
            network = ipaddress.IPv4Network(value)
        except ValueError as error:
            raise refused(
                str(error), allowed=allowed, remedy="Write a range's first address and its length."
            ) from None
        if str(network) != value:
            raise refused(
                f"{field} has {value}",
                allowed=f"{network}: Kubernetes takes ranges in this form only",
                remedy=f"Write {network}.",
            )
        inside = any(network.subnet_of(own) for own in PRIVATE_RANGES)
        if network.prefixlen < 8 or (private and not inside):
            raise refused(f"{field} has {value}", allowed=allowed, remedy="Name only the networks that are meant.")
    return values


def _checked_keys(text: str) -> str:
    """A key set in one form, with public keys only."""
    allowed = 'a JSON Web Key Set of public keys, as {"keys": [{"kty": "EC", "kid": …}]}'
    remedy = "Copy what the issuer shows at its jwks_uri."
    try:
        found: Any = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise refused(f"keys is not JSON: {error}", allowed=allowed, remedy=remedy) from None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) and "kty" in key for key in keys):
        raise refused("keys is no set of keys", allowed=allowed, remedy=remedy)
    for key in keys:
        if key["kty"] == "oct" or _PRIVATE_MEMBERS & key.keys():
            raise refused("keys has a secret or private key", allowed=allowed, remedy=f"Replace the key. {remedy}")
        members = _KEY_MEMBERS.get(str(key["kty"]))
        if members is None or not all(isinstance(key.get(name), str) and key[name] for name in members):
            raise refused(
                f"keys has a key of the kind {key['kty']!r} with {', '.join(sorted(key))}",
                allowed="; ".join(f"{kind} with {', '.join(named)}" for kind, named in _KEY_MEMBERS.items()),
                remedy=remedy,
            )
        if key["kty"] == "RSA" and len(key["n"]) * 6 < _RSA_BITS_MIN:
            raise refused(
                f"keys has an RSA key of at most {len(key['n']) * 6} bits",
                allowed=f"{_RSA_BITS_MIN} bits or more: with a shorter one others can sign tokens",
                remedy="Have the issuer make a longer key.",
            )
    return json.dumps(found, sort_keys=True, separators=(",", ":"))


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
