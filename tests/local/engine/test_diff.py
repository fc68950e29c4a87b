"""What counts as a difference, which part of it is ignored, and how it is shown."""

from __future__ import annotations

import pytest

from local.engine.diff import (
    Path,
    at,
    changes_between,
    described,
    forgotten,
    is_equal,
    is_within,
    parse_path,
    with_ignored,
    written,
)  # fmt: skip
from local.engine.events import PropertyChange
from local.engine.store.model import Secret
from local.engine.values import UNKNOWN


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("value", ("value",)),
        ("rules[0].port", ("rules", 0, "port")),
        ('tags["a.b"]', ("tags", "a.b")),
        ('tags["say \\"hi\\""].x', ("tags", 'say "hi"', "x")),
        ("rules[*].port", ("rules", "*", "port")),
    ],
)
def test_a_property_path_is_read_step_by_step(text: str, path: Path) -> None:
    assert parse_path(text) == path


def test_a_written_path_reads_back_as_the_same_path() -> None:
    path: Path = ("spec", "rules", 3, "host-name", "a.b/c")
    assert written(path) == 'spec.rules[3].host-name["a.b/c"]'
    assert parse_path(written(path)) == path


def test_a_star_stands_for_any_one_step() -> None:
    assert is_within(("rules", 4, "port"), ("rules", "*"))
    assert not is_within(("rules",), ("rules", "*"))
    assert not is_within(("other", 4), ("rules", "*"))


def test_only_the_innermost_differing_paths_are_changes() -> None:
    old = {"a": {"x": 1, "y": [1, 2]}, "gone": 1, "same": "s"}
    new = {"a": {"x": 1, "y": [1, 3]}, "new": 1, "same": "s"}
    assert changes_between(old, new) == [("a", "y", 1), ("gone",), ("new",)]


def test_a_list_of_another_length_changes_as_a_whole() -> None:
    assert changes_between({"l": [1, 2]}, {"l": [1]}) == [("l",)]


def test_an_absent_property_is_not_the_same_as_one_without_a_value() -> None:
    assert changes_between({}, {"a": None}) == [("a",)]


def test_what_is_not_known_yet_equals_nothing_not_even_itself() -> None:
    assert not is_equal(UNKNOWN, UNKNOWN)
    assert not is_equal("x", UNKNOWN)
    assert changes_between({"a": {"b": "x"}}, {"a": {"b": UNKNOWN}}) == [("a", "b")]


def test_true_is_not_one_and_one_is_one_point_zero() -> None:
    assert not is_equal(True, 1)
    assert is_equal(1, 1.0)


def test_a_value_that_becomes_secret_is_still_the_same_value() -> None:
    assert is_equal("x", Secret("x"))
    assert not is_equal(Secret("x"), Secret("y"))


def test_ignored_changes_put_the_old_value_back_and_nothing_else() -> None:
    old = {"tags": {"k": "old", "other": 1}, "rules": [{"port": 1}, {"port": 2}]}
    new = {"tags": {"k": "new", "other": 2, "added": 3}, "rules": [{"port": 7}, {"port": 8}], "size": 9}
    result = with_ignored(new, old, ["tags.k", "tags.added", "rules[*].port"])
    assert result == {"tags": {"k": "old", "other": 2}, "rules": [{"port": 1}, {"port": 2}], "size": 9}
    assert new["tags"]["k"] == "new"


def test_a_changed_secret_is_shown_as_changed_and_never_in_the_clear() -> None:
    old, new = {"p": Secret("one"), "q": Secret({"in": 1})}, {"p": Secret("two"), "q": Secret({"in": 2})}
    assert described([("p",), ("q", "in")], old, new) == (
        PropertyChange("p", "[secret]", "[secret]"), PropertyChange("q.in", "[secret]", "[secret]"),
    )  # fmt: skip
    assert at(new, ("q", "in")) == "[secret]"


def test_what_is_equal_on_both_sides_is_not_shown_as_changed() -> None:
    old, new = {"value": 1, "same": [1]}, {"value": 2, "same": [1]}
    shown = described([("status",), ("same",), ("value",), ("value",)], old, new)
    assert shown == (PropertyChange("value", 1, 2),)


def test_only_inputs_that_are_there_become_unknown() -> None:
    assert forgotten({"a": 1, "b": 2}, ["b", "c"]) == {"a": 1, "b": UNKNOWN}
