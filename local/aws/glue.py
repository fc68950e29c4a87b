"""Glue's catalogue: databases and tables."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import ACCOUNT, Cloud, tag_map
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.shapes import from_members, input_of, members_of, to_members
from local.aws.tagging import Tagging
from local.provider.values import Values

_NOT_REQUESTED = ("tags", "tagsAll", "region", "catalogId", "databaseName")
_TAGS = Tagging("glue", "ResourceArn", tags="TagsToAdd", keys="TagsToRemove", shape=dict)
_TOLD = ("description", "locationUri", "parameters")
_TABLE_TOLD = ("description", "parameters", "partitionKeys", "retention", "storageDescriptor", "tableType", "owner")


def _input(call: Call, operation: str, member: str) -> Values:
    """What a request says of the thing itself."""
    shape = members_of(input_of(call.cloud.account.model("glue"), operation))[member]
    wanted = {key: value for key, value in call.inputs.items() if key not in _NOT_REQUESTED and key[:2] != "__"}
    return to_members(wanted, shape, where=f"{member}.")


def _arn(cloud: Cloud, *parts: str) -> str:
    return cloud.arn("glue", "/".join(parts))


def _create_database(call: Call) -> str:
    wanted = _input(call, "CreateDatabase", "DatabaseInput")
    call.cloud.call("glue", "create_database", DatabaseInput=wanted, Tags=call.all_tags)
    return f"{ACCOUNT}:{call.inputs['name']}"


def _tags(cloud: Cloud, arn: str) -> dict[str, str]:
    return tag_map((cloud.seek("glue", "get_tags", ResourceArn=arn) or {}).get("Tags"))


def _settle_database(call: Call, changed: frozenset[str]) -> None:
    name = call.inputs["name"]
    if changed - {"tags"}:
        wanted = _input(call, "UpdateDatabase", "DatabaseInput")
        call.cloud.call("glue", "update_database", Name=name, DatabaseInput=wanted)
    if "tags" in changed:
        arn = _arn(call.cloud, "database", name)
        _TAGS.settle(call, arn, _tags(call.cloud, arn))


def _read_database(cloud: Cloud, id: str, state: Values) -> Values | None:
    name = id.partition(":")[2]
    answer = cloud.seek("glue", "get_database", Name=name)
    if answer is None:
        return None
    arn = _arn(cloud, "database", name)
    named = {"name": name, "catalogId": ACCOUNT, "arn": arn, "tags": _tags(cloud, arn)}
    return {**named, **_told(answer["Database"], _TOLD)}


def _told(found: dict[str, Any], names: tuple[str, ...]) -> Values:
    values = from_members(found)
    return {name: values[name] for name in names if values.get(name)}


def _delete_database(cloud: Cloud, id: str, state: Values) -> None:
    gone_is_fine(lambda: cloud.call("glue", "delete_database", Name=id.partition(":")[2]))


def _find_database(call: Call) -> list[str]:
    def listed(beginning: str) -> list[str]:
        return [one["Name"] for one in call.cloud.call("glue", "get_databases")["DatabaseList"]]

    known = [name for name in call.possible_names(listed) if name in listed("")]
    mine = [name for name in known if _tags(call.cloud, _arn(call.cloud, "database", name)).get(URN_TAG) == call.urn]
    return [f"{ACCOUNT}:{name}" for name in mine]


def _create_table(call: Call) -> str:
    """A table has no tags: one of its name is what an interrupted run has left."""
    database, name = call.inputs["databaseName"], call.inputs["name"]
    wanted = _input(call, "CreateTable", "TableInput")
    call.cloud.call("glue", "create_table", DatabaseName=database, TableInput=wanted)
    return f"{ACCOUNT}:{database}:{name}"


def _settle_table(call: Call, changed: frozenset[str]) -> None:
    wanted = _input(call, "UpdateTable", "TableInput")
    call.cloud.call("glue", "update_table", DatabaseName=call.inputs["databaseName"], TableInput=wanted)


def _read_table(cloud: Cloud, id: str, state: Values) -> Values | None:
    _, database, name = id.split(":")
    answer = cloud.seek("glue", "get_table", DatabaseName=database, Name=name)
    if answer is None:
        return None
    named = {"name": name, "databaseName": database, "catalogId": ACCOUNT, "arn": _arn(cloud, "table", database, name)}
    return {**named, **_told(answer["Table"], _TABLE_TOLD)}


def _delete_table(cloud: Cloud, id: str, state: Values) -> None:
    _, database, name = id.split(":")
    gone_is_fine(lambda: cloud.call("glue", "delete_table", DatabaseName=database, Name=name))


def _find_table(call: Call) -> list[str]:
    id = f"{ACCOUNT}:{call.inputs['databaseName']}:{call.inputs['name']}"
    return [id] if _read_table(call.cloud, id, {}) else []


TYPES = (
    ResourceType(
        token="aws:glue/catalogDatabase:CatalogDatabase",
        create=_create_database,
        read=_read_database,
        delete=_delete_database,
        find=_find_database,
        settle=_settle_database,
        replace_on=("name", "catalogId"),
        autoname=("name", 255),
    ),
    ResourceType(
        token="aws:glue/catalogTable:CatalogTable",
        create=_create_table,
        read=_read_table,
        delete=_delete_table,
        find=_find_table,
        settle=_settle_table,
        replace_on=("name", "databaseName", "catalogId"),
        autoname=("name", 255),
        taggable=False,
    ),
)
"""The catalogue's types."""
