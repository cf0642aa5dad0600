"""What happened to one field of a conflict, on both sides, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attio_console.errors import NoSuchThing
from attio_console.model.schema import Attribute
from attio_console.model.text import plain
from attio_console.model.values import display
from attio_console.services.conflicts import SYSTEM_NAMES, ConflictVerbs
from attio_console.services.types import ConflictField, TimelineLine
from attio_console.store.types import AuditEntry, ConflictRow

_LOOK_BACK = 500
_NEVER = datetime.min.replace(tzinfo=UTC)


class TimelineVerbs(ConflictVerbs):
    """History of both sides."""

    async def timeline(self, conflict_id: int, slug: str) -> list[TimelineLine]:
        """Return what is known of a field's past: both sides, their base, what was written here, what Attio says."""
        row = self.store.conflicts.get(conflict_id)
        detail = self.conflict(conflict_id)
        if row is None or detail is None:
            raise NoSuchThing(f"There is no conflict {conflict_id}.")
        field = next((one for one in detail.fields if one.slug == slug), None)
        if field is None:
            raise NoSuchThing(f"Conflict {conflict_id} has no field {slug!r}.")
        lines = [*self._sides(row, field), *self._written(row, field)]
        known = {(line.where, line.after) for line in lines}
        lines += [
            TimelineLine(past.at, "Attio", past.before, past.after, past.by, past.source)
            for past in await self.history(row.collection, row.record_id)
            if past.field == field.title and ("Attio", past.after) not in known
        ]
        return sorted(lines, key=lambda line: line.at or _NEVER, reverse=True)

    def _sides(self, row: ConflictRow, field: ConflictField) -> list[TimelineLine]:
        other = self.side_name("external", row.system)
        base = field.base.text if field.compared else ""
        lines = [
            TimelineLine(field.attio.at, "Attio", base, field.attio.text, field.attio.by, "as it is now"),
            TimelineLine(
                field.external.at, other, base, field.external.text, field.external.by, "as it is now"
            ),
        ]
        if field.compared:
            bases = self.store.pairs.bases(row.pair_id) if row.pair_id is not None else {}
            at = bases[field.slug].at if field.slug in bases else None
            lines.append(TimelineLine(at, "both", "", field.base.text, "", "last agreed on"))
        return lines

    def _written(self, row: ConflictRow, field: ConflictField) -> list[TimelineLine]:
        names = {field.slug, field.title, *field.external_field.split(" + ")}
        attribute = self.attribute(row.collection, field.slug)
        found = [
            entry
            for record in dict.fromkeys((row.record_id, row.external_id))
            if record
            for entry in self.store.audit.recent(_LOOK_BACK, record=record)
            if entry.field in names
        ]
        return [self._line_of(entry, attribute) for entry in found]

    def _line_of(self, entry: AuditEntry, attribute: Attribute | None) -> TimelineLine:
        shown = attribute if entry.system == "attio" else None
        return TimelineLine(
            entry.at,
            SYSTEM_NAMES.get(entry.system, plain(entry.system)),
            self._text(shown, entry.before),
            self._text(shown, entry.after),
            plain({"operator": "you", "sync": "sync"}.get(entry.actor, entry.actor)),
            plain(entry.rule or entry.action),
        )

    def _text(self, attribute: Attribute | None, value: Any) -> str:
        if value is None or value == []:
            return ""
        if attribute is not None and isinstance(value, list):
            return display(attribute, value, self.names)
        if isinstance(value, Mapping):
            return plain(", ".join(str(part) for part in value.values() if part))
        if isinstance(value, Sequence) and not isinstance(value, str):
            return plain(", ".join(self._text(None, part) for part in value))
        return plain(str(value))
