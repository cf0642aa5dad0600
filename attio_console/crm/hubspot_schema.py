"""The one property that the sync makes in HubSpot: the unique one that holds the Attio record id."""

from __future__ import annotations

from typing import Final

from attio_console import errors
from attio_console.crm import hubspot_wire as wire
from attio_console.crm.hubspot_calls import HubSpotCalls, decode
from attio_console.crm.protocol import CrmField
from attio_console.net import Resend

KEY_FIELD: Final = "attio_record_id"
_GROUPS: Final = {
    "contacts": "contactinformation",
    "companies": "companyinformation",
    "deals": "dealinformation",
}


class HubSpotSchema(HubSpotCalls):
    """Changes of the account's own schema."""

    async def create_key(self, object_type: str) -> CrmField:
        """Make the unique property; only a new property can be unique. Raises Forbidden without the schema scope."""
        body = {
            "name": KEY_FIELD,
            "label": "Attio record ID",
            "description": "The Attio record that this one stands for. Written by attio-console.",
            "groupName": _GROUPS[object_type],
            "type": "string",
            "fieldType": "text",
            "hasUniqueValue": True,
        }
        path = wire.path(self._version, "properties", object_type)
        try:
            response = await self._caller.call(
                self._request("POST", path, "write", object_type, json=body, resend=Resend.NEVER)
            )
        except errors.Forbidden as error:
            raise errors.Forbidden(
                f"The key may not make a property of {object_type}: {error.message}",
                system=self.system,
                status=403,
                code=error.code,
                request_id=error.request_id,
                hint=f"Give it the scope crm.schemas.{object_type}.write, or make {KEY_FIELD} by hand: "
                "single-line text, unique value.",
            ) from error
        except errors.UniquenessConflict as error:
            raise errors.UniquenessConflict(
                error.message,
                system=self.system,
                status=409,
                code=error.code,
                request_id=error.request_id,
                hint=f"{KEY_FIELD} is among the archived properties of {object_type}: restore it there.",
            ) from error
        return wire.decode_property(decode(response))
