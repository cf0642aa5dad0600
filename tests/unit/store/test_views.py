"""Windows, counts and places are what sorting everything in memory gives, whatever is written meanwhile."""

from __future__ import annotations

import random
from typing import Any

import pytest

from attio_console.model.text import fold
from attio_console.store import Store, order_sql, orders, questions, views
from attio_console.store.types import Sort, Term, TermKind, View
from attio_console.store.words import matches, searchable, terms

_FIRST = ["Ann", "Bob", "Zoë", "José", "Çelik", "王小明", "Ørsted", "Anna", ""]


class Naive:
    """Rows in a list, sorted and searched the slow way."""

    def __init__(self, made: Any) -> None:
        self.made = made
        self.rows: dict[int, dict[str, Any]] = {}
        self.order: dict[int, int] = {}

    def put(self, number: int, row: dict[str, Any]) -> bytes:
        self.order.setdefault(number, len(self.order) + 10_000 * (number in self.rows))
        self.rows[number] = row
        return self.made.person(number, **row)

    def ids(
        self, text: str = "", sort: str = "label", *, descending: bool = False, keep: Any = None
    ) -> list[str]:
        def label(n: int) -> str:
            return fold(self.rows[n]["name"])

        def key(n: int) -> Any:
            return label(n) if sort == "label" else self.rows[n]["score"]

        wanted = terms(text)
        rows = [
            n
            for n in self.rows
            if matches(searchable(self.rows[n]["name"]), wanted) and (keep is None or keep(self.rows[n]))
        ]
        filled = [n for n in rows if key(n) not in (None, "")]
        blank = [n for n in rows if key(n) in (None, "")]
        filled.sort(key=lambda n: (key(n), self.order[n]), reverse=descending)
        blank.sort(key=lambda n: self.order[n], reverse=descending)
        return [self.made.id(n) for n in (*filled, *blank)]


def _row(rng: random.Random) -> dict[str, Any]:
    first = rng.choice(_FIRST)
    return {
        "name": f"{first} {rng.choice(['Lee', 'Müller', 'Okafor'])}{rng.randrange(40)}" if first else "",
        "score": rng.choice([None, rng.randrange(30), rng.randrange(30)]),
    }


@pytest.fixture
def small_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few hundred rows take the paths that a million take."""
    monkeypatch.setattr(views, "_NEAR", 20)
    monkeypatch.setattr(views, "FEW", 25)
    monkeypatch.setattr(questions, "FEW", 25)
    monkeypatch.setattr(orders, "BUCKET", 16)
    monkeypatch.setattr(order_sql, "BUCKET", 16)
    monkeypatch.setattr(orders, "_TOO_FULL", 60)


_VIEWS = [
    ("", "label", False),
    ("", "label", True),
    ("", "score", False),
    ("", "score", True),
    ("lee", "label", False),
    ("ann", "score", True),
    ("o", "label", True),
    ("明", "label", False),
    ("ulle", "score", False),
    ("zoe lee1", "label", False),
]


@pytest.mark.usefixtures("small_thresholds")
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_windows_and_places_stay_true_under_writes(store: Store, made: Any, seed: int) -> None:
    rng = random.Random(seed)
    naive = Naive(made)
    await store.mirror.apply_page(made.people, [naive.put(n, _row(rng)) for n in range(1, 260)])
    for round_ in range(6):
        for text, slug, descending in _VIEWS:
            sorts = (Sort(slug, descending),) if slug != "label" or descending else ()
            view = View(made.people, text=text, sorts=sorts)
            expected = naive.ids(text, slug, descending=descending)
            assert await store.mirror.count(view) == len(expected), view
            for start in (
                0,
                1,
                len(expected) // 2,
                max(len(expected) - 3, 0),
                len(expected),
                rng.randrange(300),
            ):
                got = [row.record_id for row in (await store.mirror.window(view, start, 7)).rows]
                assert got == expected[start : start + 7], (round_, view, start)
            for at in {0, len(expected) // 3, len(expected) - 1} & set(range(len(expected))):
                assert await store.mirror.index_of(view, expected[at]) == at
        if round_ % 2:
            await store.mirror.settle()
        changed = [naive.put(n, _row(rng)) for n in rng.sample(sorted(naive.rows), 25)]
        fresh = [naive.put(n, _row(rng)) for n in range(1000 * (round_ + 1), 1000 * (round_ + 1) + 15)]
        await store.mirror.apply_page(made.people, changed + fresh)
        gone = rng.sample(sorted(naive.rows), 12)
        await store.mirror.delete(made.people, [made.id(n) for n in gone])
        for n in gone:
            del naive.rows[n]


async def test_the_order_in_memory_follows_writes_instead_of_being_read_again(
    store: Store, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_NEAR", 5)
    await store.mirror.apply_page(made.people, [made.person(n, f"P {n:04d}") for n in range(100)])
    await store.mirror.index_of(View(made.people), made.id(50))
    before = store.mirror._orders.get(1, 0)
    assert before is not None and before.filled == 100
    await store.mirror.apply_page(made.people, [made.person(500, "A first")])
    assert store.mirror._orders.get(1, 0) is before and before.filled == 101
    rows = (await store.mirror.window(View(made.people), 51, 1)).rows
    assert rows[0].label == "P 0050"


async def test_several_sort_keys_and_filters_together(store: Store, made: Any) -> None:
    people = [(n, f"P {n % 3}", n % 5 if n % 4 else None, ["vip"] if n % 2 else []) for n in range(40)]
    await store.mirror.apply_page(
        made.people, [made.person(n, name, score=score, tags=tags) for n, name, score, tags in people]
    )
    view = View(
        made.people,
        terms=(Term("tags", "=", TermKind.REF, ("o-vip",)),),
        sorts=(Sort("score", True), Sort("label")),
    )
    rows = (await store.mirror.window(view, 0, 100)).rows
    # Stable sorts from the last key to the first; blanks last.
    expected = [p for p in people if p[3]]
    expected.sort(key=lambda p: p[0], reverse=True)
    expected.sort(key=lambda p: p[1])
    expected.sort(key=lambda p: (p[2] is None, -(p[2] or 0)))
    assert [row.record_id for row in rows] == [made.id(p[0]) for p in expected]
    assert await store.mirror.count(view) == 20


async def test_a_large_collection_is_shown_while_its_axis_is_made(
    store: Store, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attio_console.store import asking

    monkeypatch.setattr(asking, "_SMALL", 10)
    await store.mirror.apply_page(
        made.people, [made.person(n, f"P {n:03d}", score=100 - n) for n in range(50)]
    )
    view = View(made.people, sorts=(Sort("score"),))
    first = await store.mirror.window(view, 0, 2)
    assert first.building is not None and [row.label for row in first.rows] == ["P 000", "P 001"]
    await store.mirror.prepare(view)
    ready = await store.mirror.window(view, 0, 2)
    assert ready.building is None and [row.label for row in ready.rows] == ["P 049", "P 048"]


async def test_an_axis_follows_the_schema_when_statuses_are_reordered(store: Store, made: Any) -> None:
    from dataclasses import replace

    await store.mirror.apply_page(
        made.deals,
        [made.record(n, made.deals, name=f"D{n}", stage=s) for n, s in enumerate(("Won", "Lead", "Lost"))],
    )
    view = View(made.deals, sorts=(Sort("stage"),))
    assert [r.label for r in (await store.mirror.window(view, 0, 9)).rows] == ["D1", "D0", "D2"]
    deals = made.schema.objects[1]
    stage = deals.attributes[1]
    turned = replace(
        deals,
        attributes=(
            deals.attributes[0],
            replace(stage, statuses=stage.statuses[::-1]),
            *deals.attributes[2:],
        ),
    )
    await store.mirror.put_schema(replace(made.schema, objects=(made.schema.objects[0], turned)))
    assert [r.label for r in (await store.mirror.window(view, 0, 9)).rows] == ["D2", "D0", "D1"]


async def test_a_view_of_nothing_is_empty(store: Store, made: Any) -> None:
    view = View("never pulled", text="x", sorts=(Sort("score"),))
    assert (await store.mirror.window(view, 0, 10)).rows == []
    assert await store.mirror.count(view) == 0
    assert await store.mirror.index_of(view, "x") is None


async def test_rows_decode_their_values(store: Store, made: Any) -> None:
    await store.mirror.apply_page(made.people, [made.person(1, "Ann Lee", score=5)])
    row = (await store.mirror.window(View(made.people), 0, 1)).rows[0]
    assert row.values()["score"] == [5] and row.values()["tags"] == []
    assert row.collection == made.people
