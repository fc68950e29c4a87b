"""Secrets are encrypted in the state and shown nowhere."""

from __future__ import annotations

import io

from rich.console import Console

from local.engine import Engine, PlainDisplay, TreeDisplay, load_project
from tests.local.engine.conftest import Stack
from tests.local.engine.null_provider import NullProvider

CANARY = "canary-4711"
PROGRAM = f"""
secret = pulumi.Output.secret("{CANARY}")
a = Thing("a", password=secret, nested={{"deep": [secret]}})
b = Thing("b", value=secret.apply(lambda s: "x" + s + "y"))
c = Thing("c", value="plain", opts=O(additional_secret_outputs=["token"]))
pulumi.export("password", a.password if hasattr(a, "password") else secret)
pulumi.export("token", c.token)
a.token.apply(lambda _: (pulumi.log.warn("the password is {CANARY}"), print("printed {CANARY}")))
Thing("d", fail="with {CANARY}", password=secret)
"""


def test_a_secret_is_in_no_file_of_the_state_and_in_no_event(stack: Stack) -> None:
    stack.up(PROGRAM)
    assert not stack.up(PROGRAM.replace('"plain"', '"other"')).succeeded
    written = [path.read_bytes() for path in (stack.root / "state").rglob("*") if path.is_file()]
    assert written
    assert all(CANARY.encode() not in data for data in written)
    assert CANARY not in repr(stack.display.events)


def test_no_display_prints_a_secret(stack: Stack) -> None:
    stack.write(PROGRAM)
    plain, tree = io.StringIO(), io.StringIO()
    for display in (PlainDisplay(plain), TreeDisplay(Console(file=tree, force_terminal=True, width=100))):
        Engine(
            load_project(stack.root, "test"), stack.store(), {"null": lambda: NullProvider(stack.world)}, display
        ).up()
    for shown in (plain.getvalue(), tree.getvalue()):
        assert "[secret]" in shown
        assert CANARY not in shown


def test_secret_outputs_are_there_for_the_program_that_asked_and_masked_for_people(stack: Stack) -> None:
    result = stack.up('pulumi.export("s", pulumi.Output.secret("canary"))')
    assert result.outputs == {"s": "[secret]"}
    assert result.raw_outputs == {"s": "canary"}
    assert "canary" not in repr(result)


def test_additional_secret_outputs_are_encrypted(stack: Stack) -> None:
    stack.up('Thing("c", value="v", opts=O(additional_secret_outputs=["token"]))')
    assert repr(stack.states()["c"].outputs["token"]) == "[secret]"


def test_a_secret_of_the_configuration_reaches_the_provider_and_nobody_else(stack: Stack) -> None:
    from tests.local.engine.conftest import SECRETS

    salt = SECRETS.salt
    sealed = SECRETS.encrypt("canary")
    (stack.root / "Pulumi.test.yaml").write_text(
        f"encryptionsalt: {salt}\nconfig:\n  null:region:\n    secure: {sealed}\n"
    )
    stack.write('pulumi.export("r", Thing("a").region)')
    project = load_project(stack.root, "test", decrypt=lambda text, _: SECRETS.decrypt(text))
    assert project.secret_keys == {"null:region"}
    assert project.config["null:region"] == "canary"
    seen: list[str] = []

    class Watching(NullProvider):
        def Configure(self, request, context):  # type: ignore[no-untyped-def]
            answer = super().Configure(request, context)
            seen.append(self.config["region"])
            return answer

    Engine(project, stack.store(), {"null": lambda: Watching(stack.world)}, stack.display).up()
    assert seen == ["canary"]
    assert "canary" not in repr(stack.display.events)
