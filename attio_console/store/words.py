"""How text becomes searchable: folded, one space between words; the same for what is stored and what is typed.

A term matches a text where it begins a word of it or, from three characters on, stands anywhere in it. Both full-text indexes
are fed with text prepared here and split at nothing but the space, so an index, a walk over rows and a test agree exactly.
"""

from __future__ import annotations

import re
from functools import lru_cache

from attio_console.model.text import fold

_ASCII_GAPS = re.compile(r"[^a-z0-9]+")
_GAPS = re.compile(r"[\W_]+")
# Scripts written without spaces: every character is a word, so that any part of a name is found.
_IDEOGRAPHS = re.compile(
    "([\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)

INFIX = 3
"""From this many characters on, a term may stand inside a word."""


def searchable(text: str) -> str:
    """Return the text as it is searched: without case, accents and punctuation."""
    folded = fold(text)
    if folded.isascii():
        return _ASCII_GAPS.sub(" ", folded).strip()
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
    """Return the FTS5 query for texts in which every term begins a word."""
    return " ".join(f'"{term}"*' for term in wanted)


def infix_query(wanted: tuple[str, ...]) -> str:
    """Return the FTS5 trigram query for texts that hold every term anywhere."""
    return " ".join(f'"{term}"' for term in wanted)
