"""The playbooks reach the nodes: the same archive from the same files, and no more rights than it takes to read it."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import zipfile
from pathlib import Path

from components.node_configuration import NodeConfiguration, NodeConfigurationArgs, read_archive
from components.node_role import systems_manager
from components.playbook_archive import files, pack

from .mocks import Cloud, run

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"


def declared(playbooks: Path = PLAYBOOKS) -> Cloud:
    def declare() -> None:
        args = NodeConfigurationArgs(
            name="dc", region="us-east-1", playbooks=playbooks, bucket_name="data", bucket_arn="arn:aws:s3:::data",
            key_arn="arn:key", node_role_names={"cpu": "cpu-role", "gpu": "gpu-role"},
        )  # fmt: skip
        NodeConfiguration("nodes", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def copy(folder: Path) -> Path:
    return Path(shutil.copytree(PLAYBOOKS, folder, ignore=shutil.ignore_patterns("__pycache__")))


def test_the_archive_is_the_same_whenever_and_wherever_it_is_packed(tmp_path: Path) -> None:
    other = copy(tmp_path / "other")
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    (other / "nodes.yml").chmod(0o600)
    assert pack(other) == pack(PLAYBOOKS)


def test_caches_editors_files_and_python_do_not_change_the_archive(tmp_path: Path) -> None:
    other = copy(tmp_path / "other")
    (other / "__pycache__").mkdir()
    for name in ("__pycache__/runner.pyc", "roles/base/tasks/.main.yml.swp", "roles/base/tasks/main.yml~", "notes.md"):
        (other / name).write_text("x")
    assert pack(other) == pack(PLAYBOOKS)
    python = [name for name in files(PLAYBOOKS) if name.endswith(".py")]
    assert python == ["roles/prometheus/files/smoke_test_metrics.py"]  # a role's own program, for its machines


def test_the_archive_holds_every_file_that_the_roles_have() -> None:
    archive = zipfile.ZipFile(io.BytesIO(pack(PLAYBOOKS)))
    on_disk = {path.relative_to(PLAYBOOKS).as_posix() for path in (PLAYBOOKS / "roles").rglob("*") if path.is_file()}
    assert set(archive.namelist()) == {"nodes.yml", "monitoring.yml", *on_disk}
    assert archive.testzip() is None


def test_another_playbook_is_another_key_and_another_association(tmp_path: Path) -> None:
    other = copy(tmp_path / "other")
    (other / "nodes.yml").write_text("---\n[]\n")
    clouds = (declared(), declared(other))
    keys = [cloud.of("aws:s3/bucketObjectv2:BucketObjectv2")["nodes-archive"]["key"] for cloud in clouds]
    associations = [cloud.of("aws:ssm/association:Association")["nodes-association"] for cloud in clouds]
    sources = [json.loads(association["parameters"]["SourceInfo"])["path"] for association in associations]
    assert keys[0] != keys[1]
    assert all(source.endswith(f"/data/{key}") for source, key in zip(sources, keys, strict=True))


def test_what_is_put_is_what_was_packed() -> None:
    put = declared().of("aws:s3/bucketObjectv2:BucketObjectv2")["nodes-archive"]
    assert base64.b64decode(put["contentBase64"]) == pack(PLAYBOOKS)


def test_nodes_may_read_the_playbooks_and_nothing_else_of_the_bucket() -> None:
    get, list_, decrypt = read_archive("arn:aws:s3:::data", "arn:key", "us-east-1")["Statement"]
    assert (get["Action"], get["Resource"]) == ("s3:GetObject", "arn:aws:s3:::data/playbooks/*")
    assert list_["Condition"] == {"StringLike": {"s3:prefix": "playbooks/*"}}
    assert decrypt["Condition"] == {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    policies = declared().of("aws:iam/rolePolicy:RolePolicy")
    assert {name: policy["role"] for name, policy in policies.items()} == {
        "nodes-cpu": "cpu-role",
        "nodes-gpu": "gpu-role",
    }


def test_nodes_may_not_read_the_account_s_parameters() -> None:
    (statement,) = systems_manager()["Statement"]
    assert not any("Parameter" in action or "*" in action for action in statement["Action"])


def test_a_node_that_fails_does_not_keep_the_others_from_being_configured() -> None:
    association = declared().of("aws:ssm/association:Association")["nodes-association"]
    assert (association["maxConcurrency"], association["maxErrors"]) == ("100%", "100%")
    assert ":" not in association["parameters"]["ExtraVariables"]
