"""The queue of everything a machine must not decide alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attio_console.errors import ConsoleError, InvalidValue, NoSuchThing, UsageError
from attio_console.model.schema import Attribute
from attio_console.model.text import plain
from attio_console.model.times import instant
from attio_console.model.values import Items, display, parse
from attio_console.services.consequences import consequence
from attio_console.services.outbox import OutboxVerbs
from attio_console.services.types import (
    ConflictDetail,
    ConflictField,
    ConflictLine,
    ConflictSide,
    Done,
    PlannedWrite,
)
from attio_console.services.types import Side as SideName
from attio_console.store.types import ConflictRow
from attio_console.sync.kinds import RECORD

if TYPE_CHECKING:
    from attio_console.sync.resolve import Choice, Resolver

Plan = tuple[int, Mapping[str, Any], int]
"""A conflict, a choice for each of its fields, and the revision that was looked at."""

_KINDS = {
    "field": "{fields} differ{s}",
    "rule-settled": "{fields} settled by rule, look again",
    "edit against remote change": "{fields} changed in Attio while your edit waited",
    "edit against delete": "deleted there, edited here",
    "delete-against-edit": "deleted on one side, changed on the other",
    "duplicate-identity": "several records are the same one",
    "ambiguous-pair": "more than one record could be its copy",
    "merge": "merged on one side",
    "refused-write": "a write was refused: {fields}",
    "guard-stop": "stopped: more changes than allowed at once",
}

SYSTEM_NAMES = {"attio": "Attio", "hubspot": "HubSpot", "salesforce": "Salesforce"}


class ConflictVerbs(OutboxVerbs):
    """Everything about conflicts."""

    def conflict_count(self) -> int:
        """Return how many conflicts are open."""
        return self.store.conflicts.count("open")

    def conflict(self, conflict_id: int) -> ConflictDetail | None:
        """Return one conflict, field by field, or None where there is none of that id."""
        row = self.store.conflicts.get(conflict_id)
        return None if row is None else self.detail_of(row)

    def detail_of(self, row: ConflictRow) -> ConflictDetail:
        """Return a stored conflict, field by field."""
        fields = tuple(self._field(row, document) for document in row.fields)
        suggestion = row.suggestion or {}
        return ConflictDetail(
            line=self._line(row),
            sentence=self._sentence(row),
            external_type=row.external_type,
            external_id=row.external_id,
            detected_by=row.detected_by,
            fields=fields,
            merged=tuple(plain(str(name)) for name in suggestion.get("merged") or ()),
            revision=row.revision,
        )

    def _line(self, row: ConflictRow) -> ConflictLine:
        titles = tuple(plain(str(f.get("title") or f.get("slug") or "")) for f in row.fields)
        pattern = _KINDS.get(row.kind, row.kind)
        what = pattern.format(fields=", ".join(titles), s="" if self._is_plural(row) else "s")
        return ConflictLine(
            conflict_id=row.id,
            kind=row.kind,
            system=row.system,
            label=plain(row.label) or self.label(row.record_id),
            what=what,
            suggestion=self._suggestion(row),
            state=row.state,
            detected_at=row.detected_at,
            fields=titles,
            record_id=row.record_id,
            collection=row.collection,
        )

    def _is_plural(self, row: ConflictRow) -> bool:
        """Return whether the fields of a conflict differ, and not a single one differs: "Phone numbers" is many."""
        if len(row.fields) != 1:
            return True
        attribute = self.attribute(row.collection, _slug(row.fields[0]))
        return attribute is not None and attribute.is_multi and attribute.title.endswith("s")

    def _suggestion(self, row: ConflictRow) -> str:
        parts = []
        for document in row.fields:
            side = document.get("suggestion")
            if side in {"attio", "external", "base", "both"}:
                sign = {"attio": "←", "external": "→", "base": "0", "both": "⇔"}[side]
                parts.append(
                    f"{sign} {self.side_name(side, row.system)}, {document.get('why') or ''}".rstrip(", ")
                )
        if not parts:
            return "?"
        unique = list(dict.fromkeys(plain(part) for part in parts))
        return " · ".join(unique) + ("" if len(parts) == len(row.fields) else " · ?")

    def side_name(self, side: str, system: str) -> str:
        """Return what people call a side of a conflict."""
        other = "Your edit" if system == "attio" else SYSTEM_NAMES.get(system, system)
        return {"attio": "Attio", "external": other, "base": "Base", "both": "Both", "empty": "Empty"}.get(
            side, side
        )

    def _sentence(self, row: ConflictRow) -> str:
        line = self._line(row)
        other = "your edit" if row.system == "attio" else SYSTEM_NAMES.get(row.system, row.system)
        found = {"outbox": "when your edit was sent", "poll": "by polling", "webhook": "by a webhook"}
        how = found.get(row.detected_by, row.detected_by or "by comparison")
        return f"{line.label}: {line.what}. Attio and {other}, found {how}."

    def _field(self, row: ConflictRow, document: Mapping[str, Any]) -> ConflictField:
        slug = str(document.get("slug") or document.get("field") or "")
        attribute = self.attribute(row.collection, slug) or Attribute(
            slug, slug, str(document.get("title") or slug), str(document.get("type") or "text")
        )
        return ConflictField(
            slug=slug,
            title=plain(attribute.title),
            type=attribute.type,
            multi=attribute.is_multi and bool(document.get("multi", True)),
            base=self._side(attribute, document, "base")
            if document.get("has_base", True)
            else ConflictSide("never compared", ()),
            attio=self._side(attribute, document, "attio"),
            external=self._side(attribute, document, "external"),
            external_field=plain(str(document.get("external_field") or "")),
            suggestion=_side_or_none(document.get("suggestion")),
            why=plain(str(document.get("why") or "")),
            compared=bool(document.get("has_base", True)),
            whole=slug == RECORD,
        )

    def _side(self, attribute: Attribute, document: Mapping[str, Any], side: str) -> ConflictSide:
        items: Items = list(document.get(side) or [])
        at = document.get(f"{side}_at")
        by = document.get(f"{side}_by") or ""
        if isinstance(by, Mapping):
            by = "you" if by.get("type") == "operator" else self.actor_name(by.get("type"), by.get("id"))
        moment = instant(at) if isinstance(at, str) else at if isinstance(at, datetime) else None
        return ConflictSide(display(attribute, items, self.names), tuple(items), plain(str(by)), moment)

    # ------------------------------------------------------------------------------------------------- deciding

    def _resolver(self) -> Resolver:
        # Deciding is rare and looking is not: what decides is loaded when somebody does.
        from attio_console.sync.resolve import Resolver

        return Resolver(self.store, self.bus, self.clock)

    def _choices(self, row: ConflictRow, choices: Mapping[str, Any]) -> dict[str, Choice]:
        decided: dict[str, Choice] = {}
        for slug, choice in choices.items():
            if isinstance(choice, str):
                decided[slug] = {"set": []} if choice == "empty" else choice
                continue
            text = str(choice[1])
            attribute = self.attribute(row.collection, slug)
            if attribute is None:
                raise NoSuchThing(f"There is no field {slug} any more.")
            decided[slug] = {"set": parse(attribute, text, self.schema)}
        return decided

    def _open_row(self, conflict_id: int) -> ConflictRow:
        row = self.store.conflicts.get(conflict_id)
        if row is None:
            raise NoSuchThing(f"There is no conflict {conflict_id}.")
        if row.state not in {"open", "snoozed"}:
            raise UsageError(
                f"Conflict {conflict_id} is {row.state} already.", hint="u takes a resolution back."
            )
        return row

    def preview_resolution(self, conflict_id: int, choices: Mapping[str, Any]) -> list[PlannedWrite]:
        """Return exactly what applying these choices would write, and where."""
        row = self._open_row(conflict_id)
        return self._preview(row, self._choices(row, choices))

    def _preview(self, row: ConflictRow, decided: Mapping[str, Choice]) -> list[PlannedWrite]:
        writes = []
        for planned in self._resolver().preview(row, decided):
            attribute = self.attribute(row.collection, planned.slug)
            before = display(attribute, planned.before, self.names) if attribute else str(planned.before)
            after = display(attribute, planned.after, self.names) if attribute else str(planned.after)
            deletes = planned.slug == RECORD
            if deletes:
                before, after = str(row.label), "deleted"
            writes.append(
                PlannedWrite(
                    planned.system,
                    shape.slug if (shape := self.schema.collection(planned.object)) else planned.object,
                    planned.record_id,
                    plain(row.label),
                    plain(planned.field),
                    plain(before),
                    plain(after),
                    deletes,
                )
            )
        return writes

    def consequence(self, conflict_id: int, choices: Mapping[str, Any]) -> str:
        """Return what a decision about a whole record does, in a sentence; nothing where it is about fields."""
        row = self._open_row(conflict_id)
        return consequence(row, choices.get(RECORD), self.side_name("external", row.system))

    async def resolve(
        self, conflict_id: int, choices: Mapping[str, Any], revision: int | None = None
    ) -> Done:
        """Apply a decision for every field of a conflict: both sides get the chosen values.

        Choices are attio, external, base, both, empty, or ("set", text). Raises UsageError where a side moved since
        `revision`, InvalidValue where a field has no choice.
        """
        self.refuse_when_read_only("Resolving a conflict")
        row = self._open_row(conflict_id)
        if revision is not None and row.revision != revision:
            raise UsageError(
                "A side changed while you were looking; look again.", hint="The new values are shown."
            )
        decided = self._choices(row, choices)
        undecided = [
            str(f.get("title")) for f in row.fields if str(f.get("slug") or f.get("field")) not in decided
        ]
        if undecided:
            raise InvalidValue(f"No choice for {', '.join(undecided)}.")
        group = await self._resolver().apply(row, decided)
        self._tell_resolved(row)
        count = len(row.fields)
        what = f"{count} field{'s' if count != 1 else ''}"
        return Done(f"Resolved {plain(row.label)} ({what}). u undoes.", group, count)

    def _tell_resolved(self, row: ConflictRow) -> None:
        self.bus.changed("conflicts")
        self.bus.records(row.collection, [row.record_id])
        self.tell_outbox_changed({(row.collection, row.record_id)})

    async def resolve_many(self, conflict_ids: Sequence[int], side: SideName) -> Done:
        """Take one side for every field of several conflicts, as one step."""
        plans: list[Plan] = []
        for conflict_id in conflict_ids:
            row = self._open_row(conflict_id)
            plans.append((conflict_id, {_slug(f): side for f in row.fields}, row.revision))
        return await self.resolve_plans(plans)

    async def resolve_plans(self, plans: Sequence[Plan]) -> Done:
        """Apply several decisions as one step, which one undo takes back; one that cannot be applied stays open."""
        self.refuse_when_read_only("Resolving conflicts")
        done: list[int] = []
        groups: list[int] = []
        left: list[str] = []
        for conflict_id, choices, revision in plans:
            try:
                group = (await self.resolve(conflict_id, choices, revision)).group_id
            except ConsoleError as error:
                row = self.store.conflicts.get(conflict_id)
                left.append(f"{plain(row.label) if row else conflict_id} stays: {error.message}")
                continue
            done.append(conflict_id)
            if group is not None:
                groups.append(group)
        for group in groups if len(done) > 1 else ():
            await self.store.state.put(_together_key(group), done)
        what = f"Resolved {len(done)} conflict{'s' if len(done) != 1 else ''}. u undoes."
        return Done(" ".join([what, *left[:3]]), groups[-1] if groups else None, len(done))

    async def preview_many(self, conflict_ids: Sequence[int], side: SideName) -> list[PlannedWrite]:
        """Return what `resolve_many` would write."""
        writes = []
        for conflict_id in conflict_ids:
            row = self._open_row(conflict_id)
            choice: Choice = {"set": []} if side == "empty" else side
            writes += self._preview(row, {_slug(document): choice for document in row.fields})
        return writes

    async def undo_resolution(self, conflict_id: int) -> Done:
        """Take a resolution back where nobody changed the value since; the answer says what it left."""
        self.refuse_when_read_only("Undo")
        row = self.store.conflicts.get(conflict_id)
        if row is None:
            raise NoSuchThing(f"There is no conflict {conflict_id}.")
        report = await self._resolver().undo(row)
        self._tell_resolved(row)
        left = f" Left as it is, changed since: {', '.join(map(plain, report.left))}." if report.left else ""
        return Done(f"The decision on {plain(row.label)} was taken back.{left}", report.group_id, 1)

    async def undo_decision(self, group_id: int, conflict_id: int) -> Done:
        """Take back the decision that wrote this group, with those that were made in the same step."""
        together = self.store.state.get(_together_key(group_id)) or [conflict_id]
        wanted = [
            number
            for number in together
            if any(resolution.undone_at is None for resolution in self.store.conflicts.resolutions(number))
        ]
        told = [await self.undo_resolution(number) for number in reversed(wanted)]
        if len(told) == 1:
            return told[0]
        left = [done.message.partition(". ")[2] for done in told]
        sentences = [f"{len(told)} decisions were taken back.", *(words for words in left if words)]
        return Done(" ".join(sentences), group_id, len(told))


def _together_key(group_id: int) -> str:
    return f"resolution-step:{group_id}"


def _slug(document: Mapping[str, Any]) -> str:
    return str(document.get("slug") or document.get("field") or "")


def _side_or_none(value: object) -> SideName | None:
    known: dict[object, SideName] = {"attio": "attio", "external": "external", "base": "base", "both": "both"}
    return known.get(value)
