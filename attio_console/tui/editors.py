"""The editor that fits a field: one per type, all handing text to `console.edit`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from attio_console.errors import ConsoleError
from attio_console.model.places import PLACE_TITLES, place_of, place_text
from attio_console.model.schema import Attribute
from attio_console.services.types import Done
from attio_console.tui.dialogs.form import Form, FormField
from attio_console.tui.dialogs.pick import Loader, Pick, PickDialog, among

if TYPE_CHECKING:
    from textual.screen import ModalScreen

    from attio_console.services.console import Console
    from attio_console.tui.app import ConsoleApp

Save = Callable[[str], Awaitable[Done | None]]

_HINTS = {
    "number": "a number, such as 1200 or 3.5",
    "currency": "an amount, such as 12000 or EUR 12000",
    "rating": "0 to 5",
    "date": "a date, such as 2026-12-24",
    "timestamp": "a date and time, such as 2026-12-24 15:00",
    "phone-number": "with its country code, such as +44 20 7946 0958",
    "email-address": "an e-mail address",
    "domain": "a domain, such as example.com",
    "personal-name": "Last, First",
    "location": "street, city, country",
}
_PLACE_HINTS = {"country_code": "two letters, such as DE", "latitude": "degrees, such as 52.52"}
_CHOSEN = {"select", "status", "checkbox", "actor-reference"}
_CLEAR = Pick("", "(empty)", "clear the field")


def hint_for(attribute: Attribute) -> str:
    """Return what fits an attribute, in a few words."""
    hint = _HINTS.get(attribute.type, "")
    several = "several are separated by commas" if attribute.is_multi else ""
    clears = "empty clears it"
    return " · ".join(part for part in (hint, several, clears) if part)


async def edit_field(
    app: ConsoleApp, collection: str, attribute: Attribute, title: str, text: str, save: Save, note: str = ""
) -> Done | None:
    """Ask for a new value in the way that fits the attribute and save it; None where the person left it."""
    console = app.verbs
    if attribute.type in _CHOSEN:
        answer = await app.push_screen_wait(_choice_dialog(console, collection, attribute, title, text, note))
        return None if answer is None else await _saved(app, save, ", ".join(answer))
    if attribute.type == "record-reference":
        answer = await app.push_screen_wait(_reference_dialog(console, attribute, title, text, note))
        return None if answer is None else await _saved(app, save, ", ".join(answer))
    if attribute.type == "location":
        return await app.push_screen_wait(_place_form(title, text, save, note))
    long = attribute.type == "text" and ("\n" in text or len(text) > 120)
    form = Form(
        title,
        [FormField("value", attribute.title, text, hint_for(attribute), long=long)],
        lambda values: save(values["value"]),
        note=note,
    )
    return await app.push_screen_wait(form)


def _place_form(title: str, text: str, save: Save, note: str) -> Form:
    now = place_of(text) or {}
    fields = [
        FormField(key, name, str(now.get(key) or ""), _PLACE_HINTS.get(key, ""))
        for key, name in PLACE_TITLES.items()
    ]
    return Form(title, fields, lambda values: save(place_text(values)), note=note)


async def _saved(app: ConsoleApp, save: Save, text: str) -> Done | None:
    try:
        return await save(text)
    except ConsoleError as error:
        app.say_error(error)
        return None


def _choice_dialog(
    console: Console, collection: str, attribute: Attribute, title: str, text: str, note: str
) -> ModalScreen[tuple[str, ...] | None]:
    choices = console.choices(collection, attribute.slug)
    wanted = {part.strip().casefold() for part in text.split(",") if part.strip()}
    picks = [
        Pick(choice.value, choice.title, why_not="archived" if choice.archived else "") for choice in choices
    ]
    now = [
        choice.value
        for choice in choices
        if {choice.value.casefold(), choice.title.casefold()} & wanted
        or _member_id(console, choice.value) in wanted
    ]
    found = among(picks)

    async def load(typed: str) -> Sequence[Pick]:
        clear = not attribute.is_multi and not attribute.is_required and not typed.strip()
        return [*await found(typed), _CLEAR] if clear else await found(typed)

    return PickDialog(title, load, several=attribute.is_multi, chosen=now, note=note)


def _member_id(console: Console, value: str) -> str:
    member = console.schema.member(value)
    return member.id.casefold() if member else ""


def _reference_dialog(
    console: Console, attribute: Attribute, title: str, text: str, note: str
) -> ModalScreen[tuple[str, ...] | None]:
    now = [part.strip() for part in text.split(",") if part.strip()]
    return PickDialog(
        title,
        reference_loader(console, attribute, now),
        several=attribute.is_multi,
        chosen=now,
        placeholder="type a name",
        note=note,
        empty="No record has that name.",
    )


def reference_loader(console: Console, attribute: Attribute, now: Sequence[str]) -> Loader:
    """Return what finds records that a reference may point to; with nothing typed, those it points to now."""
    targets = [
        found.slug for object_id in attribute.target_object_ids if (found := console.schema.object(object_id))
    ] or [found.slug for found in console.schema.objects]

    async def load(text: str) -> Sequence[Pick]:
        picks: list[Pick] = []
        if not text.strip():
            picks = [Pick(record_id, console.label(record_id), "now") for record_id in now]
        for slug in targets:
            hits = await console.suggest_records(slug, text, 20)
            picks.extend(Pick(hit.record_id, hit.label, hit.detail or hit.kind) for hit in hits)
        unique = {pick.value: pick for pick in reversed(picks)}
        ordered = [pick for pick in picks if unique.pop(pick.value, None) is not None]
        # A name that nobody has must not end in an empty field: clearing is offered while nothing is typed.
        return ordered if attribute.is_multi or text.strip() else [*ordered, _CLEAR]

    return load
