"""How quick the store is: rows applied per second, search, windows, opening.

    python -m tests.bench.bench_store --rows 200000 [--kb 10]

Prints one table; every figure is of this machine and this run. Searches use words of every frequency that the data holds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from attio_console.model.schema import Attribute, ObjectSchema, Schema
from attio_console.store import Store
from attio_console.store.types import Sort, View

OBJECT = "97052eb9-e65e-443f-a297-f2d9a4a7f795"
_PAGE = 500
_POOL = 2000
_ENVELOPE = {
    "active_from": "2025-12-16T15:32:42.770000000Z",
    "active_until": None,
    "created_by_actor": {"type": "api-token", "id": "a1b2c3d4-0000-4000-8000-000000000000"},
}
_FIRST = [
    "Ann",
    "Bob",
    "Chloe",
    "Dmitri",
    "Élodie",
    "Farah",
    "Giulia",
    "Hiroshi",
    "Ines",
    "José",
    "Kwame",
    "Lena",
    "Marta",
    "Nikhil",
    "Olga",
    "Priya",
    "Quentin",
    "Rosa",
    "Søren",
    "Tomáš",
]
_LAST = [
    "Adeyemi",
    "Brown",
    "Castillo",
    "Dubois",
    "Eriksson",
    "Fischer",
    "García",
    "Haddad",
    "Ivanov",
    "Jensen",
    "Kowalski",
    "Larsen",
    "Müller",
    "Nguyen",
    "Okafor",
    "Petrov",
]
_CITIES = [
    "Amsterdam",
    "Berlin",
    "Chicago",
    "Dakar",
    "Edinburgh",
    "Florence",
    "Geneva",
    "Hamburg",
    "Istanbul",
    "Jakarta",
    "Kyoto",
    "Lagos",
    "Madrid",
    "Nairobi",
    "Oslo",
]
_TITLES = [
    "Engineer",
    "Designer",
    "Manager",
    "Director",
    "Analyst",
    "Founder",
    "Consultant",
    "Recruiter",
    "Architect",
    "Buyer",
]
_SYLLABLES = [
    "ka",
    "ro",
    "mi",
    "ten",
    "sol",
    "var",
    "lin",
    "dor",
    "bex",
    "tul",
    "nor",
    "pia",
    "gan",
    "hel",
    "fos",
    "wem",
    "quil",
    "zar",
    "lyn",
    "mos",
]


def schema() -> Schema:
    """Return an object with the attributes that Attio's own people have, and two to sort by."""
    plain = [
        ("name", "personal-name", False),
        ("email_addresses", "email-address", True),
        ("phone_numbers", "phone-number", True),
        ("job_title", "text", False),
        ("description", "text", False),
        ("primary_location", "location", False),
        ("score", "number", False),
    ]
    extra = [(f"note_{n}", "text", False) for n in range(25)]
    attributes = tuple(
        Attribute(f"a-{slug}", slug, slug.replace("_", " "), kind, is_multi=multi)
        for slug, kind, multi in plain
    )
    # The long tail of a real record is text that nobody searches for: enriched facts, times, ids.
    tail = tuple(Attribute(f"a-{slug}", slug, slug, "timestamp") for slug, _, _ in extra)
    return Schema(objects=(ObjectSchema(attributes + tail, OBJECT, "people", "Person", "People"),))


class Maker:
    """Makes records from a seed."""

    def __init__(self, seed: int, kilobytes: float) -> None:
        self.rng = random.Random(seed)
        self.kilobytes = kilobytes
        self.pool: list[bytes] = []

    def page(self, at: int, end: int, touched: int) -> list[bytes]:
        """Return records made of a pool of templates: quick, so that it is the store that is measured."""
        if not self.pool:
            self.pool = [self.record(n) for n in range(_POOL)]
        found = []
        for number in range(at, end):
            template = number % _POOL
            raw = self.pool[template]
            raw = raw.replace(str(uuid.UUID(int=template)).encode(), str(uuid.UUID(int=number)).encode(), 1)
            raw = raw.replace(b"T00:00:00.%09dZ" % template, b"T00:00:00.%09dZ" % number, 1)
            raw = raw.replace(b"%d@" % template, b"%d@" % number, 1)
            found.append(
                raw.replace(b'"job_title"', b'"job_title" ', 1) if touched and number % touched == 0 else raw
            )
        return found

    def record(self, number: int) -> bytes:
        rng = random.Random(number)
        first, last = rng.choice(_FIRST), rng.choice(_LAST)
        company = "".join(rng.choices(_SYLLABLES, k=3))
        values: dict[str, list[dict[str, Any]]] = {
            "name": [
                _ENVELOPE
                | {
                    "first_name": first,
                    "last_name": last,
                    "full_name": f"{first} {last}",
                    "attribute_type": "personal-name",
                }
            ],
            "email_addresses": [
                _ENVELOPE
                | {
                    "original_email_address": "x",
                    "email_address": f"{first}.{last}{number}@{company}.com".lower(),
                    "email_domain": f"{company}.com",
                    "attribute_type": "email-address",
                }
            ],
            "phone_numbers": [
                _ENVELOPE
                | {
                    "phone_number": f"+4420{rng.randrange(10**8):08d}",
                    "country_code": "GB",
                    "attribute_type": "phone-number",
                }
            ],
            "job_title": [_ENVELOPE | {"value": rng.choice(_TITLES), "attribute_type": "text"}],
            "description": [
                _ENVELOPE
                | {
                    "value": " ".join("".join(rng.choices(_SYLLABLES, k=2)) for _ in range(12)),
                    "attribute_type": "text",
                }
            ],
            "primary_location": [
                _ENVELOPE
                | {
                    "locality": rng.choice(_CITIES),
                    "region": None,
                    "country_code": "GB",
                    "attribute_type": "location",
                }
            ],
            "score": [_ENVELOPE | {"value": rng.randrange(10**6), "attribute_type": "number"}],
        }
        document = {
            "id": {"workspace_id": "w" * 36, "object_id": OBJECT, "record_id": str(uuid.UUID(int=number))},
            "created_at": f"2025-01-01T00:00:00.{number:09d}Z",
            "web_url": "https://app.attio.com/x/person/1",
            "values": values,
        }
        size = len(json.dumps(document, ensure_ascii=False))
        for n in range(25):
            if size >= self.kilobytes * 1000:
                break
            values[f"note_{n}"] = [
                _ENVELOPE
                | {
                    "value": f"20{rng.randrange(10, 27)}-0{rng.randrange(1, 9)}-11T10:00:00.{rng.randrange(10**9):09d}Z",
                    "attribute_type": "timestamp",
                    "note": f"{rng.getrandbits(256):064x}",
                }
            ]
            size += 330
        return json.dumps(document, ensure_ascii=False).encode()


async def timed(calls: Sequence[Callable[[], Awaitable[Any]]]) -> list[float]:
    """Return the milliseconds each call took."""
    took = []
    for call in calls:
        began = time.perf_counter()
        await call()
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)


def show(name: str, took: Sequence[float]) -> None:
    print(
        f"{name:<44} median {took[len(took) // 2]:8.2f}  p99 {took[int(len(took) * 0.99)]:8.2f}  max {took[-1]:8.2f} ms"
    )


class Stalls:
    """Measures how late a 5 ms heartbeat of the loop comes."""

    def __init__(self) -> None:
        self.late: list[float] = []

    async def run(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            self.late.append((time.perf_counter() - began - 0.005) * 1000)


async def pull(store: Store, maker: Maker, rows: int, *, touched: int = 0) -> tuple[float, float]:
    """Apply every record; return the seconds inside apply_page, and overall."""
    state = await store.mirror.begin_scan(OBJECT)
    inside = 0.0
    began = time.perf_counter()
    for at in range(0, rows, _PAGE):
        page = maker.page(at, min(at + _PAGE, rows), touched)
        start = time.perf_counter()
        await store.mirror.apply_page(OBJECT, page, scan=state.scan, cursor=str(at).encode())
        inside += time.perf_counter() - start
    await store.mirror.finish_scan(OBJECT, state.scan)
    return inside, time.perf_counter() - began


async def bench(rows: int, kilobytes: float, directory: Path) -> None:
    maker = Maker(1, kilobytes)
    store = await Store.open(directory)
    await store.mirror.put_schema(schema())
    print(f"{rows:,} rows of {len(maker.record(0)):,} bytes")
    maker.page(0, 1, 0)
    stalls = Stalls()
    async with asyncio.TaskGroup() as group:
        beat = group.create_task(stalls.run())
        inside, _ = await pull(store, maker, rows)
        print(f"{'apply_page, first pull':<44} {rows / inside:10,.0f} rows/s")
        began = time.perf_counter()
        await store.mirror.settle()
        print(f"{'full text of the last pages, after it':<44} {time.perf_counter() - began:10.2f} s")
        show("loop stall while applying", sorted(stalls.late))
        inside, _ = await pull(store, maker, rows, touched=100)
        print(f"{'apply_page, 1 % changed':<44} {rows / inside:10,.0f} rows/s")
        await store.mirror.settle()
        beat.cancel()
    size = sum(path.stat().st_size for path in directory.glob("mirror.db*"))
    print(
        f"{'mirror on disk':<44} {size / 1e6:10,.0f} MB; peak RSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB"
    )
    await store.close()
    await ask(rows, kilobytes, directory)


async def ask(rows: int, kilobytes: float, directory: Path) -> None:
    """Open the store a few times, and ask it."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        store = await Store.open(directory)
        took.append((time.perf_counter() - began) * 1000)
        await store.close()
    show("open", sorted(took))
    store = await Store.open(directory)
    store.mirror.warm()
    # The first question waits for the warming up, as a person's would.
    began = time.perf_counter()
    await store.mirror.find("ann")
    print(f"{'first question after opening':<44} {(time.perf_counter() - began) * 1000:10.1f} ms")
    await questions(store, Maker(1, kilobytes), rows)
    await store.close()


async def questions(store: Store, maker: Maker, rows: int) -> None:
    rng = random.Random(7)
    words = Counter[str]()
    for number in rng.sample(range(min(rows, _POOL)), min(rows, 300)):
        row = json.loads(maker.record(number))["values"]
        words.update(row["name"][0]["full_name"].lower().split())
        words.update([row["email_addresses"][0]["email_address"], row["phone_numbers"][0]["phone_number"]])
        words.update(row["description"][0]["value"].split())
        words.update([row["primary_location"][0]["locality"].lower()])
    every = sorted(words)
    find = store.mirror.find
    for length in (1, 2, 3, 4, 6):
        typed = list(dict.fromkeys(word[:length] for word in every))
        show(
            f"find, prefix of {length}",
            await timed([lambda t=t: find(t) for t in rng.sample(typed, min(len(typed), 300))]),
        )
    infix = list(
        dict.fromkeys(
            word[at : at + n] for word in every if len(word) > 6 for at, n in ((1, 3), (2, 4), (1, 6))
        )
    )
    show(
        "find, infix of 3 to 6",
        await timed([lambda t=t: find(t) for t in rng.sample(infix, min(len(infix), 300))]),
    )
    pairs = [f"{rng.choice(every)[:3]} {rng.choice(every)[:4]}" for _ in range(200)]
    show("find, two words", await timed([lambda t=t: find(t) for t in pairs]))
    show("find, absent", await timed([lambda t=t: find(t) for t in ("zzzzzz", "qqq", "xyzzy plugh")]))

    mirror = store.mirror
    by_label = View(OBJECT)
    began = time.perf_counter()
    await mirror.window(by_label, rows // 2, 50)
    print(f"{'first far window':<44} {(time.perf_counter() - began) * 1000:10.1f} ms")
    ids = mirror.ids(OBJECT)
    began = time.perf_counter()
    await mirror.index_of(by_label, ids[rows // 2])
    print(f"{'reading the order':<44} {(time.perf_counter() - began) * 1000:10.1f} ms")
    places = [rng.randrange(max(rows - 50, 1)) for _ in range(300)]
    show(
        "window of 50, by label, anywhere",
        await timed([lambda p=p: mirror.window(by_label, p, 50) for p in places]),
    )
    for slug in ("created_at", "score"):
        view = View(OBJECT, sorts=(Sort(slug, descending=True),))
        began = time.perf_counter()
        await mirror.prepare(view)
        print(f"{f'making the axis {slug}':<44} {time.perf_counter() - began:10.2f} s")
        await mirror.index_of(view, ids[rows // 2])
        show(
            f"window of 50, by {slug}, anywhere",
            await timed([lambda p=p, v=view: mirror.window(v, p, 50) for p in places]),
        )
    for text in ("a", "com", "kar", every[len(every) // 2]):
        view = View(OBJECT, text=text)
        show(
            f"first window of the filter {text[:12]!r}",
            await timed([lambda v=view: mirror.window(v, 0, 50)] * 5),
        )
        began = time.perf_counter()
        number = await mirror.count(view)
        print(f"{f'  its count, {number:,} rows':<44} {(time.perf_counter() - began) * 1000:10.1f} ms")
    some = [rng.choice(ids) for _ in range(300)]
    took = sorted(_row(store, record_id) for record_id in some)
    show("row, on the loop", took)


def _row(store: Store, record_id: str) -> float:
    began = time.perf_counter()
    store.mirror.row(OBJECT, record_id)
    return (time.perf_counter() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument(
        "--kb", type=float, default=1.0, help="size of a record: what is searched does not depend on it"
    )
    parser.add_argument("--directory", type=Path, help="keep the store here, or use the one that is here")
    parser.add_argument("--questions", action="store_true", help="only ask a store that is there")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    if given.quick:
        given.rows = 20_000
    if given.directory is not None:
        asyncio.run((ask if given.questions else bench)(given.rows, given.kb, given.directory))
        return
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(bench(given.rows, given.kb, Path(directory) / "store"))


if __name__ == "__main__":
    main()
