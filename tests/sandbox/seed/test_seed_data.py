from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from itertools import pairwise

import phonenumbers
import pytest

from attio_console.sandbox.seed import Options, make_data
from attio_console.sandbox.seed.cultures import CULTURES
from attio_console.sandbox.seed.pipelines import LISTS

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def data():
    return make_data(Options(NOW))


def test_a_seed_gives_the_same_rows_again(data):
    assert make_data(Options(NOW)) == data
    assert make_data(Options(NOW, seed=2)).people != data.people


def test_sizes_follow_the_number_of_people(data):
    assert (len(data.people), len(data.companies), len(data.deals), len(data.members)) == (2_000, 500, 300, 8)
    small = make_data(Options(NOW, people=40))
    assert (len(small.people), len(small.companies), len(small.deals)) == (40, 10, 6)


def test_a_tiny_workspace_is_possible():
    tiny = make_data(Options(NOW, people=1))
    assert len(tiny.companies) == len(tiny.deals) == 1


def test_every_phone_number_could_be_called(data):
    numbers = [n for p in data.people for n in p.values.get("phone_numbers", ())]
    assert len(numbers) > 1_000
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(n)) for n in numbers)


def test_addresses_and_domains_belong_to_one_record_each(data):
    emails = [e for p in data.people for e in p.values.get("email_addresses", ())]
    domains = [d for c in data.companies for d in c.values["domains"]]
    assert len(emails) == len(set(emails))
    assert len(domains) == len(set(domains))
    assert all(e.isascii() and e.endswith(".example") for e in emails)


def test_life_is_in_it(data):
    names = [p.values["name"]["full_name"] for p in data.people]
    directions = {unicodedata.bidirectional(c) for name in names for c in name}
    assert {"R", "AL", "L"} <= directions
    assert any("\u4e00" <= c <= "\u9fff" for name in names for c in name)
    assert any(c == "🌻" for name in names for c in name)
    assert max(len(name) for name in names) == 80
    assert any("email_addresses" not in p.values for p in data.people)
    assert any(len(p.values.get("email_addresses", ())) > 2 for p in data.people)
    assert any(len(p.values.get("tags", ())) > 1 for p in data.people)
    assert any("company" not in p.links for p in data.people)
    assert {c.country for c in CULTURES} == {
        country for p in data.people if (country := p.values.get("primary_location", {}).get("country_code"))
    }


def test_every_stage_of_every_list_has_entries(data):
    for plan in LISTS:
        used = {e.values["stage"] for e in data.entries if e.list == plan.slug}
        assert used == set(plan.stages)


def test_nothing_is_older_than_what_it_hangs_on(data):
    for entry in data.entries:
        assert data.row(entry.parent).created_at <= entry.created_at < NOW
    for row in [*data.people, *data.deals]:
        for keys in row.links.values():
            assert all(data.row(key).created_at <= row.created_at for key in keys)


def test_more_people_leave_the_companies_as_they_are(data):
    more = make_data(Options(NOW, people=2_400))
    assert more.companies[:500] == data.companies
    assert len(more.people) == 2_400


def test_notes_and_tasks_hang_on_records_that_exist(data):
    assert all(data.row(note.parent) for note in data.notes)
    assert all(data.row(key) for task in data.tasks for key in task.linked)
    assert any(task.deadline_at is None for task in data.tasks)
    assert any(a.content != b.content for a, b in pairwise(data.notes))
