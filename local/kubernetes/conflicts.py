"""Whether a field that another manager holds was declared by this program before."""

from __future__ import annotations

import json
import re
from typing import Any, cast

_SELECTOR = re.compile(r"\[([^\]]*)\]")


def declares(inputs: Any, field: str) -> bool:
    """Whether inputs have the field that the API server names (``.spec.containers[name="a"].image``).

    Keys may themselves contain dots (``.metadata.labels.app.kubernetes.io/name``).
    """
    if not field:
        return True
    if isinstance(inputs, dict) and field.startswith("."):
        return any(
            declares(value, field[1 + len(key) :])
            for key, value in cast(dict[str, Any], inputs).items()
            if field.startswith(key, 1) and field[1 + len(key) : 2 + len(key)] in ("", ".", "[")
        )
    if isinstance(inputs, list) and (selector := _SELECTOR.match(field)):
        rest = field[selector.end() :]
        return any(declares(item, rest) for item in cast(list[Any], inputs) if _selects(selector[1], item))
    return False


def _selects(selector: str, item: Any) -> bool:
    for condition in selector.split(","):
        key, _, value = condition.partition("=")
        try:
            wanted: Any = json.loads(value)
        except ValueError:
            return False
        actual = cast(dict[str, Any], item).get(key) if isinstance(item, dict) and key else item
        if isinstance(item, dict) and key == "protocol" and actual is None:
            continue  # the server's default
        if actual != wanted:
            return False
    return True
