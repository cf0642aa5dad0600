"""The filter box: what is typed, as words and terms, and the rows that it leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from attio_console.errors import InvalidFilter
from attio_console.store import Store
from attio_console.store.filter import parse
from attio_console.store.types import Term, TermKind, View

_NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "text", "terms"),
    [
        ("ann lee", "ann lee", ()),
        ('"ann  lee" x', "ann  lee x", ()),
        ("score>=1e3", "", (Term("score", ">=", TermKind.NUMBER, (1000.0,)),)),
        ("score>2.5k lee", "lee", (Term("score", ">", TermKind.NUMBER, (2500.0,)),)),
        ("!tags=vip", "", (Term("tags", "=", TermKind.REF, ("o-vip",), negated=True),)),
        ("tags!=vip", "", (Term("tags", "=", TermKind.REF, ("o-vip",), negated=True),)),
        ("tags=VIP,cold", "", (Term("tags", "=", TermKind.REF, ("o-vip", "o-cold")),)),
        ('name~"ann lee"', "", (Term("name", "~", TermKind.TEXT, ("ann lee",)),)),
        ("email?", "", (Term("email_addresses", "?", TermKind.SET),)),
        ("!phones?", "", (Term("phone_numbers", "?", TermKind.SET, (), negated=True),)),
        ("updated>-2w", "", (Term("updated_at", ">", TermKind.TIME, ("2026-11-09T09:30",)),)),
        ("created=today", "", (Term("created_at", "=", TermKind.TIME, ("2026-11-23",)),)),
        ("born<1990-05", "", (Term("born", "<", TermKind.TIME, ("1990-05",)),)),
        ("active=yes", "", (Term("active", "=", TermKind.NUMBER, (1.0,)),)),
        ("owner=@me", "", (Term("owner", "=", TermKind.REF, ("me-id",)),)),
        ("owner=ada", "", (Term("owner", "=", TermKind.REF, ("00000000-0000-4000-8000-0000000000ad",)),)),
        ("score=", "", ()),
        ("ann@acme.com", "ann@acme.com", ()),
        ("why?", "why?", ()),
    ],
)
def test_what_is_typed_becomes_words_and_terms(
    made: Any, typed: str, text: str, terms: tuple[Term, ...]
) -> None:
    if typed == "why?":
        with pytest.raises(InvalidFilter):
            parse(typed, made.schema, made.people)
        return
    assert parse(typed, made.schema, made.people, me="me-id", now=_NOW) == (text, terms)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("scroe>1", "score"),
        ("score>many", "1e6"),
        ("born>soon", "2026"),
        ("active=perhaps", "yes"),
        ("owner=@me", "member"),
        ("owner>ada", "owner=ada"),
    ],
)
def test_what_cannot_be_understood_says_what_would_be(made: Any, typed: str, hint: str) -> None:
    with pytest.raises(InvalidFilter) as raised:
        parse(typed, made.schema, made.people)
    assert hint in raised.value.hint


async def test_terms_leave_the_rows_they_say(store: Store, made: Any) -> None:
    people = {
        1: {
            "name": "Ann Lee",
            "score": 5,
            "tags": ["vip"],
            "born": "1980-02-03",
            "owner": made.ada,
            "active": True,
            "primary_location": "Oslo",
        },
        2: {"name": "Bob Lee", "score": 50, "tags": ["vip", "cold"], "born": "1991-05-06", "active": False},
        3: {
            "name": "Zoë Brown",
            "email_addresses": ["zoe@a.example", "z@b.example"],
            "job_title": "Head of Müsli",
        },
    }
    await store.mirror.apply_page(
        made.people,
        [made.person(n, created=f"2026-11-2{n}T00:00:00.000000000Z", **p) for n, p in people.items()],
    )
    for typed, expected in {
        "score>5": {2},
        "score>=5": {1, 2},
        "!score>5": {1, 3},
        "score?": {1, 2},
        "!score?": {3},
        "score=5,50": {1, 2},
        "score!=5": {2, 3},
        "tags=vip": {1, 2},
        "tags=cold": {2},
        "tags!=cold": {1, 3},
        "tags~co": {2},
        "born<1990": {1},
        "born>=1990-01-01": {2},
        "born=1991-05": {2},
        "born=1991": {2},
        "owner=ada": {1},
        "owner~love": {1},
        "active=yes": {1},
        "active=no": {2},
        "location~oslo": {1},
        "email~b.example": {3},
        "email_addresses=zoe@a.example": {3},
        "job_title~musli": {3},
        "job~MÜSLI": {3},
        "name~lee score>5": {2},
        "lee !tags=cold": {1},
        "lee": {1, 2},
        "lee score>100": set(),
        "created=2026-11-22": {2},
        "created>2026-11-22": {2, 3},
        "created>-2d": {2, 3},
        f"id={made.id(2)}": {2},
        "label~zoe": {3},
    }.items():
        text, terms = parse(typed, made.schema, made.people, now=_NOW)
        view = View(made.people, text=text, terms=terms)
        rows = (await store.mirror.window(view, 0, 10)).rows
        assert {row.record_id for row in rows} == {made.id(n) for n in expected}, typed
        assert await store.mirror.count(view) == len(expected), typed


async def test_stages_have_an_order(store: Store, made: Any) -> None:
    await store.mirror.apply_page(
        made.deals, [made.record(n, made.deals, name=f"D{n}", stage=s) for n, s in enumerate(made.stages)]
    )
    text, terms = parse("stage>lead stage<lost", made.schema, made.deals)
    assert [r.label for r in (await store.mirror.window(View(made.deals, text, terms), 0, 9)).rows] == [
        "D1",
        "D2",
    ]


async def test_filters_follow_edits(store: Store, made: Any) -> None:
    _, terms = parse("score>10", made.schema, made.people)
    view = View(made.people, terms=terms)
    await store.mirror.apply_page(made.people, [made.person(n, f"P{n}", score=n) for n in range(20)])
    assert await store.mirror.count(view) == 9
    await store.mirror.apply_page(
        made.people,
        [
            made.person(0, "P0", score=99),
            made.person(19, "P19", score=None),
            made.person(30, "new", score=11),
        ],
    )
    assert await store.mirror.count(view) == 10


async def test_a_board_counts_and_sums_by_status(store: Store, made: Any) -> None:
    entries = [(1, "Lead", 100), (2, "Lead", 50.5), (3, "Won", None), (4, None, 7), (5, "Gone", 1)]
    await store.mirror.apply_page(made.people, [made.person(n + 100, f"P{9 - n}") for n, *_ in entries])
    await store.mirror.apply_page(
        made.pipeline, [made.entry(n, n + 100, stage=s, amount=a) for n, s, a in entries]
    )
    board = await store.mirror.board(made.pipeline, "stage", "amount")
    assert [(c.status_id, c.count, c.total) for c in board.columns] == [
        ("s-lead", 2, 150.5),
        ("s-talking", 0, 0.0),
        ("s-won", 1, None),
        ("s-lost", 0, 0.0),
        ("s-gone", 1, 1.0),
        ("", 1, 7.0),
    ]
    assert [r.label for r in await store.mirror.column(made.pipeline, "stage", "s-lead", 0, 10)] == [
        "P7",
        "P8",
    ]
    assert [r.record_id for r in await store.mirror.column(made.pipeline, "stage", "", 0, 10)] == [made.id(4)]
    await store.mirror.apply_page(made.pipeline, [made.entry(1, 101, stage="Won", amount=100)])
    board = await store.mirror.board(made.pipeline, "stage", "amount")
    assert (board.column("s-lead").count, board.column("s-won").total) == (1, 100.0)
