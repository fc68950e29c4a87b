"""Types that a service makes, describes and deletes by one request each: what is the same for all of them, once.

The request is spelt by botocore's model of the service. What the service changes in place and moto has no request for
is noted in a tag of the thing (:data:`STATE_TAG`), so that it is read back as it was left.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name

from local.aws.cloud import Cloud, tag_list, tag_map
from local.aws.resource_type import AUTONAMED, STATE_TAG, URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.shapes import input_of, to_members
from local.aws.tagging import Tagging
from local.provider.values import Values

Entry = dict[str, Any]
_NOT_REQUESTED = ("tags", "tagsAll", "region", AUTONAMED)


def _as_given(call: Call) -> Values:
    return call.inputs


@dataclass(frozen=True, kw_only=True)
class Described:
    """How a service speaks of one kind of thing.

    Attributes:
        create: the operation that makes it, as botocore spells it.
        made: the member of the answer that holds what was made; empty where that is the answer.
        describe: the operation that lists all of them.
        entries: the member of its answer that holds them.
        page: what a listing of all needs to be one page.
        id: the member of an entry that is its id.
        ask: the members by which ``describe`` gives one, by its id.
        delete: the operation that removes it; takes the id under the name of ``id``.
        outputs: the properties of an entry, but for its tags.
        values: the properties that the create request takes, where they are not the inputs as they are.
        drop: inputs that are no part of the create request.
        renames: property to member, where more than upper and lower case differs.
        noted: properties that are changed in place without a request of moto's.
        change: further changes in place: the call, and what changed.
        tagging: how tags are changed, and ``tag_target`` the member of an entry that names what is tagged; without it
            the thing has no tags, and is found by ``same``.
        same: whether an entry is what the call wants, for things without tags.
    """

    token: str
    service: str
    create: str
    describe: str
    entries: str
    id: str
    ask: Callable[[str], Values]
    delete: str
    outputs: Callable[[Cloud, Entry], Values]
    made: str = ""
    page: Values = field(default_factory=dict[str, Any])
    values: Callable[[Call], Values] = _as_given
    drop: tuple[str, ...] = ()
    renames: dict[str, str] = field(default_factory=dict[str, str])
    noted: tuple[str, ...] = ()
    change: Callable[[Call, frozenset[str]], None] | None = None
    settled_on_create: frozenset[str] = frozenset()
    tagging: Tagging | None = None
    tag_target: str = ""
    same: Callable[[Call, Entry], bool] | None = None
    listing: Callable[[Call], Values] = field(default=lambda call: {})
    replace_on: tuple[str, ...] = ()
    defaults: Values = field(default_factory=dict[str, Any])

    def type(self) -> ResourceType:
        """The type of the provider's table."""
        return ResourceType(
            token=self.token, create=self._create, read=self._read, delete=self._delete, find=self._find,
            settle=self._settle if self.tagging or self.change else None, settled_on_create=self.settled_on_create,
            replace_on=self.replace_on, defaults=self.defaults, taggable=self.tagging is not None,
        )  # fmt: skip

    def _create(self, call: Call) -> str:
        shape = input_of(call.cloud.account.model(self.service), self.create)
        values = {k: v for k, v in self.values(call).items() if k not in (*_NOT_REQUESTED, *self.drop)}
        request = to_members(values, shape, self.renames, f"{self.token.rsplit(':', 1)[1]}.")
        if self.tagging:
            request["Tags"] = tag_list(call.all_tags)
        answer = call.cloud.call(self.service, xform_name(self.create), **request)
        return (answer[self.made] if self.made else answer)[self.id]

    def _entry(self, cloud: Cloud, id: str) -> Entry | None:
        answer = cloud.seek(self.service, xform_name(self.describe), **self.ask(id))
        return next(iter((answer or {}).get(self.entries, [])), None)

    def _read(self, cloud: Cloud, id: str, state: Values) -> Values | None:
        entry = self._entry(cloud, id)
        if entry is None:
            return None
        tags = tag_map(entry.get("Tags"))
        noted = json.loads(tags.pop(STATE_TAG, "{}"))
        return {**self.outputs(cloud, entry), **noted, **({"tags": tags} if self.tagging else {})}

    def _settle(self, call: Call, changed: frozenset[str]) -> None:
        if self.change:
            self.change(call, changed)
        entry = self._entry(call.cloud, call.id)
        if self.tagging is None or entry is None:  # gone: whoever reads it next tells
            return
        have = tag_map(entry.get("Tags"))
        if "tags" in changed:
            self.tagging.settle(call, entry[self.tag_target], have)
        if changed & set(self.noted):
            noted = json.dumps({name: call.inputs[name] for name in self.noted if name in call.inputs})
            target = {self.tagging.target: entry[self.tag_target]}
            call.cloud.call(self.service, self.tagging.tag, **target, Tags=tag_list({STATE_TAG: noted}))

    def _find(self, call: Call) -> list[str]:
        answer = call.cloud.seek(self.service, xform_name(self.describe), **self.page, **self.listing(call)) or {}
        entries: list[Entry] = answer.get(self.entries, [])
        if self.same is not None:
            return [entry[self.id] for entry in entries if self.same(call, entry)]
        return [entry[self.id] for entry in entries if tag_map(entry.get("Tags")).get(URN_TAG) == call.urn]

    def _delete(self, cloud: Cloud, id: str, state: Values) -> None:
        gone_is_fine(lambda: cloud.call(self.service, xform_name(self.delete), **{self.id: id}))
