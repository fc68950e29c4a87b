"""Deletions: what needs another goes before it, the rest at once, and nothing after a failure."""

from __future__ import annotations

import threading

from local.engine.schedule import in_reverse_order_of_need
from local.engine.store.model import ResourceState


def state(name: str, *needs: str) -> ResourceState:
    return ResourceState(urn=name, type="null:index:Thing", custom=True, id=name, dependencies=needs)


DIAMOND = [state("base"), state("left", "base"), state("right", "base"), state("top", "left", "right")]


def test_everything_goes_after_all_that_need_it() -> None:
    gone: list[str] = []
    in_reverse_order_of_need(DIAMOND, lambda one: gone.append(one.urn) is None, 4)
    assert gone[0] == "top"
    assert gone[-1] == "base"
    assert sorted(gone[1:3]) == ["left", "right"]


def test_what_does_not_need_each_other_goes_at_once() -> None:
    both = threading.Barrier(2, timeout=20)

    def act(one: ResourceState) -> bool:
        if one.urn in ("left", "right"):
            both.wait()  # raises BrokenBarrierError where only one comes
        gone.append(one.urn)
        return True

    gone: list[str] = []
    in_reverse_order_of_need(DIAMOND, act, 4)
    assert len(gone) == 4


def test_after_a_failure_nothing_that_waited_for_it_is_touched() -> None:
    tried: list[str] = []

    def act(one: ResourceState) -> bool:
        tried.append(one.urn)
        return one.urn != "top"

    in_reverse_order_of_need(DIAMOND, act, 4)
    assert tried == ["top"]


def test_a_defect_in_one_deletion_ends_the_run_instead_of_hanging_it() -> None:
    def act(one: ResourceState) -> bool:
        tried.append(one.urn)
        raise RuntimeError(one.urn)

    tried: list[str] = []
    in_reverse_order_of_need(DIAMOND, act, 1)
    assert tried == ["top"]


def test_of_a_cycle_nothing_is_begun_and_nobody_waits_for_ever() -> None:
    gone: list[str] = []
    cycle = [state("a", "b"), state("b", "a"), state("c")]
    in_reverse_order_of_need(cycle, lambda one: gone.append(one.urn) is None, 2)
    assert gone == ["c"]


def test_nothing_to_delete_is_done_at_once() -> None:
    in_reverse_order_of_need([], lambda one: False, 1)
