"""How an outbox item lies in its table."""

from __future__ import annotations

from typing import Any

from attio_console.store.tx import decode, maybe_moment, moment
from attio_console.store.types import FieldEdit, OutboxItem

ITEM_COLUMNS = (
    "id, group_id, system, collection, record_id, kind, fields, payload, state, attempts, next_at, error,"
    " created_at, sent_at, origin, actor, uncertain, written"
)


def read_item(row: Any) -> OutboxItem:
    """Return the item of one row of ITEM_COLUMNS."""
    fields = {slug: FieldEdit(edit["base"], edit["new"]) for slug, edit in decode(row[6]).items()}
    return OutboxItem(
        id=row[0],
        group_id=row[1],
        system=row[2],
        collection=row[3],
        record_id=row[4],
        kind=row[5],
        fields=fields,
        payload=decode(row[7]),
        state=row[8],
        attempts=row[9],
        next_at=moment(row[10]),
        error=row[11],
        created_at=moment(row[12]),
        sent_at=maybe_moment(row[13]),
        origin=row[14],
        actor=row[15],
        uncertain=bool(row[16]),
        written=decode(row[17]),
    )
