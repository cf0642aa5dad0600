"""Text from a CRM is data: nothing in it may steer a terminal."""

from __future__ import annotations

import re
import unicodedata

# More marks on one letter than any script has would be drawn over the lines above and below.
_FLOOD = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{8})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
# C0 and C1 controls, DEL, line and paragraph separators, and the bidi controls that could reorder what surrounds them.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]")
_ESCAPE_SEQUENCE = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]|\x1b[\\]PX^_].*?(?:\x07|\x1b\\\\|$)|\x1b[@-Z\\\\-_]|\x9b[0-?]*[ -/]*[@-~]",
    re.DOTALL,
)


def plain(text: str) -> str:
    """Return the text as one harmless line: escape sequences dropped, every control character a space."""
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPE_SEQUENCE.sub("", text)
    text = _FLOOD.sub(r"\1", text)
    return _UNSAFE.sub(" ", text.encode("utf-8", "replace").decode("utf-8", "replace"))


def plain_lines(text: str) -> list[str]:
    """Return the text as harmless lines, split where it has line breaks."""
    return [plain(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]


def fold(text: str) -> str:
    """Return the text without accents and case, for comparing what a person types with what is stored."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
