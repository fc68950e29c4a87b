"""Certificates, and waiting for them: one is issued where the record that proves the name stands in Route 53."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import Cloud, tag_list, tag_map
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.route53 import stands
from local.aws.tagging import Tagging
from local.provider import ProviderError
from local.provider.values import Values

_TAGGING = Tagging("acm", "CertificateArn", tag="add_tags_to_certificate", untag="remove_tags_from_certificate",
                   tags="Tags", keys="Tags")  # fmt: skip


def _request(call: Call) -> str:
    inputs = call.inputs
    names = {"subjectAlternativeNames": "SubjectAlternativeNames", "keyAlgorithm": "KeyAlgorithm"}
    request: dict[str, Any] = {member: inputs[name] for name, member in names.items() if inputs.get(name)}
    answer = call.cloud.call(
        "acm", "request_certificate", DomainName=inputs["domainName"],
        ValidationMethod=inputs.get("validationMethod", "DNS"), **request, Tags=tag_list(call.all_tags),
    )  # fmt: skip
    return answer["CertificateArn"]


def _tags(cloud: Cloud, arn: str) -> dict[str, str]:
    answer = cloud.seek("acm", "list_tags_for_certificate", CertificateArn=arn)
    return tag_map((answer or {}).get("Tags"))


def _retag(call: Call, changed: frozenset[str]) -> None:
    if "tags" not in changed:
        return
    have = _tags(call.cloud, call.id)
    gone = {key: value for key, value in have.items() if key not in call.all_tags}
    _TAGGING.settle(call, call.id, {key: value for key, value in have.items() if key not in gone})
    if gone:  # ACM takes away tags by key and value
        call.cloud.call("acm", "remove_tags_from_certificate", CertificateArn=call.id, Tags=tag_list(gone))


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    answer = cloud.seek("acm", "describe_certificate", CertificateArn=id)
    if answer is None:
        return None
    found = answer["Certificate"]
    options = [
        {
            "domainName": one["DomainName"],
            "resourceRecordName": one["ResourceRecord"]["Name"],
            "resourceRecordType": one["ResourceRecord"]["Type"],
            "resourceRecordValue": one["ResourceRecord"]["Value"],
        }
        for one in found.get("DomainValidationOptions", [])
    ]
    return {
        "arn": id,
        "domainName": found["DomainName"],
        "domainValidationOptions": sorted(options, key=lambda one: one["domainName"]),
        "subjectAlternativeNames": sorted(found.get("SubjectAlternativeNames", [])),
        "validationMethod": "DNS",
        "type": found.get("Type", "AMAZON_ISSUED"),
        "tags": _tags(cloud, id),
    }


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    gone_is_fine(lambda: cloud.call("acm", "delete_certificate", CertificateArn=id))


def _find(call: Call) -> list[str]:
    known = call.cloud.call("acm", "list_certificates")["CertificateSummaryList"]
    return [one["CertificateArn"] for one in known if _tags(call.cloud, one["CertificateArn"]).get(URN_TAG) == call.urn]


def _unproved(cloud: Cloud, arn: str) -> list[str]:
    """The records that would prove the certificate's names, and stand in no zone."""
    found = _read(cloud, arn, {}) or {"domainValidationOptions": []}
    wanted = {(one["resourceRecordName"], one["resourceRecordType"]) for one in found["domainValidationOptions"]}
    return [name for name, kind in sorted(wanted) if not stands(cloud, name, kind)]


def _validate(call: Call) -> str:
    """moto issues every certificate after a while; AWS only those whose names are proved."""
    arn = call.inputs["certificateArn"]
    if missing := _unproved(call.cloud, arn):
        raise ProviderError(f"{arn} would never be issued: no zone of Route 53 has {', '.join(missing)}")
    return arn


def _read_validation(cloud: Cloud, id: str, state: Values) -> Values | None:
    if _read(cloud, id, {}) is None or _unproved(cloud, id):
        return None
    return {"certificateArn": id}


def _forget(cloud: Cloud, id: str, state: Values) -> None:
    """Waiting has nothing to delete."""


TYPES = (
    ResourceType(
        token="aws:acm/certificate:Certificate",
        create=_request,
        read=_read,
        delete=_delete,
        find=_find,
        settle=_retag,
        replace_on=("domainName", "subjectAlternativeNames", "validationMethod", "keyAlgorithm"),
        defaults={"validationMethod": "DNS"},
    ),
    ResourceType(
        token="aws:acm/certificateValidation:CertificateValidation",
        create=_validate,
        read=_read_validation,
        delete=_forget,
        replace_on=("certificateArn", "validationRecordFqdns"),
        taggable=False,
    ),
)
"""Certificates."""
