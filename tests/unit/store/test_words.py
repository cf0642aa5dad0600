"""Searchable text: what is stored and what is typed become the same words."""

from __future__ import annotations

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attio_console.store.words import infix_query, is_exact, matches, searchable, terms, words_query

_TEXT = st.text(
    st.sampled_from("abcAÉéßŁØñ 0195.@-_'\"()*😀小明李たなカﾅ가나מاי\u0301\u200d\x00½Ⅷ²"), max_size=30
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zoë  MÜLLER", "zoe muller"),
        ("ann.lee@Acme-corp.com", "ann lee acme corp com"),
        ("+44 20 7946-0958", "44 20 7946 0958"),
        ("O'Brien, Jr.", "o brien jr"),
        ("王小明", "王 小 明"),
        ("ab王cd", "ab 王 cd"),
        ("snake_case", "snake case"),
        ("", ""),
        ("🚀", ""),
    ],
)
def test_text_is_folded_and_split(text: str, expected: str) -> None:
    assert searchable(text) == expected


@given(_TEXT)
def test_preparing_twice_changes_nothing(text: str) -> None:
    once = searchable(text)
    assert searchable(once) == once


@given(st.lists(_TEXT, max_size=8), _TEXT)
def test_the_indexes_find_every_text_that_passes_the_test(texts: list[str], typed: str) -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(
        "CREATE VIRTUAL TABLE words USING fts5(s, content='', contentless_delete=1, detail=none, tokenize='ascii', prefix='1 2 3 4 5');"
        "CREATE VIRTUAL TABLE infix USING fts5(s, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1')"
    )
    prepared = [searchable(text) for text in texts]
    for number, text in enumerate(prepared, 1):
        for table in ("words", "infix"):
            connection.execute(f"INSERT INTO {table} (rowid, s) VALUES (?, ?)", (number, text))
    for term in terms(typed):
        found = {
            row
            for (row,) in connection.execute(
                "SELECT rowid FROM words WHERE words MATCH ?", (words_query((term,)),)
            )
        }
        wanted = {number for number, text in enumerate(prepared, 1) if matches(text, (term,))}
        if len(term) >= 3:
            inside = {
                row
                for (row,) in connection.execute(
                    "SELECT rowid FROM infix WHERE infix MATCH ?", (infix_query((term,)),)
                )
            }
            assert inside == wanted if is_exact((term,)) else inside >= wanted
            found |= inside
        assert found >= wanted
    connection.close()
