"""A server of ready-made pages, in a process of its own, so that what is measured is the client.

    python -m tests.bench.pages_server --records 200000 [--kb 10]

Answers `POST …/records/query` by `offset` or by `created_at` at or after a time, as Attio does, from pages made before it
listens; `POST /touch` gives every n-th record another job title. Prints one JSON line once it listens.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from attio_console.model.schema import Attribute, ObjectSchema, Option, Schema

OBJECT = "97052eb9-e65e-443f-a297-f2d9a4a7f795"
WORKSPACE = "14beef7a-99f7-4534-a87e-70b564330a4c"
PAGE = 500
_TEMPLATES = 1500
_BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
_STEP_MS = 37
_MIX = 0x9E3779B97F4A7C15F39CC0605CEDC835
_ALL = (1 << 128) - 1
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
    "sen",
    "dra",
]
_CITIES = [
    "Amsterdam",
    "Berlin",
    "Chicago",
    "Dakar",
    "Edinburgh",
    "Florence",
    "Genève",
    "Hamburg",
    "Istanbul",
    "Jakarta",
    "Kyōto",
    "Lagos",
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
_PLAIN = (
    ("name", "personal-name"),
    ("email_addresses", "email-address"),
    ("phone_numbers", "phone-number"),
    ("job_title", "text"),
    ("description", "text"),
    ("primary_location", "location"),
    ("company", "record-reference"),
    ("score", "number"),
    ("strength", "select"),
    ("created_at", "timestamp"),
)
_TAIL = (
    "timestamp",
    "interaction",
    "number",
    "actor-reference",
    "select",
    "currency",
    "date",
    "checkbox",
    "text",
)
_ATTRIBUTES = 33


def schema() -> Schema:
    """Return people as Attio has them: ten attributes that matter and a long tail of enriched and custom ones."""
    tail = [(f"custom_{n}", _TAIL[n % len(_TAIL)]) for n in range(_ATTRIBUTES - len(_PLAIN))]
    options = tuple(
        Option(str(uuid.UUID(int=n)), title) for n, title in enumerate(("Weak", "Good", "Strong"))
    )
    attributes = tuple(
        Attribute(
            f"a-{slug}",
            slug,
            slug.replace("_", " "),
            kind,
            is_multi=slug in ("email_addresses", "phone_numbers"),
            options=options if kind == "select" else (),
        )
        for slug, kind in (*_PLAIN, *tail)
    )
    return Schema(objects=(ObjectSchema(attributes, OBJECT, "people", "Person", "People"),))


def record_id(number: int) -> str:
    """Return the id of the n-th record."""
    digits = f"{number * _MIX & _ALL:032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def created_at(number: int) -> str:
    """Return when the n-th record was created, to the nanosecond, later for each."""
    seconds, millis = divmod(number * _STEP_MS, 1000)
    return f"{_second(seconds)}.{millis:03d}000000Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return f"{_BEGIN + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}"


class Records:
    """Records of a few templates, cut where id, time, name and title stand."""

    def __init__(self, count: int, kilobytes: float) -> None:
        self.count = count
        self.touched_every = 0
        self._templates = [_template(n, kilobytes) for n in range(min(_TEMPLATES, count))]

    def page(self, start: int, limit: int) -> bytes:
        """Return the answer that holds those records."""
        return (
            b'{"data":['
            + b",".join(self.one(n) for n in range(start, min(start + limit, self.count)))
            + b"]}"
        )

    def one(self, number: int) -> bytes:
        """Return one record."""
        cut = self._templates[(number * 7919) % len(self._templates)]
        touched = self.touched_every and number % self.touched_every == 0
        parts = {
            b"ID": record_id(number).encode(),
            b"AT": created_at(number).encode(),
            b"NO": b"%d" % number,
            b"TITLE": b"Changed" if touched else b"",
        }
        pieces = cut.copy()
        pieces[1::2] = [parts[name] for name in cut[1::2]]
        return b"".join(pieces)

    def first_at(self, wanted: str) -> int:
        """Return the number of the first record created then or later."""
        seconds, _, fraction = wanted.rstrip("Z").partition(".")
        at = datetime.fromisoformat(seconds).replace(tzinfo=UTC, microsecond=int(fraction[:6] or 0))
        return -((_BEGIN - at) // timedelta(milliseconds=_STEP_MS))


def _template(seed: int, kilobytes: float) -> list[bytes]:
    """Return a record as pieces: text, the name of what stands there, text, and so on."""
    rng = random.Random(seed)
    actors = [
        {"type": kind, "id": str(uuid.UUID(int=rng.getrandbits(128)))}
        for kind in ("system", "workspace-member", "api-token")
    ]

    def value(kind: str, **content: Any) -> dict[str, Any]:
        moment = created_at(rng.randrange(10**9))
        return {
            "active_from": moment,
            "active_until": None,
            "created_by_actor": rng.choice(actors),
            **content,
            "attribute_type": kind,
        }

    word = lambda n: "".join(rng.choices(_SYLLABLES, k=n))  # noqa: E731 - three words in a row read better so
    first, last, company = word(2).title(), word(3).title(), word(3)
    city = rng.choice(_CITIES)
    values: dict[str, list[dict[str, Any]]] = {
        "name": [value("personal-name", first_name=first, last_name=last, full_name=f"{first} {last}")],
        "email_addresses": [
            value(
                "email-address",
                original_email_address=f"{first}.{last}@@NO@@@{company}.com",
                email_address=f"{first}.{last}@@NO@@@{company}.com".lower().replace("@@no@@", "@@NO@@"),
                email_domain=f"{company}.com",
                email_root_domain=f"{company}.com",
                email_local_specifier=f"{first}.{last}".lower(),
            )
        ],
        "phone_numbers": [
            value("phone-number", phone_number=f"+4420{rng.randrange(10**8):08d}", country_code="GB")
        ],
        "job_title": [value("text", value=f"{rng.choice(_TITLES)} @@TITLE@@")],
        "description": [value("text", value=" ".join(word(2) for _ in range(24)))],
        "primary_location": [
            value("location", line_1=None, locality=city, region=None, postcode=None, country_code="GB")
        ],
        "company": [
            value(
                "record-reference",
                target_object="companies",
                target_record_id=str(uuid.UUID(int=rng.getrandbits(128))),
            )
        ],
        "score": [value("number", value=rng.randrange(10**6))],
        "strength": [_choice(value, rng)],
        "created_at": [value("timestamp", value="@@AT@@")],
    }
    for n in range(_ATTRIBUTES - len(_PLAIN)):
        kind = _TAIL[n % len(_TAIL)]
        values[f"custom_{n}"] = [_tail_value(kind, value, rng, word)]
    document = {
        "id": {"workspace_id": WORKSPACE, "object_id": OBJECT, "record_id": "@@ID@@"},
        "created_at": "@@AT@@",
        "web_url": "https://app.attio.com/bench/person/@@ID@@/overview",
        "values": values,
    }
    # What is missing is a text that nobody marked as searched: enrichment, mostly.
    missing = int(kilobytes * 1000) - len(json.dumps(document, separators=(",", ":")))
    if missing > 0:
        values["custom_22"][0]["source"] = f"{rng.getrandbits(missing * 2):x}" + " enriched" * (missing // 18)
    return [
        part.encode() for part in json.dumps(document, separators=(",", ":"), ensure_ascii=False).split("@@")
    ]


def _choice(value: Any, rng: random.Random) -> dict[str, Any]:
    number = rng.randrange(3)
    ids = {
        "workspace_id": WORKSPACE,
        "object_id": OBJECT,
        "attribute_id": "a",
        "option_id": str(uuid.UUID(int=number)),
    }
    title = ("Weak", "Good", "Strong")[number]
    found: dict[str, Any] = value("select", option={"id": ids, "title": title, "is_archived": False})
    return found


def _tail_value(kind: str, value: Any, rng: random.Random, word: Any) -> dict[str, Any]:
    moment = created_at(rng.randrange(10**9))
    member = {
        "referenced_actor_type": "workspace-member",
        "referenced_actor_id": str(uuid.UUID(int=rng.getrandbits(128))),
    }
    found: dict[str, Any] = {
        "timestamp": lambda: value(kind, value=moment),
        "interaction": lambda: value(
            kind,
            interaction_type="email",
            interacted_at=moment,
            owner_actor={"type": "workspace-member", "id": "m"},
        ),
        "number": lambda: value(kind, value=rng.random() * 1000),
        "actor-reference": lambda: value(kind, **member),
        "select": lambda: _choice(value, rng),
        "currency": lambda: value(kind, currency_value=rng.randrange(10**6), currency_code="EUR"),
        "date": lambda: value(kind, value=moment[:10]),
        "checkbox": lambda: value(kind, value=rng.random() < 0.5),
        "text": lambda: value(kind, value=" ".join(word(2) for _ in range(6))),
    }[kind]()
    return found


class Server:
    """Just enough HTTP to hand out pages, each of which begins with the last record of the one before."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._pages: dict[int, bytes] = {}
        self.render()

    def render(self) -> None:
        """Make every page."""
        for start in range(0, self._records.count, PAGE - 1):
            self._pages[start] = self._records.page(start, PAGE)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer on one connection until it is closed."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = int(head.partition("content-length:")[2].split("\r\n", 1)[0] or 0)
                body = json.loads(await reader.readexactly(length) or b"{}")
                answer = self._answer(head.split(" ", 2)[1], body)
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                    % len(answer)
                )
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, path: str, body: dict[str, Any]) -> bytes:
        if path == "/touch":
            self._records.touched_every = body["every"]
            self.render()
            return b"{}"
        start, limit = body.get("offset", 0), body["limit"]
        since = body.get("filter", {}).get("created_at")
        if since:
            start += self._records.first_at(since["$gte"])
        made = self._pages.get(start) if limit == PAGE else None
        return made or self._records.page(start, limit)


async def main() -> None:
    """Serve until the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--kb", type=float, default=10.0)
    given = parser.parse_args()
    records = Records(given.records, given.kb)
    server = await asyncio.start_server(Server(records).serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    mean = len(records.page(0, 500)) // min(500, given.records)
    print(json.dumps({"base_url": f"http://127.0.0.1:{port}", "bytes": mean}), flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
