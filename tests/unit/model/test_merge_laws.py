from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from attio_console.model.canonical import canonical
from attio_console.model.merge import Blanks, Direction, FieldInput, Outcome, Rule, decide, swapped

START = datetime(2026, 11, 1, tzinfo=UTC)
WORDS = ["", "a", "A ", "a", "b", "ü", "u\u0308", "c d"]
texts = st.one_of(st.just([]), st.lists(st.sampled_from(WORDS), min_size=1, max_size=1))
sets = st.lists(st.sampled_from(["x", "y", "z", "w"]), max_size=4, unique=True)
times = st.one_of(st.none(), st.integers(0, 5).map(lambda n: START + timedelta(hours=n)))


def fields(values: st.SearchStrategy[list[str]], *, is_set: bool) -> st.SearchStrategy[FieldInput]:
    return st.builds(
        FieldInput,
        type=st.just("text"),
        base=st.one_of(st.none(), values),
        attio=values,
        external=values,
        rule=st.sampled_from(Rule),
        direction=st.sampled_from(Direction),
        blanks=st.sampled_from(Blanks),
        is_set=st.just(is_set),
        attio_at=times,
        external_at=times,
    )


any_field = st.one_of(fields(texts, is_set=False), fields(sets, is_set=True))


@given(any_field)
def test_the_same_question_has_the_same_answer(field: FieldInput) -> None:
    assert decide(field) == decide(replace(field))


@given(any_field)
def test_neither_side_is_special(field: FieldInput) -> None:
    mirror = {
        Outcome.WRITE_ATTIO: Outcome.WRITE_EXTERNAL,
        Outcome.WRITE_EXTERNAL: Outcome.WRITE_ATTIO,
    }
    here, there = decide(field), decide(swapped(field))
    assert there.outcome is mirror.get(here.outcome, here.outcome)
    assert there.settled == here.settled
    assert {"attio": "external", "external": "attio"}.get(
        here.winner or ""
    ) == there.winner or here.winner is None
    if here.outcome is not Outcome.IGNORED:
        assert canonical("text", here.value) == canonical("text", there.value)


@given(any_field)
def test_what_was_decided_comes_to_rest(field: FieldInput) -> None:
    decision = decide(field)
    assume(not decision.is_manual and decision.outcome is not Outcome.IGNORED)
    after = replace(
        field,
        attio=decision.value if "attio" in decision.writes else field.attio,
        external=decision.value if "external" in decision.writes else field.external,
    )
    again = decide(after)
    assert again.outcome is Outcome.AGREED
    assert canonical("text", again.value) == canonical("text", decision.value)


@given(any_field)
def test_a_value_nobody_changed_is_never_replaced(field: FieldInput) -> None:
    assume(field.base is not None)
    base = canonical("text", field.base or [])
    attio, external = canonical("text", field.attio), canonical("text", field.external)
    decision = decide(field)
    if attio == base == external:
        assert decision.writes == frozenset()
    assume(field.direction is Direction.BOTH)
    if attio != base and external == base:
        assert "attio" not in decision.writes
    if external != base and attio == base:
        assert "external" not in decision.writes


@given(any_field)
def test_a_blank_overwrites_only_where_the_rule_says_so(field: FieldInput) -> None:
    decision = decide(field)
    assume(field.blanks is not Blanks.CLEAR)
    for side in decision.writes:
        before = field.attio if side == "attio" else field.external
        if canonical("text", before):
            assert canonical("text", decision.value)


@given(any_field)
def test_a_direction_is_never_written_against(field: FieldInput) -> None:
    writes = decide(field).writes
    assert not (field.direction is Direction.TO_EXTERNAL and "attio" in writes)
    assert not (field.direction is Direction.TO_ATTIO and "external" in writes)


@given(sets, sets, sets, st.sampled_from(Blanks))
def test_sets_keep_every_addition_and_every_removal(
    base: list[str], attio: list[str], external: list[str], blanks: Blanks
) -> None:
    decision = decide(FieldInput("text", base, attio, external, blanks=blanks, is_set=True))
    if decision.is_manual:
        assert not set(decision.value) - set(base)
        return
    merged, was, ours, theirs = set(decision.value), set(base), set(attio), set(external)
    assert (ours - was) | (theirs - was) <= merged
    assert not merged & ((was - ours) | (was - theirs))


@given(any_field, st.sampled_from([Rule.MANUAL, Rule.FILL_BLANKS]))
def test_a_real_difference_is_left_to_a_person_under_a_manual_rule(field: FieldInput, rule: Rule) -> None:
    field = replace(field, rule=rule, is_set=False)
    forms = [canonical("text", v) for v in (field.attio, field.external)]
    if (
        all(forms)
        and forms[0] != forms[1]
        and (field.base is None or canonical("text", field.base) not in forms)
    ):
        assert decide(field).is_manual


def test_newest_settles_at_once_and_leaves_it_to_review() -> None:
    field = FieldInput(
        "text", ["a"], ["b"], ["c"], Rule.NEWEST, attio_at=START, external_at=START + timedelta(minutes=1)
    )
    decision = decide(field)
    assert decision.settled
    assert decision.winner == "external"
    assert decision.writes == frozenset({"attio"})
    assert decide(replace(field, external_at=START)).is_manual
    assert decide(replace(field, external_at=None)).is_manual


def test_a_first_sight_fills_blanks_and_asks_about_differences() -> None:
    assert decide(FieldInput("text", None, ["a"], [])).outcome is Outcome.WRITE_EXTERNAL
    assert decide(FieldInput("text", None, [], ["a"])).outcome is Outcome.WRITE_ATTIO
    assert decide(FieldInput("text", None, ["a"], ["a "])).outcome is Outcome.AGREED
    assert decide(FieldInput("text", None, ["a"], ["b"])).is_manual
    assert decide(FieldInput("text", None, ["a"], [], blanks=Blanks.KEEP)).is_manual
