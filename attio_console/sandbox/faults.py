"""Rules that break things on request: what the control surface's `/faults` takes, and when each rule strikes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from attio_console.sandbox.world import World

REQUEST_ACTIONS = frozenset(
    {"status", "timeout", "reset", "slow", "truncate", "malformed", "commit_then_reset"}
)
DELIVERY_ACTIONS = frozenset({"drop_delivery", "duplicate_delivery", "delay_delivery", "reorder_delivery"})
SYSTEMS = frozenset({"attio", "hubspot", "salesforce"})
_KNOWN_KEYS = frozenset(
    {
        "system", "method", "path", "probability", "count", "skip", "action", "status", "body", "headers",
        "retry_after", "seconds", "event_type", "token",
    }
)  # fmt: skip


class BadRule(ValueError):
    """A fault rule that says something the sandbox cannot do."""


@dataclass(slots=True)
class FaultRule:
    """One rule: which requests or deliveries it strikes, how often, and what it does to them.

    `count` strikes that many times and is then spent; `probability` strikes at random from the sandbox's seed;
    neither means every time. `skip` lets that many matches pass first.
    """

    action: str
    system: str | None = None
    method: str | None = None
    path: str | None = None
    token: str | None = None
    event_type: str | None = None
    probability: float | None = None
    count: int | None = None
    skip: int = 0
    status: int = 502
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: float | None = None
    seconds: float = 1.0
    struck: int = 0

    @classmethod
    def parse(cls, raw: Any) -> FaultRule:
        """Read one rule of the control surface, or raise `BadRule` with the reason."""
        if not isinstance(raw, Mapping):
            raise BadRule("a rule is a JSON object")
        unknown = sorted(set(raw) - _KNOWN_KEYS)
        if unknown:
            raise BadRule(f"unknown key {unknown[0]!r} in a fault rule")
        action = raw.get("action")
        if action not in REQUEST_ACTIONS | DELIVERY_ACTIONS:
            known = ", ".join(sorted(REQUEST_ACTIONS | DELIVERY_ACTIONS))
            raise BadRule(f"unknown action {action!r}; known are {known}")
        system = raw.get("system")
        if system is not None and system not in SYSTEMS:
            raise BadRule(f"unknown system {system!r}; known are attio, hubspot, salesforce")
        probability = raw.get("probability")
        if probability is not None and not (_is_number(probability) and 0 <= probability <= 1):
            raise BadRule("probability is a number from 0 to 1")
        for key in ("count", "skip", "status"):
            value = raw.get(key)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
                raise BadRule(f"{key} is a whole number, 0 or more")
        for key in ("seconds", "retry_after"):
            value = raw.get(key)
            if value is not None and not (_is_number(value) and value >= 0):
                raise BadRule(f"{key} is a number, 0 or more")
        headers = raw.get("headers") or {}
        if not isinstance(headers, Mapping):
            raise BadRule("headers is a JSON object")
        rule = cls(action=str(action), system=system)
        for key in ("method", "path", "token", "event_type"):
            value = raw.get(key)
            if value is not None and not isinstance(value, str):
                raise BadRule(f"{key} is a string")
            setattr(rule, key, value)
        if rule.method is not None:
            rule.method = rule.method.upper()
        rule.headers = {str(name): str(value) for name, value in headers.items()}
        rule.probability = probability
        rule.count = raw.get("count")
        rule.body = raw.get("body")
        rule.retry_after = raw.get("retry_after")
        for key in ("skip", "status", "seconds"):
            if raw.get(key) is not None:
                setattr(rule, key, raw[key])
        return rule

    def as_json(self) -> dict[str, Any]:
        """Return the rule as the control surface shows it, with how often it has struck."""
        shown = {
            "action": self.action, "system": self.system, "method": self.method, "path": self.path,
            "token": self.token, "event_type": self.event_type, "probability": self.probability,
            "count": self.count, "struck": self.struck,
        }  # fmt: skip
        return {key: value for key, value in shown.items() if value is not None}

    def strikes(self, rng: random.Random) -> bool:
        """Decide for one match, using up `skip` and `count`."""
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.count is not None and self.struck >= self.count:
            return False
        if self.probability is not None and rng.random() >= self.probability:
            return False
        self.struck += 1
        return True


class Faults:
    """The rules in force, in the order they came; the first that strikes wins (`world.part(Faults)`)."""

    def __init__(self, world: World) -> None:
        # A stream of chance of its own: rules must not change what the seed gives elsewhere.
        self._rng = random.Random(f"faults {world.seed}")
        self._requests: list[FaultRule] = []
        self._deliveries: list[FaultRule] = []

    @property
    def rules(self) -> list[FaultRule]:
        """All rules in force."""
        return [*self._requests, *self._deliveries]

    @property
    def strikes_requests(self) -> bool:
        """Whether any rule is about requests: none is the common case and costs nothing."""
        return bool(self._requests)

    def add(self, raw_rules: Any) -> list[FaultRule]:
        """Add all rules of a `/faults` body, or none of them when one is wrong."""
        if not isinstance(raw_rules, list):
            raise BadRule("rules is a list")
        rules = [FaultRule.parse(raw) for raw in raw_rules]
        for rule in rules:
            (self._deliveries if rule.action in DELIVERY_ACTIONS else self._requests).append(rule)
        return rules

    def clear(self) -> None:
        """Forget every rule."""
        self._requests.clear()
        self._deliveries.clear()

    def for_request(self, system: str, method: str, path: str, token: str | None = None) -> FaultRule | None:
        """Return the rule that strikes this request."""
        for rule in self._requests:
            if (
                (rule.system is None or rule.system == system)
                and (rule.method is None or rule.method == method)
                and (rule.path is None or path_matches(rule.path, path))
                and (rule.token is None or rule.token == token)
                and rule.strikes(self._rng)
            ):
                return rule
        return None

    def for_delivery(self, event_type: str, target_url: str) -> FaultRule | None:
        """Return the rule that strikes this webhook delivery; `path` is matched against the target URL."""
        for rule in self._deliveries:
            if (
                (rule.event_type is None or rule.event_type == event_type)
                and (rule.path is None or path_matches(rule.path, target_url))
                and rule.strikes(self._rng)
            ):
                return rule
        return None


def path_matches(pattern: str, path: str) -> bool:
    """Match a path against a pattern with `*`, or against a prefix that ends between two segments."""
    if any(sign in pattern for sign in "*?["):
        return fnmatchcase(path, pattern)
    return path == pattern or path.startswith(pattern.rstrip("/") + "/")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
