"""What is refused locally is refused by Attio for the same reason, and what is sent is accepted."""

from __future__ import annotations

import pytest

from attio_console import errors

LOCATION = dict.fromkeys(
    [
        "line_1", "line_2", "line_3", "line_4", "locality", "region",
        "postcode", "country_code", "latitude", "longitude",
    ]
)  # fmt: skip
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"

TYPES = {
    "name": {"type": "text"},
    "t_text": {"type": "text"},
    "t_number": {"type": "number"},
    "t_checkbox": {"type": "checkbox"},
    "t_currency": {
        "type": "currency",
        "config": {"currency": {"default_currency_code": "EUR", "display_type": "symbol"}},
    },
    "t_date": {"type": "date"},
    "t_timestamp": {"type": "timestamp"},
    "t_rating": {"type": "rating"},
    "t_status": {"type": "status"},
    "t_select": {"type": "select"},
    "t_multi": {"type": "select", "is_multiselect": True},
    "t_actor": {"type": "actor-reference"},
    "t_location": {"type": "location"},
    "t_phone": {"type": "phone-number"},
    "t_person": {
        "type": "record-reference",
        "config": {"record_reference": {"allowed_objects": ["people"]}},
    },
}

REFUSED = [
    ("t_text", 5),
    ("t_text", ["a", "b"]),
    ("t_text", {"text": "x"}),
    ("t_number", "many"),
    ("t_number", True),
    ("t_checkbox", "yes"),
    ("t_checkbox", 1),
    ("t_currency", "ten"),
    ("t_currency", {"value": 10}),
    ("t_date", "tomorrow"),
    ("t_date", 20260101),
    ("t_timestamp", "noon"),
    ("t_rating", 6),
    ("t_rating", 2.5),
    ("t_status", "Nowhere"),
    ("t_status", {"status": 5}),
    ("t_select", "Purple"),
    ("t_select", ["Red", "Blue"]),
    ("t_multi", ["Red", "Purple"]),
    ("t_actor", "nobody@example.org"),
    ("t_actor", {"referenced_actor_type": "api-token", "referenced_actor_id": UNKNOWN_ID}),
    ("t_location", {"locality": "Ulm"}),
    ("t_location", 5),
    ("t_location", {**LOCATION, "latitude": 48.4}),
    ("t_phone", "020 7946 0000"),
    ("t_person", {"target_object": "people"}),
    ("t_person", {"target_object": "starships", "target_record_id": UNKNOWN_ID}),
    ("t_person", {"target_object": "companies", "target_record_id": UNKNOWN_ID}),
    ("t_person", {"target_object": "people", "target_record_id": "not-an-id"}),
    ("t_person", {"target_object": "people", "job_title": [{"value": "x"}]}),
    ("record_id", UNKNOWN_ID),
    ("created_at", "2026-01-01T00:00:00Z"),
    ("no_such_attribute", "x"),
    ("name", "x"),
]

ACCEPTED = [
    ("t_text", "héllo"),
    ("t_text", [{"value": ""}]),
    ("t_number", -1.25),
    ("t_checkbox", "true"),
    ("t_currency", 99.5),
    ("t_currency", {"currency_value": 1, "currency_code": "EUR"}),
    ("t_date", "2026-01-02T10:00:00Z"),
    ("t_date", "2026"),
    ("t_timestamp", "2026-01-02T10:00:00+02:00"),
    ("t_rating", 5),
    ("t_status", "Open"),
    ("t_status", [{"status": "Done"}]),
    ("t_select", "Red"),
    ("t_select", {"option": "Blue"}),
    ("t_multi", ["Red", "Blue"]),
    ("t_multi", []),
    ("t_location", LOCATION),
    ("t_location", "1 Infinite Loop, Cupertino, CA"),
    ("t_phone", "+442079460000"),
    ("t_phone", {"original_phone_number": "020 7946 0000", "country_code": "GB"}),
    ("t_checkbox", None),
    ("t_currency", None),
]


@pytest.fixture
async def typed(attio):
    await attio.objects.create(api_slug="ships", singular_noun="Ship", plural_noun="Ships")
    for slug, how in TYPES.items():
        await attio.attributes.create("ships", title=slug, api_slug=slug, **how)
    for slug in ("t_select", "t_multi"):
        for title in ("Red", "Blue", "Old"):
            option = await attio.options.create("ships", slug, title)
        await attio.options.update("ships", slug, option.id.option_id, is_archived=True)
    for title in ("Open", "Done"):
        await attio.statuses.create("ships", "t_status", title)
    attio.use_schema(await attio.schema())
    return attio


@pytest.fixture
async def company(typed) -> str:
    return (await typed.records.create("ships", {"name": "Acme"})).id


async def test_each_refusal_is_the_one_attio_would_give(typed, company, surface) -> None:
    schema = await typed.schema()
    for slug, value in REFUSED:
        if slug == "name":
            # On people a name is an object of three parts or one text; here it is a text attribute.
            value = {"first_name": "x"}
        typed.use_schema(schema)
        before = len(await surface.writes())
        with pytest.raises(errors.Refused) as local:
            await typed.records.update("ships", company, {slug: value})
        assert local.value.status == 0, (slug, value)
        typed.use_schema(None)
        with pytest.raises(errors.Refused) as remote:
            await typed.records.update("ships", company, {slug: value})
        assert remote.value.status == 400
        assert local.value.code == remote.value.code, (slug, value, local.value, remote.value)
        assert type(local.value) is type(remote.value), (slug, value)
        assert local.value.issues[0].path[:3] == ("data", "values", slug)
        assert len(await surface.writes()) == before


async def test_every_documented_form_is_let_through(typed, company) -> None:
    for slug, value in ACCEPTED:
        await typed.records.update("ships", company, {slug: value})


async def test_an_option_by_its_bare_id_is_sent_in_the_form_that_works(typed, company) -> None:
    option = (await typed.options.list("ships", "t_multi"))[0]
    written = await typed.records.overwrite("ships", company, {"t_multi": [option.id.option_id]})
    assert [v.option_id for v in written.decode().values["t_multi"]] == [option.id.option_id]


async def test_what_somebody_added_meanwhile_is_found_before_it_is_refused(typed, company, sandbox) -> None:
    from attio_console.attio import AsyncAttio

    async with AsyncAttio(sandbox.token, base_url=sandbox.attio) as other:
        await other.options.create("ships", "t_select", "Green")
        await other.attributes.create("ships", title="New", api_slug="brand_new", type="text")
    await typed.records.update("ships", company, {"t_select": "Green", "brand_new": "yes"})


async def test_upserts_match_on_unique_attributes_only(typed) -> None:
    with pytest.raises(errors.Refused) as refused:
        await typed.records.upsert("ships", "name", {"name": "Acme"})
    assert refused.value.code == "matching_attribute_definition_not_unique"
    assert refused.value.status == 0


async def test_a_required_value_cannot_be_cleared(typed) -> None:
    deal = (await typed.records.query("deals", limit=1))[0]
    with pytest.raises(errors.Refused) as local:
        await typed.records.update("deals", deal.id, {"name": []})
    typed.use_schema(None)
    with pytest.raises(errors.Refused) as remote:
        await typed.records.update("deals", deal.id, {"name": []})
    assert local.value.code == remote.value.code == "missing_value"
