"""Text measured in terminal cells: cut, padded and simplified so that a column always stays a column."""

from __future__ import annotations

import re
from functools import lru_cache

from rich.cells import cell_len, split_graphemes

# Sequences on which terminals disagree by a cell or two: joined emoji, skin tones, presentation selectors. What
# remains is the first emoji of the sequence, at a width that everybody agrees on.
_JOINED = re.compile("\u200d.|[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\u200b-\u200d\u2060]", re.DOTALL)
# A flag is two regional letters; half of all terminals draw it two cells wide, the other half four.
_FLAG_LETTER = re.compile("[\U0001f1e6-\U0001f1ff]")

ELLIPSIS = "…"


def steady(text: str) -> str:
    """Return text whose width every terminal agrees on; already plain text comes back as it is."""
    if text.isascii():
        return text
    text = _JOINED.sub("", text)
    return _FLAG_LETTER.sub(lambda match: chr(ord(match.group()) - 0x1F1E6 + ord("A")), text)


@lru_cache(maxsize=16_384)
def fit(text: str, width: int, right: bool = False) -> str:
    """Return the text in exactly `width` cells: padded, or cut with an ellipsis, never through a wide character."""
    if width <= 0:
        return ""
    if text.isascii():
        size = len(text)
        if size > width:
            return text[: width - 1] + ELLIPSIS
        return text.rjust(width) if right else text.ljust(width)
    text = steady(text)
    size = cell_len(text)
    if size > width:
        text = crop(text, width - 1) + ELLIPSIS
        size = cell_len(text)
    padding = " " * (width - size)
    return padding + text if right else text + padding


def crop(text: str, width: int) -> str:
    """Return the longest beginning of the text that is at most `width` cells wide, in whole characters."""
    if text.isascii():
        return text[: max(width, 0)]
    taken = 0
    end = 0
    for _, stop, size in split_graphemes(text)[0]:
        if taken + size > width:
            break
        taken += size
        end = stop
    return text[:end]


def wrap(text: str, width: int, limit: int) -> list[str]:
    """Return the text in at most `limit` lines of at most `width` cells, broken at spaces where there are any."""
    lines: list[str] = []
    rest = steady(text.strip())
    while rest and len(lines) < limit:
        if cell_len(rest) <= width:
            lines.append(rest)
            break
        head = crop(rest, width)
        if not head:
            break
        if len(lines) == limit - 1:
            lines.append(crop(rest, width - 1) + ELLIPSIS)
            break
        space = head.rfind(" ")
        if space > width // 3 and not rest[len(head) :].startswith(" "):
            head = head[:space]
        lines.append(head.rstrip())
        rest = rest[len(head) :].lstrip()
    return lines
