"""How quick agreement is: field decisions a second, a plan and a verification of everything, and how soon an edit settles.

    python -m tests.bench.bench_merge [--pairs 100000] [--rounds 3] [--edits 30] [--quick]

The floor of the decisions is a bare comparison of the same values, and a base beside it. Plan and verification work on
synthetic rows in a real store; the two systems of the verification answer at once, out of memory, so that the time is the
console's own and the calls are counted. Settling is a real console between the stand-ins, polling every 10 s.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from attio_console.crm.protocol import CrmField, CrmObject, CrmRecord
from attio_console.model.merge import FieldInput, decide
from attio_console.model.schema import Attribute, ObjectSchema, Schema
from tests.bench.measure import Figures, median, part, peak_mb, percentile

HERE = "tests.bench.bench_merge"
OBJECT = "97052eb9-e65e-443f-a297-f2d9a4a7f795"
_SYLLABLES = ("ka", "ro", "mi", "ten", "sol", "var", "lin", "dra", "pe", "non", "gus", "al")
_PAGE = 500

# --------------------------------------------------------------------------------------------------- decisions

_KINDS: dict[str, Any] = {
    "text": lambda n: (f"Title {n}", f" Title {n} ", f"Other {n}"),
    "email-address": lambda n: (f"p{n}@acme.example", f"P{n}@ACME.example", f"q{n}@acme.example"),
    "phone-number": lambda n: (
        f"+1415555{n % 10000:04}",
        f"+1 (415) 555-{n % 10000:04}",
        f"+1415556{n % 10000:04}",
    ),
    "domain": lambda n: (f"a{n}.example", f"A{n}.EXAMPLE", f"b{n}.example"),
    "currency": lambda n: (
        {"currency_value": float(n), "currency_code": "EUR"},
        {"currency_value": n, "currency_code": "EUR"},
        {"currency_value": n + 1, "currency_code": "EUR"},
    ),
    "select": lambda n: (
        {"id": f"{n % 40:032x}", "title": "One"},
        {"id": f"{n % 40:032x}", "title": "one"},
        {"id": f"{n % 40 + 1:032x}", "title": "Two"},
    ),
    "date": lambda n: (f"2026-01-{n % 27 + 1:02}", f"2026-01-{n % 27 + 1:02}", f"2026-02-{n % 27 + 1:02}"),
}


def questions(count: int, first: int = 0) -> list[FieldInput]:
    """Make fields: half equal letter by letter, a quarter equal in another spelling, the rest changed on one side or both."""
    dice, made = random.Random(1), []
    kinds = list(_KINDS.items())
    for number in range(first, first + count):
        kind, forms = kinds[number % len(kinds)]
        value, spelt, other = ([form] for form in forms(number))
        share = dice.random()
        if share < 0.5:
            made.append(FieldInput(kind, value, value, list(value)))
        elif share < 0.75:
            made.append(FieldInput(kind, value, value, spelt))
        elif share < 0.85:
            made.append(FieldInput(kind, value, value, other))
        elif share < 0.95:
            made.append(FieldInput(kind, value, other, value))
        else:
            made.append(FieldInput(kind, value, other, []))
    return made


def decisions(count: int) -> Figures:
    """Decide every field; the floor compares the same values as they are."""
    fields = questions(count)
    alike = [one for one in fields if one.attio == one.external]
    # Other values than in the mixture, which would be remembered otherwise.
    hard = [one for one in questions(count, count) if one.attio != one.external]
    started = time.perf_counter()
    bare = sum(f.attio == f.external and f.attio == f.base for f in fields)
    floor = time.perf_counter() - started
    assert bare == len(alike)
    figures: Figures = {"floor_per_s": count / floor}
    for name, some in (("mixed", fields), ("differing", hard)):
        started = time.perf_counter()
        for one in some:
            decide(one)
        figures[f"{name}_per_s"] = len(some) / (time.perf_counter() - started)
    return figures


# --------------------------------------------------------------------------------------------------- a whole world


def schema() -> Schema:
    """Return a workspace with people of four mapped fields."""
    attributes = (
        Attribute("a-name", "name", "Name", "personal-name"),
        Attribute(
            "a-mail", "email_addresses", "Email addresses", "email-address", is_multi=True, is_unique=True
        ),
        Attribute("a-phone", "phone_numbers", "Phone numbers", "phone-number", is_multi=True),
        Attribute("a-title", "job_title", "Job title", "text"),
    )
    people = ObjectSchema(attributes=attributes, id=OBJECT, slug="people", singular="Person", plural="People")
    return Schema(objects=(people,))


CONTACTS = CrmObject(
    "contacts",
    "Contacts",
    (
        CrmField("firstname", "First name", "text"),
        CrmField("lastname", "Last name", "text"),
        CrmField("email", "Email", "email", is_unique=True),
        CrmField("phone", "Phone", "phone"),
        CrmField("jobtitle", "Job title", "text"),
        CrmField("attio_record_id", "Attio record ID", "text", is_unique=True),
    ),
)


class People:
    """The same people on both sides; one in fifty differs in a title, one in a hundred has none there."""

    def __init__(self, count: int) -> None:
        self.count = count

    @staticmethod
    def record_id(number: int) -> str:
        """Return the Attio id of somebody."""
        return f"10000000-0000-4000-8000-{number:012}"

    @staticmethod
    def _person(number: int) -> tuple[str, str, str, str, str]:
        dice = random.Random(number)
        first, last = ("".join(dice.choices(_SYLLABLES, k=3)).title() for _ in range(2))
        return (
            first,
            last,
            f"{first}.{last}.{number}@acme.example".lower(),
            f"+1415555{number % 10000:04}",
            "Engineer",
        )

    def raw(self, number: int) -> bytes:
        """Return somebody as Attio gives them."""
        first, last, mail, phone, title = self._person(number)
        since = {"active_from": "2025-12-16T15:32:42.770000000Z", "active_until": None}
        values = {
            "name": {"first_name": first, "last_name": last, "full_name": f"{first} {last}", "attribute_type": "personal-name"},
            "email_addresses": {"email_address": mail, "original_email_address": mail, "attribute_type": "email-address"},
            "phone_numbers": {"phone_number": phone, "original_phone_number": phone, "attribute_type": "phone-number"},
            "job_title": {"value": title, "attribute_type": "text"},
        }  # fmt: skip
        return json.dumps(
            {
                "id": {"workspace_id": "w", "object_id": OBJECT, "record_id": self.record_id(number)},
                "created_at": f"2025-01-01T00:00:00.{number % 1000:03}000000Z",
                "values": {slug: [{**since, **value}] for slug, value in values.items()},
            }
        ).encode()

    def contact(self, number: int) -> CrmRecord:
        """Return somebody as HubSpot gives them."""
        first, last, mail, phone, title = self._person(number)
        there = "Architect" if number % 50 == 0 else None if number % 100 == 1 else title
        values = {
            "firstname": first,
            "lastname": last,
            "email": mail,
            "phone": f"+1 415-555-{phone[-4:]}",
            "jobtitle": there,
            "attio_record_id": None,
            "lastmodifieddate": "2025-12-16T15:32:42.770Z",
        }
        return CrmRecord(str(1_000_000 + number), values, "2025-12-16T15:32:42.770Z")


async def _furnished(store: Any, people: People) -> Any:
    from attio_console.sync.crm_context import CrmContext, external_row, save_context
    from attio_console.sync.mapping_defaults import default_mapping

    await store.mirror.put_schema(schema())
    for start in range(0, people.count, _PAGE):
        numbers = range(start, min(start + _PAGE, people.count))
        await store.mirror.apply_page(OBJECT, [people.raw(n) for n in numbers])
        rows = [external_row(people.contact(n)) for n in numbers]
        await store.mirror.apply_page("hubspot:contacts", rows)
    objects = {"contacts": CONTACTS}
    context = CrmContext(default_mapping("hubspot", store.mirror.schema, objects), objects, ())
    await save_context(store, context)
    return context


class AtOnce:
    """The two systems, answering out of memory."""

    page_size = 100

    def __init__(self, people: People) -> None:
        self._people = people
        self.records = SimpleNamespace(get_many_raw=self._ours)
        self.calls = 0

    async def _ours(self, collection: str, ids: Sequence[str], **_: Any) -> list[bytes]:
        assert collection == OBJECT
        self.calls += 1
        return [self._people.raw(int(one.rpartition("-")[2])) for one in ids]

    async def get_many(self, kind: str, ids: Sequence[str], fields: Sequence[str]) -> list[CrmRecord]:
        """Return contacts."""
        assert kind == "contacts" and fields
        self.calls += 1
        return [self._people.contact(int(one) - 1_000_000) for one in ids]


async def world(pairs: int) -> Figures:
    """Plan a first sync of people none of whom is paired yet; then pair all, keep their bases, and verify."""
    from attio_console.store import Store
    from attio_console.sync.apply import Applier
    from attio_console.sync.examine import Examiner
    from attio_console.sync.pairing import Pairing
    from attio_console.sync.plan import make_plan
    from attio_console.sync.verify import verify

    with tempfile.TemporaryDirectory() as directory:
        store = await Store.open(Path(directory) / "data")
        people = People(pairs)
        context = await _furnished(store, people)
        started = time.perf_counter()
        made = await make_plan(store, context)
        planned = time.perf_counter() - started
        await Pairing(store, context).run(context.mapping.objects[0])
        examiner, applier, after = Examiner(store, context), Applier(store, "hubspot"), 0
        while found := store.pairs.list("hubspot", state="confirmed", after=after):
            after = found[-1].id
            # Nothing is sent in here: what would be written stays a difference that the verification finds.
            await applier.apply(list(examiner.each(found)), hold=True)
        started = time.perf_counter()
        local = await verify(store, context)
        looked = time.perf_counter() - started
        both: Any = AtOnce(people)
        started = time.perf_counter()
        report = await verify(store, context, client=both, attio=both)
        verified = time.perf_counter() - started
        await store.close()
    assert made.new_pairs == local.pairs == report.pairs == pairs
    assert both.calls == report.attio_reads + report.external_reads
    return {
        "plan_s": planned,
        "lines": len(made.lines),
        "calls": sum(cost.reads + cost.writes for cost in made.costs),
        "local_s": looked,
        "verify_s": verified,
        "attio_reads": report.attio_reads,
        "external_reads": report.external_reads,
        "rss_mb": peak_mb(),
    }


# --------------------------------------------------------------------------------------------------- settling


async def settle(edits: int, seconds: float) -> Figures:
    """Edit people here and there at random moments and wait until the other side has it."""
    from attio_console.sandbox import running
    from tests.engine.conftest import Control, options
    from tests.engine.crm.conftest import linked_console

    dice = random.Random(3)
    took: dict[str, list[float]] = {"webhook": [], "polling": []}
    with tempfile.TemporaryDirectory() as directory:
        async with running(options(records=300)) as sandbox:
            control = Control(sandbox.attio)
            async with linked_console(
                sandbox, Path(directory) / "data", control, systems=("hubspot",), poll_s=10.0
            ) as linked:
                await linked.live()
                await linked.quiet(120)
                fits = [linked.pair_of("hubspot", "people", n) for n in range(2 * edits)]

                async def one(number: int) -> None:
                    pair, name = fits[number], "webhook" if number % 2 else "polling"
                    await asyncio.sleep(dice.random() * seconds)
                    text = f"Settled {number}"
                    kind, there = (
                        ("hubspot", pair.external_id) if name == "polling" else ("attio", pair.record_id)
                    )
                    values = {"jobtitle": text} if name == "polling" else {"job_title": text}
                    object_name = "contacts" if name == "polling" else "people"
                    await control.post("/edit", system=kind, object=object_name, id=there, values=values)
                    started = time.perf_counter()
                    while linked.store.pairs.bases(pair.id)["job_title"].items != [text]:
                        # The base moves in the transaction that says that the other side took it.
                        await asyncio.sleep(0.01)
                    took[name].append(time.perf_counter() - started)

                async with asyncio.timeout(seconds + 120), asyncio.TaskGroup() as tasks:
                    for number in range(2 * edits):
                        tasks.create_task(one(number))
            await control.close()
    figures: Figures = {"edits": edits}
    for name, values in took.items():
        figures |= {f"{name}_p50_s": percentile(values, 50), f"{name}_p95_s": percentile(values, 95)}
    return figures


def main() -> None:
    """Run the parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--fields", type=int, default=300_000)
    parser.add_argument("--edits", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=45.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part")
    given = parser.parse_args()
    if given.quick:
        given.pairs, given.fields, given.edits, given.seconds, given.rounds = 5_000, 50_000, 6, 12.0, 1
    if given.part:
        parts: dict[str, Any] = {
            "decisions": lambda: decisions(given.fields),
            "world": lambda: asyncio.run(world(given.pairs)),
            "settle": lambda: asyncio.run(settle(given.edits, given.seconds)),
        }
        print(json.dumps(parts[given.part]()))
        return
    rounds = [part(HERE, "decisions", fields=given.fields) for _ in range(given.rounds)]
    floor, mixed, hard = (
        median([one[name] for one in rounds]) for name in ("floor_per_s", "mixed_per_s", "differing_per_s")
    )
    print(
        f"  {'field decisions':<38} {mixed:,.0f}/s of a mixture, {hard:,.0f}/s of what differs"
        f"   (aim: 50,000/s; floor, bare comparison: {floor:,.0f}/s)"
    )
    seen = part(HERE, "world", pairs=given.pairs)
    print(
        f"  {f'plan of a first sync, {given.pairs:,} x 2':<38} {seen['plan_s']:.1f} s for {seen['lines']:,.0f} lines;"
        f" would cost {seen['calls']:,.0f} calls   ({seen['rss_mb']:.0f} MB)"
    )
    reads = seen["external_reads"]
    print(
        f"  {f'verification of {given.pairs:,} pairs':<38} {seen['verify_s']:.1f} s + {seen['attio_reads']:.0f} Attio and"
        f" {reads:.0f} HubSpot reads ({reads / 10:.0f} s at 100 in 10 s); {seen['local_s']:.1f} s of what is here"
    )
    lag = part(HERE, "settle", edits=given.edits, seconds=given.seconds)
    print(
        f"  {'settled on the other side':<38} by webhook p50 {lag['webhook_p50_s']:.2f} p95 {lag['webhook_p95_s']:.2f} s"
        f" (aim 2 s); by polling every 10 s p50 {lag['polling_p50_s']:.1f} p95 {lag['polling_p95_s']:.1f} s (aim 15 s)"
    )


if __name__ == "__main__":
    main()
