"""The configuration as the program gets it: through ``pulumi.Config``, whoever set it."""

from __future__ import annotations

from pathlib import Path

import pulumi
from pulumi.runtime import config as runtime

from ..settings import PROJECT, AwsConfig, StackConfig
from . import load_values


def load_program(stack_file: Path) -> StackConfig:
    """The stack's configuration from ``pulumi.Config``; ``stack_file`` only says where an error stands.

    So ``pulumi up --config``, ``pulumi config set`` and a ``--config-file`` elsewhere reach the program like everything
    else does.

    Raises:
        ConfigurationError: with every problem, not only the first.
    """
    values = {key: text for key in _keys() if (text := _get(key)) is not None}
    return load_values(stack_file, values, [key for key in values if runtime.is_config_secret(key)])


def _get(key: str) -> str | None:
    namespace, _, name = key.partition(":")
    return pulumi.Config(namespace).get(name)


def _keys() -> list[str]:
    """Every key that is set, so that an unknown one is told; a known one may also be an environment variable alone."""
    known = [f"{PROJECT}:{name}" for name in StackConfig.model_fields if name != "aws"]
    known += [f"aws:{field.alias or name}" for name, field in AwsConfig.model_fields.items()]
    return list(dict.fromkeys([*runtime.CONFIG.get(), *runtime.get_config_env(), *known]))
