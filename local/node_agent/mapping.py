"""From a pod's specification to a process: pure, but for looking up config maps and secrets."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from local.paths import CHECKOUT

WORKLOAD_REPOSITORY = "train"
"""The last part of the name of the repository whose image nodes carry: that of the checkout's ``workloads``."""

ADDRESS = "127.0.0.1"
Json = Mapping[str, Any]
Lookup = Callable[[str, str], Mapping[str, str] | None]
"""(``configmaps`` or ``secrets``, name) to the data of it, decoded; None when there is none."""


class CannotRun(Exception):
    """The container waits: ``reason`` as the kubelet would give it, and what to do in the message."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def check(pod: Json, container: Json) -> None:
    """Raise `CannotRun` for what a process cannot be given."""
    image = str(container.get("image", ""))
    if not is_workload(image):
        raise CannotRun(
            "ImagePullBackOff",
            f"process nodes carry only the workload image (a repository named …/{WORKLOAD_REPOSITORY}), not {image!r}",
        )
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
    given = [path for _, path in projected(pod, container)]
    for mount in container.get("volumeMounts", []):
        if mount["mountPath"] == "/dev/shm" and "emptyDir" in volumes.get(mount["name"], {}):
            continue  # the host's own is there
        if _is_token(volumes.get(mount["name"], {})):
            continue  # it would be changed for credentials of the cloud, which the environment brings
        if str(mount["mountPath"]).rstrip("/") in given:
            continue
        raise CannotRun(
            "CreateContainerConfigError",
            f"process nodes cannot mount {mount['name']!r} at {mount['mountPath']}: pass it through the environment"
            " (for the service account's token: automountServiceAccountToken: false, and a projected volume whose path"
            " a variable names)",
        )
    if not container.get("command"):
        raise CannotRun("CreateContainerError", "process nodes do not read images: give the container a `command`")


def _is_token(volume: Json) -> bool:
    """Whether a volume is a service account's token for another audience, and nothing else."""
    sources = (volume.get("projected") or {}).get("sources") or []
    tokens = [source["serviceAccountToken"] for source in sources if "serviceAccountToken" in source]
    return bool(sources) and len(tokens) == len(sources) and all(token.get("audience") for token in tokens)


def projected(pod: Json, container: Json) -> Iterator[tuple[Json, str]]:
    """The container's projected volumes of which a process can be given the files, each with the path of its mount.

    It is told by a variable where they are: one whose value is that path, or below it.
    """
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
    for mount in container.get("volumeMounts", []):
        volume, path = volumes.get(mount["name"], {}), str(mount["mountPath"]).rstrip("/")
        is_told = any(is_below(one.get("value"), path) for one in container.get("env", []))
        if is_told and _can_be_files(volume):
            yield volume, path


def is_below(value: str | None, path: str) -> bool:
    """Whether a variable's value is a path, or one below it."""
    return value is not None and (value == path or value.startswith(f"{path}/"))


def _can_be_files(volume: Json) -> bool:
    """Whether all sources of a volume are config maps and the account's tokens for the API server."""
    sources = (volume.get("projected") or {}).get("sources") or []
    return bool(sources) and all(
        "configMap" in source or ("serviceAccountToken" in source and not source["serviceAccountToken"].get("audience"))
        for source in sources
    )


def is_workload(image: str) -> bool:
    """Whether an image is the workload's, by the repository that is declared for it."""
    return repository(image).rpartition("/")[2] == WORKLOAD_REPOSITORY


def repository(image: str) -> str:
    """An image's repository, without its tag and digest."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def argv(container: Json, env: Mapping[str, str]) -> list[str]:
    """The command and its arguments with ``$(VAR)`` expanded."""
    return [expand(part, env) for part in [*container.get("command", []), *container.get("args", [])]]


def expand(text: str, env: Mapping[str, str]) -> str:
    """``$(VAR)`` becomes its value, ``$$(VAR)`` a literal ``$(VAR)``, an unknown one stays: the kubelet's rules."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return env.get(match[1], match[0])

    return re.sub(r"\$\$|\$\(([^()]*)\)", value, text)


def environment(pod: Json, container: Json, lookup: Lookup) -> dict[str, str]:
    """The variables that the container declares, in order.

    Raises:
        CannotRun: a config map, a secret or a key is missing and not optional, or a source is not supported.
    """
    env: dict[str, str] = {}
    for source in container.get("envFrom", []):
        env.update(_all_of(source, lookup))
    for variable in container.get("env", []):
        source = variable.get("valueFrom")
        value = _value_from(pod, container, source, lookup) if source else expand(variable.get("value", ""), env)
        if value is not None:
            env[variable["name"]] = value
    return env


def base_environment(pod: Json, folder: Path) -> dict[str, str]:
    """What stands in for the image's own environment; nothing of the agent's leaks in."""
    return {
        "PATH": f"{Path(sys.prefix) / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(CHECKOUT / "workloads"),
        "PYTHONUNBUFFERED": "1",  # logs appear when they are written
        "PYTHONDONTWRITEBYTECODE": "1",  # a __pycache__ in the checkout would change what is packed from it
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "HOSTNAME": pod["spec"].get("hostname") or pod["metadata"]["name"],
        "LANG": "C.UTF-8",
    }


def _all_of(source: Json, lookup: Lookup) -> dict[str, str]:
    kind, field = ("configmaps", "configMapRef") if "configMapRef" in source else ("secrets", "secretRef")
    reference = source[field]
    data = lookup(kind, reference["name"])
    if data is None and not reference.get("optional"):
        raise CannotRun("CreateContainerConfigError", f"{kind[:-1]} {reference['name']!r} not found")
    return {source.get("prefix", "") + key: value for key, value in (data or {}).items()}


def _value_from(pod: Json, container: Json, source: Json, lookup: Lookup) -> str | None:
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return resource_value(container, source["resourceFieldRef"]["resource"])
    kind, field = ("configmaps", "configMapKeyRef") if "configMapKeyRef" in source else ("secrets", "secretKeyRef")
    reference = source.get(field)
    if reference is None:
        raise CannotRun("CreateContainerConfigError", f"process nodes have no environment from {', '.join(source)}")
    value = (lookup(kind, reference["name"]) or {}).get(reference["key"])
    if value is None and not reference.get("optional"):
        raise CannotRun(
            "CreateContainerConfigError", f"{kind[:-1]} {reference['name']!r} has no key {reference['key']!r}"
        )
    return value


def field_value(pod: Json, path: str) -> str:
    """A downward-API field of a pod."""
    if match := re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path):
        return pod["metadata"].get(match[1], {}).get(match[2], "")
    fields = {
        **{f"metadata.{name}": pod["metadata"].get(name, "") for name in ("name", "namespace", "uid")},
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", ""),
        **{f"status.{name}": ADDRESS for name in ("hostIP", "hostIPs", "podIP", "podIPs")},
    }
    if path not in fields:
        raise CannotRun("CreateContainerConfigError", f"process nodes do not know the field {path!r}")
    return fields[path]


def resource_value(container: Json, resource: str) -> str:
    """A container's own request or limit in whole units, rounded up as the kubelet does with divisor 1."""
    kind, _, name = resource.partition(".")
    quantity = str(container.get("resources", {}).get(kind, {}).get(name, "0"))
    match = re.fullmatch(r"([0-9.]+)(m|k|M|G|T|Ki|Mi|Gi|Ti)?", quantity)
    if match is None:
        raise CannotRun("CreateContainerConfigError", f"cannot read the quantity {quantity!r} of {resource}")
    units = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
    return str(-int(-float(match[1]) * units.get(match[2], 1) // 1))
