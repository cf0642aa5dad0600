"""Salesforce's tasks, and what they hang on."""

from __future__ import annotations

from collections.abc import Sequence

from attio_console.crm import salesforce_wire as wire
from attio_console.crm.protocol import CrmRecord
from attio_console.crm.salesforce_calls import chunks
from attio_console.crm.salesforce_read import IDS_IN_A_QUERY, SalesforceReading, columns_of

_PEOPLE = frozenset({"Contact", "Lead"})


class SalesforceActivities(SalesforceReading):
    """What was logged on records."""

    async def logged(
        self, object_type: str, on: str, ids: Sequence[str], fields: Sequence[str]
    ) -> list[CrmRecord]:
        """Return the tasks that hang on these records."""
        by = "WhoId" if on in _PEOPLE else "WhatId"
        found: list[CrmRecord] = []
        for chunk in chunks(dict.fromkeys(ids), IDS_IN_A_QUERY):
            soql = f"SELECT {columns_of(fields)} FROM {object_type} WHERE {by} IN {wire.quoted(chunk)}"
            async for rows in self._query(soql, object_type):
                found += [wire.decode_record(row) for row in rows]
        return found
