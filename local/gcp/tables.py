"""All types of Google Cloud that this provider stands in for, by token. What replaces is the SDK's documentation."""

from __future__ import annotations

from local.gcp import gke
from local.gcp.resource_type import Place, ResourceType
from local.provider import Values


def _account(place: Place, inputs: Values) -> Values:
    email = f"{inputs['accountId']}@{place.project}.iam.gserviceaccount.com"
    return {
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": f"projects/{place.project}/serviceAccounts/{email}",
    }


_TYPED = (
    ResourceType("gcp:projects/service:Service", "{project}/{service}", ("project", "service")),
    ResourceType(
        "gcp:compute/network:Network",
        "projects/{project}/global/networks/{name}",
        ("name", "project", "description", "autoCreateSubnetworks", "mtu"),
    ),
    ResourceType(
        "gcp:compute/subnetwork:Subnetwork",
        "projects/{project}/regions/{region}/subnetworks/{name}",
        ("name", "project", "region", "network", "ipCidrRange", "purpose"),
    ),
    ResourceType(
        "gcp:compute/router:Router",
        "projects/{project}/regions/{region}/routers/{name}",
        ("name", "project", "region", "network"),
    ),
    ResourceType(
        "gcp:compute/routerNat:RouterNat",
        "{project}/{region}/{router}/{name}",
        ("name", "project", "region", "router"),
    ),
    ResourceType(
        "gcp:serviceaccount/account:Account",
        "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
        ("accountId", "project"),
        _account,
    ),
    ResourceType(
        "gcp:projects/iAMMember:IAMMember", "{project}/{role}/{member}", ("project", "role", "member", "condition")
    ),
    ResourceType(
        "gcp:artifactregistry/repository:Repository",
        "projects/{project}/locations/{location}/repositories/{repositoryId}",
        ("repositoryId", "project", "location", "format", "mode", "kmsKeyName"),
        lambda place, inputs: {"name": inputs["repositoryId"]},
    ),
    ResourceType(
        "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
        "projects/{project}/locations/{location}/repositories/{repository}/{role}/{member}",
        ("project", "location", "repository", "role", "member", "condition"),
    ),
)
TYPES: dict[str, ResourceType] = {kind.token: kind for kind in (*gke.TYPES, *_TYPED)}
