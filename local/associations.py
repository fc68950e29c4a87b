"""Associations of Systems Manager as they are kept here: what each says, and whom it concerns."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from local.aws.cloud import Cloud
from local.aws.recorded import records_of
from local.machines import Machine
from local.paths import DataRoot, LocalCloudError

DOCUMENT = "AWS-ApplyAnsiblePlaybooks"
"""The one document that is performed; associations of others are kept and do nothing here."""
_TAG = "tag:"
_TYPE = "Association"


@dataclass(frozen=True)
class Association:
    """What an association says.

    Attributes:
        targets: for each key such as ``tag:team`` the values of which a machine must have one.
        parameters: the document's, as text.
    """

    id: str
    region: str
    name: str
    document: str
    targets: Mapping[str, tuple[str, ...]]
    parameters: Mapping[str, str]

    @classmethod
    def of(cls, region: str, record: Mapping[str, Any]) -> Association:
        """The association that was asked for with a recorded request."""
        request, id = record["request"], record["properties"]["id"]
        return cls(
            id=id,
            region=region,
            name=request.get("AssociationName") or id,
            document=request["Name"],
            targets={target["Key"]: tuple(target["Values"]) for target in request.get("Targets") or ()},
            parameters={key: " ".join(values) for key, values in (request.get("Parameters") or {}).items()},
        )

    def concerns(self, machine: Machine) -> bool:
        """Whether it targets the machine: every key must match."""
        return (
            machine.region == self.region
            and bool(self.targets)
            and all(
                key.startswith(_TAG) and machine.tags.get(key.removeprefix(_TAG)) in values
                for key, values in self.targets.items()
            )
        )


def associations(root: DataRoot) -> list[Association]:
    """The associations that stand, in all regions."""
    return [Association.of(region, record) for region, record in records_of(root, _TYPE)]


def association(root: DataRoot, id: str) -> Association:
    """The one with this id."""
    return next(one for one in associations(root) if one.id == id)


def archive(cloud: Cloud, association: Association) -> bytes:
    """The archive that the association names, out of its bucket."""
    source = association.parameters.get("SourceInfo", "")
    try:
        url = urlsplit(json.loads(source)["path"])
    except (ValueError, KeyError, TypeError):
        raise LocalCloudError(f"SourceInfo of {association.name} names no path: {source or '(nothing)'}") from None
    host, path = url.hostname or "", url.path.lstrip("/")
    bucket, key = path.split("/", 1) if host.startswith("s3.") and "/" in path else (host.split(".s3.", 1)[0], path)
    return cloud.call("s3", "get_object", Bucket=bucket, Key=key)["Body"].read()


def variables_of(association: Association) -> dict[str, str]:
    """``key=value`` pairs, as Ansible takes them on its command line: every value is text."""
    text = association.parameters.get("ExtraVariables", "")
    try:
        return dict(pair.split("=", 1) for pair in shlex.split(text) if "=" in pair)
    except ValueError as error:
        why = str(error).lower()
        raise LocalCloudError(
            f"ExtraVariables of {association.name} are not key=value pairs as a shell reads them ({why}): {text}"
        ) from None
