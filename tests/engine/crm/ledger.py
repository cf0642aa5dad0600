"""Every accepted write of every system, with the record before and after it: what the engine did can be held against
what it knew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.engine.crm.truth import (
    FIELDS,
    KINDS,
    MANY,
    REFERENCES,
    Plain,
    plain_attio,
    plain_items,
    plain_native,
)

if TYPE_CHECKING:
    from attio_console.store.types import OutboxItem
    from tests.engine.crm.stage import Stage

_OBJECT_OF = {(system, name): kind for system, kinds in KINDS.items() for kind, name in kinds.items()}


@dataclass(frozen=True)
class Written:
    """One mapped field that a write changed."""

    seq: int
    system: str
    kind: str
    row_id: str
    slug: str
    before: Plain
    after: Plain
    by_engine: bool


class Ledger:
    """Listens at the world's journal."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._present: dict[tuple[str, str, str], dict[str, Plain]] = {}
        self.changes: list[Written] = []
        self.empty: list[tuple[int, str, str, Any]] = []
        """writes of the engine that changed nothing"""
        journal = stage.sandbox.world.journal
        self._add = journal.add
        journal.add = self._listen  # type: ignore[method-assign]  # this is where every write is told
        self._look_at_all()

    def _look_at_all(self) -> None:
        for system, name, kind in self._kinds():
            for row_id in self._ids(system, name):
                self._present[system, kind, row_id] = self._fields(system, kind, row_id)

    def _kinds(self) -> list[tuple[str, str, str]]:
        ours = [("attio", kind, kind) for kind in ("people", "companies", "deals")]
        return ours + [(system, name, kind) for (system, name), kind in _OBJECT_OF.items()]

    def _ids(self, system: str, name: str) -> list[str]:
        return self._stage.row_ids(system, name)

    def _fields(self, system: str, kind: str, row_id: str) -> dict[str, Plain]:
        people = self._stage.people
        name = kind if system == "attio" else KINDS[system][kind]
        row = self._stage.row(system, name, row_id)
        if row is None:
            return {}
        if system == "attio":
            slugs = {slug for table in FIELDS.values() for slug in table[kind]}
            return {slug: plain_attio(slug, row.get(slug, []), people) for slug in slugs}
        return {
            # References stay the other system's own ids here: pairs are none of the ledger's business.
            slug: plain_native(system, kind, slug, row, people, _Same())
            for slug in FIELDS[system][kind]
        }

    def _listen(
        self, system: str, method: str, path: str, name: str, row_id: str, body: Any, actor: str
    ) -> int:
        seq = self._add(system, method, path, name, row_id, body, actor)
        kind = name if system == "attio" else _OBJECT_OF.get((system, name), "")
        if kind not in {"people", "companies", "deals"}:
            return seq
        row_id = str(row_id)
        is_new = (system, kind, row_id) not in self._present
        before = self._present.get((system, kind, row_id), {})
        after = self._present[system, kind, row_id] = self._fields(system, kind, row_id)
        # A deletion is a person's decision, and goes through the recycle bin.
        by_hand = path.startswith("/_sandbox") or method == "DELETE" or "archive" in path
        # What is new overwrites nothing; Attio makes a company of its own accord for a person's address.
        by_engine = not by_hand and not is_new
        changed = [slug for slug in {*before, *after} if before.get(slug, ()) != after.get(slug, ())]
        self.changes += [
            Written(seq, system, kind, row_id, slug, before.get(slug, ()), after.get(slug, ()), by_engine)
            for slug in changed
        ]
        if by_engine and not changed and not _is_stamp(body):
            self.empty.append((seq, system, row_id, body))
        if method in {"MERGE", "DELETE"}:
            self._look_at_all()
        return seq

    def turn_the_page(self) -> None:
        """Forget what was looked at."""
        self.changes.clear()
        self.empty.clear()

    def unseen(self, items: list[OutboxItem]) -> list[Written]:
        """Return the fields that the engine overwrote although no intent of its knew the value that was there."""
        seen: dict[tuple[str, str], set[Plain]] = {}
        meant: dict[tuple[str, str], set[Plain]] = {}
        for item in items:
            for slug, base, new in self._intents(item):
                seen.setdefault((item.system, slug), set()).add(base)
                meant.setdefault((item.system, slug), set()).add(new)
        found = []
        for change in self.changes:
            key = (change.system, change.slug)
            if not change.by_engine or change.slug in REFERENCES:
                continue
            if change.before not in seen.get(key, set()) or not self._is_meant(change, meant.get(key, set())):
                found.append(change)
        return found

    @staticmethod
    def _is_meant(change: Written, meant: set[Plain]) -> bool:
        return change.after in meant or (
            change.slug in MANY and any(set(change.after) == set(one) for one in meant)
        )

    def _intents(self, item: OutboxItem) -> list[tuple[str, Plain, Plain]]:
        people = self._stage.people
        if item.kind == "create":
            return [(slug, (), plain_items(slug, e.new, people)) for slug, e in item.fields.items()]
        if item.system == "attio":
            return [
                (slug, plain_items(slug, e.base, people), plain_items(slug, e.new, people))
                for slug, e in item.fields.items()
            ]
        kind = _OBJECT_OF.get((item.system, item.collection.partition(":")[2]), "")
        if not kind:
            return []
        found = []
        base = {name: (e.base or [None])[0] for name, e in item.fields.items()}
        new = {name: (e.new or [None])[0] for name, e in item.fields.items()}
        row = self._present.get((item.system, kind, item.record_id), {})
        for slug, names in FIELDS[item.system][kind].items():
            if any(name in item.fields for name in names):
                if kind == "people" and slug == "name" and len(item.fields.keys() & set(names)) == 1:
                    # Half a name: the other half is whatever it was.
                    found += self._half_names(base, new, names, row)
                    continue
                found.append(
                    (
                        slug,
                        plain_native(item.system, kind, slug, base, people, _Same()),
                        plain_native(item.system, kind, slug, new, people, _Same()),
                    )
                )
        return found

    def _half_names(
        self,
        base: Mapping[str, Any],
        new: Mapping[str, Any],
        names: tuple[str, ...],
        row: Mapping[str, Plain],
    ) -> list[tuple[str, Plain, Plain]]:
        del row
        halves = {
            part
            for change in self.changes
            if change.slug == "name"
            for whole in (change.before, change.after)
            for part in whole
        }
        changed = next(name for name in names if name in base)
        first = changed == names[0]
        found = []
        for whole in halves:
            for old, put in ((base[changed], new[changed]),):
                old, put = str(old or ""), str(put or "")
                if first and whole.startswith(old):
                    rest = whole[len(old) :].strip()
                elif not first and whole.endswith(old):
                    rest = whole[: len(whole) - len(old)].strip()
                else:
                    continue
                joined = f"{put} {rest}" if first else f"{rest} {put}"
                after = " ".join(joined.split())
                found.append(("name", (whole,), (after,) if after else ()))
        return found


def _is_stamp(body: Any) -> bool:
    """Return whether a write only says which Attio record the other one stands for: a pair's, not a field's."""
    fields = (body or {}).get("properties") or body or {}
    return {name for name in fields if name not in {"attributes", "Id", "id"}} in (
        {"attio_record_id"},
        {"Attio_Id__c"},
    )


class _Same(dict[str, str]):
    """A table in which everything stands for itself."""

    def get(self, key: str, default: Any = None) -> Any:
        del default
        return key
