"""Salesforce's past: field history where the org keeps one, the recycle bin, merges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from attio_console import errors
from attio_console.crm import salesforce_wire as wire
from attio_console.crm.protocol import (
    CrmChange,
    CrmMerge,
)
from attio_console.crm.salesforce_calls import chunks
from attio_console.crm.salesforce_read import IDS_IN_A_QUERY, SalesforceReading, decode_merge
from attio_console.model.times import instant

_HISTORY = {
    "Contact": ("ContactHistory", "ContactId"),
    "Account": ("AccountHistory", "AccountId"),
    "Lead": ("LeadHistory", "LeadId"),
    "Opportunity": ("OpportunityFieldHistory", "OpportunityId"),
}


class SalesforcePast(SalesforceReading):
    """What the org remembers."""

    async def archived_since(self, object_type: str, since: datetime) -> list[str]:
        """Return the ids of the records deleted since then, within the 30 days Salesforce can tell."""
        now = self._clock.now()
        start = max(since, now - timedelta(days=29))
        if now - start < timedelta(minutes=2):
            start = now - timedelta(minutes=2)
        params = {"start": wire.soql_time(start), "end": wire.soql_time(now + timedelta(minutes=1))}
        body = await self._get(f"sobjects/{object_type}/deleted/", params, partition=object_type)
        return [wire.id18(str(row["id"])) for row in body.get("deletedRecords") or ()]

    async def archived_with(self, object_type: str, key_field: str) -> dict[str, str]:
        """Return the ids in the recycle bin whose key field holds something, and what it holds."""
        soql = f"SELECT Id, {key_field} FROM {object_type} WHERE IsDeleted = true AND {key_field} != null"
        pages = self._query(soql, object_type, everything=True)
        return {wire.id18(str(row["Id"])): str(row[key_field]) async for page in pages for row in page}

    async def merges_since(self, object_type: str, since: datetime) -> list[CrmMerge]:
        """Return the merges whose losers are still in the recycle bin."""
        if object_type == "Opportunity":
            return []
        soql = (
            f"SELECT Id, MasterRecordId FROM {object_type} WHERE IsDeleted = true AND MasterRecordId != null "
            f"AND SystemModstamp >= {wire.soql_time(since)}"
        )
        pages = self._query(soql, object_type, everything=True)
        return [decode_merge(row) async for page in pages for row in page]

    async def history(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, list[CrmChange]]]:
        """Return the field history where the org keeps one, else the record's own stamp for every field."""
        if not self._names:
            await self.owners()
        found: dict[str, dict[str, list[CrmChange]]] = {}
        for record in await self._read(object_type, [wire.id18(i) for i in dict.fromkeys(ids)], fields):
            by = self._names.get(wire.id18(record.modified_by), record.modified_by)
            at = instant(str(record.values.get("LastModifiedDate") or record.modified_at))
            found[record.id] = {
                name: [CrmChange(record.values.get(name), at, by, "record")] for name in fields
            }
        for record_id, name, change in await self._tracked(object_type, list(found), fields):
            kept = found[record_id][name]
            found[record_id][name] = [c for c in kept if c.source != "record"] + [change]
        return found

    async def _tracked(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> list[tuple[str, str, CrmChange]]:
        table = _HISTORY.get(object_type)
        if table is None or not fields:
            return []
        rows: list[tuple[str, str, CrmChange]] = []
        name, parent = table
        for chunk in chunks(ids, IDS_IN_A_QUERY):
            soql = (
                f"SELECT {parent}, Field, NewValue, CreatedDate, CreatedById FROM {name} "
                f"WHERE {parent} IN {wire.quoted(chunk)} ORDER BY CreatedDate DESC"
            )
            try:
                async for page in self._query(soql, object_type):
                    for row in page:
                        if row.get("Field") in fields:
                            by = self._names.get(wire.id18(str(row.get("CreatedById") or "")), "")
                            at = instant(str(row.get("CreatedDate") or ""))
                            change = CrmChange(row.get("NewValue"), at, by, "field history")
                            rows.append((wire.id18(str(row[parent])), str(row["Field"]), change))
            except (errors.Refused, errors.NotFound, errors.Forbidden):
                # The org tracks no history for this object: the record's own stamp has to do.
                return []
        return rows
