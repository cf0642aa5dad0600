"""A console on a store with one person in it, without an engine and without a screen."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from attio_console.config.profiles import Profile
from attio_console.config.secrets import MemorySecrets
from attio_console.model.schema import Attribute, ObjectSchema, Schema
from attio_console.services.console import Console
from attio_console.services.opening import OpenOptions, open_console
from attio_console.store import Store

WORKSPACE = str(uuid.UUID(int=1))
PEOPLE = str(uuid.UUID(int=2))
ADA = str(uuid.UUID(int=3))


HOME = {
    "line_1": "12 St James's Square; rear",
    "line_2": "Floor 2, left",
    "line_3": None,
    "line_4": None,
    "locality": "London",
    "region": None,
    "postcode": "SW1Y",
    "country_code": "GB",
    "latitude": "51.507",
    "longitude": "-0.135",
}
NAME = {"first_name": "Ada", "last_name": "King, Countess of Lovelace", "full_name": "Ada Lovelace"}


def _value(kind: str, **what: object) -> dict[str, object]:
    return {"active_from": "2026-01-01T00:00:00Z", "attribute_type": kind, **what}


def ada(title: str) -> bytes:
    """Ada as Attio sends her, with that job title."""
    values = {
        "job_title": [_value("text", value=title)] if title else [],
        "home": [_value("location", **HOME)],
        "name": [_value("personal-name", **NAME)],
    }
    document = {
        "id": {"workspace_id": WORKSPACE, "object_id": PEOPLE, "record_id": ADA},
        "created_at": "2026-01-01T00:00:00Z",
        "values": values,
    }
    return json.dumps(document).encode()


@contextlib.asynccontextmanager
async def desk(directory: Path) -> AsyncIterator[Console]:
    """Open a console on a new store."""
    store = await Store.open(directory / WORKSPACE)
    kinds = {"job_title": "text", "nickname": "text", "home": "location", "name": "personal-name"}
    fields = tuple(
        Attribute(str(uuid.UUID(int=10 + n)), slug, slug.title(), kind)
        for n, (slug, kind) in enumerate(kinds.items())
    )
    await store.mirror.put_schema(
        Schema(workspace_id=WORKSPACE, objects=(ObjectSchema(fields, PEOPLE, "people", "Person", "People"),))
    )
    await store.mirror.apply_page(PEOPLE, [ada("Poet")])
    await store.close()
    profile = Profile(name="test", workspace_id=WORKSPACE)
    options = OpenOptions(profile_object=profile, secrets=MemorySecrets(), data_dir=directory, engine=False)
    async with open_console(options) as console:
        yield console
