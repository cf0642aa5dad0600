"""Which records hang together, by type of association, in both directions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from attio_console.sandbox.hubspot.errors import invalid

Kind = tuple[str, int]
"""Category and type id."""

# (from, to) -> (the plain type, the primary one).
_PLAIN: dict[tuple[str, str], tuple[int, int | None]] = {
    ("contacts", "companies"): (279, 1),
    ("companies", "contacts"): (280, 2),
    ("deals", "contacts"): (3, None),
    ("contacts", "deals"): (4, None),
    ("deals", "companies"): (341, 5),
    ("companies", "deals"): (342, 6),
    ("notes", "contacts"): (202, None),
    ("contacts", "notes"): (201, None),
    ("notes", "companies"): (190, None),
    ("companies", "notes"): (189, None),
    ("notes", "deals"): (214, None),
    ("deals", "notes"): (213, None),
    ("tasks", "contacts"): (204, None),
    ("contacts", "tasks"): (203, None),
    ("tasks", "companies"): (192, None),
    ("companies", "tasks"): (191, None),
    ("tasks", "deals"): (216, None),
    ("deals", "tasks"): (215, None),
}
_SINGULAR = {"contacts": "contact", "companies": "company", "deals": "deal", "notes": "note", "tasks": "task"}
_INVERSE = {
    plain: _PLAIN[to, source][0] for (source, to), (plain, _) in _PLAIN.items()
} | {1: 2, 2: 1, 5: 6, 6: 5}  # fmt: skip
_PRIMARY = {1, 2, 5, 6}
HUBSPOT = "HUBSPOT_DEFINED"


def plain_kind(source: str, to: str) -> Kind:
    """Return the unlabelled association between two object types."""
    if (source, to) not in _PLAIN:
        raise invalid(f"Association between {source} and {to} is not supported")
    return HUBSPOT, _PLAIN[source, to][0]


def target_of(source: str, number: int) -> str | None:
    """Return the object type that an association of that type leads to."""
    return next((to for (start, to), kinds in _PLAIN.items() if start == source and number in kinds), None)


def labels(source: str, to: str) -> list[dict[str, Any]]:
    """Return the kinds of association between two object types, as the labels endpoint shows them."""
    _, plain = plain_kind(source, to)
    primary = _PLAIN[source, to][1]
    rows: list[dict[str, Any]] = [{"category": HUBSPOT, "typeId": plain, "label": None}]
    if primary is not None:
        rows.insert(0, {"category": HUBSPOT, "typeId": primary, "label": "Primary"})
    return rows


def legacy_name(source: str, to: str, kind: Kind) -> str:
    """Return how v3 names a kind of association."""
    name = f"{_SINGULAR[source]}_to_{_SINGULAR[to]}"
    # v3 gives the primary association the plain name and the other the suffix.
    return f"{name}_unlabeled" if _PLAIN.get((source, to), (0, None))[1] and kind[1] not in _PRIMARY else name


@dataclass(slots=True)
class Associations:
    """Every association of an account."""

    _to: dict[tuple[str, str], dict[int, dict[int, set[Kind]]]] = field(default_factory=dict)

    def of(self, source: str, record: int, to: str) -> dict[int, set[Kind]]:
        """Return the ids of the other type a record hangs together with, and how."""
        return self._to.get((source, to), {}).get(record, {})

    def add(self, source: str, record: int, to: str, other: int, kinds: Iterable[Kind] = ()) -> None:
        """Associate two records; the first company of somebody becomes the primary one."""
        plain = plain_kind(source, to)
        wanted = {plain, *kinds}
        for category, number in wanted:
            if category == HUBSPOT and number not in {row["typeId"] for row in labels(source, to)}:
                raise invalid(f"Invalid association type {number} between {source} and {to}")
        primary = _PLAIN[source, to][1]
        # A contact or deal has one primary company; seen from the company there may be many.
        towards_company = to == "companies" and primary is not None
        if towards_company and not self.of(source, record, to):
            wanted.add((HUBSPOT, primary or 0))
        elif source == "companies" and primary is not None and not self.of(to, other, source):
            wanted.add((HUBSPOT, primary))
        if any(number in _PRIMARY for _, number in wanted):
            self._unset_primary(*((source, record, to) if towards_company else (to, other, source)))
        for kind in wanted:
            self._put(source, record, to, other, kind)
            self._put(to, other, source, record, (kind[0], _INVERSE.get(kind[1], kind[1])))

    def remove(
        self, source: str, record: int, to: str, other: int, kinds: Iterable[Kind] | None = None
    ) -> None:
        """Separate two records, altogether or by kinds."""
        for here, first, there, second, inverse in (
            (source, record, to, other, False),
            (to, other, source, record, True),
        ):
            held = self._to.get((here, there), {}).get(first, {})
            if kinds is None:
                held.pop(second, None)
                continue
            for category, number in kinds:
                held.get(second, set()).discard(
                    (category, _INVERSE.get(number, number) if inverse else number)
                )
            if second in held and not held[second]:
                del held[second]

    def drop(self, source: str, record: int) -> None:
        """Forget every association of a record."""
        for (here, there), rows in list(self._to.items()):
            if here == source:
                for other in list(rows.get(record, {})):
                    self.remove(source, record, there, other)

    def move(self, source: str, old: int, new: int) -> None:
        """Give a record's associations to another one."""
        for (here, there), rows in list(self._to.items()):
            if here != source:
                continue
            for other, kinds in list(rows.get(old, {}).items()):
                self.remove(source, old, there, other)
                taken = there == "companies" and bool(self.of(source, new, there))
                self.add(source, new, there, other, {k for k in kinds if not (taken and k[1] in _PRIMARY)})

    def primary(self, source: str, record: int, to: str) -> int | None:
        """Return the primary company of a contact or deal."""
        for other, kinds in self.of(source, record, to).items():
            if any(number in _PRIMARY for _, number in kinds):
                return other
        return None

    def _put(self, source: str, record: int, to: str, other: int, kind: Kind) -> None:
        self._to.setdefault((source, to), {}).setdefault(record, {}).setdefault(other, set()).add(kind)

    def _unset_primary(self, source: str, record: int, to: str) -> None:
        for other, kinds in self.of(source, record, to).items():
            for kind in [k for k in kinds if k[1] in _PRIMARY]:
                kinds.discard(kind)
                self.of(to, other, source).get(record, set()).discard((kind[0], _INVERSE[kind[1]]))
