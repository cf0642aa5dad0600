from __future__ import annotations

import pytest

from attio_console.sandbox.faults import BadRule, FaultRule, Faults, path_matches
from attio_console.sandbox.world import World


def test_a_counted_rule_strikes_that_often_after_the_skipped_ones():
    faults = Faults(World())
    faults.add(
        [{"system": "attio", "path": "/v2/notes", "action": "status", "status": 503, "count": 2, "skip": 1}]
    )
    struck = [faults.for_request("attio", "GET", "/v2/notes") is not None for _ in range(5)]
    assert struck == [False, True, True, False, False]


def test_probability_follows_the_seed():
    def run(seed: int) -> list[bool]:
        faults = Faults(World(seed))
        faults.add([{"action": "reset", "probability": 0.5}])
        return [faults.for_request("hubspot", "GET", "/x") is not None for _ in range(50)]

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert 10 < sum(run(3)) < 40


def test_rules_match_system_method_and_path():
    faults = Faults(World())
    faults.add([{"system": "attio", "method": "patch", "path": "/v2/objects/*/records/*", "action": "reset"}])
    assert faults.for_request("attio", "PATCH", "/v2/objects/people/records/1")
    assert not faults.for_request("attio", "GET", "/v2/objects/people/records/1")
    assert not faults.for_request("hubspot", "PATCH", "/v2/objects/people/records/1")
    assert not faults.for_request("attio", "PATCH", "/v2/notes/1")


def test_a_path_without_signs_is_a_prefix_of_whole_segments():
    assert path_matches("/v2/objects/people", "/v2/objects/people/records/query")
    assert path_matches("/v2/objects/people", "/v2/objects/people")
    assert not path_matches("/v2/objects/people", "/v2/objects/people_2")


@pytest.mark.parametrize(
    "rule",
    [
        "status",
        {},
        {"action": "explode"},
        {"action": "status", "system": "pipedrive"},
        {"action": "status", "probability": 2},
        {"action": "status", "count": -1},
        {"action": "status", "colour": "red"},
        {"action": "slow", "seconds": "long"},
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_a_reason(rule):
    with pytest.raises(BadRule):
        FaultRule.parse(rule)


def test_one_bad_rule_adds_none():
    faults = Faults(World())
    with pytest.raises(BadRule):
        faults.add([{"action": "reset"}, {"action": "nonsense"}])
    assert faults.rules == []
