"""Any value written and read back is the same value; any filter agrees with a naive look at a dump."""

from __future__ import annotations

import asyncio
import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attio_console.sandbox.attio import kernel, schema
from attio_console.sandbox.attio.coerce import coerce
from attio_console.sandbox.attio.query import read_question, select
from attio_console.sandbox.attio.state import TYPES, Value
from attio_console.sandbox.attio.values import identity, value_json
from attio_console.sandbox.world import SYSTEM, World

ENVELOPE = {"active_from", "active_until", "created_by_actor", "attribute_type"}
NOW = datetime(2026, 11, 23, tzinfo=UTC)
WORDS = ("", "a", "A", "ab", "Ab c", "straße", "STRASSE", "İx", "zeta", "b%", "日本")
HOSTS = ("acme.com", "app.acme.com", "beta.io", "x.co.uk")
PHONES = ("+442071838750", "+493012345678", "+12125550123")


def make_world():
    world = World(3)
    workspace = world.add_workspace("N", "n", token="t")
    members = [workspace.add_member("A", "B", "a@n.example"), workspace.add_member("C", "D", "c@n.example")]
    crm = kernel.open_workspace(workspace)
    things = schema.new_object(crm, "things", "Thing", "Things")
    for kind in TYPES:
        attribute = schema.new_attribute(crm, things, slug=kind.replace("-", "_"), title=kind, type=kind)
        attribute.is_multiselect = kind in {
            "select",
            "domain",
            "email-address",
            "phone-number",
            "record-reference",
        }
        if kind == "currency":
            attribute.default_currency_code = "EUR"
        if kind == "select":
            for title in ("Red", "Green", "Blue"):
                schema.new_option(crm, things, attribute, title)
        if kind == "status":
            for title in ("Open", "Done"):
                schema.new_status(crm, things, attribute, title)
    firms = [
        kernel.create_record(
            workspace, "companies", {"domains": [host], "name": [host.split(".")[0]]}, SYSTEM
        )
        for host in HOSTS
    ]
    return workspace, crm, things, members, firms


WORKSPACE, CRM, THINGS, MEMBERS, FIRMS = make_world()

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
instants = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - the forms without a zone are meant
numbers = st.one_of(
    st.integers(-(2**53), 2**53),
    st.floats(-1e12, 1e12, allow_nan=False).filter(lambda x: math.isfinite(round(x, 4))),
)
locals_ = st.from_regex(r"\A[a-zA-Z0-9][a-zA-Z0-9._+-]{0,20}\Z")
LOCATION = ("line_1", "line_2", "line_3", "line_4", "locality", "region", "postcode")
locations = st.fixed_dictionaries(
    {
        **{name: st.none() | texts for name in LOCATION},
        "country_code": st.sampled_from((None, "GB", "DE", "US")),
        "latitude": st.sampled_from((None, "51.5", "-12")),
        "longitude": st.sampled_from((None, "-0.12", "179.9")),
    }
)
WRITTEN = {
    "text": st.one_of(texts, st.fixed_dictionaries({"value": texts})),
    "number": st.one_of(numbers, st.fixed_dictionaries({"value": numbers})),
    "checkbox": st.sampled_from((True, False, "true", "false", {"value": True})),
    "currency": st.one_of(numbers, st.fixed_dictionaries({"currency_value": numbers})),
    "date": st.one_of(st.dates().map(str), instants.map(lambda at: at.isoformat())),
    "timestamp": st.one_of(
        instants.map(lambda at: at.isoformat()), instants.map(lambda at: at.isoformat() + "+02:00")
    ),
    "rating": st.integers(0, 5),
    "status": st.sampled_from(("Open", "Done", {"status": "Open"})),
    "select": st.sampled_from(("Red", {"option": "Blue"})),
    "record-reference": st.sampled_from(
        [{"target_object": "companies", "domains": [{"domain": host}]} for host in HOSTS]
        + [{"target_object": "companies", "target_record_id": firm.id} for firm in FIRMS]
    ),
    "actor-reference": st.sampled_from(
        ("a@n.example", {"referenced_actor_type": "workspace-member", "referenced_actor_id": MEMBERS[1].id})
    ),
    "location": st.one_of(
        locations,
        st.lists(st.sampled_from(("12 High St", "London", "GB", "France", "EC2A 1AR")), max_size=4).map(
            ", ".join
        ),
    ),
    "domain": st.sampled_from(("Acme.com", "https://www.beta.io/x?y", "x.co.uk")),
    "email-address": st.builds(lambda local, host: f"{local}@{host}", locals_, st.sampled_from(HOSTS)),
    "phone-number": st.sampled_from(
        (*PHONES, {"original_phone_number": "020 7183 8750", "country_code": "GB"})
    ),
    "personal-name": st.one_of(
        texts, st.fixed_dictionaries({"first_name": texts, "last_name": texts, "full_name": texts})
    ),
}


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind != "interaction"])
def test_what_is_read_can_be_written_and_is_the_same_value(kind):
    attribute = THINGS.attribute(kind.replace("-", "_"))

    @settings(max_examples=60, deadline=None)
    @given(WRITTEN[kind])
    def round_trip(written):
        (data,) = coerce(CRM, attribute, [written], ["data"])
        shown = value_json(CRM, attribute, Value("2026-01-01T00:00:00.000000000Z", SYSTEM, data))
        back = {key: value for key, value in shown.items() if key not in ENVELOPE}
        for choice, key in (("option", "option_id"), ("status", "status_id")):
            if choice in back:
                back[choice] = back[choice]["id"][key]
        if kind == "email-address":
            back = {"email_address": back["original_email_address"]}
        (again,) = coerce(CRM, attribute, [back], ["data"])
        assert identity(kind, again) == identity(kind, data)
        if kind != "phone-number":
            assert again == data

    round_trip()


# --- filters -----------------------------------------------------------------------------------------------------------


def _random_values(chance):
    def some(make, most=1):
        return [make() for _ in range(chance.randint(0, most))]

    def unique(items):
        return list(dict.fromkeys(items))

    at = NOW - timedelta(minutes=chance.randint(0, 500_000))
    values = {
        "text": some(lambda: chance.choice(WORDS)),
        "number": some(lambda: chance.randint(-3, 3)),
        "checkbox": some(lambda: chance.random() < 0.5),
        "currency": some(lambda: chance.choice((0, 1.5, 2))),
        "date": some(lambda: at.date().isoformat()),
        "timestamp": some(at.isoformat),
        "rating": some(lambda: chance.randint(0, 5)),
        "status": some(lambda: chance.choice(("Open", "Done"))),
        "select": chance.sample(("Red", "Green", "Blue"), chance.randint(0, 3)),
        "record_reference": [
            {"target_object": "companies", "target_record_id": firm.id}
            for firm in chance.sample(FIRMS, chance.randint(0, 2))
        ],
        "actor_reference": some(lambda: chance.choice(("a@n.example", "c@n.example"))),
        "domain": unique(some(lambda: chance.choice(HOSTS), 2)),
        "email_address": unique(some(lambda: f"{chance.choice('ab')}@{chance.choice(HOSTS)}", 2)),
        "phone_number": unique(some(lambda: chance.choice(PHONES), 2)),
        "personal_name": some(lambda: f"{chance.choice(WORDS)}, {chance.choice(WORDS)}"),
        "location": some(
            lambda: {
                **dict.fromkeys((*LOCATION, "latitude", "longitude")),
                "locality": chance.choice((None, *WORDS)),
                "country_code": chance.choice((None, "GB")),
            }
        ),
    }
    return {slug: value for slug, value in values.items() if value}, at


def _fill():
    chance = random.Random(11)
    for _ in range(120):
        values, at = _random_values(chance)
        kernel.load_row(WORKSPACE, THINGS, values, created_at=at)


_fill()
DUMP = list(kernel.dump(WORKSPACE, THINGS))
FIRM_DUMP = {record["id"]["record_id"]: record for record in kernel.dump(WORKSPACE, CRM.object("companies"))}

STRINGS = ("$eq", "$in", "$contains", "$starts_with", "$ends_with")
ORDER = ("$eq", "$lt", "$lte", "$gt", "$gte")
moments = st.integers(0, 500_000).map(lambda minutes: (NOW - timedelta(minutes=minutes)).isoformat())
words = st.sampled_from(WORDS)
ASKED = {
    "text": {"value": (STRINGS, words)},
    "number": {"value": (ORDER, st.integers(-3, 3))},
    "checkbox": {"value": (("$eq",), st.booleans())},
    "currency": {"currency_value": (ORDER, st.sampled_from((0, 1.5, 2)))},
    "date": {"value": (ORDER, moments.map(lambda at: at[:10]))},
    "timestamp": {"value": (ORDER, moments)},
    "rating": {"value": (ORDER, st.integers(0, 5))},
    "status": {
        "status": (("$eq", "$in"), st.sampled_from(("Open", "Done"))),
        "active_from": (ORDER[1:], moments),
    },
    "select": {
        "option": (("$eq", "$in"), st.sampled_from(("Red", "Blue"))),
        "active_from": (ORDER[1:], moments),
    },
    "record_reference": {"target_record_id": (("$eq", "$in"), st.sampled_from([firm.id for firm in FIRMS]))},
    "actor_reference": {
        "referenced_actor_id": (("$eq", "$in"), st.sampled_from([member.id for member in MEMBERS]))
    },
    "domain": {"domain": (STRINGS, st.sampled_from(HOSTS)), "root_domain": (STRINGS, st.sampled_from(HOSTS))},
    "email_address": {
        "email_address": (STRINGS, st.sampled_from(("a@acme.com", "b@beta.io", "acme"))),
        "email_domain": (STRINGS, st.sampled_from(HOSTS)),
    },
    "phone_number": {
        "phone_number": (STRINGS, st.sampled_from((*PHONES, "+44"))),
        "country_code": (STRINGS, st.sampled_from(("GB", "DE"))),
    },
    "personal_name": dict.fromkeys(("full_name", "first_name", "last_name"), (STRINGS, words)),
    "location": {"locality": (STRINGS, words), "country_code": (("$eq",), st.just("GB"))},
    "created_at": {"value": (ORDER, moments)},
}
NO_SHORTHAND = {"location"}


def _condition(slug):
    def tests(name):
        operators, operands = ASKED[slug][name]

        def one(operator):
            operand = st.lists(operands, max_size=3) if operator == "$in" else operands
            return st.tuples(st.just(operator), operand)

        return st.lists(st.sampled_from(operators).flatmap(one), min_size=1, max_size=2).map(dict)

    default = next(iter(ASKED[slug]))
    verbose = st.sampled_from(sorted(ASKED[slug])).flatmap(
        lambda name: tests(name).map(lambda test: {name: test})
    )
    forms = [verbose, st.just({"$not_empty": True})]
    if slug not in NO_SHORTHAND:
        forms += [tests(default), ASKED[slug][default][1]]
    return st.one_of(forms).map(lambda condition: {slug: condition})


_conditions = st.sampled_from(sorted(ASKED)).flatmap(_condition)
_paths = st.sampled_from((*WORDS[1:4], "acme", "beta", "x")).map(
    lambda word: {
        "path": [["things", "record_reference"], ["companies", "name"]],
        "constraints": {"value": {"$contains": word}},
    }
)
FILTERS = st.recursive(
    st.one_of(_conditions, _conditions, _paths),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda each: {"$and": each}),
        st.lists(inner, max_size=3).map(lambda each: {"$or": each}),
        inner.map(lambda each: {"$not": each}),
    ),
    max_leaves=6,
)


def naive(asked, record):
    if "path" in asked:
        word = asked["constraints"]["value"]["$contains"]
        names = [
            FIRM_DUMP[value["target_record_id"]]["values"]["name"][0]["value"]
            for value in record["values"]["record_reference"]
        ]
        return any(word.casefold() in name.casefold() for name in names)
    results = []
    for key, inner in asked.items():
        if key == "$and":
            results.append(all(naive(each, record) for each in inner))
        elif key == "$or":
            results.append(any(naive(each, record) for each in inner))
        elif key == "$not":
            results.append(not naive(inner, record))
        else:
            results.append(_naive_attribute(key, inner, record["values"][key]))
    return all(results)


def _naive_attribute(slug, asked, values):
    if asked == {"$not_empty": True}:
        return len(values) > 0
    default = next(iter(ASKED[slug]))
    if not isinstance(asked, dict):
        asked = {default: {"$eq": asked}}
    elif all(key.startswith("$") for key in asked):
        asked = {default: asked}
    return any(
        all(
            _naive_test(slug, name, operator, operand, value)
            for name, tests in asked.items()
            for operator, operand in tests.items()
        )
        for value in values
    )


def _moment(text):
    return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00" if text.endswith("Z") else text)


def _naive_test(slug, name, operator, operand, value):
    actual = value[name]
    if name in {"option", "status"}:
        actual = actual["title"]
    if actual is None:
        return False
    if name == "active_from" or slug in {"timestamp", "created_at"}:
        actual, operand = _moment(actual), _moment(operand)
    return {
        "$eq": lambda: actual == operand,
        "$in": lambda: actual in operand,
        "$contains": lambda: operand.casefold() in actual.casefold(),
        "$starts_with": lambda: actual[: len(operand)] == operand,
        "$ends_with": lambda: operand == "" or actual[-len(operand) :] == operand,
        "$lt": lambda: actual < operand,
        "$lte": lambda: actual <= operand,
        "$gt": lambda: actual > operand,
        "$gte": lambda: actual >= operand,
    }[operator]()


@settings(max_examples=400, deadline=None)
@given(FILTERS, st.booleans())
def test_any_filter_agrees_with_a_naive_look_at_a_dump(asked, ordered):
    sorts = [{"attribute": "created_at", "direction": "asc"}] if ordered else None
    question = read_question(CRM, THINGS, asked, sorts, 500, 0)
    found = [row.id for row in asyncio.run(select(CRM, THINGS, question))]
    expected = [record["id"]["record_id"] for record in DUMP if naive(asked, record)]
    assert sorted(found) == sorted(expected)
    if ordered:
        assert found == expected
