"""What is written into a checkpoint is what is read from it, and no secret stands in it."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.engine.store import Operation, ResourceState, Secret, SecretsManager, Snapshot, StateDamaged, StateError
from local.engine.store.checkpoint import read_checkpoint, timestamp, write_checkpoint
from local.engine.store.model import ASSET_SIGNATURE, SIGNATURE_KEY, in_order_of_need

Make = Callable[..., ResourceState]
HERE = Path("state/dev.json")
MANAGER = SecretsManager("correct horse")
pytestmark = pytest.mark.usefixtures("quick_keys")

plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=()))  # lone surrogates and control characters too
assets = st.fixed_dictionaries({SIGNATURE_KEY: st.just(ASSET_SIGNATURE), "hash": texts, "text": texts})
values = st.recursive(
    plain | texts | assets,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4) | inner.map(Secret),
    max_leaves=15,
)
properties = st.dictionaries(texts, values, max_size=4)
urns = st.lists(texts.filter(bool), max_size=3).map(tuple)
resources = st.builds(
    ResourceState,
    urn=texts.filter(bool),
    type=texts,
    custom=st.booleans(),
    id=texts,
    inputs=properties,
    outputs=properties,
    dependencies=urns,
    property_dependencies=st.dictionaries(texts, urns, max_size=3),
    protect=st.booleans(),
    delete=st.booleans(),
    init_errors=urns,
    aliases=urns,
    custom_timeouts=st.dictionaries(st.sampled_from(["create", "update", "delete"]), st.integers(1, 9000)),
    extra=st.dictionaries(st.just("stackTrace"), st.just([{"sourcePosition": "project:///a.py#1"}])),
)


def again(snapshot: Snapshot) -> Snapshot:
    return read_checkpoint(write_checkpoint(snapshot, "organization/shop/dev", MANAGER), HERE, MANAGER)


@settings(deadline=None, max_examples=50)
@given(st.lists(resources, max_size=3), st.lists(resources, max_size=1))
def test_whatever_a_state_holds_comes_back_from_its_checkpoint(
    held: list[ResourceState], pending: list[ResourceState]
) -> None:
    snapshot = Snapshot(tuple(held), tuple(Operation("creating", state) for state in pending), MANAGER.salt)
    assert again(snapshot) == snapshot


def test_no_secret_stands_in_a_checkpoint_in_any_spelling(thing: Make) -> None:
    state = thing("a", inputs={"x": [{"y": Secret({"z": "canary-ä"})}]}, outputs={"x": Secret(Secret("canary-ä"))})
    data = write_checkpoint(Snapshot((state,)), "organization/shop/dev", MANAGER)
    assert b"canary" not in data
    assert "canary" not in repr(state)
    assert read_checkpoint(data, HERE, MANAGER).resources == (state,)


def test_an_unchanged_secret_keeps_its_ciphertext_and_a_changed_one_gets_another(
    thing: Make, secrets: SecretsManager
) -> None:
    def resources_of(data: bytes) -> list[Any]:
        return json.loads(data)["checkpoint"]["latest"]["resources"]

    first = SecretsManager("correct horse", secrets.salt)
    before = write_checkpoint(Snapshot((thing("a", inputs={"k": Secret("s"), "l": Secret("t")}),)), "o", first)
    later = SecretsManager("correct horse", secrets.salt)
    (state,) = read_checkpoint(before, HERE, later).resources
    assert resources_of(write_checkpoint(Snapshot((state,)), "o", later)) == resources_of(before)
    changed = thing("a", inputs={"k": Secret("s"), "l": Secret("u")})
    (now,) = resources_of(write_checkpoint(Snapshot((changed,)), "o", later))
    (then,) = resources_of(before)
    assert now["inputs"]["k"] == then["inputs"]["k"]
    assert now["inputs"]["l"] != then["inputs"]["l"]


def test_the_same_secret_in_two_resources_does_not_show_that_it_is_the_same(thing: Make) -> None:
    data = write_checkpoint(
        Snapshot((thing("a", inputs={"k": Secret("s")}), thing("b", inputs={"k": Secret("s")}))), "o", MANAGER
    )
    one, other = json.loads(data)["checkpoint"]["latest"]["resources"]
    assert one["inputs"]["k"]["ciphertext"] != other["inputs"]["k"]["ciphertext"]


def test_whole_numbers_are_written_as_the_cli_writes_them(thing: Make) -> None:
    data = write_checkpoint(Snapshot((thing("a", inputs={"n": 3.0, "f": 2.5}),)), "o", MANAGER)
    assert json.loads(data)["checkpoint"]["latest"]["resources"][0]["inputs"] == {"f": 2.5, "n": 3}
    assert b'"n":3}' in data


@pytest.mark.parametrize("value", [math.nan, math.inf, {1, 2}, object()])
def test_what_json_cannot_hold_is_refused_before_anything_is_written(thing: Make, value: object) -> None:
    with pytest.raises(StateError, match="JSON"):
        write_checkpoint(Snapshot((thing("a", inputs={"x": [value]}),)), "o", MANAGER)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "it is empty"),
        (b"\0" * 512, "it is empty"),
        (b'{"version":3,"checkpo', "it is not JSON"),
        (b"\x89PNG\xff", "it is not text"),
        (b"[]", "it is not a JSON object"),
        (b'{"version":3}', "not a checkpoint of version 3"),
        (b'{"version":3,"checkpoint":{"latest":{"resources":[{"id":"x"}]}}}', "KeyError: 'urn'"),
        (b'{"version":3,"checkpoint":{"latest":{"resources":[7]}}}', "not a checkpoint"),
    ],
)
def test_a_damaged_checkpoint_is_named_with_what_is_wrong_and_the_way_back(
    tmp_path: Path, data: bytes, what: str
) -> None:
    path = tmp_path / "dev.json"
    path.with_name("dev.json.bak").write_bytes(b"{}")
    with pytest.raises(StateDamaged) as refusal:
        read_checkpoint(data, path, MANAGER)
    assert what in str(refusal.value)
    assert f"cp {path}.bak {path}" in str(refusal.value)


def test_a_damaged_checkpoint_without_a_backup_promises_none(tmp_path: Path) -> None:
    with pytest.raises(StateDamaged, match=r"no \.bak file"):
        read_checkpoint(b"{", tmp_path / "dev.json", MANAGER)


def test_secrets_of_a_cloud_key_are_refused_by_name() -> None:
    written = {"version": 3, "checkpoint": {"latest": {"secrets_providers": {"type": "cloud"}}}}
    with pytest.raises(StateError, match="change-secrets-provider passphrase"):
        read_checkpoint(json.dumps(written).encode(), HERE, MANAGER)


def test_an_unknown_version_is_refused_and_the_features_of_version_4_are_kept() -> None:
    with pytest.raises(StateError, match="version 9"):
        read_checkpoint(b'{"version":9,"checkpoint":{}}', HERE, MANAGER)
    snapshot = Snapshot(salt=MANAGER.salt, features=("taint",), extra={"extensions": {"a": {"name": "n"}}})
    assert again(snapshot) == snapshot


def test_everything_is_sorted_behind_what_it_needs_and_otherwise_left_in_place(thing: Make) -> None:
    a, b, c, d = (thing(name).urn for name in "abcd")
    states = [
        thing("b", parent=a),
        thing("d", dependencies=(c,), property_dependencies={"x": (b,)}),
        thing("a"),
        thing("c", provider=f"{a}::id"),
    ]
    assert [state.name for state in in_order_of_need(states)] == ["a", "b", "c", "d"]
    assert in_order_of_need([thing("x"), thing("c", dependencies=(d,)), thing("y")])[0].name == "x"


def test_a_cycle_or_a_missing_need_loses_no_resource(thing: Make) -> None:
    states = [thing("a", dependencies=(thing("b").urn, "urn:gone")), thing("b", dependencies=(thing("a").urn,))]
    assert sorted(state.name for state in in_order_of_need(states)) == ["a", "b"]


@pytest.mark.parametrize(("microsecond", "second"), [(0, "07Z"), (120_000, "07.12Z"), (100_020, "07.10002Z")])
def test_a_time_is_written_as_the_cli_would_write_it_back(microsecond: int, second: str) -> None:
    moment = datetime.datetime(2026, 1, 1, 10, 20, 7, microsecond, datetime.UTC)
    assert timestamp(moment) == f"2026-01-01T10:20:{second}"
