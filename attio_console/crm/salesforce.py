"""The Salesforce client: everything of reading, conditional single writes, and collections of 200."""

from __future__ import annotations

from collections.abc import Sequence

from attio_console import errors
from attio_console.crm import salesforce_wire as wire
from attio_console.crm.protocol import (
    CrmResult,
    CrmWrite,
)
from attio_console.crm.salesforce_activities import SalesforceActivities
from attio_console.crm.salesforce_calls import chunks, decode
from attio_console.crm.salesforce_past import SalesforcePast
from attio_console.net import Resend, keeping_promises

_BATCH = 200
_LOCK_TRIES = 4


@keeping_promises("salesforce")
class Salesforce(SalesforceActivities, SalesforcePast):
    """One Salesforce org."""

    batch_size = _BATCH
    conditional_writes = True

    async def create_many(self, object_type: str, writes: Sequence[CrmWrite]) -> list[CrmResult]:
        """Create records; the caller looked first, and looks again after an unknown outcome."""
        return await self._collection(object_type, "POST", "composite/sobjects", writes, Resend.NEVER)

    async def update_many(self, object_type: str, writes: Sequence[CrmWrite]) -> list[CrmResult]:
        """Write only the named fields; a single write may be bound to the version that was read."""
        if len(writes) == 1 and writes[0].unmodified_since:
            return [await self._update_one(object_type, writes[0])]
        return await self._collection(object_type, "PATCH", "composite/sobjects", writes, Resend.ONCE)

    async def _update_one(self, object_type: str, write: CrmWrite) -> CrmResult:
        headers = {"If-Unmodified-Since": wire.http_date(write.unmodified_since)}
        path = f"sobjects/{object_type}/{write.id}"
        try:
            # Sent again after a lost answer it would meet its own change as somebody else's.
            await self._send(
                "PATCH",
                path,
                "write",
                object_type,
                json=dict(write.values),
                headers=headers,
                resend=Resend.ONCE,
            )
        except errors.ApiError as error:
            if isinstance(error, errors.ServerFailed | errors.RateLimited | errors.NotAuthorised):
                raise
            return CrmResult(write.key, write.id, error=error)
        return CrmResult(write.key, write.id)

    async def upsert_many(
        self, object_type: str, key_field: str, writes: Sequence[CrmWrite]
    ) -> list[CrmResult]:
        """Create or update by an external id."""
        path = f"composite/sobjects/{object_type}/{key_field}"
        return await self._collection(object_type, "PATCH", path, writes, Resend.FREELY)

    async def _collection(
        self, object_type: str, method: str, path: str, writes: Sequence[CrmWrite], resend: Resend
    ) -> list[CrmResult]:
        results: list[CrmResult] = []
        # Children of one parent side by side in one call: two calls would fight over the parent's lock.
        ordered = sorted(writes, key=lambda w: str(w.values.get("AccountId") or ""))
        for start in range(0, len(ordered), _BATCH):
            waiting = ordered[start : start + _BATCH]
            for attempt in range(_LOCK_TRIES):
                outcomes = await self._collect(object_type, method, path, waiting, resend)
                locked = {o.key for o in outcomes if isinstance(o.error, errors.ConcurrentWrite)}
                is_final = attempt == _LOCK_TRIES - 1
                results += [o for o in outcomes if is_final or o.key not in locked]
                waiting = [write for write in waiting if write.key in locked]
                if not waiting or is_final:
                    break
                await self._clock.sleep(self._rng.uniform(0.05, 0.4) * 2**attempt)
        return results

    async def _collect(
        self, object_type: str, method: str, path: str, writes: Sequence[CrmWrite], resend: Resend
    ) -> list[CrmResult]:
        rows = [
            {
                "attributes": {"type": object_type},
                **({"Id": w.id} if w.id and method == "PATCH" else {}),
                **w.values,
            }
            for w in writes
        ]
        body = {"allOrNone": False, "records": rows}
        response = await self._send(method, path, "write", object_type, json=body, resend=resend)
        answers = decode(response)
        if not isinstance(answers, list) or len(answers) != len(writes):
            raise errors.ServerFailed(
                "Salesforce did not answer for every row", system=self.system, status=200
            )
        return [
            CrmResult(
                write.key,
                wire.id18(str(answer.get("id") or write.id)),
                bool(answer.get("created", method == "POST")),
            )
            if answer.get("success")
            else CrmResult(write.key, write.id, error=wire.row_error(answer.get("errors")))
            for write, answer in zip(writes, answers, strict=True)
        ]

    async def archive(self, object_type: str, ids: Sequence[str]) -> None:
        """Put records into the recycle bin, where they stay for 15 days."""
        for chunk in chunks(dict.fromkeys(ids), _BATCH):
            params = {"ids": ",".join(chunk), "allOrNone": False}
            response = await self._send("DELETE", "composite/sobjects", "write", object_type, params=params)
            for answer in decode(response):
                codes = {str(e.get("statusCode")) for e in answer.get("errors") or ()}
                if not answer.get("success") and not codes & {"ENTITY_IS_DELETED", "NOT_FOUND"}:
                    raise wire.row_error(answer.get("errors"))
