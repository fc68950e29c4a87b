"""What a launch template's user data tells nodeadm: the taints and labels that a node registers with."""

from __future__ import annotations

import base64
import binascii
import email
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from local.node_spec import Taint
from local.paths import LocalCloudError

_KIND = "application/node.eks.aws"
_LABELS = "--node-labels="


@dataclass(frozen=True)
class Registration:
    """What a node has from its first moment, and what nobody puts back on it."""

    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    taints: tuple[Taint, ...] = ()


def registration(user_data: str | None) -> Registration:
    """Of user data as EC2 keeps it, in base64; nothing where it holds no NodeConfig.

    Parts are merged as nodeadm does: flags add up, and of the kubelet's configuration the last part's value stands.

    Raises:
        LocalCloudError: it cannot be read.
    """
    labels, taints = dict[str, str](), tuple[Taint, ...]()
    try:
        for document in _documents(user_data or ""):
            kubelet = (document.get("spec") or {}).get("kubelet") or {}
            for flag in kubelet.get("flags") or []:
                labels |= _labels(flag)
            if "registerWithTaints" in (kubelet.get("config") or {}):
                given = kubelet["config"]["registerWithTaints"]
                taints = tuple(Taint(one["key"], one.get("value", ""), one["effect"]) for one in given)
    except (binascii.Error, YAMLError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LocalCloudError(
            f"the launch template's user data is no NodeConfig that nodeadm takes: {error}"
        ) from error
    return Registration(labels, taints)


def _documents(user_data: str) -> Iterator[dict[str, Any]]:
    for part in email.message_from_bytes(base64.b64decode(user_data)).walk():
        if part.get_content_type() == _KIND:
            content = cast(bytes, part.get_payload(decode=True))
            yield YAML(typ="safe").load(content.decode())


def _labels(flag: str) -> dict[str, str]:
    if not flag.startswith(_LABELS):
        return {}
    pairs = [pair.partition("=") for pair in flag.removeprefix(_LABELS).strip('"').split(",") if pair]
    return {name: value for name, _, value in pairs}
