from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attio_console.sandbox.salesforce.errors import SalesforceError
from attio_console.sandbox.salesforce.soql_ast import Comparison, DateLiteral, Logic
from attio_console.sandbox.salesforce.soql_dates import span
from attio_console.sandbox.salesforce.soql_groups import groups
from attio_console.sandbox.salesforce.soql_parse import parse
from attio_console.sandbox.salesforce.soql_run import Plan
from attio_console.sandbox.salesforce.state import Salesforce
from attio_console.sandbox.world import World


@pytest.fixture(scope="module")
def org():
    org = World(1).part(Salesforce)
    me = org.integration_user["Id"]
    accounts = [org.create(org.tables["Account"], {"Name": n}, me) for n in ("Alpha", "Beta & Söhne")]
    rows = (
        {"LastName": "Álvarez", "FirstName": "Ana", "Email": "Ana@x.example", "AccountId": accounts[0]["Id"]},
        {"LastName": "Brown", "Title": "CTO", "AccountId": accounts[1]["Id"]},
        {"LastName": "O'Neil", "Title": "100%_sure", "HasOptedOutOfEmail": True},
        {"LastName": "王", "Birthdate": "1990-02-03"},
    )
    for row in rows:
        org.create(org.tables["Contact"], row, me)
    for name, amount in (("Small", 10.5), ("Large", 1_000)):
        values = {"Name": name, "Amount": amount, "StageName": "Lead", "CloseDate": "2026-12-24"}
        org.create(org.tables["Opportunity"], values, me)
    return org


def names(org, where, field="LastName", of="Contact"):
    plan = Plan(org, parse(f"SELECT {field} FROM {of} {where}"))
    return [plan.show(row, "67.0")[field] for row in plan.rows()]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("WHERE LastName = 'brown'", ["Brown"]),
        ("WHERE LastName != 'Brown' AND Title = null", ["Álvarez", "王"]),
        ("WHERE LastName <> 'Brown' AND NOT Title = null", ["O'Neil"]),
        (r"WHERE LastName = 'O\'Neil'", ["O'Neil"]),
        ("WHERE LastName IN ('Brown', '王')", ["Brown", "王"]),
        ("WHERE LastName NOT IN ('Brown', '王') ", ["Álvarez", "O'Neil"]),
        ("WHERE LastName LIKE 'b%n'", ["Brown"]),
        ("WHERE LastName LIKE '_rown' OR Email LIKE '%@X.example'", ["Álvarez", "Brown"]),
        ("WHERE (LastName = 'Brown' OR LastName = '王') AND Title != null", ["Brown"]),
        ("WHERE NOT (LastName = 'Brown' OR LastName = '王')", ["Álvarez", "O'Neil"]),
        ("WHERE Account.Name = 'Alpha'", ["Álvarez"]),
        ("WHERE Account.Name LIKE 'beta & s%'", ["Brown"]),
        ("WHERE Contact.Account.Name != null", ["Álvarez", "Brown"]),
        ("WHERE HasOptedOutOfEmail = true", ["O'Neil"]),
        ("WHERE HasOptedOutOfEmail = FALSE LIMIT 2", ["Álvarez", "Brown"]),
        ("WHERE Birthdate < 2000-01-01", ["王"]),
        ("WHERE CreatedDate = TODAY ORDER BY LastName DESC LIMIT 1 OFFSET 1", ["Álvarez"]),
        ("WHERE CreatedDate < LAST_N_DAYS:3", []),
        ("WHERE CreatedDate >= 2026-01-01T00:00:00Z AND CreatedDate <= 2999-01-01T00:00:00.000+0000 LIMIT 1", ["Álvarez"]),
        ("WHERE AccountId IN (SELECT Id FROM Account WHERE Name = 'Alpha')", ["Álvarez"]),
        ("ORDER BY Title NULLS LAST, LastName", ["O'Neil", "Brown", "Álvarez", "王"]),
        ("ORDER BY Title DESC, LastName", ["Álvarez", "王", "Brown", "O'Neil"]),
    ],
)  # fmt: skip
def test_conditions_and_orders(org, where, expected):
    assert names(org, where) == expected


def test_numbers_are_compared_as_numbers(org):
    assert names(org, "WHERE Amount > 99", "Name", "Opportunity") == ["Large"]
    assert names(org, "WHERE Amount = 10.50", "Name", "Opportunity") == ["Small"]


def test_ids_match_in_both_lengths(org):
    row = next(org.tables["Contact"].live())
    assert (
        names(org, f"WHERE Id = '{row['Id']}'") == names(org, f"WHERE Id = '{row['Id'][:15]}'") == ["Álvarez"]
    )


def test_what_lookups_lead_to_stands_inside_the_row(org):
    plan = Plan(
        org, parse("select id, account.name, Account.Owner.Email, owner.name from CONTACT order by LastName")
    )
    shown = [plan.show(row, "67.0") for row in plan.rows()]
    alvarez = next(row for row in shown if row["Account"] and row["Account"]["Name"] == "Alpha")
    assert alvarez["Account"]["attributes"]["type"] == "Account"
    assert alvarez["Account"]["Owner"]["Email"] == "integration@northwind.example"
    assert alvarez["Owner"]["Name"] == "Integration User"
    assert any(row["Account"] is None for row in shown)


def test_fields_of_everything_need_a_small_limit(org):
    plan = Plan(org, parse("SELECT FIELDS(ALL) FROM Contact LIMIT 200"))
    assert "Attio_Id__c" in plan.paths
    for text in ("SELECT FIELDS(ALL) FROM Contact", "SELECT FIELDS(ALL) FROM Contact LIMIT 201"):
        with pytest.raises(SalesforceError, match="MALFORMED_QUERY"):
            Plan(org, parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "", "SELECT", "SELECT Id", "SELECT Id FROM", "SELECT FROM Contact", "SELECT Id FROM Contact WHERE",
        "SELECT Id FROM Contact WHERE Name", "SELECT Id FROM Contact WHERE Name = ", "SELECT Id FROM Contact LIMIT x",
        "SELECT Id FROM Contact WHERE Name = 'open", "SELECT Id FROM Contact WHERE Id IN ()",
        "SELECT Id FROM Contact WHERE (Name = 'x'", "SELECT Id FROM Contact; DROP", "SELECT Id, FROM Contact",
        "SELECT Id FROM Contact ORDER Name", "SELECT Id FROM Contact LIMIT 5 LIMIT 6",
    ],
)  # fmt: skip
def test_malformed_queries_are_refused_with_a_pointer(text):
    with pytest.raises(SalesforceError, match="MALFORMED_QUERY"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Nope FROM Contact", "INVALID_FIELD"),
        ("SELECT Account.Nope FROM Contact", "INVALID_FIELD"),
        ("SELECT Nope.Name FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Nope", "INVALID_TYPE"),
        ("SELECT Id FROM Contact WHERE CreatedDate > '2026-01-01'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE CreatedDate > 2026-01-01", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE HasOptedOutOfEmail = 'true'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE LastName = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE LastName = TODAY", "INVALID_FIELD"),
        ("SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT Id, id FROM Contact", "MALFORMED_QUERY"),
    ],
)
def test_queries_that_make_no_sense_are_refused(org, text, code):
    with pytest.raises(SalesforceError, match=code):
        Plan(org, parse(text)).rows()


def test_and_binds_tighter_than_or():
    where = parse("SELECT Id FROM Contact WHERE A = 1 OR B = 2 AND NOT C = 3").where
    assert isinstance(where, Logic)
    assert where.operator == "OR"
    assert isinstance(where.parts[0], Comparison)
    assert [type(p) for p in where.parts[1].parts] == [Comparison, Logic]


@given(st.text(max_size=40))
def test_any_text_survives_a_literal(value):
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    where = parse(f"SELECT Id FROM Contact WHERE LastName = '{escaped}'").where
    assert isinstance(where, Comparison)
    assert where.value == value


@given(st.text(alphabet="SELECTFROMWHEREidname'=(),.:<>% 0123456789-TZ\\", max_size=80))
def test_no_text_breaks_the_reader(text):
    with contextlib.suppress(SalesforceError):
        parse(text)


@pytest.mark.parametrize(
    ("name", "number", "start", "end"),
    [
        ("TODAY", 0, "2026-11-23", "2026-11-24"),
        ("YESTERDAY", 0, "2026-11-22", "2026-11-23"),
        ("LAST_N_DAYS", 7, "2026-11-16", "2026-11-24"),
        ("NEXT_N_DAYS", 7, "2026-11-24", "2026-12-01"),
        ("THIS_WEEK", 0, "2026-11-22", "2026-11-29"),
        ("LAST_MONTH", 0, "2026-10-01", "2026-11-01"),
        ("NEXT_MONTH", 0, "2026-12-01", "2027-01-01"),
        ("THIS_QUARTER", 0, "2026-10-01", "2027-01-01"),
        ("LAST_YEAR", 0, "2025-01-01", "2026-01-01"),
        ("LAST_N_MONTHS", 2, "2026-09-23", "2026-11-24"),
        ("N_DAYS_AGO", 3, "2026-11-20", "2026-11-21"),
    ],
)
def test_named_spans(name, number, start, end):
    now = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
    assert [m.date().isoformat() for m in span(DateLiteral(name, number), now)] == [start, end]


def grouped(org, soql):
    return [{k: v for k, v in row.items() if k != "attributes"} for row in groups(Plan(org, parse(soql)))]


def test_functions_over_all_rows_and_over_groups(org):
    soql = "SELECT MIN(Amount), MAX(Amount) most, SUM(Amount), AVG(Amount), COUNT(Id) n FROM Opportunity"
    assert grouped(org, soql) == [{"expr0": 10.5, "most": 1_000, "expr1": 1010.5, "expr2": 505.25, "n": 2}]
    rows = grouped(
        org, "SELECT Account.Name, COUNT(Id) FROM Contact GROUP BY Account.Name ORDER BY COUNT(Id) DESC"
    )
    assert rows[0] == {"Name": None, "expr0": 2} and len(rows) == 3
    rows = grouped(
        org, "SELECT Account.Name a FROM Contact GROUP BY Account.Name ORDER BY Account.Name LIMIT 2"
    )
    assert rows == [{"a": None}, {"a": "Alpha"}]
    assert grouped(org, "SELECT MAX(Amount) FROM Opportunity WHERE Name = 'None'") == [{"expr0": None}]
    assert grouped(org, "SELECT Title, COUNT(Id) FROM Contact WHERE Title = 'x' GROUP BY Title") == []


@pytest.mark.parametrize(
    ("soql", "why"),
    [
        ("SELECT LastName, COUNT(Id) FROM Contact", "must be grouped"),
        ("SELECT LastName FROM Contact GROUP BY Title", "must be grouped"),
        ("SELECT SUM(LastName) FROM Contact", "does not support aggregate operator SUM"),
        ("SELECT Title FROM Contact GROUP BY Title ORDER BY LastName", "Ordered field"),
        ("SELECT LastName l FROM Contact", "aliasing"),
        ("SELECT LastName, COUNT() FROM Contact", "unexpected token"),
        ("SELECT Id, (SELECT Id FROM Nothing) FROM Account", "Didn't understand relationship 'Nothing'"),
    ],
)
def test_groups_and_children_that_make_no_sense_are_refused(org, soql, why):
    with pytest.raises(SalesforceError, match=why):
        groups(Plan(org, parse(soql)))


def test_children_come_inside_their_parents(org):
    soql = "SELECT Name, (SELECT LastName FROM Contacts WHERE LastName != 'Nobody' LIMIT 1) FROM Account WHERE Name IN ('Alpha', 'Beta & Söhne') ORDER BY Name"
    plan = Plan(org, parse(soql))
    shown = [plan.show(row, "67.0") for row in plan.rows()]
    children = [row["Contacts"] for row in shown]
    assert [[each["LastName"] for each in c["records"]] for c in children] == [["Álvarez"], ["Brown"]]
    assert children[0]["done"] is True and children[0]["totalSize"] == 1
    none = Plan(org, parse("SELECT Id, (SELECT Id FROM Opportunities) FROM Account LIMIT 1"))
    assert none.show(none.rows()[0], "67.0")["Opportunities"] is None


def test_describe_names_each_child_relationship_as_queries_do(org):
    children = {(o.sobject.name, f.name): name for o, f, name in org.children_of(org.tables["Account"])}
    assert children["Contact", "AccountId"] == "Contacts"
    assert children["Account", "ParentId"] == "ChildAccounts"
    assert children["AccountHistory", "AccountId"] == "Histories"
    # A lead's account and a merged account's survivor are no children anybody can ask for.
    assert children["Lead", "ConvertedAccountId"] is None and ("Contact", "MasterRecordId") not in children
    assert Plan(org, parse("SELECT MasterRecord.LastName FROM Contact")).rows()
