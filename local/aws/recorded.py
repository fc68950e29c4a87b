"""Types that nothing on one machine realises: their request is checked against botocore's model and recorded.

A record is a JSON file of the data root, written whole or not at all, so that reading, comparing, changing and
deleting work on it as on a real thing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from botocore.model import ListShape, Shape

from local.aws.cloud import Cloud, tag_list
from local.aws.resource_type import AUTONAMED, Call, ResourceType
from local.aws.shapes import members_of, to_members, validate
from local.files import write_atomically
from local.paths import DataRoot
from local.provider.values import Values

_NOT_REQUESTED = ("tags", "tagsAll", "region", AUTONAMED)


def recorded_type(
    *,
    token: str,
    service: str,
    operation: str,
    outputs: Callable[[Call], Values],
    replace_on: tuple[str, ...],
    renames: Mapping[str, str] | None = None,
    drop: tuple[str, ...] = (),
    defaults: Values | None = None,
    autoname: tuple[str, int] | None = None,
    taggable: bool = True,
    tag_specifications: str | None = None,
    tags_member: str = "tags",
    values: Callable[[Values], Values] = dict,
    check: Callable[[Call], None] | None = None,
) -> ResourceType:
    """The type ``token``, kept as the request of ``operation`` that would make it.

    Args:
        outputs: its computed outputs, ``id`` among them, from its inputs; the same for the same URN.
        renames: property to member of the request, where more than upper and lower case differs.
        drop: properties that steer the provider and are no part of the request.
        tag_specifications: EC2's resource type, where tags travel as ``TagSpecifications``.
        tags_member: what the request calls its tags, elsewhere; empty: the service tags by a request of its own.
        values: properties as the request groups them, where that is not as they are.
        check: raises ProviderError where something that it refers to does not exist.
    """

    def request_of(call: Call) -> Values:
        model = call.cloud.account.model(service).operation_model(operation)
        given = values({k: v for k, v in call.inputs.items() if k not in (*_NOT_REQUESTED, *drop)})
        shape = cast(Shape, model.input_shape)
        request = to_members(given, shape, renames, f"{token.rsplit(':', 1)[1]}.")
        if tag_specifications:
            request["TagSpecifications"] = [{"ResourceType": tag_specifications, "Tags": tag_list(call.all_tags)}]
        elif taggable and tags_member:
            is_list = isinstance(members_of(shape)[tags_member], ListShape)
            request[tags_member] = tag_list(call.all_tags) if is_list else call.all_tags
        validate(request, shape)
        return request

    def write(call: Call, made: Values) -> str:
        record = {
            "urn": call.urn, "operation": f"{service}:{operation}", "request": request_of(call),
            "properties": {**{k: v for k, v in call.inputs.items() if k not in _NOT_REQUESTED}, **made},
            "tags": call.all_tags,
        }  # fmt: skip
        write_atomically(_file(call.cloud, token, made["id"]), json.dumps(record, indent=2, default=str) + "\n")
        return made["id"]

    def create(call: Call) -> str:
        if check is not None:
            check(call)
        return write(call, outputs(call))

    def settle(call: Call, changed: frozenset[str]) -> None:
        record = _load(call.cloud, token, call.id)
        before = {k: v for k, v in (record or {"properties": {}})["properties"].items() if k not in call.old_inputs}
        write(call, {**before, **outputs(call), "id": call.id})

    def read(cloud: Cloud, id: str, state: Values) -> Values | None:
        record = _load(cloud, token, id)
        return None if record is None else {**record["properties"], "tags": record["tags"] if taggable else {}}

    def find(call: Call) -> list[str]:
        records = ((path, json.loads(path.read_text())) for path in _folder(call.cloud, token).glob("*.json"))
        return [record["properties"]["id"] for _, record in records if record["urn"] == call.urn]

    def delete(cloud: Cloud, id: str, state: Values) -> None:
        _file(cloud, token, id).unlink(missing_ok=True)

    return ResourceType(
        token=token, create=create, read=read, delete=delete, find=find, settle=settle, replace_on=replace_on,
        fidelity="recorded", defaults=defaults or {}, autoname=autoname, taggable=taggable,
    )  # fmt: skip


def records_of(root: DataRoot, name: str) -> list[tuple[str, dict[str, Any]]]:
    """All records of a type such as ``Association``, each with its region."""
    paths = sorted((root.recorded / "aws").glob(f"*/{name}/*.json"))
    return [(path.parent.parent.name, json.loads(path.read_text())) for path in paths]


def _folder(cloud: Cloud, token: str) -> Path:
    return cloud.account.root.recorded / "aws" / cloud.region / token.rsplit(":", 1)[1]


def _file(cloud: Cloud, token: str, id: str) -> Path:
    return _folder(cloud, token) / f"{quote(id, safe='')}.json"


def _load(cloud: Cloud, token: str, id: str) -> dict[str, Any] | None:
    try:
        return json.loads(_file(cloud, token, id).read_text())
    except FileNotFoundError:
        return None
