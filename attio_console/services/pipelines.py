"""Pipelines: a list as a board of stages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attio_console.errors import NoSuchThing
from attio_console.model.schema import Attribute, ListSchema
from attio_console.model.text import fold, plain
from attio_console.model.values import Items, display, provenance
from attio_console.services.base import edit_state, strongest
from attio_console.services.edits import EditVerbs
from attio_console.services.types import Board, BoardColumn, Card, Done, Pipeline
from attio_console.store.types import Row

_DURATION = re.compile(
    r"P(?:(?P<Y>\d+)Y)?(?:(?P<M>\d+)M)?(?:(?P<W>\d+)W)?(?:(?P<D>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+)S)?)?$"
)
_DAYS = {"Y": 365.0, "M": 30.0, "W": 7.0, "D": 1.0, "h": 1 / 24, "m": 1 / 1440, "s": 1 / 86400}
# A filter on a board looks at every card of a column; beyond this many the rest is not looked at.
_FILTERED_CARDS = 5_000


class PipelineVerbs(EditVerbs):
    """Everything a person does on a board."""

    def pipelines(self) -> list[Pipeline]:
        """Return the lists that have stages, in Attio's order."""
        return [
            Pipeline(
                list_id=known.id,
                slug=known.slug,
                name=plain(known.name),
                parent_object=known.parent_object,
                status_slug=known.status_attribute.slug,
                value_slug=known.value_attribute.slug if known.value_attribute else None,
            )
            for known in self.schema.lists
            if known.status_attribute is not None
        ]

    async def board(self, list_id: str, filter: str = "") -> Board:
        """Return the stages of a pipeline with count and sum; cards moved but not yet sent count where they go."""
        pipeline, shape, status = self._pipeline(list_id)
        columns = []
        for stage in status.statuses:
            rows = await self._rows(shape, status, stage.id, filter)
            if stage.is_archived and not rows:
                continue
            columns.append(
                BoardColumn(
                    status_id=stage.id,
                    title=plain(stage.title),
                    count=len(rows),
                    total=self._total(shape, rows),
                    target_days=_days(stage.target_time),
                )
            )
        every = [
            row for stage in status.statuses for row in await self._rows(shape, status, stage.id, filter)
        ]
        return Board(pipeline, tuple(columns), len(every), self._total(shape, every))

    async def cards(
        self,
        list_id: str,
        status_id: str,
        start: int,
        count: int,
        filter: str = "",
    ) -> list[Card]:
        """Return consecutive cards of one stage, by name."""
        _, shape, status = self._pipeline(list_id)
        rows = await self._rows(shape, status, status_id, filter)
        target = next((_days(stage.target_time) for stage in status.statuses if stage.id == status_id), None)
        return [self._card(shape, status, target, row) for row in rows[start : start + count]]

    async def move(self, list_id: str, entry_ids: Sequence[str], status_id: str) -> Done:
        """Move cards to a stage."""
        self.refuse_when_read_only("Moving a card")
        _, _, status = self._pipeline(list_id)
        stage = next((stage for stage in status.statuses if stage.id == status_id), None)
        if stage is None:
            raise NoSuchThing("That stage is not in the pipeline any more.")
        to: Items = [{"id": stage.id, "title": stage.title}]
        name = self.label(entry_ids[0]) if len(entry_ids) == 1 else f"{len(entry_ids)} cards"
        done = await self._set(
            list_id,
            {entry_id: {status.slug: to} for entry_id in entry_ids},
            "Stage",
            f"{name} to {stage.title}",
        )
        if done.group_id is None:
            return Done(f"{name} is in {plain(stage.title)} already.")
        return Done(f"{name} moved to {plain(stage.title)}. u undoes.", done.group_id, done.count)

    def _pipeline(self, list_id: str) -> tuple[Pipeline, ListSchema, Attribute]:
        shape = self.schema.list(list_id)
        status = shape.status_attribute if shape else None
        if shape is None or status is None:
            raise NoSuchThing("That list is not in the workspace any more.")
        pipeline = next(known for known in self.pipelines() if known.list_id == shape.id)
        return pipeline, shape, status

    async def _rows(self, shape: ListSchema, status: Attribute, status_id: str, filter: str) -> list[Row]:
        """Return the entries that show in a stage: those the mirror has there, with unsent moves applied."""
        rows = await self.store.mirror.column(shape.id, status.slug, status_id, 0, _FILTERED_CARDS)
        moved = self.store.outbox.pending_rows(shape.id, status.slug)
        if moved:
            rows = [row for row in rows if _goes_to(moved.get(row.record_id), status_id)]
            present = {row.record_id for row in rows}
            for entry_id, items in moved.items():
                row = self.store.mirror.row(shape.id, entry_id)
                if row is not None and entry_id not in present and items and items[0].get("id") == status_id:
                    rows.append(row)
            rows.sort(key=lambda row: fold(row.label))
        if filter.strip():
            words = fold(filter).split()
            rows = [row for row in rows if all(word in fold(self._card_text(shape, row)) for word in words)]
        return rows

    def _card_text(self, shape: ListSchema, row: Row) -> str:
        texts = [row.label]
        for slug, items in row.values().items():
            attribute = shape.attribute(slug)
            if (
                attribute is not None
                and items
                and attribute.type in {"text", "select", "actor-reference", "status"}
            ):
                texts.append(display(attribute, items, self.names))
        return " ".join(texts)

    def _total(self, shape: ListSchema, rows: Sequence[Row]) -> str:
        attribute = shape.value_attribute
        if attribute is None:
            return ""
        sums: dict[str, float] = {}
        for row in rows:
            for item in self._value(shape, row, attribute):
                amount, code = (
                    item.get("currency_value"),
                    item.get("currency_code") or attribute.currency_code or "",
                )
                if amount is not None:
                    sums[code] = sums.get(code, 0.0) + float(amount)
        return " + ".join(money(total, code) for code, total in sorted(sums.items()))

    def _value(self, shape: ListSchema, row: Row, attribute: Attribute) -> Items:
        pending = self.store.outbox.overlay(shape.id, row.record_id).get(attribute.slug)
        return pending.new if pending else row.values().get(attribute.slug, [])

    def _card(self, shape: ListSchema, status: Attribute, target: float | None, row: Row) -> Card:
        overlay = self.store.outbox.overlay(shape.id, row.record_id)
        raw_values = row.document.get("entry_values") or {}
        since = provenance(raw_values.get(status.slug) or []).at
        if status.slug in overlay:
            since = self.clock.now()
        age = (self.clock.now() - since).total_seconds() / 86400 if since else None
        owner = next((a for a in shape.attributes if a.type == "actor-reference" and a.is_writable), None)
        value = shape.value_attribute
        parent = str(row.document.get("parent_record_id") or "")
        return Card(
            entry_id=row.record_id,
            record_id=parent,
            label=plain(row.label),
            value=display(value, self._value(shape, row, value), self.names) if value else "",
            owner=display(owner, row.values().get(owner.slug, []), self.names) if owner else "",
            age_days=age,
            overdue=bool(age is not None and target is not None and age > target),
            edit=strongest([edit_state(pending) for pending in overlay.values()]),
            conflict=bool(
                self.store.conflicts.for_record(row.record_id) or self.store.conflicts.for_record(parent)
            ),
        )


def _goes_to(moved: Items | None, status_id: str) -> bool:
    return moved is None or bool(moved and moved[0].get("id") == status_id)


def _days(duration: str | None) -> float | None:
    match = _DURATION.match(duration or "")
    if match is None or not any(match.groups()):
        return None
    return sum(float(count) * _DAYS[unit] for unit, count in match.groupdict().items() if count) or None


def money(amount: float, code: str) -> str:
    """Return a sum short enough for a column's head: € 1.24 M, € 310 k."""
    sign = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}.get(code, code)
    for size, unit in ((1e9, " bn"), (1e6, " M"), (1e3, " k")):
        if abs(amount) >= size:
            short = f"{amount / size:.3g}"
            return f"{sign} {short}{unit}".strip()
    return f"{sign} {amount:,.0f}".strip()
