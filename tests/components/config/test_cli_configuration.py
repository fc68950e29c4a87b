"""What the Pulumi CLI hands to the program is what `aidc` reads out of the file, and what it rewrites is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from components.config import ConfigurationError, load

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="there is no Pulumi CLI on PATH"),
]
PROGRAM = f"""import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from components.config.program import load_program
config = load_program(Path("Pulumi.test.yaml"))
Path("read.json").write_text(config.model_dump_json(by_alias=True))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: ai-datacenter\nruntime: python\nmain: .\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    (tmp_path / "Pulumi.test.yaml").write_text((ROOT / "Pulumi.prod.yaml").read_text())
    pulumi(tmp_path, "stack", "init", "test")
    return tmp_path


def pulumi(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PULUMI_BACKEND_URL": f"file://{project / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "canary",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_HOME": str(project / "home"),
        "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
    }
    return subprocess.run(
        ["pulumi", *arguments, "--non-interactive"], cwd=project, env=environment, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def test_the_cli_and_aidc_make_the_same_configuration_of_a_file(project: Path) -> None:
    done = pulumi(project, "preview")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "read.json").read_text() == load(project / "Pulumi.test.yaml").model_dump_json(by_alias=True)


def test_what_is_set_on_the_command_line_reaches_the_program_without_the_file(project: Path) -> None:
    (project / "Pulumi.test.yaml").rename(project / "elsewhere.yaml")
    arguments = ["preview", "--config-file", "elsewhere.yaml", "-c", "ai-datacenter:name=other"]
    done = pulumi(project, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((project / "read.json").read_text())["name"] == "other"


def test_what_config_set_turns_into_another_type_is_told(project: Path) -> None:
    for path, value in [("retain_data", "no"), ("pools.cpu.max_size", "010"), ("smoke_test.steps", "1e3")]:
        assert pulumi(project, "config", "set", "--path", f"ai-datacenter:{path}", value).returncode == 0
    with pytest.raises(ConfigurationError) as raised:
        load(project / "Pulumi.test.yaml")
    keys = [problem.key.partition(":")[2] for problem in raised.value.problems]
    assert sorted(keys) == ["pools.cpu.max_size", "retain_data", "smoke_test.steps"]
    done = pulumi(project, "preview")
    assert done.returncode != 0
    for problem in raised.value.problems:
        assert str(problem) in done.stdout + done.stderr
