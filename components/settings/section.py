"""What every section of a stack file is, and what can be wrong between two values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict


class WrongByItself(Exception):
    """A rule has asked for a value that is wrong by itself, and told as that: the rule has nothing to say."""


class Section(BaseModel):
    """A part of the configuration: frozen, strict about types, and closed to unknown keys.

    A file that has something wrong is still checked by the rules between values: on sections that lack what is wrong
    (:meth:`partial`), where asking for a missing field raises :class:`WrongByItself`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

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


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Two values that are right alone and wrong together.

    Attributes:
        key: where it is told, a path of fields from :class:`StackConfig` on.
        message: what is wrong and why.
        allowed: what may stand there instead; empty where there is no list.
        value: what stands there, where it may be a misspelling of an allowed one.
    """

    key: tuple[str | int, ...]
    message: str
    allowed: tuple[str, ...] = ()
    value: str | None = None
