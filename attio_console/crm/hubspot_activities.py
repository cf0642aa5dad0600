"""HubSpot's notes and tasks, and what they hang on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attio_console.crm import hubspot_wire as wire
from attio_console.crm.hubspot_calls import chunks, decode, results
from attio_console.crm.hubspot_read import HubSpotReading
from attio_console.crm.protocol import CrmRecord
from attio_console.net import Resend

_READ = 1_000

# Activity, record -> the type of association from the one to the other.
_KINDS: dict[tuple[str, str], int] = {
    ("notes", "contacts"): 202,
    ("notes", "companies"): 190,
    ("notes", "deals"): 214,
    ("tasks", "contacts"): 204,
    ("tasks", "companies"): 192,
    ("tasks", "deals"): 216,
}


def inline_associations(object_type: str, links: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """Return the associations that an activity is created with: without them it would hang on nothing."""
    return [
        {
            "to": {"id": target},
            "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}],
        }
        for to, target in links.items()
        if target is not None and (kind := _KINDS.get((object_type, to))) is not None
    ]


class HubSpotActivities(HubSpotReading):
    """What was logged on records."""

    async def logged(
        self, object_type: str, on: str, ids: Sequence[str], fields: Sequence[str]
    ) -> list[CrmRecord]:
        """Return the notes or tasks that hang on these records; as they are, not as a search remembers them."""
        found: dict[str, None] = {}
        for chunk in chunks(dict.fromkeys(ids), _READ):
            url = f"{wire.path(self._version, 'associations', on, object_type)}/read"
            body = {"inputs": [{"id": one} for one in chunk]}
            response = await self._caller.call(
                self._request("POST", url, "read", object_type, json=body, resend=Resend.FREELY)
            )
            for raw in results(decode(response)):
                found |= {str(to.get("toObjectId") or to.get("id")): None for to in raw.get("to") or ()}
        return await self.get_many(object_type, list(found), fields) if found else []
