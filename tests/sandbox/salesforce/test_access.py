from __future__ import annotations

import base64
import hashlib
import json
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

TOKEN = "/services/oauth2/token"
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def b64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def assertion(org, *, key=None, **changed):
    tokens = org.sandbox.tokens["salesforce"]
    key = key or serialization.load_pem_private_key(Path(tokens["private_key_path"]).read_bytes(), None)
    claims = {
        "iss": tokens["client_id"], "sub": tokens["username"], "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 170, **changed,
    }  # fmt: skip
    signed = f"{b64(json.dumps({'alg': 'RS256'}).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{signed}.{b64(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


async def token(org, **form):
    answer = await org.http.post(TOKEN, data=form)
    return answer.status_code, answer.json()


async def opens(org, access_token):
    headers = {"authorization": f"Bearer {access_token}"}
    return (await org.raw("GET", "/limits", headers=headers)).status_code == 200


async def test_a_signed_assertion_opens_the_org(org):
    status, body = await token(org, grant_type=JWT, assertion=assertion(org))
    assert status == 200
    assert body["instance_url"] == org.sandbox.salesforce
    assert body["id"].split("/")[-2] == org.org.org_id
    assert "refresh_token" not in body
    assert await opens(org, body["access_token"])


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"exp": 1}, "invalid_grant"),
        ({"exp": 4_000_000_000}, "invalid_grant"),
        ({"aud": "https://elsewhere.example"}, "invalid_grant"),
        ({"iss": "somebody"}, "invalid_client_id"),
        ({"sub": "nobody@x.example"}, "invalid_grant"),
    ],
)
async def test_a_wrong_assertion_does_not(org, changed, error):
    status, body = await token(org, grant_type=JWT, assertion=assertion(org, **changed))
    assert (status, body["error"]) == (400, error)


async def test_a_forged_signature_does_not(org):
    forged = assertion(org, key=rsa.generate_private_key(public_exponent=65_537, key_size=2_048))
    assert (await token(org, grant_type=JWT, assertion=forged))[1]["error"] == "invalid_grant"
    assert (await token(org, grant_type=JWT, assertion="a.b"))[1]["error"] == "invalid_grant"


async def test_client_credentials_and_refresh(org):
    tokens = org.sandbox.tokens["salesforce"]
    client = {"client_id": tokens["client_id"], "client_secret": tokens["client_secret"]}
    status, body = await token(org, grant_type="client_credentials", **client)
    assert status == 200
    assert await opens(org, body["access_token"])
    status, body = await token(
        org, grant_type="refresh_token", refresh_token=tokens["refresh_token"], **client
    )
    assert status == 200
    assert await opens(org, body["access_token"])
    status, body = await token(
        org, grant_type="client_credentials", client_id=tokens["client_id"], client_secret="x"
    )
    assert (status, body["error"]) == (400, "invalid_client")


async def test_the_browser_flow_with_pkce(org):
    client_id = org.sandbox.tokens["salesforce"]["client_id"]
    verifier = "v" * 60
    query = {
        "response_type": "code", "client_id": client_id, "redirect_uri": "http://localhost:1717/OauthRedirect",
        "code_challenge": b64(hashlib.sha256(verifier.encode()).digest()), "code_challenge_method": "S256",
        "scope": "api refresh_token", "state": "s",
    }  # fmt: skip
    consent = await org.http.get("/services/oauth2/authorize", params=query)
    back = parse_qs(urlsplit(consent.headers["location"]).query)
    form = {"grant_type": "authorization_code", "client_id": client_id, "redirect_uri": query["redirect_uri"]}
    status, body = await token(org, **form, code=back["code"][0], code_verifier=verifier)
    assert status == 200
    assert await opens(org, body["access_token"])
    assert body["refresh_token"]
    consent = await org.http.get("/services/oauth2/authorize", params=query)
    back = parse_qs(urlsplit(consent.headers["location"]).query)
    status, body = await token(org, **form, code=back["code"][0], code_verifier="wrong")
    assert (status, body["error"]) == (400, "invalid_grant")


async def test_passwords_and_the_device_flow_are_refused(org):
    tokens = org.sandbox.tokens["salesforce"]
    form = {"client_id": tokens["client_id"], "client_secret": tokens["client_secret"]}
    status, body = await token(org, grant_type="password", username="a", password="b", **form)
    assert (status, body["error"]) == (400, "invalid_grant")
    assert (await token(org, grant_type="device", **form))[1]["error"] == "unsupported_grant_type"


async def test_sessions_end_after_two_hours(org):
    _, body = await token(org, grant_type=JWT, assertion=assertion(org))
    org.sandbox.world.clock.advance(2 * 3_600 + 1)
    headers = {"authorization": f"Bearer {body['access_token']}"}
    await org.refused(401, "INVALID_SESSION_ID", "GET", "/limits", headers=headers)
    await org.refused(401, "INVALID_SESSION_ID", "GET", "/limits", headers={"authorization": ""})


async def test_versions_are_listed_to_anybody_and_old_ones_are_gone(org):
    rows = await org.ask(200, "GET", "/services/data/", headers={"authorization": ""})
    assert rows[-1] == {"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"}
    assert rows[-2]["label"] == "Spring '26"
    assert rows[-3]["label"] == "Winter '26"
    await org.refused(410, "UNSUPPORTED_API_VERSION", "GET", "/services/data/v20.0/limits")
    await org.refused(404, "NOT_FOUND", "GET", "/services/data/v99.0/limits")
    await org.refused(404, "NOT_FOUND", "GET", "/nothing")
    await org.refused(405, "METHOD_NOT_ALLOWED", "PUT", "/limits")


async def test_every_answer_counts_against_the_day(start):
    async with start(limits=True) as org:
        answer = await org.raw("GET", "/limits")
        assert answer.headers["sforce-limit-info"] == "api-usage=1/106200"
        assert answer.json()["DailyApiRequests"] == {"Max": 106_200, "Remaining": 106_199}


async def test_a_day_that_is_used_up_says_so_with_403(start):
    from attio_console.sandbox.salesforce.gate import DailyLimit

    limit = DailyLimit(most=2)
    assert [limit.count(0.0), limit.count(1.0), limit.count(2.0)] == [True, True, False]
    assert limit.count(86_500.0)
    async with start(limits=True) as org:
        rule = {
            "system": "salesforce", "action": "status", "status": 403, "count": 1,
            "body": [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
        }  # fmt: skip
        await org.ask(200, "POST", f"{org.sandbox.control}/faults", {"rules": [rule]})
        await org.refused(403, "REQUEST_LIMIT_EXCEEDED", "GET", "/limits")
        await org.ask(200, "GET", "/limits")


async def test_broken_json_is_a_parser_error(org):
    answer = await org.http.post(
        "/services/data/v67.0/sobjects/Contact", content=b"{", headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "JSON_PARSER_ERROR"


async def test_a_client_finds_out_who_it_is(org):
    address = (await org.ask(200, "GET", ""))["identity"]
    me = await org.ask(200, "GET", address)
    assert me["organization_id"] == org.org.org_id and "@" in me["username"]
    assert (await org.raw("GET", address.rsplit("/", 1)[0] + "/005000000000000AAA")).status_code == 403
    await org.ask(401, "GET", address, headers={"authorization": "Bearer nobody"})


async def test_closed_doors_say_so_in_their_own_words(org):
    login = await org.raw("POST", "/services/Soap/u/59.0", headers={"authorization": ""})
    assert login.status_code == 500 and login.headers["content-type"].startswith("text/xml")
    assert "<sf:exceptionCode>INVALID_OPERATION</sf:exceptionCode>" in login.text
    first = await org.ask(400, "POST", "/services/async/67.0/job", {}, headers={"authorization": ""})
    assert first["exceptionCode"] == "FeatureNotEnabled"
