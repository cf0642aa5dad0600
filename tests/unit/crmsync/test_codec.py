from __future__ import annotations

from typing import Any

import pytest

from attio_console.crm.protocol import CrmField, CrmOption, CrmOwner
from attio_console.errors import InvalidValue
from attio_console.model.schema import Attribute, Member, ObjectSchema, Option, Schema, Status
from attio_console.model.values import same
from attio_console.sync.codec import FieldCodec, Owners, Waits
from attio_console.sync.mapping import FieldMapping

SCHEMA = Schema(
    objects=(ObjectSchema((), "o-1", "companies", "Company", "Companies"),),
    members=(
        Member("m-1", "Jane", "Doe", "jane@example.com"),
        Member("m-2", "Lone", "Wolf", "lone@example.com"),
    ),
)
OWNERS = Owners.of(
    [CrmOwner("77", "Jane@Example.com", "Jane Doe"), CrmOwner("78", "gone@example.com", "Gone")]
)


class Pairs:
    def attio_of(self, external_type: str, external_id: str) -> tuple[str, str] | None:
        return ("companies", "c-1") if (external_type, external_id) == ("Account", "001A") else None

    def external_of(self, record_id: str, external_type: str) -> str | None:
        return "001A" if (record_id, external_type) == ("c-1", "Account") else None


def codec(kind: str, *external: CrmField, values: dict[str, str] | None = None, **more: Any) -> FieldCodec:
    transform = more.pop("transform", "auto")
    attribute = Attribute(
        "a-1",
        "field",
        "Field",
        kind,
        options=(Option("o-1", "Gold"), Option("o-2", "Silver")),
        statuses=(Status("s-1", "Lead"), Status("s-2", "Won 🎉")),
        currency_code="EUR",
        **more,
    )
    names = tuple(f.name for f in external)
    return FieldCodec(
        FieldMapping("field", names, transform, values=values or {}),
        attribute,
        external,
        SCHEMA,
        OWNERS,
        Pairs(),
    )


STAGES = (CrmOption("lead", "Lead"), CrmOption("closedwon", "Won 🎉"), CrmOption("lost", "Lost"))
TEXT = CrmField("x", "X", "text")


@pytest.mark.parametrize(
    ("made", "natives", "items"),
    [
        (codec("text", TEXT), {"x": "a"}, ["a"]),
        (codec("text", TEXT), {"x": ""}, []),
        (codec("text", TEXT), {}, []),
        (codec("number", TEXT), {"x": "1500.00"}, [1500]),
        (codec("checkbox", CrmField("x", "X", "bool")), {"x": "true"}, [True]),
        (
            codec("currency", CrmField("x", "X", "currency")),
            {"x": "99.5"},
            [{"currency_value": 99.5, "currency_code": "EUR"}],
        ),
        (codec("date", CrmField("x", "X", "datetime")), {"x": "2026-12-01T00:00:00Z"}, ["2026-12-01"]),
        (codec("date", CrmField("x", "X", "date")), {"x": "1767225600000"}, ["2026-01-01"]),
        (
            codec("status", CrmField("x", "X", "choice", options=STAGES)),
            {"x": "closedwon"},
            [{"id": "s-2", "title": "Won 🎉"}],
        ),
        (
            codec("status", CrmField("x", "X", "choice", options=STAGES)),
            {"x": "lost"},
            [{"id": None, "title": "Lost"}],
        ),
        (
            codec("select", CrmField("x", "X", "choices"), is_multi=True),
            {"x": "Gold;Silver"},
            [{"id": "o-1", "title": "Gold"}, {"id": "o-2", "title": "Silver"}],
        ),
        (
            codec("actor-reference", CrmField("x", "X", "owner")),
            {"x": "77"},
            [{"type": "workspace-member", "id": "m-1"}],
        ),
        (
            codec("record-reference", CrmField("x", "X", "reference", reference_to=("Account",))),
            {"x": "001A"},
            [{"target_object": "companies", "target_record_id": "c-1"}],
        ),
        (
            codec("domain", CrmField("x", "X", "url"), is_multi=True),
            {"x": "https://www.Acme.com/"},
            ["acme.com"],
        ),
    ],
)
def test_what_the_other_side_holds_is_read_in_attios_terms(
    made: FieldCodec, natives: dict[str, Any], items: list[Any]
) -> None:
    assert made.read(natives).items == items


def test_what_was_read_writes_back_as_the_same_value() -> None:
    for made, natives in (
        (codec("text", TEXT), {"x": "a"}),
        (codec("number", TEXT), {"x": "1500.00"}),
        (codec("status", CrmField("x", "X", "choice", options=STAGES)), {"x": "closedwon"}),
        (codec("actor-reference", CrmField("x", "X", "owner")), {"x": "77"}),
        (
            codec("record-reference", CrmField("x", "X", "reference", reference_to=("Account",))),
            {"x": "001A"},
        ),
        (codec("domain", CrmField("x", "X", "url")), {"x": "https://acme.com"}),
        (
            codec("personal-name", TEXT, CrmField("y", "Y", "text"), transform="personal-name"),
            {"x": "Ada", "y": "Lovelace"},
        ),
    ):
        items = made.read(natives).items
        assert same(made.attribute.type, made.read(made.write(items)).items, items)


def test_a_value_that_refers_to_the_unknown_waits() -> None:
    owner = codec("actor-reference", CrmField("x", "X", "owner"))
    company = codec("record-reference", CrmField("x", "X", "reference", reference_to=("Account",)))
    assert "gone@example.com" in owner.read({"x": "78"}).waits
    assert company.read({"x": "001B"}).waits
    with pytest.raises(Waits):
        owner.write([{"type": "workspace-member", "id": "m-2"}])
    with pytest.raises(Waits):
        company.write([{"target_object": "companies", "target_record_id": "c-2"}])


def test_a_missing_picklist_value_is_named_with_what_there_is() -> None:
    made = codec("select", CrmField("x", "X", "choice", options=STAGES))
    with pytest.raises(InvalidValue) as refused:
        made.write([{"id": "o-1", "title": "Gold"}])
    assert "Gold" in refused.value.message
    assert "Lead" in refused.value.hint


def test_a_value_table_goes_both_ways() -> None:
    made = codec("select", CrmField("x", "X", "choice", options=STAGES), values={"Gold": "lead"})
    assert made.write([{"id": "o-1", "title": "Gold"}]) == {"x": "lead"}
    assert made.read({"x": "lead"}).items == [{"id": "o-1", "title": "Gold"}]


def test_a_text_too_long_for_its_field_is_refused_and_not_cut() -> None:
    with pytest.raises(InvalidValue):
        codec("text", CrmField("x", "X", "text", max_length=3)).write(["abcd"])


def test_a_national_number_is_the_one_we_know() -> None:
    made = codec("phone-number", CrmField("x", "X", "phone"))
    assert made.read({"x": "020 7946 0958"}, ["+442079460958"]).items == ["+442079460958"]
    assert made.read({"x": "020 7946 0959"}, ["+442079460958"]).items == ["+442079460959"]
    assert made.read({"x": "(415) 555-2671"}).items == ["+14155552671"]


def test_one_of_many_stays_the_one_that_was_agreed_on() -> None:
    made = codec("email-address", CrmField("x", "X", "email"), is_multi=True)
    ours = ["new@a.co", "old@a.co"]
    assert made.compared(ours, ["old@a.co"], ["old@a.co"]) == ["old@a.co"]
    assert made.compared(ours, None, ["OLD@a.co"]) == ["old@a.co"]
    assert made.compared(ours, ["gone@a.co"], ["gone@a.co"]) == ["new@a.co"]
    assert made.compared([], ["old@a.co"], []) == []


def test_replacing_the_one_keeps_the_others() -> None:
    made = codec("email-address", CrmField("x", "X", "email"), is_multi=True)
    assert made.embedded(["a@a.co", "b@a.co"], ["a@a.co"], ["c@a.co"]) == ["c@a.co", "b@a.co"]
    assert made.embedded(["a@a.co", "b@a.co"], ["a@a.co"], ["b@a.co"]) == ["b@a.co"]
    assert made.embedded(["a@a.co"], ["a@a.co"], []) == []
