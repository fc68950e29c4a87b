"""The engine as a whole, on the null provider: what it does to the world, and what it keeps of it."""

from __future__ import annotations

import os

import pytest

from local.engine import Diagnostic
from tests.local.engine.conftest import Stack, changed

CHAIN = """
a = Thing("a", value="1")
b = Thing("b", value=a.token)
pulumi.export("token", b.token)
"""


def test_an_up_makes_what_the_program_declares_and_the_next_changes_nothing(stack: Stack) -> None:
    first = stack.up(CHAIN)
    assert not first.errors
    assert changed(first) == {"create": 4}
    assert stack.world.names() == ["a", "b"]
    assert first.raw_outputs == {"token": "token-of-b"}
    assert changed(stack.preview()) == {}
    assert changed(stack.up()) == {}


def test_a_preview_knows_what_would_come_and_touches_nothing(stack: Stack) -> None:
    result = stack.preview(CHAIN)
    assert changed(result) == {"create": 4}
    assert not result.errors
    assert stack.world.all() == {}
    assert not stack.store().exists()


def test_an_update_in_place_shows_exactly_the_property_that_changed(stack: Stack) -> None:
    stack.up(CHAIN)
    result = stack.up(CHAIN.replace('"1"', '"2"'))
    assert changed(result) == {"update": 1}
    (step,) = result.steps
    assert [(c.path, c.old, c.new) for c in step.changes] == [("value", "1", "2")]


def test_a_destroy_leaves_nothing_and_goes_dependents_first(stack: Stack) -> None:
    stack.up(CHAIN)
    assert not stack.engine().destroy().errors
    assert stack.world.all() == {}
    assert stack.states() == {}
    assert [name for what, name in stack.world.calls if what == "delete"] == ["b", "a"]


def test_what_the_program_does_not_name_any_more_is_deleted(stack: Stack) -> None:
    stack.up(CHAIN)
    assert changed(stack.up('Thing("a", value="1")')) == {"delete": 1}
    assert stack.world.names() == ["a"]


def test_a_replacement_is_made_before_the_old_one_goes(stack: Stack) -> None:
    stack.up('a = Thing("a", force="1"); Thing("b", value=a.id)')
    stack.world.calls.clear()
    result = stack.up('a = Thing("a", force="2"); Thing("b", value=a.id)')
    assert changed(result) == {"replace": 1, "update": 1, "delete": 1}
    assert stack.world.calls == [("create", "a"), ("update", "b"), ("delete", "a")]
    assert stack.world.names() == ["a", "b"]


def test_a_replacement_that_deletes_first_takes_what_cannot_be_without_it(stack: Stack) -> None:
    program = 'a = Thing("a", first="{0}"); b = Thing("b", force=a.token); Thing("c", value=a.token)'
    stack.up(program.format(1))
    stack.world.calls.clear()
    assert not stack.up(program.format(2)).errors
    assert stack.world.calls[:3] == [("delete", "b"), ("delete", "a"), ("create", "a")]
    assert stack.world.names() == ["a", "b", "c"]
    assert changed(stack.preview()) == {}


def test_delete_before_replace_can_be_asked_for_and_refused(stack: Stack) -> None:
    stack.up('Thing("a", force="1"); Thing("b", first="1")')
    stack.world.calls.clear()
    stack.up("""
        Thing("a", force="2", opts=O(delete_before_replace=True))
        Thing("b", first="2", opts=O(delete_before_replace=False))
    """)
    order = stack.world.calls
    assert order.index(("delete", "a")) < order.index(("create", "a"))
    assert order.index(("create", "b")) < order.index(("delete", "b"))


def test_a_protected_resource_is_neither_deleted_nor_replaced(stack: Stack) -> None:
    stack.up('Thing("a", force="1", opts=O(protect=True))')
    for program in ("", 'Thing("a", force="2", opts=O(protect=True))'):
        result = stack.up(program)
        assert len(result.errors) == 1
        assert "protected" in result.errors[0].message
    assert "protected" in stack.engine().destroy().errors[0].message
    assert stack.world.names() == ["a"]
    assert "a" in stack.states()


def test_retain_on_delete_leaves_the_thing_and_forgets_it(stack: Stack) -> None:
    stack.up('Thing("a", opts=O(retain_on_delete=True))')
    assert not stack.up("").errors
    assert stack.world.names() == ["a"]
    assert "a" not in stack.states()


def test_an_alias_makes_a_rename_no_change(stack: Stack) -> None:
    stack.up('g = Group("old"); Thing("old-child", opts=O(parent=g))')
    renamed = 'g = Group("new", O(aliases=[pulumi.Alias(name="old")])); Thing("new-child", opts=O(parent=g))'
    assert changed(stack.up(renamed)) == {}
    assert "new-child" in stack.states()
    assert "old-child" not in stack.states()
    assert changed(stack.up(renamed.replace(', O(aliases=[pulumi.Alias(name="old")])', ""))) == {}


def test_ignored_changes_keep_the_old_value(stack: Stack) -> None:
    stack.up('Thing("a", value="1")')
    assert changed(stack.up('Thing("a", value="2", opts=O(ignore_changes=["value"]))')) == {}
    assert stack.states()["a"].inputs["value"] == "1"


def test_replace_on_changes_turns_an_update_into_a_replacement(stack: Stack) -> None:
    stack.up('Thing("a", value="1")')
    assert changed(stack.up('Thing("a", value="2", opts=O(replace_on_changes=["value"]))'))["replace"] == 1


def test_explicit_providers_have_their_own_configuration(stack: Stack) -> None:
    stack.up("""
        there = Provider("there", region="there")
        pulumi.export("regions", [Thing("a").region, Thing("b", opts=O(provider=there)).region])
    """)
    states = stack.states()
    assert states["a"].outputs["region"] == "here"
    assert states["b"].outputs["region"] == "there"
    assert states["b"].provider == states["there"].reference


def test_a_provider_of_another_region_replaces_its_resources(stack: Stack) -> None:
    program = 'p = Provider("p", region="{}"); Thing("a", opts=O(provider=p))'
    stack.up(program.format("one"))
    result = stack.up(program.format("two"))
    assert not result.errors
    assert changed(result) == {"replace": 2, "delete": 2}
    assert stack.world.names() == ["a"]
    assert stack.states()["a"].outputs["region"] == "two"


def test_a_failed_create_stops_dependents_and_is_told_once_with_its_place(stack: Stack) -> None:
    result = stack.up("""
        ok = Thing("ok")
        bad = Thing("bad", fail="no room")
        Thing("after", value=bad.token)
    """)
    (error,) = result.errors
    assert "no room" in error.message
    assert error.urn.endswith("::bad")
    assert error.file.endswith("__main__.py")
    assert error.line > 0
    assert "after" not in stack.world.names()
    assert "bad" not in stack.states()
    assert not stack.up('Thing("ok"); Thing("bad"); Thing("after")').errors


def test_what_a_failed_create_made_stays_in_the_state_and_is_tried_again(stack: Stack) -> None:
    result = stack.up('Thing("a", half="not ready")')
    assert len(result.errors) == 1
    assert stack.states()["a"].init_errors == ("not ready",)
    assert changed(stack.preview()) == {"update": 1}
    assert not stack.up('Thing("a")').errors
    assert stack.states()["a"].init_errors == ()
    assert stack.world.names() == ["a"]


def test_a_refused_input_is_told_with_the_property(stack: Stack) -> None:
    (error,) = stack.up('Thing("a", value="refuse")').errors
    assert error.message == "value: must not be 'refuse'"
    assert stack.world.all() == {}


def test_an_exception_of_the_program_names_file_and_line_and_loses_no_state(stack: Stack) -> None:
    stack.up(CHAIN)
    result = stack.up('Thing("a", value="1")\nraise RuntimeError("what now")')
    (error,) = result.errors
    assert "what now" in error.message
    assert error.file == str(stack.root / "__main__.py")
    assert error.line > 20
    assert stack.world.names() == ["a", "b"]
    assert "b" in stack.states()


def test_two_resources_of_one_name_are_refused(stack: Stack) -> None:
    (error,) = stack.up('Thing("a"); Thing("a")').errors
    assert "two resources" in error.message


def test_an_unknown_package_is_refused_in_a_sentence(stack: Stack) -> None:
    (error,) = stack.up('pulumi.CustomResource("gcp:x:Y", "a", {})').errors
    assert "no provider for the package 'gcp'" in error.message


def test_independent_creates_overlap_and_never_more_than_allowed(stack: Stack) -> None:
    stack.write('[Thing(f"t{i}", sleep=0.2) for i in range(8)]')
    assert not stack.engine(parallel=4).up().errors
    assert 2 <= stack.world.most_running <= 4


def test_a_refresh_sees_what_is_gone_and_what_differs_and_up_mends_it(stack: Stack) -> None:
    stack.up(CHAIN)
    ids = {name: state.id for name, state in stack.states().items()}
    stack.world.remove(ids["a"])
    stack.world.put(ids["b"], {**stack.world.all()[ids["b"]], "inputs": {"value": "meddled"}})
    result = stack.engine().refresh()
    assert changed(result) == {"delete": 1, "update": 1}
    assert "a" not in stack.states()
    assert stack.states()["b"].outputs["value"] == "meddled"
    assert changed(stack.up()) == {"create": 1, "update": 1}
    assert stack.world.names() == ["a", "b"]


def test_an_up_that_refreshes_first_counts_what_the_up_did(stack: Stack) -> None:
    stack.up(CHAIN)
    before = stack.states()
    stack.world.remove(before["a"].id)
    result = stack.engine().up(refresh=True)
    assert changed(result) == {"create": 1}
    assert [step.op for step in result.steps] == ["create"]
    assert result.changes["same"] == len(before) - 1


def test_get_reads_what_is_not_ours_and_never_deletes_it(stack: Stack) -> None:
    stack.world.put("x1", {"urn": "somebody::else", "digest": "", "inputs": {"value": "theirs"}})
    program = """
        class Got(Thing):
            def __init__(self, id):
                pulumi.CustomResource.__init__(self, "null:index:Thing", "got", {"value": None}, O(id=id))
        pulumi.export("value", Got("x1").value)
    """
    assert stack.up(program).raw_outputs == {"value": "theirs"}
    assert stack.states()["got"].external
    assert not stack.engine().destroy().errors
    assert list(stack.world.all()) == ["x1"]
    (error,) = stack.up(program.replace("x1", "x2")).errors
    assert "no null:index:Thing with the id 'x2'" in error.message


def test_an_invoke_is_answered_in_process_and_unknown_arguments_give_an_unknown_result(stack: Stack) -> None:
    program = """
        a = Thing("a")
        known = pulumi.runtime.invoke_output("null:index:echo", {"value": "hi"}).apply(lambda r: [r["echo"], r["pid"]])
        later = pulumi.runtime.invoke_output("null:index:echo", {"value": a.token}).apply(lambda r: r["echo"])
        pulumi.export("known", known)
        pulumi.export("later", later)
    """
    preview = stack.preview(program)
    assert not preview.errors
    assert preview.outputs["known"] == ["hi", os.getpid()]
    assert str(preview.outputs["later"]) == "[unknown]"
    assert stack.up().raw_outputs["later"] == "token-of-a"


def test_component_outputs_and_messages_of_the_program_arrive(stack: Stack) -> None:
    stack.up("""
        g = Group("g")
        g.register_outputs({"answer": 42})
        pulumi.log.warn("mind the gap", g)
        print("printed")
    """)
    assert stack.states()["g"].outputs == {"answer": 42}
    assert {"mind the gap", "printed"} <= set(stack.display.messages())


def test_children_of_a_protected_component_are_protected(stack: Stack) -> None:
    stack.up('g = Group("g", O(protect=True)); Thing("a", opts=O(parent=g))')
    assert stack.states()["a"].protect


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ("transforms=[lambda args: None]", "transforms"),
        ("hooks=pulumi.ResourceHookBinding(before_create=[lambda args: None])", "resource hooks"),
    ],
)
def test_what_the_engine_does_not_offer_is_refused_in_its_own_words(stack: Stack, option: str, named: str) -> None:
    (error,) = stack.up(f'Thing("a", opts=O({option}))').errors
    assert f"uses {named}, which the embedded engine does not offer; `--engine cli` does" in error.message
    assert stack.world.all() == {}


def test_what_a_provider_says_while_it_works_is_shown_with_the_resource_and_without_secrets(stack: Stack) -> None:
    result = stack.up('Thing("a", says="1 of 2 pods succeeded"); Thing("b", says=pulumi.Output.secret("canary"))')
    told = {
        event.urn.rsplit("::")[-1]: (event.severity, event.message)
        for event in stack.display.events
        if isinstance(event, Diagnostic)
    }
    assert not result.errors
    assert told == {"a": ("info", "1 of 2 pods succeeded"), "b": ("info", "[secret]")}


def test_a_replacement_for_a_reason_outside_the_inputs_shows_no_property_as_changed(stack: Stack) -> None:
    stack.up('Thing("a", unready=True)')
    step = next(step for step in stack.preview().steps if step.op == "replace")
    assert step.changes == ()
