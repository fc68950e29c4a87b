"""Route 53's records."""

from __future__ import annotations

from typing import Any, cast

from local.aws.cloud import Cloud, ServiceError
from local.aws.resource_type import Call, ResourceType
from local.provider import ProviderError
from local.provider.values import Values

Entry = dict[str, Any]


def _record_set(inputs: Values) -> Entry:
    record: Entry = {"Name": _absolute(inputs["name"]), "Type": inputs["type"]}
    if aliases := cast(list[Values], inputs.get("aliases") or []):
        (alias,) = aliases
        target = {"DNSName": alias["name"], "HostedZoneId": alias["zoneId"]}
        return {**record, "AliasTarget": {**target, "EvaluateTargetHealth": bool(alias["evaluateTargetHealth"])}}
    records = [{"Value": value} for value in inputs.get("records") or []]
    return {**record, "TTL": int(inputs["ttl"]), "ResourceRecords": records}


def _absolute(name: str) -> str:
    return f"{name.rstrip('.')}."


def _spelt(name: str) -> str:
    """A name as Route 53 tells it: a wildcard's star by its code."""
    return _absolute(name.replace("\\052", "*"))


def _seek(cloud: Cloud, zone: str, name: str, kind: str) -> Entry | None:
    answer = cloud.seek(
        "route53", "list_resource_record_sets", HostedZoneId=zone, StartRecordName=_absolute(name), StartRecordType=kind
    )
    sets = (answer or {}).get("ResourceRecordSets", [])
    return next((one for one in sets if _spelt(one["Name"]) == _absolute(name) and one["Type"] == kind), None)


def stands(cloud: Cloud, name: str, kind: str) -> bool:
    """Whether any zone has such a record."""
    zones = cloud.call("route53", "list_hosted_zones")["HostedZones"]
    return any(_seek(cloud, zone["Id"].rpartition("/")[2], name, kind) for zone in zones)


def _change(cloud: Cloud, zone: str, action: str, record: Entry) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    try:
        cloud.call("route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=batch)
    except ServiceError as error:
        if error.code == "NoSuchHostedZone":
            reason = f"Route 53 has no zone {zone}: make it, or give the id of one that is there"
            raise ProviderError(reason) from None
        raise


def _create(call: Call) -> str:
    zone, record = call.inputs["zoneId"], _record_set(call.inputs)
    found = _seek(call.cloud, zone, record["Name"], record["Type"])
    if found and not call.inputs.get("allowOverwrite") and _values(found) != _values(record):
        raise ProviderError(f"zone {zone} has a record {record['Name']} of type {record['Type']} that is another's")
    _change(call.cloud, zone, "UPSERT", record)
    return f"{zone}_{call.inputs['name']}_{record['Type']}"


def _values(record: Entry) -> Values:
    """What a record says, as properties."""
    if alias := record.get("AliasTarget"):
        target = {"name": alias["DNSName"].rstrip("."), "zoneId": alias["HostedZoneId"]}
        return {"aliases": [{**target, "evaluateTargetHealth": alias["EvaluateTargetHealth"]}]}
    return {"ttl": record.get("TTL"), "records": [one["Value"] for one in record.get("ResourceRecords", [])]}


def _settle(call: Call, changed: frozenset[str]) -> None:
    _change(call.cloud, call.inputs["zoneId"], "UPSERT", _record_set(call.inputs))


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = _seek(cloud, state["zoneId"], state["name"], state["type"])
    if found is None:
        return None
    named = {"zoneId": state["zoneId"], "name": state["name"], "type": state["type"]}
    return {**named, "fqdn": state["name"].rstrip("."), **_values(found)}


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    """Route 53 deletes a record only to whom says all that it holds."""
    found = _seek(cloud, state["zoneId"], state["name"], state["type"])
    if found is not None:
        _change(cloud, state["zoneId"], "DELETE", found)


TYPES = (
    ResourceType(
        token="aws:route53/record:Record",
        create=_create,
        read=_read,
        delete=_delete,
        settle=_settle,
        replace_on=("zoneId", "name", "type", "setIdentifier"),
        taggable=False,
        delete_before_replace=True,
    ),
)
"""Records."""
