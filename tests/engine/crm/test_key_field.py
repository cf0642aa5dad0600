from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from attio_console import errors
from attio_console.crm import CrmWrite, HubSpot
from attio_console.sandbox.hubspot.state import HubSpot as Account

if TYPE_CHECKING:
    from attio_console.sandbox import Sandbox


def without_key(sandbox: Sandbox) -> None:
    """Take the property out of the account, as if no sync had ever been there."""
    store = sandbox.world.part(Account).objects["deals"]
    del store.properties["attio_record_id"], store.unique["attio_record_id"]
    for record in store.records.values():
        record.properties.pop("attio_record_id", None)


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
async def test_the_field_that_is_made_is_unique_and_takes_a_stamp(sandbox: Sandbox, version: str) -> None:
    without_key(sandbox)
    async with HubSpot(sandbox.tokens["hubspot"], base_url=sandbox.hubspot, version=version) as client:  # type: ignore[arg-type]  # the versions of the table
        assert (await client.describe("deals")).field("attio_record_id") is None
        made = await client.create_key("deals")
        assert made.is_unique and made.is_writable
        described = (await client.describe("deals")).field("attio_record_id")
        assert described is not None and described.is_unique
        page = await anext(aiter(client.scan("deals", ["attio_record_id"])))
        [result] = await client.update_many(
            "deals", [CrmWrite("1", {"attio_record_id": "abc"}, page.records[0].id)]
        )
        assert result.error is None


async def test_without_the_scope_it_says_which_one_is_missing(sandbox: Sandbox) -> None:
    without_key(sandbox)
    keyring = sandbox.world.part(Account).keyring
    scopes = tuple(s for s in keyring.service_key.scopes if not s.startswith("crm.schemas.deals.write"))
    keyring.add("pat-na1-narrow", "service-key", scopes=scopes)
    async with HubSpot("pat-na1-narrow", base_url=sandbox.hubspot) as client:
        with pytest.raises(errors.Forbidden) as refused:
            await client.create_key("deals")
    assert "crm.schemas.deals.write" in refused.value.hint


async def test_an_archived_property_of_that_name_is_named(sandbox: Sandbox) -> None:
    headers = {"authorization": f"Bearer {sandbox.tokens['hubspot']}"}
    async with httpx.AsyncClient(base_url=sandbox.hubspot, headers=headers) as other:
        gone = await other.delete("/crm/v3/properties/deals/attio_record_id")
        assert gone.status_code == 204, gone.text
    async with HubSpot(sandbox.tokens["hubspot"], base_url=sandbox.hubspot) as client:
        with pytest.raises(errors.UniquenessConflict) as refused:
            await client.create_key("deals")
    assert "archived" in refused.value.hint
