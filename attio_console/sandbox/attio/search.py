"""`records/search`: names, domains, e-mails, phone numbers and handles, best matches first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import islice
from typing import Any

from attio_console.sandbox.attio.query import BREATH
from attio_console.sandbox.attio.state import Container, Crm, Object, Row
from attio_console.sandbox.attio.values import first, label

REACH = 50_000
_HANDLES = ("linkedin", "twitter", "facebook", "instagram", "angellist")


async def search(crm: Crm, targets: Sequence[Object], text: str, limit: int) -> list[dict[str, Any]]:
    """Return the best matches of a text; of an empty one, the newest records.

    What is unique (an e-mail address, a domain) is looked up; for the rest the newest `REACH` records are read.
    """
    words = text.casefold().split()
    ranked: list[tuple[int, str, Object, Row]] = []
    for target in targets:
        certain = _holders(target, text.casefold().strip())
        ranked += [(0, label(target, row), target, row) for row in certain]
        known = {row.id for row in certain}
        best = 0
        for looked, ref in enumerate(islice(target.table.refs(newest_first=True), REACH), start=1):
            if looked % BREATH == 0:
                await asyncio.sleep(0)
            row = target.table.row(ref)
            rank = None if row.id in known else _rank(target, row, words, text.casefold().strip())
            if rank is None:
                continue
            ranked.append((rank, label(target, row), target, row))
            best += rank == 0
            # The best rank cannot be beaten: the older records need not be read.
            if best >= limit:
                break
    ranked.sort(key=lambda hit: hit[:2])
    return [_hit(crm, target, row) for _, _, target, row in ranked[:limit]]


def _holders(target: Object, text: str) -> list[Row]:
    found = {
        row_id: None
        for attribute in target.unique()
        if attribute.type in {"email-address", "domain"}
        for row_id in target.table.holders(attribute.id, text)
    }
    return [row for row_id in found if (row := target.table.get(row_id)) is not None]


def _rank(target: Object, row: Row, words: list[str], text: str) -> int | None:
    if not words:
        return 0
    title = label(target, row).casefold()
    if title == text:
        return 0
    if title.startswith(text):
        return 1
    haystacks = [title]
    if target.kind in {"people", "companies"}:
        haystacks += [each.casefold() for each in _contacts(target, row)]
        if text in haystacks[1:]:
            return 0
    if all(any(word in hay for hay in haystacks) for word in words):
        return 2 if all(any(part.startswith(word) for part in title.split()) for word in words) else 3
    return None


def _contacts(target: Container, row: Row) -> list[str]:
    found = _all(target, row, "email_addresses", "email_address") + _all(target, row, "domains", "domain")
    found += _all(target, row, "phone_numbers", "phone_number")
    for slug in _HANDLES:
        found += _all(target, row, slug, "value")
    return found


def _all(target: Container, row: Row, slug: str, name: str) -> list[str]:
    attribute = target.attribute(slug)
    return [value.data[name] for value in row.get(attribute.id)] if attribute else []


def _hit(crm: Crm, target: Object, row: Row) -> dict[str, Any]:
    image = first(target, row, "avatar_url") or first(target, row, "logo_url")
    hit: dict[str, Any] = {
        "id": {"workspace_id": crm.workspace.id, "object_id": target.id, "record_id": row.id},
        "record_text": label(target, row),
        "record_image": image["value"] if image else None,
        "object_slug": target.slug,
    }
    if target.kind == "people":
        hit["email_addresses"] = _all(target, row, "email_addresses", "email_address")
        hit["phone_numbers"] = _all(target, row, "phone_numbers", "phone_number")
    if target.kind == "companies":
        hit["domains"] = _all(target, row, "domains", "domain")
    return hit
