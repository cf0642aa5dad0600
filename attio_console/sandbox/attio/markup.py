"""The small Markdown of notes, and the plain text behind it."""

from __future__ import annotations

import re

_LINE_MARKS = re.compile(r"^(?:#{1,3} |[-*+] |\d+\. )", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\([^)\s]*\)")
_STYLES = (
    re.compile(r"\*\*(.+?)\*\*", re.DOTALL),
    re.compile(r"__(.+?)__", re.DOTALL),
    re.compile(r"~~(.+?)~~", re.DOTALL),
    re.compile(r"==(.+?)==", re.DOTALL),
    re.compile(r"(?<![\w*])\*(?!\s)(.+?)(?<!\s)\*(?![\w*])"),
    re.compile(r"(?<![\w_])_(?!\s)(.+?)(?<!\s)_(?![\w_])"),
)


def plain_of(markdown: str) -> str:
    """Return the text of a note without its headings, list marks, styles and link targets."""
    text = _LINK.sub(r"\1", _LINE_MARKS.sub("", markdown))
    for style in _STYLES:
        text = style.sub(r"\1", text)
    return text
