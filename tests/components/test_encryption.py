"""The key's policy: who may use it besides whom IAM lets."""

from __future__ import annotations

from components.encryption import key_policy


def test_fsx_uses_the_key_only_where_a_file_system_is_linked_and_only_through_s3_of_the_account() -> None:
    without, linked = (key_policy("123456789012", "us-east-1", links)["Statement"] for links in (False, True))
    (added,) = [statement for statement in linked if statement not in without]
    condition = added["Condition"]
    assert condition["StringEquals"] == {
        "kms:CallerAccount": "123456789012",
        "kms:ViaService": "s3.us-east-1.amazonaws.com",
    }
    assert condition["ArnLike"]["aws:PrincipalArn"].startswith(
        "arn:aws:iam::123456789012:role/aws-service-role/s3.data-source.lustre.fsx.amazonaws.com/"
    )


def test_auto_scaling_may_encrypt_nodes_disks_by_the_key_s_own_policy_for_iam_gives_its_role_no_key() -> None:
    statements = {one["Sid"]: one for one in key_policy("123456789012", "us-east-1")["Statement"]}
    role = "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    for sid in ("NodeDisks", "NodeDiskGrants"):
        assert statements[sid]["Principal"] == {"AWS": "*"}
        assert statements[sid]["Condition"]["StringEquals"] == {"kms:CallerAccount": "123456789012"}
        assert statements[sid]["Condition"]["ArnEquals"] == {"aws:PrincipalArn": role}
    assert "kms:CreateGrant" not in statements["NodeDisks"]["Action"]
    assert statements["NodeDiskGrants"]["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}


def test_nobody_of_another_account_may_do_anything_with_the_key() -> None:
    for statement in key_policy("123456789012", "us-east-1", lustre_links=True)["Statement"]:
        if statement["Principal"] == {"AWS": "*"}:
            assert statement["Condition"]["StringEquals"]["kms:CallerAccount"] == "123456789012"
