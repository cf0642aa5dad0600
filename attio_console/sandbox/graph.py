"""Objects as JSON and back: the plain data of this package's classes, shared and circular references included.

Only what is listed here can be in a document: JSON values, the usual containers, instances of classes of this package
(their attributes, never their code), bound methods of such instances, and a few types of the standard library. Reading
a document calls nothing that the document chooses, so a tampered one can at worst be refused.
"""

from __future__ import annotations

import base64
import importlib
import inspect
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from types import MethodType
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

PACKAGE = "attio_console.sandbox."
_PLAIN = frozenset({str, int, float, bool, type(None)})
_SEQUENCES = (list, tuple, set, frozenset)
_FACTORIES: dict[str, Callable[[], Any]] = {"list": list, "dict": dict, "set": set, "int": int}


class NotPlain(Exception):
    """Something that a document cannot hold, or a document that is not one."""


class Writer:
    """Turns objects into a list of nodes; `transient` names attributes that are left out, by class name."""

    def __init__(self, transient: Mapping[str, frozenset[str]]) -> None:
        self.nodes: list[Any] = []
        self._transient = transient
        self._numbers: dict[int, int] = {}
        self._alive: list[Any] = []
        self._names: dict[type, tuple[str, tuple[str, ...], frozenset[str]]] = {}

    def ref(self, value: Any) -> Any:
        """Return a plain value as it is, anything else as `[number]` of its node."""
        if type(value) in _PLAIN:
            return value
        number = self._numbers.get(id(value))
        if number is None:
            number = len(self.nodes)
            self._numbers[id(value)] = number
            # Ids are only unique among living objects: bound methods are made anew at every look.
            self._alive.append(value)
            self.nodes.append(None)
            self.nodes[number] = self._node(value)
        return [number]

    def _node(self, value: Any) -> list[Any]:
        kind = type(value)
        ref = self.ref
        if kind is dict or kind is Counter:
            return [kind.__name__, [[ref(key), ref(each)] for key, each in value.items()]]
        if kind in _SEQUENCES:
            return [kind.__name__, [ref(item) for item in value]]
        if kind is deque:
            return ["deque", [ref(item) for item in value], value.maxlen]
        if kind is defaultdict:
            factory = getattr(value.default_factory, "__name__", None)
            return ["defaultdict", [[ref(key), ref(each)] for key, each in value.items()], factory]
        if isinstance(value, type):
            return ["class", _name(value)]
        if isinstance(value, MethodType):
            return ["method", ref(value.__self__), value.__func__.__name__]
        if inspect.isfunction(value):
            return ["function", _name(value)]
        scalar = _scalar_node(value)
        return scalar if scalar is not None else self._object(value, kind)

    def _object(self, value: Any, kind: type) -> list[Any]:
        if kind not in self._names:
            own = dict.fromkeys(slot for each in kind.__mro__ for slot in _slots(each))
            self._names[kind] = (_name(kind), tuple(own), self._transient.get(kind.__name__, frozenset()))
        name, slots, skip = self._names[kind]
        found = {slot: getattr(value, slot) for slot in slots if hasattr(value, slot)}
        found.update(getattr(value, "__dict__", {}))
        attributes = []
        for attribute, each in found.items():
            if attribute not in skip:
                try:
                    attributes.append([attribute, self.ref(each)])
                except NotPlain as error:
                    raise NotPlain(f"{kind.__name__}.{attribute}: {error}") from error
        return ["object", name, attributes]


def _slots(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _scalar_node(value: Any) -> list[Any] | None:
    match value:
        case bytes():
            return ["bytes", base64.b64encode(value).decode()]
        case datetime() | date():
            return [type(value).__name__, value.isoformat()]
        case timedelta():
            return ["timedelta", [value.days, value.seconds, value.microseconds]]
        case Decimal():
            return ["Decimal", str(value)]
        case Random():
            version, numbers, gauss = value.getstate()
            return ["Random", [version, list(numbers), gauss]]
        case RSAPrivateKey():
            pem = value.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            return ["rsa", pem.decode()]
        case _:
            return None


class Reader:
    """Turns the nodes of a `Writer` into objects again."""

    def __init__(self, nodes: Any) -> None:
        if not isinstance(nodes, list):
            raise NotPlain("not a list of nodes")
        self._nodes = nodes
        self._made: dict[int, Any] = {}

    def value(self, ref: Any) -> Any:
        """Return what a reference stands for."""
        if type(ref) in _PLAIN:
            return ref
        if not (
            isinstance(ref, list)
            and len(ref) == 1
            and isinstance(ref[0], int)
            and 0 <= ref[0] < len(self._nodes)
        ):
            raise NotPlain(f"not a reference: {ref!r:.60}")
        number = ref[0]
        if number not in self._made:
            node = self._nodes[number]
            if not isinstance(node, list) or len(node) < 2:
                raise NotPlain(f"not a node: {node!r:.60}")
            self._make(number, node)
        return self._made[number]

    def _make(self, number: int, node: list[Any]) -> None:
        kind, payload, *rest = node
        made: Any
        match kind:
            case "list" | "deque" | "set":
                made = {"list": list, "set": set}.get(kind, lambda: deque(maxlen=rest[0] if rest else None))()
                # Known before it is filled: what it holds may lead back to it.
                self._made[number] = made
                items = [self.value(each) for each in payload]
                made.update(items) if kind == "set" else made.extend(items)
            case "dict" | "Counter" | "defaultdict":
                made = Counter() if kind == "Counter" else {}
                if kind == "defaultdict":
                    made = defaultdict(_FACTORIES[rest[0]])
                self._made[number] = made
                for key, each in payload:
                    made[self.value(key)] = self.value(each)
            case "tuple":
                self._made[number] = tuple(self.value(each) for each in payload)
            case "frozenset":
                self._made[number] = frozenset(self.value(each) for each in payload)
            case "object":
                self._object(number, payload, rest[0])
            case "method":
                owner = self.value(payload)
                if not type(owner).__module__.startswith(PACKAGE) or not inspect.isfunction(
                    getattr(type(owner), str(rest[0]), None)
                ):
                    raise NotPlain(f"not a method: {rest[0]!r:.60}")
                self._made[number] = getattr(owner, rest[0])
            case _:
                self._made[number] = _scalar(kind, payload)

    def _object(self, number: int, name: str, attributes: Any) -> None:
        kind = _load(name)
        if not isinstance(kind, type):
            raise NotPlain(f"not a class: {name}")
        made: Any = object.__new__(kind)
        self._made[number] = made
        for attribute, ref in attributes:
            # Frozen dataclasses refuse an ordinary assignment.
            object.__setattr__(made, attribute, self.value(ref))


def _scalar(kind: Any, payload: Any) -> Any:
    match kind:
        case "bytes":
            return base64.b64decode(payload, validate=True)
        case "datetime":
            moment = datetime.fromisoformat(payload)
            return moment.astimezone(UTC) if moment.utcoffset() == timedelta() else moment
        case "date":
            return date.fromisoformat(payload)
        case "timedelta":
            return timedelta(*payload)
        case "Decimal":
            return Decimal(payload)
        case "Random":
            random = Random()
            random.setstate((payload[0], tuple(payload[1]), payload[2]))
            return random
        case "class" | "function":
            return _load(payload)
        case "rsa":
            return serialization.load_pem_private_key(payload.encode(), None)
        case _:
            raise NotPlain(f"unknown kind of node: {kind!r:.60}")


def _name(value: Any) -> str:
    name = f"{value.__module__}:{value.__qualname__}"
    if not value.__module__.startswith(PACKAGE) or "<" in name:
        raise NotPlain(f"{name} is nothing a document can hold")
    return name


def _load(name: Any) -> Any:
    """Return a class or function of this package by name."""
    module, _, path = str(name).partition(":")
    if not module.startswith(PACKAGE) or not all(
        part.isidentifier() for part in (*module.split("."), *path.split("."))
    ):
        raise NotPlain(f"not a name of this package: {name!r:.80}")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise NotPlain(f"unknown name: {name!r:.80}") from error
    if getattr(found, "__module__", None) != module:
        raise NotPlain(f"not a name of that module: {name!r:.80}")
    return found
