"""How text becomes searchable: folded, one space between words; the same for what is stored and what is typed.

A term matches a text where it begins a word of it or, from three characters on, stands anywhere in it. Both full-text indexes
are fed with text prepared here and split at nothing but the space. They know which rows hold a word or three letters, not
where, which makes them a quarter of the size and half the work: what holds the parts of a term is looked at before it counts.
"""

from __future__ import annotations

import re
from functools import lru_cache

from attio_console.model.text import fold

_ASCII_GAPS = bytes(at if chr(at).isalnum() and at < 128 else 32 for at in range(256))
_GAPS = re.compile(r"[\W_]+")
# Scripts written without spaces: every character is a word, so that any part of a name is found.
_IDEOGRAPHS = re.compile(
    "([\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)

INFIX = 3
"""From this many characters on, a term may stand inside a word."""

_PARTS = 12
_BEGINNING = 5


def searchable(text: str) -> str:
    """Return the text as it is searched: without case, accents and punctuation."""
    if text.isascii():
        return b" ".join(text.lower().encode().translate(_ASCII_GAPS).split()).decode()
    if " " in text:
        # Word by word: one accent must not make the rest of a long text slow.
        return " ".join(filter(None, map(searchable, text.split(" "))))
    folded = fold(text)
    if folded.isascii():
        return searchable(folded)
    # Folding once more: some characters unfold into others that have a case.
    spaced = _IDEOGRAPHS.sub(r" \1 ", fold(folded))
    return _GAPS.sub(" ", spaced).strip()


@lru_cache(maxsize=256)
def terms(text: str) -> tuple[str, ...]:
    """Return the terms of what was typed; one that holds punctuation is a phrase ("ann@acme" is "ann acme")."""
    prepared = (searchable(word) for word in text.split())
    return tuple(dict.fromkeys(term for term in prepared if term))


def matches(text: str, wanted: tuple[str, ...]) -> bool:
    """Return whether a prepared text holds all those terms."""
    spaced = " " + text
    return all(f" {term}" in spaced or (len(term) >= INFIX and term in text) for term in wanted)


def words_query(wanted: tuple[str, ...]) -> str:
    """Return the FTS5 query for texts in which every term may begin a word.

    Of a phrase it finds the words, in any order; of a long beginning, what the index of beginnings holds: to walk through all
    words that begin so would take a hundred times as long where there are many.
    """
    found = []
    for term in wanted:
        *whole, begun = term.split(" ")
        found += [*(f'"{word}"' for word in whole), f'"{begun[:_BEGINNING]}"*']
    return " ".join(found)


def infix_query(wanted: tuple[str, ...]) -> str:
    """Return the FTS5 trigram query for texts that may hold every term anywhere: they hold all its parts of three."""
    parts = dict.fromkeys(part for term in wanted for part in _parts(term))
    return " ".join(f'"{part}"' for part in parts)


def _parts(term: str) -> list[str]:
    parts = [term[at : at + INFIX] for at in range(len(term) - INFIX + 1)]
    # Some of a very long term, its end among them, say enough.
    return parts if len(parts) <= _PARTS else [*parts[:: -(-len(parts) // _PARTS)], parts[-1]]


def is_exact(wanted: tuple[str, ...]) -> bool:
    """Return whether the trigram query finds nothing but texts that hold every term."""
    return all(len(term) == INFIX for term in wanted)
