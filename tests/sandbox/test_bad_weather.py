"""Faults on request, and clients that behave badly: neither disturbs the others."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import httpx
import pytest


async def rules(it, *given):
    await it.steer("faults", rules=list(given))


async def test_a_status_is_answered_instead(lab):
    async with lab() as it:
        await rules(
            it, {"system": "attio", "path": "/v2/objects", "action": "status", "status": 502, "count": 1}
        )
        # The specification knows no 502: this client is not held to it.
        assert (await it.control.get("/v2/objects")).status_code == 502
        assert (await it.attio.get("/v2/objects")).status_code == 200
        await rules(it, {"action": "status", "status": 429, "retry_after": 3, "count": 1})
        limited = await it.attio.get("/v2/objects")
        assert limited.status_code == 429 and limited.headers["retry-after"] == "3"
        assert limited.json()["code"] == "rate_limit_exceeded"
        await rules(it, {"action": "status", "status": 409, "count": 1})
        assert (await it.attio.get("/v2/objects")).json()["code"] == "concurrent_write_conflict"


async def test_a_write_can_land_while_its_answer_is_lost(lab):
    async with lab() as it:
        await rules(
            it,
            {
                "method": "POST",
                "path": "/v2/objects/companies/records",
                "action": "commit_then_reset",
                "count": 1,
            },
        )
        body = {"data": {"values": {"name": "Acme"}}}
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await it.attio.post("/v2/objects/companies/records", json=body)
        rows = await it.ok("POST", "/objects/companies/records/query", {})
        assert [row["values"]["name"][0]["value"] for row in rows] == ["Acme"]


async def test_a_reset_write_does_not_land(lab):
    async with lab() as it:
        await rules(
            it, {"method": "POST", "action": "reset", "count": 1, "path": "/v2/objects/companies/records"}
        )
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await it.attio.post("/v2/objects/companies/records", json={"data": {"values": {"name": "Acme"}}})
        assert await it.ok("POST", "/objects/companies/records/query", {}) == []


async def test_a_timeout_answers_nothing(lab):
    async with lab() as it:
        await rules(it, {"action": "timeout", "count": 1})
        with pytest.raises(httpx.ReadTimeout):
            await it.attio.get("/v2/objects", timeout=0.2)
        assert (await it.attio.get("/v2/objects")).status_code == 200


async def test_slow_truncated_and_malformed_answers(lab):
    async with lab() as it:
        await rules(it, {"action": "slow", "seconds": 0.3, "count": 1})
        started = asyncio.get_running_loop().time()
        await it.control.get("/v2/objects")
        assert asyncio.get_running_loop().time() - started >= 0.3
        headers = {"authorization": f"Bearer {it.sandbox.token}"}
        await rules(it, {"action": "truncate", "count": 1})
        with pytest.raises(httpx.RemoteProtocolError):
            await it.control.get("/v2/objects", headers=headers)
        await rules(it, {"action": "malformed", "count": 1})
        answer = await it.control.get("/v2/objects", headers=headers)
        assert answer.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            answer.json()


async def test_each_system_breaks_in_its_own_words(lab):
    async with lab(records=20) as it:
        await rules(it, {"system": "hubspot", "action": "status", "status": 429, "count": 1})
        await rules(it, {"system": "salesforce", "action": "status", "status": 503, "count": 1})
        async with httpx.AsyncClient() as client:
            hubspot = await client.get(f"{it.sandbox.hubspot}/crm/v3/objects/contacts")
            salesforce = await client.get(f"{it.sandbox.salesforce}/services/data")
        assert hubspot.status_code == 429 and hubspot.json()["category"] == "RATE_LIMITS"
        assert salesforce.status_code == 503 and salesforce.json()[0]["errorCode"] == "SERVER_UNAVAILABLE"
        assert (await it.attio.get("/v2/objects")).status_code == 200
        shown = (await it.look("faults"))["rules"]
        assert [rule["struck"] for rule in shown] == [1, 1]
        assert (await it.control.delete("/_sandbox/faults")).json() == {"rules": []}


async def raw(it, payload, read=True):
    """Send bytes as they are and return what comes back until the line drops."""
    parts = urlsplit(it.sandbox.attio)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(payload)
        await writer.drain()
        return await asyncio.wait_for(reader.read(), 10) if read else b""
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_unknown_routes_and_malformed_bodies_are_answered_as_attio_does(lab):
    async with lab() as it:
        for method, path in (
            ("GET", "/v2/nothing"),
            ("GET", "/v2/lists/x/entries"),
            ("DELETE", "/v2/notes"),
            ("GET", "/"),
        ):
            answer = await it.attio.request(method, path)
            assert answer.status_code == 404
            assert answer.json()["message"] == f'Could not find endpoint "{method} {path}".'
        for body in (b"{", b"\xff\xfe", b"[" * 100_000, b"", b"null", b"[]", b'{"data": 1}'):
            answer = await it.attio.post(
                "/v2/notes", content=body, headers={"content-type": "application/json"}
            )
            assert answer.status_code == 400, body[:10]
            assert answer.json()["type"] == "invalid_request_error"


async def test_a_body_of_twenty_megabytes_is_refused(lab):
    async with lab() as it:
        answer = await it.control.post(
            "/v2/notes", content=b"x" * 20_000_000, headers={"authorization": f"Bearer {it.sandbox.token}"}
        )
        assert answer.status_code == 413
        assert (await it.attio.get("/v2/objects")).status_code == 200


async def test_endless_headers_are_cut_off(lab):
    async with lab() as it:
        bomb = b"GET /v2/objects HTTP/1.1\r\nhost: x\r\nx-bomb: " + b"a" * 5_000_000
        answer = await raw(it, bomb)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 431")
        many = b"GET /v2/objects HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 200_000
        answer = await raw(it, many)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 431")
        assert (await it.attio.get("/v2/objects")).status_code == 200
        token = it.sandbox.token.encode()
        large = (
            b"GET /v2/objects HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer "
            + token
            + b"\r\n"
        )
        assert (await raw(it, large + b"x-a: " + b"a" * 20_000 + b"\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_a_large_body_in_one_piece_is_no_header(lab):
    async with lab() as it:
        company = await it.record()
        note = {
            "parent_object": "companies",
            "parent_record_id": company,
            "title": "t",
            "format": "plaintext",
        }
        await it.ok("POST", "/notes", {"data": {**note, "content": "x" * 900_000}})
        await it.ok("GET", "/objects")


async def test_clients_that_hang_up_disturb_nobody(lab):
    async with lab() as it:
        token = it.sandbox.token.encode()
        head = (
            b"POST /v2/notes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer "
            + token
            + b"\r\ncontent-length: 100000\r\n\r\n"
        )
        for payload in (b"", b"GET ", b"nonsense\r\n\r\n", head, head + b"half", b"\x16\x03\x01\x02\x00"):
            await raw(it, payload, read=False)
        assert (await it.attio.get("/v2/objects")).status_code == 200


async def test_a_taken_port_is_said_before_anything_is_made(lab):
    from attio_console.sandbox import CannotListen, SandboxOptions, running

    async with lab() as it:
        port = urlsplit(it.sandbox.attio).port
        with pytest.raises(CannotListen, match=str(port)):
            async with running(SandboxOptions(port=port, records=0)):
                pass
