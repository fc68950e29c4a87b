"""A project and one of its stacks, with the configuration exactly as the Pulumi CLI would hand it to the program."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from local.engine.store.secrets import SecretsManager
from local.paths import DataRoot, LocalCloudError


@dataclass(frozen=True)
class Project:
    """What the engine has to know of a project and a stack."""

    root: Path  # the folder of Pulumi.yaml
    name: str
    main: Path  # the program: a file, or a folder with a __main__.py
    stack: str
    config: Mapping[str, str]
    secret_keys: frozenset[str]
    config_file: Path
    encryption_salt: str = ""


def load_project(folder: Path, stack: str, decrypt: Callable[[str, str], str] | None = None) -> Project:
    """The project in ``folder`` with the configuration of ``stack``.

    ``decrypt`` gets a ciphertext and the stack file's ``encryptionsalt``; by default it uses the passphrase that the
    state is encrypted with.

    Raises:
        LocalCloudError: a file is missing or is not what it should be; the message names file and line.
        PassphraseError: a secure value cannot be decrypted.
    """
    root = folder.resolve()
    project = _mapping(root / "Pulumi.yaml")
    name = str(project.get("name") or "")
    if not name:
        raise LocalCloudError(f"{root / 'Pulumi.yaml'} has no `name`. Give the project one.")
    config_file = (root / str(project.get("stackConfigDir") or ".")).resolve() / f"Pulumi.{stack}.yaml"
    settings = _mapping(config_file) if config_file.exists() else {}
    salt = str(settings.get("encryptionsalt") or "")
    config, secret_keys = _values(_defaults(project), name, salt, decrypt or _decrypt)
    own, own_secrets = _values(settings.get("config") or {}, name, salt, decrypt or _decrypt)
    return Project(
        root=root,
        name=name,
        main=(root / str(project.get("main") or ".")).resolve(),
        stack=stack,
        config={**config, **own},
        secret_keys=frozenset(own_secrets | (secret_keys - own.keys())),
        config_file=config_file,
        encryption_salt=salt,
    )


def _mapping(path: Path) -> dict[str, Any]:
    try:
        loaded = YAML(typ="safe", pure=True).load(path.read_text())
    except FileNotFoundError:
        raise LocalCloudError(f"{path} is not there. Run this in a folder with a Pulumi project.") from None
    except OSError as problem:
        raise LocalCloudError(f"{path} cannot be read: {problem.strerror}.") from None
    except (YAMLError, UnicodeDecodeError) as problem:
        mark = getattr(problem, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise LocalCloudError(f"{path}{place} is no YAML: {getattr(problem, 'problem', problem)}.") from None
    if loaded is not None and not isinstance(loaded, dict):
        raise LocalCloudError(f"{path} holds no map of keys and values.")
    return cast("dict[str, Any]", loaded or {})


def _defaults(project: Mapping[str, Any]) -> dict[str, Any]:
    """The values that Pulumi.yaml gives for all stacks."""
    defaults: dict[str, Any] = {}
    for key, entry in cast("dict[str, Any]", project.get("config") or {}).items():
        if not isinstance(entry, dict):
            defaults[key] = entry
        elif "value" in entry or "default" in entry:
            fields = cast("dict[str, Any]", entry)
            defaults[key] = fields.get("value", fields.get("default"))
    return defaults


def _values(
    written: Mapping[str, Any], project: str, salt: str, decrypt: Callable[[str, str], str]
) -> tuple[dict[str, str], set[str]]:
    config: dict[str, str] = {}
    secret_keys: set[str] = set()
    for key, value in written.items():
        full = key if ":" in key else f"{project}:{key}"
        opened, is_secret = _opened(value, lambda text: decrypt(text, salt))
        config[full] = _text(opened)
        if is_secret:
            secret_keys.add(full)
    return config, secret_keys


def _opened(value: Any, decrypt: Callable[[str], str]) -> tuple[Any, bool]:
    """A value with its secure parts decrypted, and whether it has any."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if set(fields) == {"secure"} and isinstance(fields["secure"], str):
            return decrypt(fields["secure"]), True
        opened = {key: _opened(item, decrypt) for key, item in fields.items()}
        return {key: item for key, (item, _) in opened.items()}, any(is_secret for _, is_secret in opened.values())
    if isinstance(value, list):
        items = [_opened(item, decrypt) for item in cast("list[Any]", value)]
        return [item for item, _ in items], any(is_secret for _, is_secret in items)
    return value, False


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False, default=str)
    return str(value)


def _decrypt(ciphertext: str, salt: str) -> str:
    return SecretsManager.of_environment(DataRoot.of_environment().passphrase, salt).decrypt(ciphertext)
