"""What stands before every call: the session, the daily limit, and the header that counts it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from attio_console.sandbox.salesforce import retired
from attio_console.sandbox.salesforce.errors import SalesforceError
from attio_console.sandbox.salesforce.sessions import Sessions
from attio_console.sandbox.server import CallNext, Middleware, Request, Response

DAY_S = 86_400.0
VERSIONS = tuple(f"{n}.0" for n in range(31, 68))
CURRENT = VERSIONS[-1]
_OPEN = ("/services/oauth2/", *retired.PATHS)
_UNVERSIONED = ("/id/",)


@dataclass(slots=True)
class DailyLimit:
    """Calls in the last 24 hours."""

    most: int = 106_200
    _calls: deque[float] = field(default_factory=deque)
    """When each hundredth of an hour's calls began; counts are kept beside it."""
    _counts: deque[int] = field(default_factory=deque)
    used: int = 0

    def count(self, now: float) -> bool:
        """Count one call; False when there is none left."""
        while self._calls and self._calls[0] <= now - DAY_S:
            self._calls.popleft()
            self.used -= self._counts.popleft()
        if self.used >= self.most:
            return False
        self.used += 1
        if self._calls and now - self._calls[-1] < 36:
            self._counts[-1] += 1
        else:
            self._calls.append(now)
            self._counts.append(1)
        return True


def make_gate(sessions: Sessions, limit: DailyLimit) -> Middleware:
    """Make the middleware that lets calls through or not."""
    world = sessions.org.world

    async def gate(request: Request, call_next: CallNext) -> Response:
        path = request.path.rstrip("/")
        if path.startswith(_OPEN) or path == "/services/data":
            return await call_next(request)
        request.state["session"] = sessions.of(request)
        if path.startswith(_UNVERSIONED):
            return await call_next(request)
        request.state["version"] = _version(path)
        if world.settings.limits and not limit.count(world.clock.monotonic()):
            raise SalesforceError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        request.response_headers.append(("Sforce-Limit-Info", f"api-usage={limit.used}/{limit.most}"))
        return await call_next(request)

    return gate


def _version(path: str) -> str:
    parts = path.split("/")
    version = parts[3].removeprefix("v") if len(parts) > 3 else ""
    if version in VERSIONS:
        return version
    if version.replace(".", "").isdigit() and float(version) < float(VERSIONS[0]):
        raise SalesforceError(410, "UNSUPPORTED_API_VERSION", f"API version {version} is retired")
    raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
