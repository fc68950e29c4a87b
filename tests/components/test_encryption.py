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
