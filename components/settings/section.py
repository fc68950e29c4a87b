"""What every section of a stack file is, and what can be wrong between two values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError


class WrongByItself(Exception):
    """A rule has asked for a value that is wrong by itself, and told as that: the rule has nothing to say."""


class Section(BaseModel):
    """A part of the configuration: frozen, strict about types, and closed to unknown keys.

    A file that has something wrong is still checked by the rules between values: on sections that lack what is wrong
    (:meth:`partial`), where asking for a missing field raises :class:`WrongByItself`.

    What must hold between the values of one section is asked of each that is made, of a stack file or by hand
    (:func:`rule_of`); what must hold between sections is in :mod:`components.rules`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    own_rules: ClassVar[tuple[Callable[[Any], Iterator[Conflict]], ...]] = ()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in type(self).model_fields:
                raise WrongByItself(name)
            return super().__getattr__(name)

    @classmethod
    def partial(cls, values: dict[str, Any], wrong: set[str]) -> Any:
        """A section of ``values`` that are right, with the defaults of absent ones and without the ``wrong`` ones."""
        made = cls.model_construct(**values)
        kept = {name: value for name, value in made.__dict__.items() if name not in wrong}
        object.__setattr__(made, "__dict__", kept)
        return made

    @model_validator(mode="after")
    def _holds(self) -> Self:
        found = [one for rule in self.own_rules for one in rule(self)]
        if found:
            raise ValidationError.from_exception_data(type(self).__name__, [self._told(one) for one in found])
        return self

    def _told(self, conflict: Conflict) -> InitErrorDetails:
        allowed = f" (allowed: {', '.join(conflict.allowed)})" if conflict.allowed else ""
        told = {"message": conflict.message, "allowed": allowed}
        value = getattr(self, str(conflict.key[0]), self) if conflict.key else self
        return InitErrorDetails(
            type=PydanticCustomError("conflict", "{message}{allowed}", told), loc=conflict.key, input=value
        )


_S = TypeVar("_S", bound=Section)


def rule_of(section: type[_S]) -> Callable[[Callable[[_S], Iterator[Conflict]]], Callable[..., Any]]:
    """Make a function a rule of a section: what it gives, by keys from that section on, is refused."""

    def add(rule: Callable[[_S], Iterator[Conflict]]) -> Callable[..., Any]:
        section.own_rules = (*section.own_rules, rule)
        return rule

    return add


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Two values that are right alone and wrong together.

    Attributes:
        key: where it is told, a path of fields from :class:`StackConfig` on; a section's own rules: from it on.
        message: what is wrong and why.
        allowed: what may stand there instead; empty where there is no list.
        value: what stands there, where it may be a misspelling of an allowed one.
    """

    key: tuple[str | int, ...]
    message: str
    allowed: tuple[str, ...] = ()
    value: str | None = None
