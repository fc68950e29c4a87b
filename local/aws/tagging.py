"""Bringing the tags of what exists in line: the same three steps at every service, each with its own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.aws.cloud import tag_list
from local.aws.resource_type import STATE_TAG, Call


@dataclass(frozen=True)
class Tagging:
    """The requests by which a service tags and untags what exists already."""

    service: str
    target: str
    """The member that names what is tagged."""
    tag: str = "tag_resource"
    untag: str = "untag_resource"
    tags: str = "tags"
    """The member of ``tag`` that holds the tags, in the shape that ``shape`` gives them."""
    keys: str = "tagKeys"
    """The member of ``untag`` that holds the keys."""
    shape: Callable[[dict[str, str]], Any] = tag_list

    def settle(self, call: Call, target: str | list[str], have: Mapping[str, str]) -> None:
        """Make the tags of ``target``, which ``have`` are, those of the call: only what differs is written."""
        added, removed = tag_changes(have, call.all_tags)
        if added:
            call.cloud.call(self.service, self.tag, **{self.target: target, self.tags: self.shape(added)})
        if removed:
            call.cloud.call(self.service, self.untag, **{self.target: target, self.keys: removed})


def tag_changes(have: Mapping[str, str], want: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The tags to write and the keys to remove. What a type itself keeps in `STATE_TAG` stays."""
    added = {key: value for key, value in want.items() if have.get(key) != value}
    return added, [key for key in have if key not in want and key != STATE_TAG]
