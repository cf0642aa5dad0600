from __future__ import annotations

import csv
import io

import pytest


async def begin(org, **job):
    return await org.ask(200, "POST", "/jobs/ingest", {"object": "Contact", "operation": "insert", **job})


async def run(org, text, **job):
    """Load a CSV through a job and return the job once it is over."""
    made = await begin(org, **job)
    assert made["state"] == "Open" and made["contentUrl"].endswith(f"/{made['id']}/batches")
    path = f"/jobs/ingest/{made['id']}"
    sent = {"content": text.encode(), "headers": {"content-type": "text/csv; charset=UTF-8"}}
    assert (await org.http.put(f"/{made['contentUrl']}", **sent)).status_code == 201
    assert (await org.ask(200, "PATCH", path, {"state": "UploadComplete"}))["state"] == "UploadComplete"
    return await org.ask(200, "GET", path)


async def table(org, path, delimiter=","):
    answer = await org.raw("GET", path)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text), delimiter=delimiter)), answer.headers


async def test_each_row_has_its_own_outcome(org):
    job = await run(org, 'LastName,FirstName\n"Núñez, 🎉",Ana\n,Nobody\n')
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 2, 1)
    path = f"/jobs/ingest/{job['id']}"
    worked, _ = await table(org, f"{path}/successfulResults")
    assert [(w["sf__Created"], w["LastName"]) for w in worked] == [("true", "Núñez, 🎉")]
    assert (await org.ask(200, "GET", f"/sobjects/Contact/{worked[0]['sf__Id']}"))["FirstName"] == "Ana"
    broke, _ = await table(org, f"{path}/failedResults")
    assert broke[0]["sf__Error"].startswith("REQUIRED_FIELD_MISSING:") and broke[0]["FirstName"] == "Nobody"
    for name in ("unprocessedrecords", "unprocessedRecords"):
        assert (await table(org, f"{path}/{name}"))[0] == []
    assert [w["object"] for w in org.writes()] == ["Contact"]


async def test_upsert_update_and_delete(org):
    upsert = {"operation": "upsert", "externalIdFieldName": "Attio_Id__c"}
    await run(org, "Attio_Id__c,LastName,Title\na,Adams,CTO\nb,Brown,CEO\n", **upsert)
    again = await run(
        org, "Attio_Id__c;Title\r\na;#N/A\r\nb;\r\n", columnDelimiter="SEMICOLON", lineEnding="CRLF", **upsert
    )
    worked, _ = await table(org, f"/jobs/ingest/{again['id']}/successfulResults", ";")
    assert [w["sf__Created"] for w in worked] == ["false", "false"]
    # An empty cell leaves a field alone, #N/A clears it.
    assert await org.names("ORDER BY LastName", "Title") == [None, "CEO"]
    ids = [w["sf__Id"] for w in worked]
    await run(org, f"Id,LastName\n{ids[0]},Abel\n", operation="update")
    assert await org.names("ORDER BY LastName") == ["Abel", "Brown"]
    gone = await run(org, "Id\n" + "\n".join([*ids, "003000000000000AAA"]), operation="delete")
    assert (gone["numberRecordsProcessed"], gone["numberRecordsFailed"]) == (3, 1)
    assert await org.names("") == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("LastName,Nope\nx,y\n", "InvalidBatch : Field name not found : Nope"),
        ("LastName,FirstName\nx\n", "InvalidBatch : Failed to parse CSV"),
    ],
)
async def test_a_csv_that_cannot_be_read_fails_the_job_and_writes_nothing(org, text, why):
    job = await run(org, text)
    assert job["state"] == "Failed" and job["errorMessage"].startswith(why)
    assert await org.names("") == []


async def test_jobs_go_only_one_way(org):
    made = await begin(org)
    path = f"/jobs/ingest/{made['id']}"
    await org.refused(400, "INVALIDJOBSTATE", "DELETE", path)
    assert (await org.ask(200, "PATCH", path, {"state": "Aborted"}))["state"] == "Aborted"
    await org.refused(400, "INVALIDJOBSTATE", "PATCH", path, {"state": "UploadComplete"})
    await org.refused(400, "INVALIDJOBSTATE", "PUT", f"{path}/batches")
    listed = await org.ask(200, "GET", "/jobs/ingest")
    assert [one["id"] for one in listed["records"]] == [made["id"]] and listed["done"]
    await org.ask(204, "DELETE", path)
    await org.refused(404, "NOT_FOUND", "GET", path)
    for wrong in (
        {"operation": "explode"},
        {"operation": "upsert"},
        {"operation": "upsert", "externalIdFieldName": "Title"},
        {"columnDelimiter": "SPACE"},
        {"contentType": "XML"},
    ):
        await org.refused(
            400, "INVALIDJOB", "POST", "/jobs/ingest", {"object": "Contact", "operation": "insert"} | wrong
        )
    await org.refused(404, "NOT_FOUND", "POST", "/jobs/ingest", {"object": "Nope", "operation": "insert"})


async def test_query_jobs_answer_csv_by_pages(org):
    for name in "abc":
        await org.make(LastName=name, HasOptedOutOfEmail=name == "b")
    text = "SELECT LastName, HasOptedOutOfEmail, Account.Name, SystemModstamp FROM Contact ORDER BY LastName"
    job = await org.ask(200, "POST", "/jobs/query", {"operation": "query", "query": text})
    path = f"/jobs/query/{job['id']}"
    await org.refused(400, "INVALIDJOBSTATE", "GET", f"{path}/results")
    assert (await org.ask(200, "GET", path))["numberRecordsProcessed"] == 3
    first, headers = await table(org, f"{path}/results?maxRecords=2")
    assert [(r["LastName"], r["HasOptedOutOfEmail"], r["Account.Name"]) for r in first] == [
        ("a", "false", ""),
        ("b", "true", ""),
    ]
    assert first[0]["SystemModstamp"].endswith("Z") and headers["sforce-numberofrecords"] == "2"
    rest, headers = await table(org, f"{path}/results?maxRecords=2&locator={headers['sforce-locator']}")
    assert [r["LastName"] for r in rest] == ["c"] and headers["sforce-locator"] == "null"
    await org.refused(404, "NOT_FOUND", "GET", f"/jobs/ingest/{job['id']}")
    for wrong, code in (("SELECT", "MALFORMED_QUERY"), ("SELECT COUNT(Id) FROM Contact", "INVALID_QUERY")):
        await org.refused(400, code, "POST", "/jobs/query", {"operation": "query", "query": wrong})
