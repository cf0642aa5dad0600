from __future__ import annotations

import pytest

from attio_console.crm.protocol import CrmField, CrmObject, CrmOption
from attio_console.errors import ConfigError
from attio_console.model.merge import Rule
from attio_console.model.schema import Attribute, ObjectSchema, Schema, Status
from attio_console.sync.mapping import FieldMapping, Mapping, MatchKey, ObjectMapping
from attio_console.sync.mapping_defaults import default_mapping, value_table
from attio_console.sync.mapping_file import check_mapping, parse_mapping, write_mapping


def attribute(slug: str, kind: str, **more: bool) -> Attribute:
    return Attribute(f"id-{slug}", slug, slug.title(), kind, **more)


PEOPLE = ObjectSchema(
    (
        attribute("name", "personal-name"),
        attribute("email_addresses", "email-address", is_multi=True),
        attribute("job_title", "text"),
        attribute("company", "record-reference"),
    ),
    "o-1",
    "people",
)
SCHEMA = Schema(objects=(PEOPLE,))
CONTACTS = CrmObject(
    "contacts",
    "Contacts",
    (
        CrmField("firstname", "First", "text"),
        CrmField("lastname", "Last", "text"),
        CrmField("email", "E-mail", "email", is_unique=True),
        CrmField("jobtitle", "Job", "text"),
        CrmField("attio_record_id", "Key", "text", is_unique=True),
    ),
)


def test_a_mapping_is_made_from_what_both_sides_have() -> None:
    made = default_mapping("hubspot", SCHEMA, {"contacts": CONTACTS})
    [people] = made.objects
    assert {f.attio: f.external for f in people.fields} == {
        "name": ("firstname", "lastname"),
        "email_addresses": ("email",),
        "job_title": ("jobtitle",),
    }
    assert people.match == (MatchKey("email_addresses", "email"),)
    assert people.key_field == "attio_record_id"
    assert made.first_sync == "plan"


def test_a_mapping_survives_its_file() -> None:
    made = default_mapping("hubspot", SCHEMA, {"contacts": CONTACTS})
    assert parse_mapping(write_mapping(made)) == made
    spoken = Mapping(
        "salesforce",
        (
            ObjectMapping(
                "people",
                "Lead",
                (
                    FieldMapping(
                        "stage", ("Status",), rule=Rule.NEWEST, values={"Lead": "Open - Not Contacted"}
                    ),
                ),
                where_external={"IsConverted": "false"},
            ),
        ),
        region="GB",
    )
    assert parse_mapping(write_mapping(spoken)) == spoken


def test_choices_of_nearly_the_same_name_find_each_other() -> None:
    stage = Attribute(
        "s",
        "stage",
        "Stage",
        "status",
        statuses=(Status("1", "Lead"), Status("2", "Won 🎉"), Status("3", "In Progress")),
    )
    field = CrmField(
        "StageName",
        "Stage",
        "choice",
        options=(
            CrmOption("lead", "lead"),
            CrmOption("Closed Won", "Closed Won"),
            CrmOption("in-progress", "In progress"),
            CrmOption("z", "Zebra"),
        ),
    )
    assert value_table(stage, field) == {"Lead": "lead", "Won 🎉": "Closed Won", "In Progress": "in-progress"}


BROKEN = """system = "hubspot"

[[objects]]
attio = "people"
external = "contacts"

[[objects.fields]]
attio = "job_title"
external = "jobtitle"
{line}
"""


@pytest.mark.parametrize(
    ("line", "at", "hint"),
    [
        ('rulle = "manual"', 10, "rule"),
        ('rule = "newset"', 10, ""),
        ("direction = 3", 10, ""),
        ("[[", 10, ""),
    ],
)
def test_a_mistake_is_named_with_its_line(line: str, at: int, hint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_mapping(BROKEN.format(line=line), "m.toml")
    assert f"m.toml:{at}" in refused.value.message
    assert hint in refused.value.hint


def test_a_name_that_a_schema_does_not_have_is_named_with_the_nearest() -> None:
    text = BROKEN.format(line="").replace("jobtitle", "jobttle").replace("job_title", "jobtitle")
    problems = check_mapping(parse_mapping(text), SCHEMA, {"contacts": CONTACTS}, text, "m.toml")
    assert [(p.message.split(":")[1], p.hint) for p in problems] == [
        ("8", "Did you mean job_title?"),
        ("9", "Did you mean jobtitle?"),
    ]
