"""URNs: how a resource's name, type, parent, project and stack become the one name that the state knows it by."""

from __future__ import annotations

from dataclasses import dataclass

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"


@dataclass(frozen=True)
class Naming:
    """The stack and project that URNs are made for."""

    stack: str
    project: str

    def urn(self, type_token: str, name: str, parent: str = "") -> str:
        """The URN of a resource; a parent that is the stack itself does not show in it."""
        return self.with_parent_type(type_token, name, parent_type(parent))

    def with_parent_type(self, type_token: str, name: str, qualified_parent: str) -> str:
        """The URN under a parent of which only the qualified type is known."""
        qualified = f"{qualified_parent}${type_token}" if qualified_parent else type_token
        return f"urn:pulumi:{self.stack}::{self.project}::{qualified}::{name}"


def qualified_type(urn: str) -> str:
    """All types from the outermost parent to the resource, joined by ``$``."""
    return urn.split("::", 3)[2]


def type_of(urn: str) -> str:
    """The resource's own type token."""
    return qualified_type(urn).rsplit("$", 1)[-1]


def name_of(urn: str) -> str:
    """The resource's logical name."""
    return urn.split("::", 3)[3]


def parent_type(parent: str) -> str:
    """What a parent adds to its children's URNs: nothing for the stack and for no parent."""
    if not parent:
        return ""
    qualified = qualified_type(parent)
    return "" if qualified == STACK_TYPE else qualified


def package_of(type_token: str) -> str:
    """The package that a type or function token belongs to; for a provider's type, the one that it provides."""
    if type_token.startswith(PROVIDER_PREFIX):
        return type_token.removeprefix(PROVIDER_PREFIX)
    return type_token.split(":", 1)[0]


def is_provider(type_token: str) -> bool:
    """Whether resources of this type are providers."""
    return type_token.startswith(PROVIDER_PREFIX)


def split_reference(reference: str) -> tuple[str, str]:
    """The URN and the id of a provider reference ``<urn>::<id>``."""
    urn, _, identity = reference.rpartition("::")
    return urn, identity
