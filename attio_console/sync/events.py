"""Webhook events are hints. Here a pile of them becomes the smallest set of things to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

Kind = Literal["record", "entry", "note", "task", "schema"]

GroupKey = tuple[Kind, str]
"""What is fetched together: the kind, and the id of the object or list (empty for notes, tasks, schema)."""

_SCHEMA_PREFIXES = ("list.", "list-attribute.", "object-attribute.", "workspace-member.")
_TAG_KEYS = ("record_id", "entry_id", "list_id", "note_id", "task_id")


class _Envelope(msgspec.Struct):
    events: list[dict[str, Any]]


UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding a delivery ends in that is none."""

_DECODER = msgspec.json.Decoder(_Envelope)


@dataclass(slots=True)
class Group:
    """What the events say about one group: rows to fetch, rows said to be gone, rows that moved to a new id."""

    fetch: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    moved: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Pile:
    """Coalesced events of many deliveries, and which delivery needs which group done."""

    groups: dict[GroupKey, Group] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    events: int = 0
    needs: list[set[GroupKey]] = field(default_factory=list)

    def group(self, kind: Kind, container: str = "") -> Group:
        """Return the group, made at first use."""
        return self.groups.setdefault((kind, container), Group())


def coalesce(bodies: Iterable[bytes], is_echo: Callable[[Mapping[str, Any]], bool] = lambda _: False) -> Pile:
    """Return what these deliveries ask for; `pile.needs[i]` are the groups that delivery i waits for."""
    pile = Pile()
    for body in bodies:
        needs: set[GroupKey] = set()
        for event in _DECODER.decode(body).events:
            pile.events += 1
            key = _add(pile, event, is_echo)
            if key is not None:
                needs.add(key)
        pile.needs.append(needs)
    return pile


def event_types(body: bytes) -> list[str]:
    """Return the types of the events in a delivery, for showing."""
    try:
        return [str(event.get("event_type", "")) for event in _DECODER.decode(body).events]
    except UNREADABLE:
        return []


def _add(
    pile: Pile, event: Mapping[str, Any], is_echo: Callable[[Mapping[str, Any]], bool]
) -> GroupKey | None:
    kind = str(event.get("event_type", ""))
    ids = event.get("id")
    if not isinstance(ids, Mapping):
        return None
    for key in _TAG_KEYS:
        if ids.get(key):
            pile.tags.add(str(ids[key]))
    for key in ("parent_record_id", "duplicate_record_id"):
        if event.get(key):
            pile.tags.add(str(event[key]))
    if kind.startswith(_SCHEMA_PREFIXES):
        pile.group("schema")
        pile.tags.add("schema")
        return ("schema", "")
    if is_echo(event):
        return None
    subject, _, verb = kind.partition(".")
    if subject == "record":
        return _add_row(
            pile, "record", str(ids.get("object_id", "")), str(ids.get("record_id", "")), verb, event
        )
    if subject == "list-entry":
        return _add_row(pile, "entry", str(ids.get("list_id", "")), str(ids.get("entry_id", "")), verb, event)
    if subject in {"note", "note-content"}:
        return _add_row(pile, "note", "", str(ids.get("note_id", "")), verb, event)
    if subject == "task":
        return _add_row(pile, "task", "", str(ids.get("task_id", "")), verb, event)
    return None


def _add_row(
    pile: Pile, kind: Kind, container: str, row_id: str, verb: str, event: Mapping[str, Any]
) -> GroupKey | None:
    if not row_id:
        return None
    group = pile.group(kind, container)
    if verb == "deleted":
        group.gone.add(row_id)
        return (kind, container)
    group.fetch.add(row_id)
    if verb == "merged" and event.get("duplicate_record_id"):
        old = str(event["duplicate_record_id"])
        if old != row_id:
            group.moved[old] = row_id
    return (kind, container)
