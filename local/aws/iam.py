"""IAM: roles, their policies, and the identity provider of a cluster. moto stores them; nothing enforces them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from local.aws.cloud import ACCOUNT, Cloud, tag_list, tag_map
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.tagging import Tagging
from local.provider.values import Values

# -- Role -------------------------------------------------------------------------------------------------------------

_ROLE_TAGS = Tagging("iam", "RoleName", "tag_role", "untag_role", "Tags", "TagKeys")


def _document(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _create_role(call: Call) -> str:
    inputs = call.inputs
    names = {"path": "Path", "description": "Description", "maxSessionDuration": "MaxSessionDuration"}
    request = {member: inputs[name] for name, member in names.items() if inputs.get(name)}
    if inputs.get("permissionsBoundary"):
        request["PermissionsBoundary"] = inputs["permissionsBoundary"]
    call.cloud.call(
        "iam", "create_role", RoleName=inputs["name"], Tags=tag_list(call.all_tags),
        AssumeRolePolicyDocument=_document(inputs["assumeRolePolicy"]), **request,
    )  # fmt: skip
    return inputs["name"]


def _settle_role(call: Call, changed: frozenset[str]) -> None:
    role, cloud, inputs = call.id, call.cloud, call.inputs
    if "assumeRolePolicy" in changed:
        document = _document(inputs["assumeRolePolicy"])
        cloud.call("iam", "update_assume_role_policy", RoleName=role, PolicyDocument=document)
    if changed & {"description", "maxSessionDuration"}:
        duration = int(inputs.get("maxSessionDuration", 3600))
        cloud.call(
            "iam", "update_role", RoleName=role, Description=inputs.get("description", ""), MaxSessionDuration=duration
        )
    if "managedPolicyArns" in changed:
        have = {
            one["PolicyArn"]
            for one in cloud.call("iam", "list_attached_role_policies", RoleName=role)["AttachedPolicies"]
        }
        want = set(inputs.get("managedPolicyArns") or [])
        for arn in sorted(want - have):
            cloud.call("iam", "attach_role_policy", RoleName=role, PolicyArn=arn)
        for arn in sorted(set(call.old_inputs.get("managedPolicyArns") or []) & have - want):
            cloud.call("iam", "detach_role_policy", RoleName=role, PolicyArn=arn)
    if "inlinePolicies" in changed:
        for policy in inputs.get("inlinePolicies") or []:
            cloud.call(
                "iam", "put_role_policy", RoleName=role, PolicyName=policy["name"], PolicyDocument=policy["policy"]
            )
    if "tags" in changed:
        _ROLE_TAGS.settle(call, role, tag_map(cloud.call("iam", "list_role_tags", RoleName=role)["Tags"]))


def _read_role(cloud: Cloud, id: str, state: Values) -> Values | None:
    answer = cloud.seek("iam", "get_role", RoleName=id)
    if answer is None:
        return None
    role = answer["Role"]
    document = role["AssumeRolePolicyDocument"]
    attached = cloud.call("iam", "list_attached_role_policies", RoleName=id)["AttachedPolicies"]
    return {
        "arn": role["Arn"],
        "name": role["RoleName"],
        "path": role["Path"],
        "uniqueId": role["RoleId"],
        "description": role.get("Description", ""),
        "createDate": role["CreateDate"].isoformat(),
        "maxSessionDuration": role.get("MaxSessionDuration", 3600),
        "assumeRolePolicy": unquote(document) if isinstance(document, str) else json.dumps(document),
        "permissionsBoundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", ""),
        "managedPolicyArns": [one["PolicyArn"] for one in attached],
        "tags": tag_map(role.get("Tags")),
    }


def _delete_role(cloud: Cloud, id: str, state: Values) -> None:
    def delete() -> None:
        if state.get("forceDetachPolicies") or state.get("managedPolicyArns"):
            for one in cloud.call("iam", "list_attached_role_policies", RoleName=id)["AttachedPolicies"]:
                cloud.call("iam", "detach_role_policy", RoleName=id, PolicyArn=one["PolicyArn"])
        for name in [policy["name"] for policy in state.get("inlinePolicies") or [] if policy.get("name")]:
            gone_is_fine(lambda name=name: cloud.call("iam", "delete_role_policy", RoleName=id, PolicyName=name))
        cloud.call("iam", "delete_role", RoleName=id)

    gone_is_fine(delete)


def _find_role(call: Call) -> list[str]:

    def listed(beginning: str) -> list[str]:
        return [role["RoleName"] for role in call.cloud.call("iam", "list_roles", MaxItems=1000)["Roles"]]

    names = call.possible_names(listed)
    tags = ((one, call.cloud.seek("iam", "list_role_tags", RoleName=one)) for one in names)
    return [one for one, answer in tags if answer and tag_map(answer["Tags"]).get(URN_TAG) == call.urn]


# -- Policies of a role ------------------------------------------------------------------------------------------------


def _put_policy(call: Call) -> str:
    role, name = call.inputs["role"], call.inputs["name"]
    call.cloud.call(
        "iam", "put_role_policy", RoleName=role, PolicyName=name, PolicyDocument=_document(call.inputs["policy"])
    )
    return f"{role}:{name}"


def _settle_policy(call: Call, changed: frozenset[str]) -> None:
    _put_policy(call)


def _read_policy(cloud: Cloud, id: str, state: Values) -> Values | None:
    role, name = id.split(":", 1)
    answer = cloud.seek("iam", "get_role_policy", RoleName=role, PolicyName=name)
    if answer is None:
        return None
    document = answer["PolicyDocument"]
    return {
        "role": role,
        "name": name,
        "policy": unquote(document) if isinstance(document, str) else json.dumps(document),
    }


def _delete_policy(cloud: Cloud, id: str, state: Values) -> None:
    role, name = id.split(":", 1)
    gone_is_fine(lambda: cloud.call("iam", "delete_role_policy", RoleName=role, PolicyName=name))


def _attach(call: Call) -> str:
    role, arn = call.inputs["role"], call.inputs["policyArn"]
    call.cloud.call("iam", "attach_role_policy", RoleName=role, PolicyArn=arn)
    return f"{role}/{arn}"


def _read_attachment(cloud: Cloud, id: str, state: Values) -> Values | None:
    role, arn = id.split("/", 1)
    answer = cloud.seek("iam", "list_attached_role_policies", RoleName=role)
    attached = [one["PolicyArn"] for one in (answer or {"AttachedPolicies": []})["AttachedPolicies"]]
    return {"role": role, "policyArn": arn} if arn in attached else None


def _detach(cloud: Cloud, id: str, state: Values) -> None:
    role, arn = id.split("/", 1)
    gone_is_fine(lambda: cloud.call("iam", "detach_role_policy", RoleName=role, PolicyArn=arn))


# -- OpenID Connect provider -------------------------------------------------------------------------------------------

_OIDC_TAGS = Tagging(
    "iam", "OpenIDConnectProviderArn", "tag_open_id_connect_provider", "untag_open_id_connect_provider",
    "Tags", "TagKeys",
)  # fmt: skip


def _provider_arn(inputs: Values) -> str:
    return f"arn:aws:iam::{ACCOUNT}:oidc-provider/{str(inputs['url']).removeprefix('https://')}"


def _create_oidc(call: Call) -> str:
    thumbprints = call.inputs.get("thumbprintLists") or ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]
    request = {"Url": call.inputs["url"], "ClientIDList": call.inputs["clientIdLists"], "ThumbprintList": thumbprints}
    answer = call.cloud.call("iam", "create_open_id_connect_provider", **request, Tags=tag_list(call.all_tags))
    return answer["OpenIDConnectProviderArn"]


def _settle_oidc(call: Call, changed: frozenset[str]) -> None:
    cloud, arn = call.cloud, call.id
    if "thumbprintLists" in changed and call.inputs.get("thumbprintLists"):
        cloud.call(
            "iam", "update_open_id_connect_provider_thumbprint",
            OpenIDConnectProviderArn=arn, ThumbprintList=call.inputs["thumbprintLists"],
        )  # fmt: skip
    if "clientIdLists" in changed:
        have = set(cloud.call("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn)["ClientIDList"])
        want = set(call.inputs["clientIdLists"])
        for operation, ids in (("add_client_id_to", want - have), ("remove_client_id_from", have - want)):
            for id in sorted(ids):
                cloud.call("iam", f"{operation}_open_id_connect_provider", OpenIDConnectProviderArn=arn, ClientID=id)
    if "tags" in changed:
        answer = cloud.call("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn)
        _OIDC_TAGS.settle(call, arn, tag_map(answer.get("Tags")))


def _read_oidc(cloud: Cloud, id: str, state: Values) -> Values | None:
    answer = cloud.seek("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=id)
    if answer is None:
        return None
    return {
        "arn": id,
        "url": answer["Url"].removeprefix("https://"),
        "clientIdLists": answer["ClientIDList"],
        "thumbprintLists": answer["ThumbprintList"],
        "tags": tag_map(answer.get("Tags")),
    }


def _delete_oidc(cloud: Cloud, id: str, state: Values) -> None:
    gone_is_fine(lambda: cloud.call("iam", "delete_open_id_connect_provider", OpenIDConnectProviderArn=id))


def _find_oidc(call: Call) -> list[str]:
    found = _read_oidc(call.cloud, _provider_arn(call.inputs), {})
    return [found["arn"]] if found and found["tags"].get(URN_TAG) == call.urn else []


TYPES = (
    ResourceType(
        token="aws:iam/role:Role",
        create=_create_role,
        read=_read_role,
        delete=_delete_role,
        find=_find_role,
        settle=_settle_role,
        settled_on_create=frozenset({"managedPolicyArns", "inlinePolicies"}),
        replace_on=("name", "namePrefix", "path"),
        defaults={"path": "/", "maxSessionDuration": 3600, "forceDetachPolicies": False, "inlinePolicies": []},
        autoname=("name", 64),
    ),
    ResourceType(
        token="aws:iam/rolePolicy:RolePolicy",
        create=_put_policy,
        read=_read_policy,
        delete=_delete_policy,
        settle=_settle_policy,
        replace_on=("role", "name", "namePrefix"),
        autoname=("name", 128),
        taggable=False,
    ),
    ResourceType(
        token="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        create=_attach,
        read=_read_attachment,
        delete=_detach,
        replace_on=("role", "policyArn"),
        taggable=False,
        delete_before_replace=True,
    ),
    ResourceType(
        token="aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        create=_create_oidc,
        read=_read_oidc,
        delete=_delete_oidc,
        find=_find_oidc,
        settle=_settle_oidc,
        replace_on=("url",),
        delete_before_replace=True,
    ),
)
"""IAM's types."""
