"""Settings of shadow, A/B and fallback: who else answers a service's requests, and for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from components.contracts.door import RESERVED_PREFIXES
from components.contracts.spec import Reason, Spec, check_each_once, refused
from components.contracts.traffic_base import Traffic
from components.contracts.variants import STABLE

BUCKETS: Final = 10_000
"""Parts that the users of an experiment are hashed into; a percent is a hundred of them."""
CHALLENGERS_MAX: Final = 2
SALT_LENGTH_MIN: Final = 16
_CREDENTIALS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key"})
_NOT_A_PERSON: Final = frozenset({"content-length", "content-type", "host", "te", "user-agent", "x-request-id"})

ChallengerName = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$")]
_HeaderName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


def _own_header(name: str) -> str:
    if name in _CREDENTIALS | _NOT_A_PERSON or name.startswith((*RESERVED_PREFIXES, "x-forwarded-")):
        raise refused(
            f"the header {name} does not say who asks, or holds a credential, or is the door's own",
            allowed="a header that your clients or your identity provider set, as x-user-id",
            remedy="Choose another header.",
        )
    return name


def _check_named(named: set[str], variants: Sequence[str]) -> None:
    """Each challenger costs machines, and a name that is none would be a route to nowhere."""
    there = set(variants) - {STABLE}
    if named != there:
        raise refused(
            f"traffic names the challengers {', '.join(sorted(named))}, and challengers has"
            f" {', '.join(sorted(there)) or 'none'}",
            allowed="the same challengers in both",
            remedy="Add what is missing under challengers, and remove what traffic does not name.",
        )


class Shadow(Traffic):
    """A copy of a share of the requests goes to one challenger, and its answers are dropped."""

    takes_challengers: ClassVar[bool] = True

    strategy: Literal["shadow"] = "shadow"
    """Its name."""
    challenger: ChallengerName
    """The challenger that gets the copies."""
    percent: Annotated[int, Field(ge=1, le=100)] = 100
    """Share of requests, HTTP and gRPC, of which it gets a copy."""
    compare_percent: Annotated[int, Field(ge=0, le=100)] = 5
    """Share of HTTP requests that the recorder asks both variants once more, so that `seawall variants compare` can
    tell their answers apart. Both variants need room for them. 0: there is no recorder, and nothing to compare."""

    def check_service(self, variants: Sequence[str], p99_ms: int) -> None:
        """Refuse challengers other than the one that gets copies."""
        del p99_ms
        _check_named({self.challenger}, variants)


class ByHeader(Spec):
    """The value of a header names the variant; all other requests go to the stable one."""

    kind: Literal["header"] = "header"
    """Its name."""
    name: _HeaderName
    """The header, in lower case."""
    values: Annotated[dict[Annotated[str, Field(pattern=r"^[!-~]{1,64}$")], ChallengerName], Field(min_length=1)]
    """Value → challenger."""

    @field_validator("name")
    @classmethod
    def _not_the_doors(cls, value: str) -> str:
        return _own_header(value)


class ByCookie(Spec):
    """Each client gets a cookie with a random name of its own, which is hashed like a user's."""

    kind: Literal["cookie"] = "cookie"
    """Its name."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "seawall_visitor"
    """The cookie's name; it is sent Secure, HttpOnly and SameSite=Lax."""
    days: Annotated[int, Field(ge=1, le=400)] = 90
    """How long a client keeps it: browsers keep none for longer than 400 days."""


class ByUserHeader(Spec):
    """A header says who asks; its hash picks the variant."""

    kind: Literal["user-header"] = "user-header"
    """Its name."""
    name: _HeaderName
    """The header, in lower case. A client that sets it itself can choose its variant by trying users."""

    @field_validator("name")
    @classmethod
    def _not_the_doors(cls, value: str) -> str:
        return _own_header(value)


class ByUserClaim(Spec):
    """A claim of the verified token says who asks; its hash picks the variant."""

    kind: Literal["user-claim"] = "user-claim"
    """Its name."""
    claim: Annotated[str, Field(pattern=r"^[A-Za-z0-9_:/.-]{1,128}$")] = "sub"
    """The claim: text, at the token's top level."""


class ABTest(Traffic):
    """Each user is shown one variant and stays with it; each request's variant is logged.

    A user's variant depends on the salt, the experiment's name and the user alone: it is the same at each replica of
    the door, and after each restart. When a share grows, users move from the stable variant to that challenger, and
    nobody else moves.
    """

    takes_challengers: ClassVar[bool] = True

    strategy: Literal["a-b"] = "a-b"
    """Its name."""
    experiment: Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]
    """The experiment's name. Another name shuffles all users anew."""
    by: Annotated[ByHeader | ByCookie | ByUserHeader | ByUserClaim, Field(discriminator="kind")]
    """What picks the variant: a header's value, or the hash of a cookie, of a header or of a token's claim."""
    shares: dict[ChallengerName, Annotated[int, Field(ge=0, le=100)]] = Field(default_factory=dict)
    """Challenger → percent of users; the rest stays with the stable variant. Not with a header's values."""
    salt: SecretStr | None = None
    """A secret of at least 16 characters that is hashed with each user, so that the log names nobody; set it with
    `pulumi config set --secret --path seawall:settings.fleet.services.NAME.traffic.salt`. Not with a header's
    values."""

    def check_service(self, variants: Sequence[str], p99_ms: int) -> None:
        """Refuse challengers other than those that users are shown."""
        del p99_ms
        _check_named(set(self.challengers), variants)

    @property
    def challengers(self) -> tuple[str, ...]:
        """The challengers that users are shown, by name."""
        return tuple(sorted(set(self.by.values.values() if isinstance(self.by, ByHeader) else self.shares)))

    @property
    def bounds(self) -> dict[str, tuple[int, int]]:
        """Challenger → the buckets that are its own, as a half-open range.

        The first grows from the bottom up and the second from the top down, so that what one gains, only the stable
        variant loses.
        """
        first, *rest = sorted(self.shares)
        found = {first: (0, self.shares[first] * BUCKETS // 100)}
        found.update({name: (BUCKETS - self.shares[name] * BUCKETS // 100, BUCKETS) for name in rest})
        return found

    @property
    def expected_shares(self) -> dict[str, float]:
        """Variant → the part of all users that it is meant to have."""
        return {
            STABLE: 1 - sum(self.shares.values()) / 100,
            **{name: share / 100 for name, share in self.shares.items()},
        }

    @field_validator("salt", mode="before")
    @classmethod
    def _stand_in_for_encrypted(cls, value: object) -> object:
        """The committed file holds `{secure: …}`, which only the engine can decrypt; a plan needs no more."""
        encrypted = isinstance(value, Mapping) and set(value) == {"secure"}
        return "encrypted, and not needed for a plan" if encrypted else value

    @model_validator(mode="after")
    def _whole(self) -> ABTest:
        named = isinstance(self.by, ByHeader)
        if named and (self.shares or self.salt):
            raise refused(
                "shares or a salt beside a header whose values name the variant",
                allowed="neither: nothing is hashed",
                remedy="Remove shares and salt, or choose another by.kind.",
            )
        if named:
            return self
        if not 1 <= len(self.shares) <= CHALLENGERS_MAX:
            raise refused(
                f"{len(self.shares)} challengers have shares",
                allowed="1 or 2: with more, users would move between challengers when one of them grows",
                remedy="Test them one after the other, or choose the strategy bandit.",
            )
        if sum(self.shares.values()) > 100:
            raise refused(
                f"the shares are {sum(self.shares.values())} percent together",
                allowed="at most 100 percent",
                remedy="Lower them; what they leave is the stable variant's.",
            )
        if self.salt is None or len(self.salt.get_secret_value()) < SALT_LENGTH_MIN:
            raise refused(
                "there is no salt, or it is short",
                allowed=f"a secret of at least {SALT_LENGTH_MIN} characters, without which the log's hashes could be"
                " undone by trying all users",
                remedy="Set it: `pulumi config set --secret --path seawall:settings.fleet.services.NAME.traffic.salt"
                ' "$(openssl rand -hex 16)"`.',
            )
        return self


FailureKind = Literal["unreachable", "server-error"]


class FallbackSpec(Spec):
    """Who answers when a service fails or is late. The answer says so, in the header `x-seawall-fallback`.

    The door asks the service, then the fallback, then the service once more: if all fail, the client gets the
    service's own error. A fallback's own fallback is never asked.
    """

    service: str | None = None
    """Another service of the fleet, which takes the same requests: its release has models of the same names, inputs
    and outputs."""
    challenger: ChallengerName | None = None
    """Or one of the service's own challengers."""
    after_ms: Annotated[int, Field(ge=10, le=10_000)] | None = None
    """How late the answer may be, in milliseconds; left out: only a failure makes it fall back."""
    on: tuple[FailureKind, ...] = ("unreachable", "server-error")
    """Failures that make it fall back: no connection or a broken one, and answers 500 to 599 or their gRPC kin. A
    request that the service finds wrong (400 to 499) is wrong for the fallback too."""
    none_because: Reason | None = None
    """Why nobody does."""

    @property
    def answers(self) -> bool:
        """Whether there is a fallback."""
        return self.none_because is None

    @model_validator(mode="after")
    def _one_of_them(self) -> FallbackSpec:
        given = [value for value in (self.service, self.challenger, self.none_because) if value is not None]
        if len(given) != 1:
            raise refused(
                f"service is {self.service!r}, challenger is {self.challenger!r}, and none_because is"
                f" {self.none_because!r}",
                allowed="a service, or a challenger, or the reason why there is none",
                remedy="Set one of service, challenger and none_because.",
            )
        if not self.answers and (self.after_ms is not None or self.on != type(self).model_fields["on"].default):
            raise refused(
                "after_ms or on without anybody who answers",
                allowed="after_ms and on beside a service or a challenger",
                remedy="Remove after_ms and on, or name who answers.",
            )
        if self.answers and not self.on and self.after_ms is None:
            raise refused(
                "the fallback answers on no failure and not when the service is late",
                allowed="a kind of failure in on, or after_ms, or both",
                remedy="Remove on, or set after_ms.",
            )
        check_each_once("on", self.on)
        return self


def check_fallbacks(fallbacks: Mapping[str, FallbackSpec]) -> None:
    """Refuse a service whose fallback is not there, is itself, or leads back to it.

    Args:
        fallbacks: service → its fallback, of a whole fleet.

    Raises:
        PydanticCustomError: for a validator to let through.
    """
    for name, fallback in fallbacks.items():
        if fallback.service is not None and fallback.service not in fallbacks:
            raise refused(
                f"the fallback of {name} is {fallback.service}, which is no service of the fleet",
                allowed=", ".join(sorted(set(fallbacks) - {name})) or "none_because: there is no other service",
                remedy="Name another service of the fleet, or set none_because.",
            )
        path = [name]
        while (following := fallbacks[path[-1]].service) is not None and following in fallbacks:
            path.append(following)
            if following in path[:-1]:
                circle = " → ".join(path)
                raise refused(
                    f"the fallbacks go in a circle: {circle}",
                    allowed="fallbacks that end at a service without one",
                    remedy=f"Set none_because at one of {', '.join(sorted({left for left, _ in pairwise(path)}))}.",
                )


def check_lateness(fallbacks: Mapping[str, FallbackSpec], request_seconds: int) -> None:
    """Refuse a fallback that would be asked only when the door has given the request up.

    Args:
        fallbacks: service → its fallback, of a whole fleet.
        request_seconds: the door's limit on a request, further attempts included.

    Raises:
        PydanticCustomError: for a validator to let through.
    """
    for name, fallback in fallbacks.items():
        if fallback.after_ms is not None and fallback.after_ms >= request_seconds * 1000:
            raise refused(
                f"the fallback of {name} is asked after {fallback.after_ms} ms, and the door gives a request up after"
                f" {request_seconds * 1000} ms (door.limits.request_seconds)",
                allowed=f"an after_ms below {request_seconds * 1000}",
                remedy="Lower after_ms, or raise door.limits.request_seconds.",
            )
