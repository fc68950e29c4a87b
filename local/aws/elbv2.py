"""Elastic Load Balancing: load balancers, target groups and listeners.

The three live alike: a request makes one from properties spelt as the service's model has them, what the request cannot
say is an attribute of a name and a text, and tags are asked for by ARN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from local.aws.cloud import Cloud, tag_list, tag_map
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.shapes import from_members, input_of, to_members
from local.aws.tagging import Tagging
from local.provider.values import Values

Entry = dict[str, Any]
_TAGGING = Tagging("elbv2", "ResourceArns", tag="add_tags", untag="remove_tags", tags="Tags", keys="TagKeys")

_BALANCER_ATTRIBUTES = {
    "enableDeletionProtection": "deletion_protection.enabled",
    "enableCrossZoneLoadBalancing": "load_balancing.cross_zone.enabled",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "idleTimeout": "idle_timeout.timeout_seconds",
}
_GROUP_ATTRIBUTES = {
    "deregistrationDelay": "deregistration_delay.timeout_seconds",
    "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
}
_LISTENER_ATTRIBUTES = {"tcpIdleTimeoutSeconds": "tcp.idle_timeout.seconds"}
# What an attribute is again once the program says nothing of it (API reference, the three ``…Attribute`` types).
_USUAL = {"idleTimeout": 60, "deregistrationDelay": 300, "tcpIdleTimeoutSeconds": 350,
          "loadBalancingCrossZoneEnabled": "use_load_balancer_configuration"}  # fmt: skip
_HEALTH = {
    "enabled": "HealthCheckEnabled", "protocol": "HealthCheckProtocol", "port": "HealthCheckPort",
    "path": "HealthCheckPath", "interval": "HealthCheckIntervalSeconds", "timeout": "HealthCheckTimeoutSeconds",
    "healthyThreshold": "HealthyThresholdCount", "unhealthyThreshold": "UnhealthyThresholdCount",
}  # fmt: skip
_ACTION = {"redirect": "RedirectConfig", "forward": "ForwardConfig", "fixedResponse": "FixedResponseConfig"}


def _describe(cloud: Cloud, kind: str, arn: str) -> Entry | None:
    """One load balancer, target group or listener; ``kind`` is the service's word for it, such as ``TargetGroup``."""
    answer = cloud.seek("elbv2", f"describe_{_snake(kind)}s", **{f"{kind}Arns": [arn]})
    return next(iter((answer or {}).get(f"{kind}s", [])), None)


def _snake(kind: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind).removeprefix("_")


def _tags(cloud: Cloud, arn: str) -> dict[str, str]:
    answer = cloud.seek("elbv2", "describe_tags", ResourceArns=[arn]) or {"TagDescriptions": []}
    return tag_map(next((one["Tags"] for one in answer["TagDescriptions"]), []))


def _put_attributes(call: Call, kind: str, values: Mapping[str, Any]) -> None:
    attributes = [{"Key": key, "Value": str(value).lower() if isinstance(value, bool) else str(value)}
                  for key, value in values.items()]  # fmt: skip
    if attributes:
        operation = f"modify_{_snake(kind)}_attributes"
        call.cloud.call("elbv2", operation, **{f"{kind}Arn": call.id, "Attributes": attributes})


def _changed_attributes(call: Call, known: Mapping[str, str], changed: frozenset[str]) -> Values:
    wanted = {name: call.inputs.get(name, _USUAL.get(name, False)) for name in known if name in changed}
    return {known[name]: int(value) if isinstance(value, float) else value for name, value in wanted.items()}


def _attributes(cloud: Cloud, kind: str, arn: str, known: Mapping[str, str]) -> tuple[dict[str, str], Values]:
    """All attributes as they are, and those that are properties, with the properties' kinds of values."""
    answer = cloud.call("elbv2", f"describe_{_snake(kind)}_attributes", **{f"{kind}Arn": arn})
    found = {one["Key"]: str(one["Value"]) for one in answer["Attributes"]}
    return found, {name: _typed(name, found[key]) for name, key in known.items() if key in found}


def _typed(name: str, text: str) -> Any:
    if name == "loadBalancingCrossZoneEnabled":
        return text  # the SDK has it as text too, for it is one of three words
    return text == "true" if text in ("true", "false") else int(text)


def _retag(call: Call, changed: frozenset[str]) -> None:
    if "tags" in changed:
        _TAGGING.settle(call, [call.id], _tags(call.cloud, call.id))


def _deleter(kind: str) -> Callable[[Cloud, str, Values], None]:
    def delete(cloud: Cloud, id: str, state: Values) -> None:
        gone_is_fine(lambda: cloud.call("elbv2", f"delete_{_snake(kind)}", **{f"{kind}Arn": id}))

    return delete


def _finder(kind: str, scope: Callable[[Call], Values] = lambda call: {}) -> Callable[[Call], list[str]]:
    def find(call: Call) -> list[str]:
        answer = call.cloud.seek("elbv2", f"describe_{_snake(kind)}s", **scope(call)) or {}
        arns: Iterable[str] = (one[f"{kind}Arn"] for one in answer.get(f"{kind}s", []))
        return [arn for arn in arns if _tags(call.cloud, arn).get(URN_TAG) == call.urn]

    return find


def _suffix(arn: str, word: str) -> str:
    return arn.partition(f":{word}/")[2] if word == "loadbalancer" else f"{word}/{arn.partition(f':{word}/')[2]}"


# -- Load balancer ----------------------------------------------------------------------------------------------------


def _create_balancer(call: Call) -> str:
    inputs = call.inputs
    request: Entry = {
        "Name": inputs["name"],
        "Type": inputs.get("loadBalancerType", "application"),
        "Scheme": "internal" if inputs.get("internal") else "internet-facing",
        "Subnets": inputs.get("subnets") or [],
        "Tags": tag_list(call.all_tags),
    }
    if inputs.get("securityGroups"):
        request["SecurityGroups"] = inputs["securityGroups"]
    if inputs.get("ipAddressType"):
        request["IpAddressType"] = inputs["ipAddressType"]
    return call.cloud.call("elbv2", "create_load_balancer", **request)["LoadBalancers"][0]["LoadBalancerArn"]


def _settle_balancer(call: Call, changed: frozenset[str]) -> None:
    found = _read_balancer(call.cloud, call.id, {}) or {}
    for name, operation, member in (
        ("securityGroups", "set_security_groups", "SecurityGroups"),
        ("subnets", "set_subnets", "Subnets"),
    ):
        wanted = call.inputs.get(name) or []
        if name in changed and set(wanted) != set(found.get(name) or []):
            call.cloud.call("elbv2", operation, LoadBalancerArn=call.id, **{member: wanted})
    attributes = _changed_attributes(call, _BALANCER_ATTRIBUTES, changed)
    if "accessLogs" in changed:
        logs = call.inputs.get("accessLogs") or {}
        attributes["access_logs.s3.enabled"] = bool(logs.get("enabled", False))
        attributes |= {f"access_logs.s3.{part}": logs[part] for part in ("bucket", "prefix") if logs.get(part)}
    _put_attributes(call, "LoadBalancer", attributes)
    _retag(call, changed)


def _read_balancer(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = _describe(cloud, "LoadBalancer", id)
    if found is None:
        return None
    attributes, known = _attributes(cloud, "LoadBalancer", id, _BALANCER_ATTRIBUTES)
    logs = {part: attributes.get(f"access_logs.s3.{part}", "") for part in ("bucket", "prefix")}
    return {
        "arn": id,
        "arnSuffix": _suffix(id, "loadbalancer"),
        "name": found["LoadBalancerName"],
        "dnsName": found["DNSName"],
        "zoneId": found["CanonicalHostedZoneId"],
        "vpcId": found["VpcId"],
        "internal": found["Scheme"] == "internal",
        "loadBalancerType": found["Type"],
        "ipAddressType": found.get("IpAddressType", "ipv4"),
        "securityGroups": found.get("SecurityGroups") or [],
        "subnets": [zone["SubnetId"] for zone in found["AvailabilityZones"]],
        "accessLogs": {**logs, "enabled": attributes.get("access_logs.s3.enabled") == "true"},
        **known,
        "tags": _tags(cloud, id),
    }


# -- Target group -----------------------------------------------------------------------------------------------------


def _health(inputs: Values) -> Entry:
    check = cast(Values, inputs.get("healthCheck") or {})
    request = {member: check[name] for name, member in _HEALTH.items() if check.get(name) is not None}
    numbers = {key: int(value) if isinstance(value, float) else value for key, value in request.items()}
    return {**numbers, **({"Matcher": {"HttpCode": check["matcher"]}} if check.get("matcher") else {})}


def _create_group(call: Call) -> str:
    inputs = call.inputs
    names = {"name": "Name", "targetType": "TargetType", "protocol": "Protocol", "vpcId": "VpcId", "port": "Port"}
    request: Entry = {member: inputs[name] for name, member in names.items() if inputs.get(name)}
    request["Port"] = int(request["Port"])
    answer = call.cloud.call("elbv2", "create_target_group", **request, **_health(inputs), Tags=tag_list(call.all_tags))
    return answer["TargetGroups"][0]["TargetGroupArn"]


def _settle_group(call: Call, changed: frozenset[str]) -> None:
    if "healthCheck" in changed:
        call.cloud.call("elbv2", "modify_target_group", TargetGroupArn=call.id, **_health(call.inputs))
    _put_attributes(call, "TargetGroup", _changed_attributes(call, _GROUP_ATTRIBUTES, changed))
    _retag(call, changed)


def _read_group(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = _describe(cloud, "TargetGroup", id)
    if found is None:
        return None
    check = {name: found[member] for name, member in _HEALTH.items() if found.get(member) is not None}
    return {
        "arn": id,
        "arnSuffix": _suffix(id, "targetgroup"),
        "name": found["TargetGroupName"],
        "port": found["Port"],
        "protocol": found["Protocol"],
        "targetType": found["TargetType"],
        "vpcId": found["VpcId"],
        "healthCheck": {**check, "matcher": (found.get("Matcher") or {}).get("HttpCode", "")},
        **_attributes(cloud, "TargetGroup", id, _GROUP_ATTRIBUTES)[1],
        "tags": _tags(cloud, id),
    }


# -- Listener ---------------------------------------------------------------------------------------------------------


def _listens(call: Call) -> Entry:
    """What a listener is, as its create and its modify request take it alike."""
    inputs = call.inputs
    shape = input_of(call.cloud.account.model("elbv2"), "CreateListener")
    given = {"port": inputs.get("port"), "sslPolicy": inputs.get("sslPolicy"), "protocol": inputs.get("protocol")}
    request = to_members({**given, "defaultActions": inputs["defaultActions"]}, shape, _ACTION, "listener.")
    if inputs.get("certificateArn"):
        request["Certificates"] = [{"CertificateArn": inputs["certificateArn"]}]
    return {**request, "Port": int(request["Port"])}


def _create_listener(call: Call) -> str:
    answer = call.cloud.call(
        "elbv2", "create_listener", LoadBalancerArn=call.inputs["loadBalancerArn"], **_listens(call),
        Tags=tag_list(call.all_tags),
    )  # fmt: skip
    return answer["Listeners"][0]["ListenerArn"]


def _settle_listener(call: Call, changed: frozenset[str]) -> None:
    if changed & {"port", "protocol", "sslPolicy", "certificateArn", "defaultActions"}:
        request = _listens(call)
        if "protocol" not in changed or call.old_inputs.get("protocol") == call.inputs.get("protocol"):
            del request["Protocol"]  # moto takes no TLS here, though it makes such listeners
        call.cloud.call("elbv2", "modify_listener", ListenerArn=call.id, **request)
    _put_attributes(call, "Listener", _changed_attributes(call, _LISTENER_ATTRIBUTES, changed))
    _retag(call, changed)


def _read_listener(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = _describe(cloud, "Listener", id)
    if found is None:
        return None
    certificate = (found.get("Certificates") or [{}])[0].get("CertificateArn", "")
    names = {f"{member[:1].lower()}{member[1:]}": name for name, member in _ACTION.items()}
    actions = [{names.get(key, key): value for key, value in from_members(one).items()}
               for one in found["DefaultActions"]]  # fmt: skip
    is_tcp = found["Protocol"] == "TCP"
    attributes = _attributes(cloud, "Listener", id, _LISTENER_ATTRIBUTES)[1] if is_tcp else {}
    return {
        "arn": id,
        "loadBalancerArn": found["LoadBalancerArn"],
        "port": found["Port"],
        "protocol": found["Protocol"],
        "sslPolicy": found.get("SslPolicy", "") if certificate else "",
        "certificateArn": certificate,
        "defaultActions": actions,
        **attributes,
        "tags": _tags(cloud, id),
    }


TYPES = (
    ResourceType(
        token="aws:lb/loadBalancer:LoadBalancer",
        create=_create_balancer,
        read=_read_balancer,
        delete=_deleter("LoadBalancer"),
        find=_finder("LoadBalancer"),
        settle=_settle_balancer,
        settled_on_create=frozenset({*_BALANCER_ATTRIBUTES, "accessLogs"}),
        replace_on=("name", "namePrefix", "internal", "loadBalancerType"),
        defaults={"loadBalancerType": "application"},
        autoname=("name", 32),
    ),
    ResourceType(
        token="aws:lb/targetGroup:TargetGroup",
        create=_create_group,
        read=_read_group,
        delete=_deleter("TargetGroup"),
        find=_finder("TargetGroup"),
        settle=_settle_group,
        settled_on_create=frozenset(_GROUP_ATTRIBUTES),
        replace_on=("name", "namePrefix", "targetType", "protocol", "port", "vpcId"),
        autoname=("name", 32),
    ),
    ResourceType(
        token="aws:lb/listener:Listener",
        create=_create_listener,
        read=_read_listener,
        delete=_deleter("Listener"),
        find=_finder("Listener", lambda call: {"LoadBalancerArn": call.inputs["loadBalancerArn"]}),
        settle=_settle_listener,
        settled_on_create=frozenset(_LISTENER_ATTRIBUTES),
        replace_on=("loadBalancerArn",),
    ),
)
"""Load balancers and their parts."""
