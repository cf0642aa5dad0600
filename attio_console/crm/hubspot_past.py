"""HubSpot's past: who changed a property when, what is in the recycle bin, what was merged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from attio_console.crm import hubspot_wire as wire
from attio_console.crm.hubspot_calls import chunks, onward, results
from attio_console.crm.hubspot_read import HubSpotReading
from attio_console.crm.protocol import (
    CrmChange,
    CrmMerge,
)
from attio_console.model.times import instant
from attio_console.net import Resend

_HISTORY_BATCH = 50
_LIST_PAGE = 100


class HubSpotPast(HubSpotReading):
    """What the account remembers."""

    async def archived_since(self, object_type: str, since: datetime) -> list[str]:
        """Return the records in the recycle bin that were put there since then."""
        found: list[str] = []
        async for raw in self._bin(object_type, "hs_object_id"):
            at = instant(str(raw.get("archivedAt") or ""))
            if at is None or at >= since:
                found.append(str(raw["id"]))
        return found

    async def archived_with(self, object_type: str, key_field: str) -> dict[str, str]:
        """Return the ids in the recycle bin whose key field holds something, and what it holds."""
        found: dict[str, str] = {}
        async for raw in self._bin(object_type, key_field):
            if held := (raw.get("properties") or {}).get(key_field):
                found[str(raw["id"])] = str(held)
        return found

    async def _bin(self, object_type: str, properties: str) -> AsyncIterator[dict[str, Any]]:
        after: str | None = None
        been: set[str] = set()
        while True:
            params = {"limit": _LIST_PAGE, "archived": True, "properties": properties, "after": after}
            path = wire.path(self._version, "objects", object_type)
            body = await self._get(path, params, partition=object_type)
            for raw in results(body):
                yield raw
            after = onward(body, been)
            if after is None:
                return

    async def merges_since(self, object_type: str, since: datetime) -> list[CrmMerge]:  # noqa: ARG002
        """Return nothing: HubSpot tells of merges on the surviving record alone (`CrmRecord.absorbed`)."""
        return []

    async def history(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, list[CrmChange]]]:
        """Return the property history, newest first, with who and by what."""
        properties, _ = self._split(object_type, fields)
        if self._owners is None:
            await self.owners()
        found: dict[str, dict[str, list[CrmChange]]] = {}
        for chunk in chunks(dict.fromkeys(ids), _HISTORY_BATCH):
            body = {
                "properties": [],
                "propertiesWithHistory": properties,
                "inputs": [{"id": i} for i in chunk],
            }
            answer = await self._post(object_type, "batch/read", body, "read", Resend.FREELY)
            for raw in results(answer):
                found[str(raw["id"])] = {
                    name: [self._change(change) for change in changes]
                    for name, changes in (raw.get("propertiesWithHistory") or {}).items()
                }
        return found

    def _change(self, raw: Mapping[str, Any]) -> CrmChange:
        source = str(raw.get("sourceType") or "")
        user = str(raw.get("updatedByUserId") or "")
        if not user and str(raw.get("sourceId") or "").startswith("userId:"):
            user = str(raw["sourceId"]).removeprefix("userId:")
        by = (
            self._user_names.get(user)
            or str(raw.get("sourceLabel") or "")
            or source.replace("_", " ").lower()
        )
        return CrmChange(raw.get("value"), instant(str(raw.get("timestamp") or "")), by, source)
