"""How likely two records are one, and which of the likely ones are pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from attio_console.store import Store
from attio_console.store.types import NewConflict, NewPair, Pair
from attio_console.sync import kinds
from attio_console.sync.mapping import ObjectMapping
from attio_console.sync.sides import Side

_PROPOSE_AT = 0.82


@dataclass
class Paired:
    """What one pairing run found."""

    confirmed: int = 0
    proposed: int = 0
    conflicts: int = 0
    alone_here: list[str] = field(default_factory=list)
    """Attio records for which nothing there is a counterpart, nor may be one"""
    alone_there: list[str] = field(default_factory=list)
    new_pairs: list[NewPair] = field(default_factory=list)
    found: list[NewConflict] = field(default_factory=list)

    @property
    def unmatched_attio(self) -> int:
        """How many records here have no counterpart."""
        return len(self.alone_here)

    @property
    def unmatched_external(self) -> int:
        """How many records there have no counterpart."""
        return len(self.alone_there)


class Known:
    """The pairs there are already, and those that a person said are none."""

    def __init__(self, store: Store, system: str, mapping: ObjectMapping) -> None:
        self.records: dict[str, str] = {}
        """Attio record id -> the external id of its confirmed pair"""
        self.externals: set[str] = set()
        self.apart: set[tuple[str, str]] = set()
        self.touched: set[str] = set()
        """ids of either side that a pair of any state names: nothing is created for them by itself"""
        after = 0
        while pairs := store.pairs.list(system, object_key=mapping.attio, after=after):
            after = pairs[-1].id
            for pair in pairs:
                if pair.external_type == mapping.external:
                    self._note(pair)

    def _note(self, pair: Pair) -> None:
        self.touched |= {pair.record_id, pair.external_id}
        if pair.state == "confirmed":
            self.records[pair.record_id] = pair.external_id
            self.externals.add(pair.external_id)
        elif pair.state in {"rejected", "broken"}:
            self.apart.add((pair.record_id, pair.external_id))


def match(
    mapping: ObjectMapping,
    system: str,
    collection: str,
    ours: Sequence[Side],
    theirs: Sequence[Side],
    known: Known,
) -> Paired:
    found = Paired()
    matcher = Matcher(mapping, system, collection, ours, theirs, known, found)
    matcher.by_stored_id()
    matcher.by_keys()
    matcher.by_likeness()
    asked = {p.record_id for p in found.new_pairs} | {p.external_id for p in found.new_pairs}
    asked |= known.touched
    found.alone_here = [i for i in matcher.ours if i not in asked]
    found.alone_there = [i for i in matcher.theirs if i not in asked]
    return found


class Matcher:
    def __init__(
        self,
        mapping: ObjectMapping,
        system: str,
        collection: str,
        ours: Sequence[Side],
        theirs: Sequence[Side],
        known: Known,
        found: Paired,
    ) -> None:
        self._mapping = mapping
        self._system = system
        self._collection = collection
        self._known = known
        self._found = found
        self.ours = {side.id: side for side in ours if not side.is_paired}
        self.paired = {side.id: side for side in ours if side.is_paired}
        self.theirs = {side.id: side for side in theirs}

    def by_stored_id(self) -> None:
        """Pair what one side itself says is its counterpart."""
        claims: dict[str, list[Side]] = defaultdict(list)
        for side in list(self.theirs.values()):
            if side.stored in self.ours:
                claims[side.stored].append(side)
            elif side.stored in self.paired and self._may(side.stored, side.id):
                self._doubtful(
                    kinds.DUPLICATE,
                    [(self.paired[side.stored], side, 1.0)],
                    "it says there that it stands for a record which has another counterpart already",
                    self._known.records.get(side.stored, ""),
                )
        for record_id, sides in claims.items():
            if len(sides) == 1:
                self._pair(self.ours[record_id], sides[0], "stored id", 1.0)
            else:
                self._doubtful(
                    kinds.DUPLICATE, [(self.ours[record_id], s, 1.0) for s in sides], "the same stored id"
                )

    def by_keys(self) -> None:
        """Pair what holds the same unique value, where it is one to one."""
        by_key: dict[tuple[str, str], list[str]] = defaultdict(list)
        for side in self.ours.values():
            for key in side.keys:
                by_key[key].append(side.id)
        matches: dict[str, set[str]] = {}
        claimed: dict[str, set[str]] = defaultdict(set)
        for side in self.theirs.values():
            ids = {i for key in side.keys for i in by_key.get(key, ()) if self._may(i, side.id)}
            if ids:
                matches[side.id] = ids
                for record_id in ids:
                    claimed[record_id].add(side.id)
        for external_id, ids in matches.items():
            record_id = next(iter(ids))
            if len(ids) == 1 and len(claimed[record_id]) == 1:
                side = self.theirs[external_id]
                shared = sorted(side.keys & self.ours[record_id].keys)
                self._pair(self.ours[record_id], side, f"same {shared[0][0].replace('_', ' ')}", 1.0)
        self._doubtful_keys(matches, claimed)
        self._doubles_of_paired()

    def _doubles_of_paired(self) -> None:
        """Ask about records there that hold a unique value of a record here which has its counterpart already."""
        by_key = {key: side for side in self.paired.values() for key in side.keys}
        for side in list(self.theirs.values()):
            for key in sorted(side.keys):
                ours = by_key.get(key)
                if ours is not None and self._may(ours.id, side.id):
                    why = (
                        f"its {key[0].replace('_', ' ')} is that of a record which has a counterpart already"
                    )
                    self._doubtful(
                        kinds.DUPLICATE, [(ours, side, 1.0)], why, self._known.records.get(ours.id, "")
                    )
                    break

    def _doubtful_keys(self, matches: Mapping[str, set[str]], claimed: Mapping[str, set[str]]) -> None:
        for record_id, external_ids in claimed.items():
            open_ids = [i for i in external_ids if i in self.theirs]
            if record_id in self.ours and len(open_ids) > 1:
                candidates = [(self.ours[record_id], self.theirs[i], 1.0) for i in sorted(open_ids)]
                self._doubtful(kinds.DUPLICATE, candidates, "several there hold the same unique value")
        for external_id, ids in matches.items():
            open_records = [i for i in ids if i in self.ours]
            if external_id in self.theirs and len(open_records) > 1:
                candidates = [(self.ours[i], self.theirs[external_id], 1.0) for i in sorted(open_records)]
                self._doubtful(kinds.DUPLICATE, candidates, "several here hold the same unique value")

    def by_likeness(self) -> None:
        """Propose what looks alike; a person confirms."""
        blocks: dict[str, list[Side]] = defaultdict(list)
        for side in self.ours.values():
            for token in _blocks(side):
                blocks[token].append(side)
        proposals: dict[str, list[tuple[float, Side, Side]]] = defaultdict(list)
        for side in list(self.theirs.values()):
            near = {o.id: o for token in _blocks(side) for o in blocks.get(token, ())[:50]}
            scored = [(_score(o, side), o) for o in near.values() if self._may(o.id, side.id)]
            likely = sorted(
                (pair for pair in scored if pair[0] >= _PROPOSE_AT), key=lambda p: (-p[0], p[1].id)
            )
            if likely:
                proposals[side.id] = [(score, o, side) for score, o in likely[:5]]
        for candidates in proposals.values():
            score, ours, theirs = candidates[0]
            if len(candidates) > 1 and candidates[1][0] > score - 0.05:
                self._doubtful(
                    kinds.AMBIGUOUS, [(o, t, s) for s, o, t in candidates], "more than one looks like it"
                )
            else:
                why = f"names are alike ({score:.0%})"
                self._found.new_pairs.append(self._new(ours, theirs, "proposed", why, score))
                self._found.proposed += 1

    def _may(self, record_id: str, external_id: str) -> bool:
        return (record_id, external_id) not in self._known.apart

    def _pair(self, ours: Side, theirs: Side, why: str, score: float) -> None:
        if not self._may(ours.id, theirs.id):
            return
        self._found.new_pairs.append(self._new(ours, theirs, "confirmed", why, score))
        self._found.confirmed += 1
        self.paired[ours.id] = ours
        self._known.records[ours.id] = theirs.id
        self.ours.pop(ours.id, None)
        self.theirs.pop(theirs.id, None)

    def _new(self, ours: Side, theirs: Side, state: str, why: str, score: float) -> NewPair:
        return NewPair(
            self._system,
            self._mapping.attio,
            self._collection,
            ours.id,
            self._mapping.external,
            theirs.id,
            "confirmed" if state == "confirmed" else "proposed",
            "sync",
            score,
            why,
        )

    def _doubtful(
        self, kind: str, candidates: Sequence[tuple[Side, Side, float]], why: str, current: str = ""
    ) -> None:
        ours, theirs, _ = candidates[0]
        several_there = len({t.id for _, t, _ in candidates}) > 1
        document = {
            "slug": kinds.RECORD,
            "field": kinds.RECORD,
            "title": "Record",
            "type": "text",
            "multi": False,
            "base": [],
            "has_base": False,
            "attio": list(dict.fromkeys(f"{o.label} ({o.id[:8]})" for o, _, _ in candidates)),
            "external": list(dict.fromkeys(f"{t.label} ({t.id})" for _, t, _ in candidates)),
            "external_field": self._mapping.external,
            "suggestion": None,
            "why": why,
        }
        options = [
            {
                "object_key": self._mapping.attio,
                "collection": self._collection,
                "record_id": o.id,
                "external_type": self._mapping.external,
                "external_id": t.id,
                "score": score,
                "label": t.label if several_there else o.label,
            }
            for o, t, score in candidates
        ]
        self._found.found.append(
            NewConflict(
                kind,
                self._system,
                self._collection,
                ours.id,
                ours.label or theirs.label,
                [document],
                None,
                self._mapping.external,
                theirs.id,
                "pairing",
                {"candidates": options, "current": current},
            )
        )
        self._found.conflicts += 1
        for one, other, _ in candidates:
            self.ours.pop(one.id, None)
            self.theirs.pop(other.id, None)


def _blocks(side: Side) -> set[str]:
    words = side.name.split()
    return {f"w:{word}" for word in words if len(word) > 2} | {f"h:{hint}" for hint in side.hints} or {
        f"n:{side.name}"
    }


def _score(ours: Side, theirs: Side) -> float:
    """Return how likely two records are one: the names first, then what they share besides."""
    if not ours.name or not theirs.name:
        return 0.0
    likeness = fuzz.token_sort_ratio(ours.name, theirs.name) / 100
    shared = len(ours.hints & theirs.hints)
    score = likeness * 0.85 + min(shared, 3) * 0.05
    return round(min(score, 0.999), 3)
