"""A choice remembered as a rule: looked at on the open queue first, written into the mapping, and taken back in one step."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attio_console.errors import ConfigError, NoSuchThing, UsageError
from attio_console.model.text import plain
from attio_console.services.conflicts import ConflictVerbs
from attio_console.services.types import Done, PlannedWrite
from attio_console.store.types import AuditEntry, ConflictRow
from attio_console.sync.kinds import FIELD

if TYPE_CHECKING:
    from attio_console.store.tx import Tx
    from attio_console.sync.crm_context import CrmContext
    from attio_console.sync.mapping import FieldMapping
    from attio_console.sync.rules import Settled

RULES = ("attio", "external", "newest", "fill-blanks", "manual")
"""The rules a person can make from a conflict."""

_LAST = "rule:last"


@dataclass(frozen=True, slots=True)
class RulePlan:
    """What a rule would do, before anything is written."""

    conflict_id: int
    slug: str
    rule: str
    before: str
    """The rule until now."""
    sentence: str
    path: str
    generated: bool
    """Whether the mapping file is written for this."""
    settles: tuple[int, ...]
    """The open conflicts it decides."""
    partly: int
    """Those that keep other fields open; this field is settled at the next comparison."""
    left: int
    """Those of this field that it does not decide."""
    writes: tuple[PlannedWrite, ...]


@dataclass(frozen=True)
class _Meant:
    row: ConflictRow
    context: CrmContext
    object: str
    field: FieldMapping
    title: str
    path: Path


class RuleVerbs(ConflictVerbs):
    """Rules made from conflicts."""

    async def preview_rule(self, conflict_id: int, slug: str, rule: str) -> RulePlan:
        """Return which open conflicts a rule for this field would settle, and what that writes."""
        meant = self._meant(conflict_id, slug, rule)
        settled, left = await self._settled(meant, rule)
        whole = await self._possible([one for one in settled if not one.partly], slug)
        return RulePlan(
            conflict_id,
            slug,
            rule,
            str(meant.field.rule),
            self._sentence_of(meant, rule),
            str(meant.path),
            not meant.path.exists(),
            tuple(one.row.id for one, _ in whole),
            sum(one.partly for one in settled),
            left + sum(not one.partly for one in settled) - len(whole),
            tuple(write for _, writes in whole for write in writes),
        )

    async def _possible(
        self, settled: Sequence[Settled], slug: str
    ) -> list[tuple[Settled, list[PlannedWrite]]]:
        """Return what can be decided now, with what that writes; a record that is gone on one side is for a person."""
        from attio_console.sync.breath import Breath

        breath = Breath()
        found = []
        for one in settled:
            await breath.take()
            try:
                found.append((one, self._preview(one.row, {slug: one.side})))
            except UsageError:
                continue
        return found

    async def make_rule(self, conflict_id: int, slug: str, rule: str) -> Done:
        """Write a rule into the mapping and settle the open conflicts it decides, as one step that undo takes back."""
        self.refuse_when_read_only("Making a rule")
        meant = self._meant(conflict_id, slug, rule)
        settled, _ = await self._settled(meant, rule)
        possible = await self._possible([one for one in settled if not one.partly], slug)
        whole = [one for one, _ in possible]
        before = str(meant.field.rule)
        if before == rule:
            raise UsageError(f"{self._sentence_of(meant, rule)} That is the rule already.")
        await self._write(meant, rule)
        number = int((self.store.state.get(_LAST) or {}).get("id", 0)) + 1
        document = {
            "id": number,
            "system": meant.row.system,
            "object": meant.object,
            "external": meant.row.external_type,
            "slug": slug,
            "before": before,
            "rule": rule,
            "path": str(meant.path),
            "conflicts": [one.row.id for one in whole],
            "at": self.clock.now().timestamp(),
            "undone": False,
        }

        def job(tx: Tx) -> None:
            self.store.state.put_in(tx, _LAST, document)
            self._audit_in(tx, meant, before, rule)

        await self.store.queue.run(job)
        done, group = 0, None
        for one in whole:
            row = self.store.conflicts.get(one.row.id)
            if row is not None and row.state == "open" and row.revision == one.row.revision:
                group = await self._resolver().apply(row, {slug: one.side}, actor="rule") or group
                done += 1
        # Only now: what the rule settles here is undone with it, and what comes later is the engine's.
        await self._publish(meant, rule)
        what = f"{done} conflict{'s' if done != 1 else ''} settled. " if done else ""
        return Done(f"{self._sentence_of(meant, rule)} {what}u undoes.", group, done)

    async def undo(self, group_id: int | None = None) -> Done:
        """Take back an action, or, where it came from a rule, the whole rule."""
        rule = self._undoable_rule(group_id)
        return await super().undo(group_id) if rule is None else await self._undo_rule(rule)

    def _undoable_rule(self, group_id: int | None) -> dict[str, Any] | None:
        rule: dict[str, Any] | None = self.store.state.get(_LAST)
        if rule is None or rule["undone"]:
            return None
        try:
            group = self._undoable(group_id)
        except NoSuchThing:
            return rule if group_id is None else None
        resolution = self.store.conflicts.resolution_of_group(group.id)
        if resolution is not None:
            return rule if resolution.conflict_id in rule["conflicts"] else None
        newer = group.created_at < datetime.fromtimestamp(rule["at"], UTC)
        return rule if group_id is None and newer else None

    async def _undo_rule(self, rule: dict[str, Any]) -> Done:
        self.refuse_when_read_only("Undo")
        told: list[str] = []
        meant = self._meant_by(rule)
        await self._write(meant, rule["before"])
        await self._publish(meant, rule["before"])
        await self.store.state.put(_LAST, {**rule, "undone": True})
        count = 0
        for conflict_id in reversed(rule["conflicts"]):
            if any(one.undone_at is None for one in self.store.conflicts.resolutions(conflict_id)):
                done = await self.undo_resolution(conflict_id)
                told += [rest] if (rest := done.message.partition(". ")[2]) else []
                count += 1
        back = f" {count} conflict{'s are' if count != 1 else ' is'} open again." if count else ""
        return Done(
            " ".join([f"Undone: {self._sentence_of(meant, rule['rule'])}{back}", *told[:3]]), None, count
        )

    # ------------------------------------------------------------------------------------------------- what is meant

    def _meant(self, conflict_id: int, slug: str, rule: str) -> _Meant:
        row = self._open_row(conflict_id)
        if rule not in RULES:
            raise NoSuchThing(f"There is no rule {rule!r}.", hint=", ".join(RULES))
        if row.system == "attio" or row.kind != FIELD:
            raise UsageError("A rule is about a field that differs between two systems; this one is not.")
        shape = self.schema.object(row.collection)
        return self._meant_here(row, shape.slug if shape else row.collection, slug)

    def _meant_by(self, rule: dict[str, Any]) -> _Meant:
        shape = self.schema.object(rule["object"])
        now = self.clock.now()
        row = ConflictRow(
            0, FIELD, rule["system"], None, shape.id if shape else "", "", rule["external"], "", "", [],
            "closed", now, "", None, 0, now,
        )  # fmt: skip
        return self._meant_here(row, rule["object"], rule["slug"])

    def _meant_here(self, row: ConflictRow, slug_of_object: str, slug: str) -> _Meant:
        from attio_console.sync.crm_context import load_context
        from attio_console.sync.mapping_edit import own_mapping

        context = load_context(self.store, row.system)
        mapping = context.mapping.object(slug_of_object, row.external_type)
        field = mapping.field(slug) if mapping is not None else None
        if field is None:
            raise NoSuchThing(f"{slug} is not mapped to {row.system} {row.external_type} any more.")
        attribute = self.attribute(row.collection, slug)
        link = getattr(self.profile, row.system, None)
        path = getattr(link, "mapping", None) or own_mapping(self.store.directory, row.system)
        title = plain(attribute.title) if attribute is not None else slug
        return _Meant(row, context, slug_of_object, field, title, Path(path).expanduser())

    async def _settled(self, meant: _Meant, rule: str) -> tuple[Sequence[Settled], int]:
        from dataclasses import replace

        from attio_console.model.merge import Rule
        from attio_console.store.types import ConflictFilter
        from attio_console.sync.rules import settled_by

        row = meant.row
        ruled = replace(meant.field, rule=Rule(rule))
        open_ones = settled_by(self.store, row.collection, row.system, row.external_type, ruled)
        found = [one async for one in open_ones]
        about = ConflictFilter(row.system, FIELD, row.collection, row.external_type, meant.field.attio)
        return found, self.store.conflicts.count("open", about) - len(found)

    def _sentence_of(self, meant: _Meant, rule: str) -> str:
        other = self.side_name("external", meant.row.system)
        what = {
            "attio": "Attio wins",
            "external": f"{other} wins",
            "newest": "the newest value wins",
            "fill-blanks": "only blanks are filled",
            "manual": "a person decides",
        }[rule]
        return f"{meant.title} of {meant.object} with {other}: {what}."

    # ------------------------------------------------------------------------------------------------- writing

    async def _write(self, meant: _Meant, rule: str) -> None:
        from attio_console.model.merge import Rule
        from attio_console.sync.mapping_edit import text_with_rule
        from attio_console.sync.mapping_file import write_mapping

        path = meant.path

        def write() -> None:
            text = path.read_text("utf-8") if path.exists() else write_mapping(meant.context.mapping)
            changed = text_with_rule(
                text, path, meant.object, meant.row.external_type, meant.field.attio, Rule(rule)
            )
            _replace(path, changed)

        try:
            await asyncio.to_thread(write)
        except OSError as problem:
            raise ConfigError(f"{path} cannot be written: {problem.strerror}.") from problem

    async def _publish(self, meant: _Meant, rule: str) -> None:
        """Let every console on this directory go by the rule from now on."""
        from dataclasses import replace

        from attio_console.model.merge import Rule
        from attio_console.sync.crm_context import load_context, save_context
        from attio_console.sync.mapping_edit import with_rule

        context = load_context(self.store, meant.row.system)
        mapping = with_rule(
            context.mapping, meant.object, meant.row.external_type, meant.field.attio, Rule(rule)
        )
        await save_context(self.store, replace(context, mapping=mapping))
        self.bus.changed("conflicts")

    def _audit_in(self, tx: Tx, meant: _Meant, before: str, rule: str) -> None:
        where = f"{meant.object}.{meant.field.attio}"
        self.store.audit.append_in(
            tx, AuditEntry("operator", "rule", meant.row.system, where, meant.field.attio, before, rule)
        )


def _replace(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".mapping-", suffix=".toml")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)
