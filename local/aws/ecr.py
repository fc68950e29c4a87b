"""ECR repositories and their policies. Images stand on the nodes themselves; nothing is pushed."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import ACCOUNT, Cloud, tag_list, tag_map
from local.aws.recorded import recorded_type
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.tagging import Tagging
from local.provider.values import Values

_TAGS = Tagging("ecr", "resourceArn")


def _encryption(configurations: list[Values]) -> Values:
    first = configurations[0]
    request = {"encryptionType": first.get("encryptionType", "AES256")}
    return {**request, "kmsKey": first["kmsKey"]} if first.get("kmsKey") else request


def _create(call: Call) -> str:
    inputs = call.inputs
    request: dict[str, Any] = {"imageTagMutability": inputs.get("imageTagMutability", "MUTABLE")}
    if inputs.get("imageScanningConfiguration"):
        request["imageScanningConfiguration"] = {
            "scanOnPush": bool(inputs["imageScanningConfiguration"].get("scanOnPush"))
        }
    if inputs.get("encryptionConfigurations"):
        request["encryptionConfiguration"] = _encryption(inputs["encryptionConfigurations"])
    call.cloud.call("ecr", "create_repository", repositoryName=inputs["name"], tags=tag_list(call.all_tags), **request)
    return inputs["name"]


def _settle(call: Call, changed: frozenset[str]) -> None:
    cloud, name, inputs = call.cloud, call.id, call.inputs
    if "imageTagMutability" in changed:
        mutability = inputs.get("imageTagMutability", "MUTABLE")
        cloud.call("ecr", "put_image_tag_mutability", repositoryName=name, imageTagMutability=mutability)
    if "imageScanningConfiguration" in changed:
        scan = {"scanOnPush": bool((inputs.get("imageScanningConfiguration") or {}).get("scanOnPush"))}
        cloud.call("ecr", "put_image_scanning_configuration", repositoryName=name, imageScanningConfiguration=scan)
    if "tags" in changed:
        _TAGS.settle(call, cloud.arn("ecr", f"repository/{name}"), _tags(cloud, name))


def _tags(cloud: Cloud, name: str) -> dict[str, str]:
    answer = cloud.seek("ecr", "list_tags_for_resource", resourceArn=cloud.arn("ecr", f"repository/{name}"))
    return tag_map((answer or {}).get("tags"))


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    answer = cloud.seek("ecr", "describe_repositories", repositoryNames=[id])
    if answer is None:
        return None
    repository = answer["repositories"][0]
    encryption = repository.get("encryptionConfiguration") or {"encryptionType": "AES256"}
    return {
        "arn": repository["repositoryArn"],
        "name": id,
        "registryId": repository["registryId"],
        "repositoryUrl": f"{ACCOUNT}.dkr.ecr.{cloud.region}.amazonaws.com/{id}",
        "imageTagMutability": repository.get("imageTagMutability", "MUTABLE"),
        "imageScanningConfiguration": {
            "scanOnPush": bool((repository.get("imageScanningConfiguration") or {}).get("scanOnPush", False))
        },
        "encryptionConfigurations": [{"kmsKey": "", **encryption}],
        "tags": _tags(cloud, id),
    }


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    force = bool(state.get("forceDelete", False))
    gone_is_fine(lambda: cloud.call("ecr", "delete_repository", repositoryName=id, force=force))


def _find(call: Call) -> list[str]:
    def listed(beginning: str) -> list[str]:
        answer = call.cloud.call("ecr", "describe_repositories", maxResults=1000)
        return [one["repositoryName"] for one in answer["repositories"]]

    return [one for one in call.possible_names(listed) if _tags(call.cloud, one).get(URN_TAG) == call.urn]


def _policy_type(token: str, operations: tuple[str, str, str], text: str) -> ResourceType:
    """A document that hangs on a repository: put, get and delete it."""
    put, get, remove = operations

    def create(call: Call) -> str:
        repository = call.inputs["repository"]
        call.cloud.call("ecr", put, repositoryName=repository, **{text: call.inputs["policy"]})
        return repository

    def settle(call: Call, changed: frozenset[str]) -> None:
        create(call)

    def read(cloud: Cloud, id: str, state: Values) -> Values | None:
        answer = cloud.seek("ecr", get, repositoryName=id)
        return None if answer is None else {"repository": id, "policy": answer[text], "registryId": ACCOUNT}

    def delete(cloud: Cloud, id: str, state: Values) -> None:
        gone_is_fine(lambda: cloud.call("ecr", remove, repositoryName=id))

    return ResourceType(
        token=token, create=create, read=read, delete=delete, settle=settle, replace_on=("repository",),
        taggable=False, delete_before_replace=True,
    )  # fmt: skip


TYPES = (
    ResourceType(
        token="aws:ecr/repository:Repository",
        create=_create,
        read=_read,
        delete=_delete,
        find=_find,
        settle=_settle,
        replace_on=("name", "encryptionConfigurations"),
        defaults={"imageTagMutability": "MUTABLE"},
        autoname=("name", 256),
    ),
    _policy_type(
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        ("put_lifecycle_policy", "get_lifecycle_policy", "delete_lifecycle_policy"),
        "lifecyclePolicyText",
    ),
    _policy_type(
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
        ("set_repository_policy", "get_repository_policy", "delete_repository_policy"),
        "policyText",
    ),
    recorded_type(
        token="aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
        service="ecr",
        operation="PutRegistryScanningConfiguration",
        outputs=lambda call: {"id": ACCOUNT, "registryId": ACCOUNT},
        replace_on=(),
        taggable=False,
    ),
)
"""ECR's types."""
