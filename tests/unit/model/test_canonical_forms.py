from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attio_console.model.canonical import canonical, phone

PLAIN = [
    "text",
    "number",
    "rating",
    "checkbox",
    "date",
    "timestamp",
    "domain",
    "email-address",
    "phone-number",
]
scalars: st.SearchStrategy[Any] = st.one_of(
    st.text(max_size=20),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
)


@given(st.sampled_from(PLAIN), st.lists(scalars, max_size=4))
def test_a_canonical_form_is_its_own_canonical_form(kind: str, items: list[Any]) -> None:
    once = canonical(kind, [str(item) for item in items])
    assert canonical(kind, list(once)) == once


@given(st.sampled_from(PLAIN), st.lists(scalars, max_size=5), st.randoms())
def test_the_order_and_repetition_of_values_is_no_meaning(kind: str, items: list[Any], random: Any) -> None:
    shuffled = [*items, *items]
    random.shuffle(shuffled)
    assert canonical(kind, shuffled) == canonical(kind, items)


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("text", "Zoë", "Zoe\u0308"),
        ("text", "two\r\nlines ", "two\nlines"),
        ("number", 1500, "1500.00"),
        ("number", 0.1 + 0.2, "0.3"),
        ("number", -0.0, 0),
        ("checkbox", True, "true"),
        ("date", "2026-11-23", "2026-11-23T00:00:00.000Z"),
        ("timestamp", "2026-11-23T10:00:00.123456789Z", "2026-11-23T12:00:00.000+0200"),
        ("email-address", "Ada@Example.COM ", "ada@example.com"),
        ("domain", "https://www.Acme.com/about?x=1", "acme.com"),
        ("domain", "bücher.example", "xn--bcher-kva.example"),
        ("phone-number", "+44 (0)20 7946 0958", "+442079460958"),
        ("phone-number", "0044 20 7946 0958", "+442079460958"),
        (
            "currency",
            {"currency_value": 99.5, "currency_code": "eur"},
            {"currency_value": "99.50", "currency_code": "EUR"},
        ),
        ("select", {"id": "1", "title": "Old name"}, {"id": "1", "title": "New name"}),
        ("select", {"id": None, "title": " Gold "}, "gold"),
        (
            "personal-name",
            {"first_name": "Ada ", "last_name": "Lovelace", "full_name": "x"},
            {"first_name": "Ada", "last_name": " Lovelace"},
        ),
    ],
)
def test_two_spellings_of_one_value_are_one(kind: str, left: Any, right: Any) -> None:
    assert canonical(kind, [left]) == canonical(kind, [right])


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("text", "Ada", "ada"),
        ("number", 1.0001, 1.0002),
        ("phone-number", "+442079460958", "+442079460959"),
        ("phone-number", "+442079460958 ext 1", "+442079460958"),
        (
            "currency",
            {"currency_value": 1, "currency_code": "EUR"},
            {"currency_value": 1, "currency_code": "USD"},
        ),
        ("personal-name", {"first_name": "Ada", "last_name": ""}, {"first_name": "", "last_name": "Ada"}),
        ("domain", "mail.acme.com", "acme.com"),
    ],
)
def test_different_values_stay_different(kind: str, left: Any, right: Any) -> None:
    assert canonical(kind, [left]) != canonical(kind, [right])


@pytest.mark.parametrize(
    "kind", [*PLAIN, "currency", "select", "status", "location", "personal-name", "no-such-type"]
)
@pytest.mark.parametrize("blank", [None, ""])
def test_a_blank_is_no_value(kind: str, blank: Any) -> None:
    assert canonical(kind, [blank]) == ()


@given(st.text(max_size=30))
def test_no_text_breaks_the_phone_reader(text: str) -> None:
    assert phone(phone(text)) == phone(text)
