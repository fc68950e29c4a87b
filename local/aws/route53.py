"""Route 53's records, and health checks, which nothing here performs."""

from __future__ import annotations

import uuid
from typing import Any, cast

from local.aws.cloud import Cloud, ServiceError
from local.aws.recorded import recorded_type
from local.aws.resource_type import Call, ResourceType
from local.provider import ProviderError
from local.provider.values import Values

Entry = dict[str, Any]
_ROUTING = {"setIdentifier": "SetIdentifier", "healthCheckId": "HealthCheckId"}


def _record_set(inputs: Values) -> Entry:
    record: Entry = {"Name": _absolute(inputs["name"]), "Type": inputs["type"]}
    for policy in cast(list[Values], inputs.get("failoverRoutingPolicies") or []):
        record["Failover"] = policy["type"]
    record |= {member: inputs[name] for name, member in _ROUTING.items() if inputs.get(name)}
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


def _all(cloud: Cloud, zone: str, name: str, kind: str) -> list[Entry]:
    """The records of a name and type: one, or one for each set identifier."""
    answer = cloud.seek(
        "route53", "list_resource_record_sets", HostedZoneId=zone, StartRecordName=_absolute(name), StartRecordType=kind
    )
    sets = (answer or {}).get("ResourceRecordSets", [])
    return [one for one in sets if _spelt(one["Name"]) == _absolute(name) and one["Type"] == kind]


def _seek(cloud: Cloud, record: Values) -> Entry | None:
    found = _all(cloud, record["zoneId"], record["name"], record["type"])
    return next((one for one in found if one.get("SetIdentifier") == record.get("setIdentifier")), None)


def stands(cloud: Cloud, name: str, kind: str) -> bool:
    """Whether any zone has such a record."""
    zones = cloud.call("route53", "list_hosted_zones")["HostedZones"]
    return any(_all(cloud, zone["Id"].rpartition("/")[2], name, kind) for zone in zones)


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
    found = _seek(call.cloud, call.inputs)
    if found and not call.inputs.get("allowOverwrite") and _values(found) != _values(record):
        raise ProviderError(f"zone {zone} has a record {record['Name']} of type {record['Type']} that is another's")
    others = [] if found else _all(call.cloud, zone, call.inputs["name"], call.inputs["type"])
    if others and not all(one.get("SetIdentifier") for one in (record, *others)):
        reason = f"zone {zone} has a record {record['Name']} of type {record['Type']}, and of several with one name"
        raise ProviderError(f"{reason} each needs a set identifier and a way of routing: delete the simple one first")
    _change(call.cloud, zone, "UPSERT", record)
    parts = (zone, call.inputs["name"], record["Type"], call.inputs.get("setIdentifier"))
    return "_".join(part for part in parts if part)


def _values(record: Entry) -> Values:
    """What a record says, as properties."""
    routing = {name: record[member] for name, member in _ROUTING.items() if record.get(member)}
    if record.get("Failover"):
        routing["failoverRoutingPolicies"] = [{"type": record["Failover"]}]
    if alias := record.get("AliasTarget"):
        target = {"name": alias["DNSName"].rstrip("."), "zoneId": alias["HostedZoneId"]}
        return {**routing, "aliases": [{**target, "evaluateTargetHealth": alias["EvaluateTargetHealth"]}]}
    values = [one["Value"] for one in record.get("ResourceRecords", [])]
    return {**routing, "ttl": record.get("TTL"), "records": values}


def _settle(call: Call, changed: frozenset[str]) -> None:
    _change(call.cloud, call.inputs["zoneId"], "UPSERT", _record_set(call.inputs))


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = _seek(cloud, state)
    if found is None:
        return None
    named = {"zoneId": state["zoneId"], "name": state["name"], "type": state["type"]}
    return {**named, "fqdn": state["name"].rstrip("."), **_values(found)}


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    """Route 53 deletes a record only to whom says all that it holds."""
    found = _seek(cloud, state)
    if found is not None:
        _change(cloud, state["zoneId"], "DELETE", found)


# -- health checks ----------------------------------------------------------------------------------------------------


def _check_values(given: Values) -> Values:
    names = {"fqdn": "fullyQualifiedDomainName", "childHealthThreshold": "healthThreshold",
             "invertHealthcheck": "inverted"}  # fmt: skip
    config = {names.get(name, name): value for name, value in given.items() if not name.startswith("cloudwatchAlarm")}
    if alarm := given.get("cloudwatchAlarmName"):
        config["alarmIdentifier"] = {"name": alarm, "region": given["cloudwatchAlarmRegion"]}
    return {"callerReference": "local", "healthCheckConfig": config}


def _check_outputs(call: Call) -> Values:
    inputs = (call.urn, call.inputs["type"], call.inputs.get("requestInterval"))
    id = call.id or str(uuid.uuid5(uuid.NAMESPACE_URL, f"{inputs}"))
    return {"id": id, "arn": f"arn:aws:route53:::healthcheck/{id}"}


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
    recorded_type(
        token="aws:route53/healthCheck:HealthCheck",
        service="route53",
        operation="CreateHealthCheck",
        values=_check_values,
        outputs=_check_outputs,
        replace_on=("type", "requestInterval", "measureLatency", "referenceName"),
        drop=("referenceName", "triggers"),
        tags_member="",
    ),
)
"""Records and health checks."""
