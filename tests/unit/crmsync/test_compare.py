from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from attio_console.crm.protocol import CrmField
from attio_console.model.merge import Outcome, Rule
from attio_console.model.schema import Attribute, Schema
from attio_console.sync.codec import FieldCodec, Owners
from attio_console.sync.compare import SHADOW, Verdict, examine, same_native
from attio_console.sync.mapping import FieldMapping, Transform


class NoPairs:
    def attio_of(self, external_type: str, external_id: str) -> tuple[str, str] | None:
        return None

    def external_of(self, record_id: str, external_type: str) -> str | None:
        return None


def codec(
    slug: str, kind: str, *names: str, rule: Rule = Rule.MANUAL, transform: Transform = "auto"
) -> FieldCodec:
    attribute = Attribute(slug, slug, slug.title(), kind)
    fields = [CrmField(name, name, "text") for name in names]
    return FieldCodec(
        FieldMapping(slug, names, transform, rule), attribute, fields, Schema(), Owners({}, {}), NoPairs()
    )


NAME = codec("name", "personal-name", "firstname", "lastname", transform="personal-name")
PHONE = codec("phone", "phone-number", "phone")
TITLE = codec("title", "text", "jobtitle")


def one(
    made: FieldCodec, attio: list[Any], external: dict[str, Any], bases: dict[str, Any] | None = None
) -> Verdict:
    [verdict] = examine([made], {made.field.attio: attio}, external, bases or {})
    return verdict


def ada(first: str, last: str) -> dict[str, str]:
    return {"first_name": first, "last_name": last, "full_name": f"{first} {last}"}


def test_only_the_part_that_differs_is_written() -> None:
    verdict = one(
        NAME,
        [ada("Ada", "King")],
        {"firstname": "Ada", "lastname": "Lovelace"},
        {"name": [ada("Ada", "Lovelace")]},
    )
    assert verdict.new_external == {"lastname": "King"}
    assert verdict.old_external == {"lastname": "Lovelace"}
    assert verdict.new_attio is None


def test_another_spelling_of_the_same_number_is_no_difference() -> None:
    verdict = one(PHONE, ["+442079460958"], {"phone": "+44 20 7946 0958"})
    assert verdict.is_agreed
    assert not verdict.writes


def test_a_value_the_other_side_keeps_in_its_own_form_does_not_ping_pong() -> None:
    bases = {
        "title": ["Chief  Engineer"],
        "title" + SHADOW: [{"of": ["Chief  Engineer"], "is": ["Chief Engineer"]}],
    }
    calm = one(TITLE, ["Chief  Engineer"], {"jobtitle": "Chief Engineer"}, bases)
    assert calm.is_agreed
    moved = one(TITLE, ["Chief  Engineer"], {"jobtitle": "Admiral"}, bases)
    assert moved.decision.outcome is Outcome.WRITE_ATTIO
    stale = one(TITLE, ["Cook"], {"jobtitle": "Chief Engineer"}, bases | {"title": ["Cook"]})
    assert stale.decision.outcome is Outcome.WRITE_ATTIO


def test_a_field_whose_write_is_on_its_way_is_left_alone() -> None:
    assert examine([TITLE], {"title": ["a"]}, {"jobtitle": "b"}, {}, skip={"title"}) == []


natives = st.one_of(st.none(), st.sampled_from(["", "a", "b", " a", "+441", "2026-01-01", "1.0", "1"]))


@given(natives, natives, st.one_of(st.none(), st.just([]), st.sampled_from([["a"], ["b"]])))
def test_applying_a_verdict_leaves_nothing_to_do(
    ours: str | None, theirs: str | None, base: list[str] | None
) -> None:
    attio = [ours] if ours else []
    verdict = one(TITLE, attio, {"jobtitle": theirs}, {} if base is None else {"title": base})
    if not verdict.writes:
        return
    after_attio = attio if verdict.new_attio is None else verdict.new_attio
    after = one(
        TITLE,
        after_attio,
        {"jobtitle": theirs} | dict(verdict.new_external),
        {} if base is None else {"title": base},
    )
    assert after.is_agreed


@given(natives)
def test_a_native_value_is_itself(value: str | None) -> None:
    assert same_native(value, value)


def test_native_values_are_compared_as_their_system_means_them() -> None:
    assert same_native("1500.00", 1500)
    assert same_native("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000+0000")
    assert same_native(None, "")
    assert same_native(True, "true")
    assert not same_native("007", "7")
    assert not same_native("+1", "1")
    assert not same_native("a", None)
