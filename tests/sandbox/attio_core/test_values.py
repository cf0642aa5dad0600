"""Every attribute type: what may be written, how it reads, and what is refused."""

from __future__ import annotations

import pytest

LOCATION = dict.fromkeys(
    (
        "line_1",
        "line_2",
        "line_3",
        "line_4",
        "locality",
        "region",
        "postcode",
        "country_code",
        "latitude",
        "longitude",
    )
)
ADA_PHONE = {"phone_number": "+442071838750", "country_code": "GB"}
ACCEPTED = [
    ("text", "x", {"value": "x"}),
    ("text", [{"value": "y"}], {"value": "y"}),
    ("number", 42, {"value": 42}),
    ("number", [{"value": 1.23456}], {"value": 1.2346}),
    ("rating", 5, {"value": 5}),
    ("checkbox", True, {"value": True}),
    ("checkbox", "true", {"value": True}),
    ("checkbox", [{"value": "false"}], {"value": False}),
    ("date", "2023", {"value": "2023-01-01"}),
    ("date", "2023-05", {"value": "2023-05-01"}),
    ("date", "2023-01-02T15:00:00.000000000+02:00", {"value": "2023-01-02"}),
    ("date", "2023-01-02T23:30:00-02:00", {"value": "2023-01-03"}),
    ("timestamp", "2023-01-02T13:00", {"value": "2023-01-02T13:00:00.000000000Z"}),
    ("timestamp", "2023-01-02T13:00:00.123456789+02:00", {"value": "2023-01-02T11:00:00.123456789Z"}),
    ("timestamp", "2023", {"value": "2023-01-01T00:00:00.000000000Z"}),
    ("actor-reference", "bo@northwind.example", {"referenced_actor_type": "workspace-member"}),
    ("actor-reference", {"workspace_member_email_address": "ada@northwind.example"}, {}),
    (
        "location",
        {**LOCATION, "locality": "Paris", "country_code": "FR"},
        {"locality": "Paris", "country_code": "FR"},
    ),
    (
        "location",
        "12 High Street, London, England, EC2A 1AR, United Kingdom",
        {"line_1": "12 High Street", "locality": "London", "postcode": "EC2A 1AR", "country_code": "GB"},
    ),
    ("email-address", ["A@B.co"], {"email_address": "a@b.co", "original_email_address": "A@B.co"}),
    ("email-address", [{"email_address": "a+x@sub.acme.co.uk"}], {"email_root_domain": "acme.co.uk"}),
    ("phone-number", ["+44 20 7183 8750"], {**ADA_PHONE, "original_phone_number": "+44 20 7183 8750"}),
    ("phone-number", [{"original_phone_number": "020 7183 8750", "country_code": "GB"}], ADA_PHONE),
]
REFUSED = [
    ("text", 5),
    ("text", {"nope": "x"}),
    ("number", "42"),
    ("number", True),
    ("rating", 6),
    ("rating", 2.5),
    ("checkbox", "yes"),
    ("checkbox", None),
    ("date", "tomorrow"),
    ("date", "2023-02-30"),
    ("timestamp", "13:00"),
    ("actor-reference", {"referenced_actor_type": "system", "referenced_actor_id": None}),
    ("location", {"locality": "Paris"}),
    ("location", {**LOCATION, "country_code": "France"}),
    ("location", {**LOCATION, "latitude": "91"}),
    ("email-address", ["a@b"]),
    ("email-address", [{"email": "a@b.co"}]),
    ("phone-number", ["12"]),
    ("phone-number", [{"original_phone_number": "020 7183 8750", "country_code": "UK"}]),
]
MULTI = {"email-address", "phone-number"}


@pytest.fixture
async def things(api):
    await api.things()
    for kind in sorted({kind for kind, *_ in (*ACCEPTED, *REFUSED)}):
        await api.custom(kind, kind, is_multiselect=kind in MULTI)
    return api


async def test_documented_forms_are_taken(things):
    for kind, sent, read in ACCEPTED:
        made = await things.create("things", **{kind: sent})
        (value,) = made["values"][kind]
        assert value["attribute_type"] == kind
        assert read.items() <= value.items(), sent


async def test_other_forms_are_refused_with_the_place(things):
    for kind, sent in REFUSED:
        refusal = await things.refused("POST", "/objects/things/records", {"data": {"values": {kind: sent}}})
        assert (refusal["status_code"], refusal["code"]) == (400, "validation_type"), (kind, sent)
        assert refusal["validation_errors"][0]["path"][:3] == ["data", "values", kind]


async def test_currency_takes_its_code_from_the_attribute(api):
    await api.things()
    config = {"currency": {"default_currency_code": "EUR", "display_type": "symbol"}}
    await api.custom("currency", config=config)
    for sent in (99.5, [{"currency_value": 99.5}], [{"currency_value": 99.5, "currency_code": "USD"}]):
        made = await api.client.post("/v2/objects/things/records", json={"data": {"values": {"field": sent}}})
        (value,) = made.json()["data"]["values"]["field"]
        assert (value["currency_value"], value["currency_code"]) == (99.5, "EUR")
    missing = await api.refused(
        "POST",
        "/objects/things/attributes",
        {
            "data": {
                "title": "x",
                "description": None,
                "api_slug": "x",
                "type": "currency",
                "is_required": False,
                "is_unique": False,
                "is_multiselect": False,
                "config": {},
            }
        },
    )
    assert missing["code"] == "validation_type"


async def test_names_need_all_three_parts_or_a_comma(api):
    ada = {"first_name": "Ada", "last_name": "Lovelace", "full_name": "Ada Lovelace"}
    for sent, first, last in (
        ([ada], "Ada", "Lovelace"),
        ("Lovelace, Ada", "Ada", "Lovelace"),
        ("Ada Lovelace", "Ada Lovelace", ""),
    ):
        (name,) = (await api.create("people", name=sent))["values"]["name"]
        assert (name["first_name"], name["last_name"]) == (first, last)
    partial = {"data": {"values": {"name": [{"first_name": "Ada"}]}}}
    assert (await api.refused("POST", "/objects/people/records", partial))["code"] == "validation_type"


async def test_domains_lose_their_paths(api):
    (domain,) = (await api.create("companies", domains=[{"domain": "https://App.Acme.co.uk/x"}]))["values"][
        "domains"
    ]
    assert (domain["domain"], domain["root_domain"]) == ("app.acme.co.uk", "acme.co.uk")
    bad = {"data": {"values": {"domains": ["not a domain"]}}}
    assert (await api.refused("POST", "/objects/companies/records", bad))["code"] == "validation_type"


async def test_options_go_by_title_or_id_and_are_never_made_up(api):
    await api.things()
    await api.custom("select", "tags", is_multiselect=True)
    base = "/objects/things/attributes/tags/options"
    hot = await api.ok("POST", base, {"data": {"title": "Hot"}})
    cold = await api.ok("POST", base, {"data": {"title": "Cold"}})
    made = await api.create("things", tags=["Hot", {"option": cold["id"]["option_id"]}])
    assert [value["option"] for value in made["values"]["tags"]] == [hot, cold]
    unknown = await api.refused("POST", "/objects/things/records", {"data": {"values": {"tags": ["Warm"]}}})
    assert (unknown["code"], unknown["message"]) == (
        "value_not_found",
        'Cannot find select attribute with select option title "Warm".',
    )
    ignored = await api.create("things", tags=[hot["id"]["option_id"]])
    assert ignored["values"]["tags"] == []
    await api.ok("PATCH", f"{base}/Hot", {"data": {"is_archived": True}})
    shown = await api.ok("GET", f"/objects/things/records/{made['id']['record_id']}")
    assert [value["option"]["is_archived"] for value in shown["values"]["tags"]] == [True, False]
    archived = await api.refused("POST", "/objects/things/records", {"data": {"values": {"tags": ["Hot"]}}})
    assert archived["code"] == "value_not_found"
    renamed = await api.ok("PATCH", f"{base}/{cold['id']['option_id']}", {"data": {"title": "Icy"}})
    assert renamed["title"] == "Icy"
    assert [o["title"] for o in await api.ok("GET", base)] == ["Icy"]
    assert len(await api.ok("GET", f"{base}?show_archived=true")) == 2


async def test_a_status_is_one_and_keeps_its_history(api):
    owner = "ada@northwind.example"
    deal = await api.create("deals", name=["Big"], stage=["Lead"], owner=[owner])
    path = f"/objects/deals/records/{deal['id']['record_id']}"
    won = await api.ok("PATCH", path, {"data": {"values": {"stage": [{"status": "In Progress"}]}}})
    (stage,) = won["values"]["stage"]
    assert stage["status"]["title"] == "In Progress" and stage["status"]["target_time_in_status"]
    history = await api.ok("GET", f"{path}/attributes/stage/values?show_historic=true")
    assert [value["status"]["title"] for value in history] == ["Lead", "In Progress"]
    by_id = await api.ok(
        "PATCH", path, {"data": {"values": {"stage": [history[0]["status"]["id"]["status_id"]]}}}
    )
    assert by_id["values"]["stage"][0]["status"]["title"] == "Lead"
    cleared = await api.refused("PATCH", path, {"data": {"values": {"stage": []}}})
    assert cleared["code"] == "missing_value"


async def test_references_take_every_documented_form(api):
    company = await api.create("companies", domains=["acme.com"])
    company_id = company["id"]["record_id"]
    for sent in (
        "acme.com",
        [{"target_object": "companies", "target_record_id": company_id}],
        [{"target_object": "companies", "domains": [{"domain": "acme.com"}]}],
        [{"target_object": company["id"]["object_id"], "domains": ["acme.com"]}],
    ):
        person = await api.create("people", company=sent)
        (value,) = person["values"]["company"]
        assert (value["target_object"], value["target_record_id"]) == ("companies", company_id)
    for sent, code in (
        ("unknown.com", "value_not_found"),
        ([{"target_object": "people", "email_addresses": ["x@y.zz"]}], "validation_type"),
        ([{"target_object": "companies", "name": ["Acme"]}], "matching_attribute_definition_not_unique"),
        ([{"target_object": "nope", "target_record_id": company_id}], "value_not_found"),
        ([{"target_object": "companies", "target_record_id": "x"}], "validation_type"),
    ):
        refusal = await api.refused(
            "POST", "/objects/people/records", {"data": {"values": {"company": sent}}}
        )
        assert refusal["code"] == code, sent


async def test_defaults_fill_new_rows_only_where_nothing_was_sent(api):
    await api.things()
    await api.custom("number", "score", default_value={"type": "static", "template": [{"value": 5}]})
    await api.custom(
        "actor-reference", "owner", default_value={"type": "dynamic", "template": "current-user"}
    )
    await api.custom("date", "due", default_value={"type": "dynamic", "template": "P1M"})
    made = await api.create("things")
    assert made["values"]["score"][0]["value"] == 5
    assert made["values"]["owner"][0]["referenced_actor_type"] == "api-token"
    assert made["values"]["due"][0]["value"] > api.world.clock.now().date().isoformat()
    other = await api.create("things", score=[7], owner=[])
    assert other["values"]["score"][0]["value"] == 7 and other["values"]["owner"] == []


async def test_uniqueness_holds_for_custom_attributes_too(api):
    await api.things()
    await api.custom("text", "code", is_unique=True)
    await api.create("things", code=["A1"])
    clash = await api.refused("POST", "/objects/things/records", {"data": {"values": {"code": ["A1"]}}})
    assert clash["code"] == "uniqueness_conflict"
    put = {"data": {"values": {"code": ["A1"]}}}
    again = await api.ok("PUT", "/objects/things/records?matching_attribute=code", put)
    assert len(await api.query("things")) == 1 and again["values"]["code"][0]["value"] == "A1"
