"""The Pulumi CLI runs the provider from its folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import moto
from local.paths import CHECKOUT, DataRoot

PROGRAM = """
import pulumi, pulumi_aws as aws
vpc = aws.ec2.Vpc("v", cidr_block="10.0.0.0/16", tags={"a": "b"})
west = aws.Provider("west", region="us-west-2")
bucket = aws.s3.Bucket("b", opts=pulumi.ResourceOptions(provider=west))
pulumi.export("bucket", bucket.bucket_regional_domain_name)
"""


@pytest.mark.cli
@pytest.mark.timeout(300)
def test_a_program_comes_up_and_its_second_preview_is_empty(tmp_path: Path) -> None:
    state, program, home = (tmp_path / name for name in ("state", "program", "home"))
    state.mkdir()
    program.mkdir()
    (program / "Pulumi.yaml").write_text(
        f"name: mini\nruntime:\n  name: python\n  options: {{toolchain: pip, virtualenv: {sys.prefix}}}\n"
        f"plugins:\n  providers:\n    - name: aws\n      path: {CHECKOUT / 'local' / 'aws'}\n"
    )
    (program / "Pulumi.local.yaml").write_text("config:\n  aws:region: us-east-1\n")
    (program / "__main__.py").write_text(PROGRAM)
    environment = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "AI_DATACENTER_HOME": str(home),
    }

    def pulumi(*arguments: str) -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"], cwd=program, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        pulumi("stack", "init", "local")
        assert ".s3.us-west-2.amazonaws.com" in pulumi("up", "--yes", "--skip-preview")
        assert "4 unchanged" in pulumi("preview", "--expect-no-changes")
        pulumi("destroy", "--yes", "--skip-preview")
    finally:
        moto.stop(DataRoot(home))
