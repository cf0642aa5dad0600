"""The clashing fields of a conflict side by side; stacked where the screen is narrow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rich.cells import cell_len
from rich.text import Text

from attio_console.services.types import ConflictField, ConflictSide
from attio_console.tui import times
from attio_console.tui.cells import fit, steady, wrap
from attio_console.tui.deciding import SIGNS, Decision, difference, said_by, sign_of
from attio_console.tui.lines import ProseLine
from attio_console.tui.prose import counted
from attio_console.tui.record_view import system_name

Make = Callable[..., Text]
Part = tuple[str, str]

_STACKED_BELOW = 96
_VALUE_LINES = 3
_GAP = 2


def grid_lines(decision: Decision, now: datetime, width: int, make: Make, *, merged: bool) -> list[ProseLine]:
    """Return the lines of the grid for a width."""
    detail = decision.detail
    other = side_title(detail.line.system)
    lines: list[ProseLine] = []
    stacked = width < _STACKED_BELOW
    widths = _widths(width)
    if not stacked:
        titles = ("Field", "Base", "Attio", other, "Result")
        head = "  ".join(fit(title, size) for title, size in zip(titles, widths, strict=True))
        lines.append(ProseLine(make((head, "dim"))))
    for field in detail.fields:
        if stacked:
            lines += _stacked(decision, field, other, now, width, make)
        else:
            lines += _row(decision, field, now, widths, make)
    lines += _merged(detail.merged, make, shown=merged)
    return lines


def side_title(system: str) -> str:
    """Return what stands above the other side."""
    return "Your edit" if system == "attio" else system_name(system)


def _widths(width: int) -> list[int]:
    room = width - 2 - 4 * _GAP
    name = min(max(room // 7, 12), 22)
    base = (room - name) // 5
    rest = (room - name - base) // 3
    return [name, base, rest, rest, room - name - base - 2 * rest]


def _row(
    decision: Decision, field: ConflictField, now: datetime, widths: list[int], make: Make
) -> list[ProseLine]:
    choice = decision.choices.get(field.slug)
    result = decision.result(field)
    cells = [
        [[(field.title, "strong")]],
        _value(field.base, field.attio, widths[1], "accent" if choice == "base" else "dim"),
        _value(field.attio, field.external, widths[2], "accent" if choice in {"attio", "both"} else ""),
        _value(field.external, field.attio, widths[3], "accent" if choice in {"external", "both"} else ""),
        _result(sign_of(choice), result, widths[4]),
    ]
    height = max(len(cell) for cell in cells)
    lines = []
    for number in range(height):
        line = make()
        for place, (cell, size) in enumerate(zip(cells, widths, strict=True)):
            parts = cell[number] if number < len(cell) else []
            _append(line, parts, size, make)
            if place < len(widths) - 1:
                line.append(" " * _GAP)
        lines.append(ProseLine(line, field.slug if number == 0 else None, field.slug))
    lines.append(ProseLine(_meta(field, choice, now, widths, make), None, field.slug))
    lines.append(ProseLine(make("")))
    return lines


def _meta(field: ConflictField, choice: object, now: datetime, widths: list[int], make: Make) -> Text:
    who = [said_by(side, _since(side, now)) for side in (field.base, field.attio, field.external)]
    if not who[0] and field.base.at is not None:
        who[0] = times.day(field.base.at, now)
    why = ""
    if choice is None:
        why = (
            f"Space {SIGNS.get(field.suggestion or '', '')} {field.why}".strip()
            if field.suggestion
            else "no suggestion"
        )
    texts = ["", *who, why]
    return make(("  ".join(fit(text, size) for text, size in zip(texts, widths, strict=True)), "dim"))


def _since(side: ConflictSide, now: datetime) -> str:
    return times.span((now - side.at).total_seconds()) if side.at is not None else ""


def _stacked(
    decision: Decision, field: ConflictField, other: str, now: datetime, width: int, make: Make
) -> list[ProseLine]:
    choice = decision.choices.get(field.slug)
    result = decision.result(field)
    head = make()
    _append(head, [(field.title, "strong")], 20, make)
    head.append("  ")
    _append(head, _result(sign_of(choice), result, width - 24)[0], width - 24, make)
    lines = [ProseLine(head, field.slug)]
    room = width - 20
    for name, sign, side, against in (
        ("Base", "base", field.base, field.attio),
        ("Attio", "attio", field.attio, field.external),
        (other, "external", field.external, field.attio),
    ):
        chosen = choice == sign or (choice == "both" and sign != "base")
        who = said_by(side, _since(side, now))
        value = room - min(cell_len(steady(who)), room // 2) - 2
        line = make("  ", (SIGNS[sign] if not chosen else "✔", "accent"), " ", (fit(name, 12), "dim"))
        _append(line, _value(side, against, value, "accent" if chosen else "")[0], value, make)
        line.append_text(make("  ", (fit(who, room - value - 2, True), "dim")))
        lines.append(ProseLine(line))
    if choice is None and field.suggestion:
        why = f"Space takes {SIGNS.get(field.suggestion, '')}: {field.why}"
        lines.append(ProseLine(make("    ", (fit(why, width - 6), "dim"))))
    lines.append(ProseLine(make("")))
    return lines


def _append(line: Text, parts: list[Part], size: int, make: Make) -> None:
    used = 0
    for text, tone in parts:
        text = fit(text, min(cell_len(text), size - used))
        line.append_text(make((text, tone)))
        used += cell_len(text)
    line.append(" " * (size - used))


def _value(side: ConflictSide, against: ConflictSide, width: int, tone: str) -> list[list[Part]]:
    text = steady(side.text)
    if not text:
        return [[("(empty)", "dim")]]
    if cell_len(text) > width:
        return [[(part, tone)] for part in wrap(text, width, _VALUE_LINES)]
    start, end = difference(steady(against.text), text)
    if not against.text or (start == 0 and end == len(text)) or start >= end:
        return [[(text, tone)]]
    # What differs is underlined: a phone number with one other digit must not look the same.
    parts = [(text[:start], tone), (text[start:end], "differs"), (text[end:], tone)]
    return [[part for part in parts if part[0]]]


def _result(sign: str, result: str | None, width: int) -> list[list[Part]]:
    if result is None:
        return [[("? not decided", "conflict")]]
    shown = wrap(result, width - 2, _VALUE_LINES) if result else ["(empty)"]
    first: list[Part] = [(f"{sign} ", "accent"), (shown[0], "strong")]
    return [first, *([("  " + part, "strong")] for part in shown[1:])]


def _merged(names: tuple[str, ...], make: Make, *, shown: bool) -> list[ProseLine]:
    if not names:
        return []
    one = len(names) == 1
    sentence = (
        f"{counted(len(names), 'more field')} changed on one side only and "
        f"{'merges by itself' if one else 'merge by themselves'}"
    )
    if not shown:
        return [ProseLine(make((f"{sentence} · Tab shows {'it' if one else 'them'}", "dim")))]
    return [
        ProseLine(make((f"{sentence}:", "dim"))),
        *(ProseLine(make(("  ✔ ", "good"), name)) for name in names),
    ]
