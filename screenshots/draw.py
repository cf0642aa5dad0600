"""From the SVG that Textual writes to one that looks the same everywhere, and to a PNG."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import resvg_py
from rich.cells import cell_len, split_graphemes

FONTS = Path(__file__).parent / "fonts"
CELL = 12.2
"""The width of a cell in Textual's SVG."""

_TEXT = re.compile(
    r'<text class="([^"]+)" x="([\d.]+)" y="([\d.]+)" textLength="[\d.]+" clip-path="([^"]+)">([^<]*)</text>'
)
_FAMILIES = (
    "DejaVu Sans Mono, Noto Sans CJK JP, Noto Emoji, Noto Sans Hebrew, Noto Sans Thai, Noto Sans Devanagari"
)


def picture(svg: str, path: Path, *, columns: int) -> None:
    """Write the SVG and the PNG of a screen."""
    svg = _TEXT.sub(_placed, svg)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("font-family: Fira Code, monospace", f"font-family: {_FAMILIES}, monospace")
    svg = svg.replace("font-family: arial", "font-family: DejaVu Sans Mono, arial")
    path.with_suffix(".svg").write_text(svg, "utf-8")
    png = resvg_py.svg_to_bytes(
        svg_string=svg,
        skip_system_fonts=True,
        font_files=[str(font) for font in sorted(FONTS.glob("*.?tf"))],
        font_family="DejaVu Sans Mono",
        monospace_family="DejaVu Sans Mono",
        width=columns * 12,
    )
    path.with_suffix(".png").write_bytes(bytes(png))


def _placed(match: re.Match[str]) -> str:
    """Give each run of wide characters its own place: a renderer's other font has other widths than a terminal."""
    style, x, y, clip, escaped = match.groups()
    text = html.unescape(escaped)
    if not text.strip("\xa0 \n"):
        return match.group() if text.strip("\n") else ""
    if text.isascii() or all(ord(char) < 0x2E80 for char in text):
        return match.group()
    parts = []
    at = float(x)
    for part, cells in _runs(text):
        words = html.escape(part, quote=False).replace(" ", "&#160;").replace("\xa0", "&#160;")
        width = cells * CELL
        parts.append(
            f'<text class="{style}" x="{at:g}" y="{y}" textLength="{width:g}" clip-path="{clip}">{words}</text>'
        )
        at += width
    return "".join(parts)


def _runs(text: str) -> Iterator[tuple[str, int]]:
    """Return stretches of ordinary characters as they are, and each wide character alone."""
    run = ""
    for start, stop, size in split_graphemes(text)[0]:
        if size == 2:
            if run:
                yield run, cell_len(run)
                run = ""
            yield text[start:stop], 2
        else:
            run += text[start:stop]
    if run:
        yield run, cell_len(run)
