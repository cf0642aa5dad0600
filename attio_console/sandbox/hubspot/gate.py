"""What stands before every call: the key, its scopes, and the rate limits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from attio_console.sandbox.hubspot.account import Key
from attio_console.sandbox.hubspot.errors import HubSpotError
from attio_console.sandbox.hubspot.state import HubSpot
from attio_console.sandbox.server import CallNext, Middleware, Request, Response

OPEN_PATHS = ("/oauth/",)


class Window:
    """At most so many in so many seconds, sliding."""

    def __init__(self, size: int, seconds: float, now: Callable[[], float]) -> None:
        self.size = size
        self.seconds = seconds
        self._now = now
        self._taken: deque[float] = deque()

    def left(self) -> int:
        """Return how many more fit at this moment."""
        limit = self._now() - self.seconds
        while self._taken and self._taken[0] <= limit:
            self._taken.popleft()
        return self.size - len(self._taken)

    def take(self, many: int = 1) -> bool:
        """Take that many, or none and return False."""
        if self.left() < many:
            return False
        self._taken.extend([self._now()] * many)
        return True


@dataclass
class Limits:
    """The limits of an account on the Professional plan."""

    clock: Callable[[], float]
    today: Callable[[], datetime]
    daily: int = 625_000
    used_today: int = 0
    bursts: dict[str, Window] = field(default_factory=dict)
    locked_until: float = 0.0

    def __post_init__(self) -> None:
        """Open the windows."""
        self.search = Window(5, 1.0, self.clock)
        self.upserts = Window(5_000, 10.0, self.clock)
        self._day = self.today().date()

    def burst(self, key: Key) -> Window:
        """Return the ten-second window of an application."""
        size = 110 if key.kind == "oauth" else 190
        return self.bursts.setdefault(key.value, Window(size, 10.0, self.clock))

    def count_today(self) -> int:
        """Count a call against the day, which ends at midnight, and return how many are left."""
        if self.today().date() != self._day:
            self._day, self.used_today = self.today().date(), 0
        self.used_today += 1
        return self.daily - self.used_today

    def lock_on_burst(self, upserted: int) -> None:
        """Refuse company upserts that come by the thousand: the object locks for two seconds."""
        if self.clock() < self.locked_until:
            raise locked()
        if not self.upserts.take(upserted):
            self.locked_until = self.clock() + 2.0
            raise locked()

    def midnight(self) -> datetime:
        """Return when the daily count starts again."""
        tomorrow = self.today() + timedelta(days=1)
        return tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)


def locked() -> HubSpotError:
    """Refuse because the object is locked."""
    return HubSpotError(423, "LOCKED", "The resource is currently locked; please try again in 2 seconds")


def too_many(policy: str, headers: list[tuple[str, str]]) -> HubSpotError:
    """Refuse because of a rate limit."""
    return HubSpotError(
        429,
        "RATE_LIMITS",
        f"You have reached your {policy.lower()} limit.",
        extra={"errorType": "RATE_LIMIT", "policyName": policy},
        headers=headers,
    )


def make_gate(account: HubSpot, limits: Limits) -> Middleware:
    """Make the middleware that lets calls through or not."""
    settings = account.world.settings

    async def gate(request: Request, call_next: CallNext) -> Response:
        if request.path.startswith(OPEN_PATHS):
            return await call_next(request)
        key = authenticate(account, request)
        request.state["key"] = key
        if not settings.limits:
            return await call_next(request)
        if request.path.endswith("/search"):
            # Search has a limit of its own, and says nothing of it in headers.
            if not limits.search.take():
                raise too_many("SECONDLY", [])
            return await call_next(request)
        return await _counted(limits, key, request, call_next)

    return gate


async def _counted(limits: Limits, key: Key, request: Request, call_next: CallNext) -> Response:
    burst = limits.burst(key)
    granted = burst.take()
    headers = [
        ("X-HubSpot-RateLimit-Max", str(burst.size)),
        ("X-HubSpot-RateLimit-Remaining", str(burst.left())),
        ("X-HubSpot-RateLimit-Interval-Milliseconds", "10000"),
    ]
    left = limits.count_today()
    if key.kind != "oauth":
        headers += [
            ("X-HubSpot-RateLimit-Daily", str(limits.daily)),
            ("X-HubSpot-RateLimit-Daily-Remaining", str(max(0, left))),
        ]
        if left < 0:
            raise too_many("DAILY", headers)
    if not granted:
        raise too_many("TEN_SECONDLY_ROLLING", headers)
    request.response_headers += headers
    return await call_next(request)


def authenticate(account: HubSpot, request: Request) -> Key:
    """Return the key of a call, or refuse it."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    key = account.keyring.keys.get(value.strip()) if scheme.lower() == "bearer" else None
    if key is None:
        raise HubSpotError(
            401,
            "INVALID_AUTHENTICATION",
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
            "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        )
    if key.expires_at is not None and account.now() >= key.expires_at:
        gone = int((account.now() - key.expires_at).total_seconds())
        raise HubSpotError(
            401,
            "EXPIRED_AUTHENTICATION",
            f"The OAuth token used to make this call expired {gone} second(s) ago.",
        )
    return key


def require(request: Request, *scopes: str) -> None:
    """Refuse a call whose key lacks a scope."""
    key: Key = request.state["key"]
    missing = [scope for scope in scopes if scope not in key.scopes]
    if missing:
        raise HubSpotError(
            403,
            "MISSING_SCOPES",
            "This app hasn't been granted all required scopes to make this call.",
            errors=[
                {
                    "message": "One or more of the following scopes are required.",
                    "context": {"requiredGranularScopes": missing},
                }
            ],
        )


def require_object(request: Request, name: str, what: str) -> None:
    """Refuse a call on an object type that the key may not read or write."""
    # Notes and tasks come with the permission on contacts.
    owner = name if name in {"contacts", "companies", "deals"} else "contacts"
    require(request, f"crm.objects.{owner}.{what}")
