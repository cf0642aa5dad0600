"""What somebody else does in Salesforce: the control surface's way in, past sessions and limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attio_console.sandbox.salesforce.errors import not_found
from attio_console.sandbox.salesforce.sessions import sessions_of
from attio_console.sandbox.salesforce.soql_run import attributes, value_of
from attio_console.sandbox.salesforce.state import Salesforce
from attio_console.sandbox.salesforce.table import Row, Table
from attio_console.sandbox.world import World


def objects(world: World) -> list[str]:
    """Return the names of the objects."""
    return list(world.part(Salesforce).tables)


def tokens(world: World, directory: Path) -> dict[str, str]:
    """Return every way in; the private key is written into `directory`."""
    sessions = sessions_of(world)
    path = directory / "salesforce-key.pem"
    path.touch(mode=0o600)
    path.write_bytes(sessions.private_key_pem())
    return {
        "access_token": sessions.first.token,
        "refresh_token": sessions.first_refresh,
        "client_id": sessions.app.client_id,
        "client_secret": sessions.app.client_secret,
        "username": sessions.app.username,
        "private_key_path": str(path),
    }


def dump(world: World, name: str) -> Iterator[dict[str, Any]]:
    """Return every row, the deleted ones too, with all that has a value."""
    table = world.part(Salesforce).table(name)
    for row in table.rows.values():
        shown = attributes(table.sobject, row, "67.0")
        for field in table.sobject.fields.values():
            value = value_of(table, row, field)
            if value is not None:
                shown[field.name] = value
        yield shown


def edit(world: World, name: str, row_id: str | None, values: Mapping[str, Any], actor: str) -> str:
    """Change a row (or make one, without an id) as somebody at the screen, or as automation."""
    org = world.part(Salesforce)
    table, author = org.table(name), org.user_of(actor)
    if row_id is None:
        row = org.create(table, values, author)
    else:
        row = _find(table, row_id)
        org.update(table, row, values, author)
    _note(world, "EDIT", table, row, dict(values), actor)
    return str(row["Id"])


def delete(world: World, name: str, row_id: str, actor: str) -> None:
    """Put a row into the recycle bin."""
    org = world.part(Salesforce)
    table = org.table(name)
    row = _find(table, row_id)
    org.delete(table, row, org.user_of(actor))
    _note(world, "DELETE", table, row, None, actor)


def merge(world: World, name: str, primary: str, other: str, actor: str) -> str:
    """Merge one row into another and return the id that stays."""
    org = world.part(Salesforce)
    table = org.table(name)
    master, loser = _find(table, primary), _find(table, other)
    org.merge(table, master, loser, org.user_of(actor))
    _note(world, "MERGE", table, master, {"primary": primary, "other": other}, actor)
    return str(master["Id"])


def convert(world: World, lead: str, actor: str) -> str:
    """Convert a lead and return the id of its contact."""
    org = world.part(Salesforce)
    table = org.table("Lead")
    row = _find(table, lead)
    contact = org.convert(row, org.user_of(actor))
    _note(world, "CONVERT", table, row, {"contact": contact["Id"]}, actor)
    return str(contact["Id"])


def lock(world: World, name: str, row_id: str, seconds: float) -> None:
    """Let somebody's long transaction hold a row: writes of it and of its children answer UNABLE_TO_LOCK_ROW."""
    org = world.part(Salesforce)
    org.lock(str(_find(org.table(name), row_id)["Id"]), seconds)


def _find(table: Table, row_id: str) -> Row:
    row = table.find(row_id)
    if row is None:
        raise not_found()
    return row


def _note(world: World, method: str, table: Table, row: Row, body: Any, actor: str) -> None:
    world.journal.add("salesforce", method, "/_sandbox", table.sobject.name, row["Id"], body, actor)
