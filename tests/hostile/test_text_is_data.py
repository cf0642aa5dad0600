"""Nothing that stands in a CRM may steer the terminal: every pane, dialog, toast and output, looked at byte by byte."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
import re
import sys
import time
import unicodedata
from pathlib import Path
from typing import Any

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "tui"))

import workspace as w

from attio_console import errors
from attio_console.model.text import plain
from attio_console.store.types import FieldEdit, NewConflict, NewItem

EVIL = (
    "\x1b]52;c;cm0gLXJmIH4=\x07", "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\", "\x1b[2J\x1b[1;1H", "\x1bP+q544e\x1b\\",
    "\x9b31mred", "\x9d52;c;AAAA\x9c", "\x90q\x9c", "\u202egnirts\u202c", "\u2066x\u2069", "\u200b\u200d\u2060", "a" + "\u0301" * 400,
    "[bold red]markup[/] [link=http://x]y[/link] [@click=app.quit]z[/]", "line\r\nbreak\ttab\x0bvt\x0cff", "nul\x00nul", "\ud800",
    "\x7f\x08\x08\x08", "{}{0}%s%(x)s", "\u2028\u2029\x85", "\U000e0041\U000e007f", "🏴\U000e0067\U000e007f👩‍👩‍👧‍👦" * 10, "ﷺ" * 50,
)  # fmt: skip
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def dangerous(text: str) -> list[str]:
    return [hex(ord(char)) for char in FORBIDDEN.findall(text.replace("\n", ""))]


def wicked_person(number: int) -> bytes:
    bad = EVIL[number % len(EVIL)]
    return (
        w.person(
            number,
            name=[w._value("personal-name", first_name=bad, last_name=bad, full_name=f"{bad} No{number}")],
            job_title=w.text(f"{bad} title"),
            email_addresses=[
                w._value("email-address", email_address=f"x{number}@{bad}", original_email_address=bad)
            ],
            tags=[w._value("select", option={"id": {"option_id": "gone"}, "title": f"{bad} tag"})],
            surprise=[{"attribute_type": bad, "value": {bad: [bad]}}],
            **{bad[:20].replace("\ud800", "s"): w.text(bad.replace("\ud800", ""))},
        )
        if "\ud800" not in bad
        else w.person(number, job_title=w.text("SURROGATE")).replace(b"SURROGATE", b"\\ud800 title")
    )


async def wicked(store: Any) -> None:
    bad = "".join(one for one in EVIL if one != "\ud800")
    schema = w.SCHEMA
    people = schema.objects[0]
    tags = tuple(
        dataclasses.replace(a, title=f"{EVIL[i % 10]}{a.title}",
                            options=tuple(dataclasses.replace(o, title=f"{EVIL[0]}{o.title}") for o in a.options))
        for i, a in enumerate(people.attributes)
    )  # fmt: skip
    stages = schema.lists[0].attributes
    bad_stages = tuple(
        dataclasses.replace(a, statuses=tuple(dataclasses.replace(s, title=f"{EVIL[i % 8]}{s.title}") for i, s in enumerate(a.statuses)))
        for a in stages
    )  # fmt: skip
    await store.mirror.put_schema(
        dataclasses.replace(
            schema,
            workspace_name=bad,
            objects=(dataclasses.replace(people, attributes=tags, plural=f"{EVIL[0]}People"), *schema.objects[1:]),
            lists=(dataclasses.replace(schema.lists[0], name=f"{EVIL[1]}Sales", attributes=bad_stages), *schema.lists[1:]),
            members=tuple(dataclasses.replace(m, first_name=f"{EVIL[0]}{m.first_name}") for m in schema.members),
        )
    )  # fmt: skip
    kept = 0
    for number in range(len(EVIL)):
        try:
            await store.mirror.apply_page(w.PEOPLE, [wicked_person(number)])
            kept += 1
        except errors.StoreError:
            assert "\ud800" in EVIL[number]
    assert kept >= len(EVIL) - 1
    note = msgspec.json.decode(w.note(9, w.uid("person/0")))
    note |= {"title": bad, "content_plaintext": bad * 3}
    await store.mirror.apply_page("attio:notes", [msgspec.json.encode(note)])
    await w.differ(store)
    (conflict,) = store.conflicts.list("open", 0, 10)
    fields = [
        dict(
            f,
            base=[bad],
            attio=[bad],
            external=[bad + "x"],
            title=bad,
            why=bad,
            attio_by=bad,
            external_by=bad,
        )
        for f in conflict.fields
    ]
    await store.conflicts.open(
        NewConflict("field", "salesforce", w.PEOPLE, w.uid("person/2"), bad, external_type=bad[:40], external_id=bad[:40],
                    detected_by="poll", fields=fields)
    )  # fmt: skip
    await store.outbox.add(
        [
            NewItem(
                "attio", w.PEOPLE, w.uid("person/3"), "set", {"job_title": FieldEdit([bad], [bad + "new"])}
            )
        ],
        bad,
    )
    (claim, *_) = await store.outbox.claim("attio", 1, 60)
    await store.outbox.refuse(claim, f"the server said {bad}")


def test_plain_leaves_nothing_that_steers() -> None:
    for bad in EVIL:
        assert dangerous(plain(bad)) == []
    assert plain("ok\x1b]52;c;x\x07ay") == "okay"
    # An endless sequence of marks on one letter is not drawn over the lines above and below.
    assert sum(1 for char in plain("a" + "\u0301" * 400) if unicodedata.combining(char)) <= 30
    assert "👩‍👩‍👧‍👦" in plain("👩‍👩‍👧‍👦")
    assert "می‌خواهم" in plain("می‌خواهم")


async def huge(store: Any) -> None:
    people = w.SCHEMA.objects[0]
    many = tuple(
        dataclasses.replace(people.attributes[4], id=w.uid(f"a{n}"), slug=f"a{n}", title=f"A{n}")
        for n in range(200)
    )
    await store.mirror.put_schema(
        dataclasses.replace(
            w.SCHEMA,
            objects=(
                dataclasses.replace(people, attributes=(*people.attributes, *many)),
                *w.SCHEMA.objects[1:],
            ),
        )
    )
    long = "é\x1b[31m" * 1_500_000
    deep = {"attribute_type": "unheard-of", "value": json.loads("[" * 200 + "]" * 200)}
    values = {f"a{n}": w.text(f"{n}") for n in range(200)}
    await store.mirror.apply_page(w.PEOPLE, [w.person(0, job_title=w.text(long), odd=[deep], **values)])


async def test_ten_megabytes_and_two_hundred_attributes_hold_nothing_up(desk: Any) -> None:
    async with desk(prepare=huge, people=10, size=(120, 32)) as d:
        started = time.monotonic()
        await d.press("enter")
        for _ in range(5):
            await d.press("down")
        assert dangerous(d.screen_text()) == []
        await d.press("escape")
        assert time.monotonic() - started < 8


async def test_no_pane_shows_a_control_character(desk: Any) -> None:
    async with desk(prepare=wicked, people=30, size=(130, 32)) as d:
        looked: list[str] = []

        def look() -> None:
            text = d.screen_text()
            looked.append(text)
            assert dangerous(text) == [], (text, dangerous(text))
            for note in d.app._notifications:
                assert dangerous(note.message + note.title) == []
            assert dangerous(d.app.title + str(d.app.sub_title or "")) == []

        for pane in "12345":
            await d.press(pane)
            look()
            for _ in range(2):
                await d.press("enter")
                look()
                for key in ("down", "right", "tab"):
                    await d.press(key)
                    look()
                await d.press("escape")
                await d.press("down")
        await d.press("1", "e")
        look()
        await d.press("escape", "ctrl+k")
        await d.type("title")
        look()
        await d.press("escape", "u")
        look()
        d.app.say_error(errors.Refused("".join(EVIL), hint="".join(EVIL)))
        d.app.say("".join(EVIL))
        d.app.refuse("".join(EVIL))
        await d.settled()
        look()
        assert any("title" in text for text in looked)


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    found = importlib.util.spec_from_file_location(
        "desk_conftest", Path(__file__).parent.parent / "tui" / "conftest.py"
    )
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["desk_conftest"] = module
    found.loader.exec_module(module)

    @contextlib.asynccontextmanager
    async def opened(size: tuple[int, int], people: int, prepare: Any) -> Any:
        async with w.filled(tmp_path, people) as store:
            await prepare(store)
        options = w.options(tmp_path)
        app = module.ConsoleApp(lambda: module.open_console(options), engine=False, clock=options.clock)
        async with app.run_test(size=size, notifications=True) as pilot:
            d = module.Desk(app, pilot)
            await d.until(
                lambda: app.main.query("RecordsPane") and d.records.records_table.loaded, "the first rows"
            )
            await d.settled()
            yield d
        await app.wait_closed()

    return opened
