"""What a rule would make of conflicts that are open, and how a running sync hears that a rule changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from attio_console.errors import ConfigError
from attio_console.model.merge import FieldInput, Rule, decide
from attio_console.model.times import instant
from attio_console.store import Store
from attio_console.store.types import ConflictFilter, ConflictRow
from attio_console.sync import kinds
from attio_console.sync.breath import Breath
from attio_console.sync.crm_context import CrmContext, load_context
from attio_console.sync.mapping import FieldMapping

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Settled:
    """What a rule makes of one open conflict: the side it takes, and whether other fields stay open."""

    row: ConflictRow
    side: str
    partly: bool


async def settled_by(
    store: Store, collection: str, system: str, external: str, field: FieldMapping
) -> AsyncIterator[Settled]:
    """Yield the open conflicts of a field that its rule decides."""
    breath = Breath()
    wanted = ConflictFilter(system, kinds.FIELD, collection, external, field.attio)
    start = 0
    while rows := store.conflicts.list("open", start, _AT_ONCE, wanted):
        for row in rows:
            await breath.take()
            document = next(f for f in row.fields if f.get("slug") == field.attio)
            side = side_of(document, field)
            if side is not None:
                yield Settled(row, side, len(row.fields) > 1)
        start += len(rows)


def side_of(document: dict[str, Any], field: FieldMapping) -> str | None:
    """Return the side that a field's rule takes in a conflict, by the same merge that the sync goes by."""
    decision = decide(
        FieldInput(
            str(document.get("type") or "text"),
            list(document.get("base") or []) if document.get("has_base", True) else None,
            list(document.get("attio") or []),
            list(document.get("external") or []),
            field.rule,
            field.direction,
            field.blanks,
            bool(document.get("multi")),
            instant(str(document.get("attio_at") or "")),
            instant(str(document.get("external_at") or "")),
        )
    )
    if decision.is_manual:
        return None
    writes = decision.writes
    if writes == {"attio"}:
        return "external"
    return "attio" if writes == {"external"} else None


def renewed(store: Store, context: CrmContext) -> CrmContext | None:
    """Return what is known of a system with the rules that a person set since; None where none changed."""
    try:
        mapping = load_context(store, context.system).mapping
    except ConfigError:
        return None
    if _rules(mapping.objects) == _rules(context.mapping.objects):
        return None
    rules = _rules(mapping.objects)

    def with_rules(object_key: tuple[str, str], fields: tuple[FieldMapping, ...]) -> tuple[FieldMapping, ...]:
        return tuple(replace(f, rule=rules.get((*object_key, f.attio), f.rule)) for f in fields)

    objects = tuple(
        replace(one, fields=with_rules((one.attio, one.external), one.fields))
        for one in context.mapping.objects
    )
    return replace(context, mapping=replace(context.mapping, objects=objects))


def _rules(objects: Any) -> dict[tuple[str, str, str], Rule]:
    return {(one.attio, one.external, field.attio): field.rule for one in objects for field in one.fields}
