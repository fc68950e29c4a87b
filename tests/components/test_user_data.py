"""User data makes a node of Systems Manager of a plain image, through the hiccups of a first boot, at every boot."""

from __future__ import annotations

import email
import os
import subprocess
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from components.releases import ANSIBLE_CORE
from components.user_data import script, user_data

from .test_datacenter import ROOT

# Stands in for a program: writes down its call, and fails as often as its file says.
PROGRAM = """#!/bin/sh
name=$(basename "$0")
echo "$name $*" >>"$CALLS/log"
left=$(cat "$CALLS/$name" 2>/dev/null || echo 0)
[ "$left" -gt 0 ] || exit 0
echo $((left - 1)) >"$CALLS/$name"
exit 1
"""


class Machine:
    """A folder with stand-ins for all programs that the script starts."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._log = folder, folder / "log"
        self.opt = folder / "opt"
        pip = self.opt / f"ansible-{ANSIBLE_CORE}" / "bin"
        for where, names in ((folder / "bin", "apt-get python3 wget dpkg systemctl ln sleep"), (pip, "pip")):
            where.mkdir(parents=True)
            for name in names.split():
                (where / name).write_text(PROGRAM)
                (where / name).chmod(0o755)

    def boot(self, **failures: int) -> list[str]:
        """What was called, in order, where the programs fail that many times before they succeed."""
        self._log.unlink(missing_ok=True)
        for name, times in failures.items():
            (self._folder / name.replace("_", "-")).write_text(str(times))
        path = f"{self._folder / 'bin'}:{os.environ['PATH']}"
        text = script("eu-west-1").replace("/opt/", f"{self.opt}/")
        environment = {"PATH": path, "CALLS": str(self._folder)}
        subprocess.run(["sh"], input=text, env=environment, check=True, text=True, capture_output=True, timeout=30)
        return self._log.read_text().replace(f"{self.opt}/", "/opt/").splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def first(calls: list[str], what: str) -> int:
    return next(number for number, call in enumerate(calls) if what in call)


def test_it_brings_the_ansible_that_the_project_is_tested_with(machine: Machine) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"ansible-core=={ANSIBLE_CORE}" in project["dependencies"]
    assert f"pip install --quiet ansible-core=={ANSIBLE_CORE}" in machine.boot()


def test_the_agent_is_the_region_s_and_answers_only_when_ansible_is_there(machine: Machine) -> None:
    calls = machine.boot(dpkg=1)
    wget = first(calls, "wget --quiet")
    assert "https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/latest/debian_amd64/" in calls[wget]
    assert first(calls, "pip install") < first(calls, "ln -sf") < wget < first(calls, "systemctl enable --now")


@pytest.mark.parametrize("program", ["apt_get", "pip", "python3", "wget"])
def test_a_hiccup_is_waited_out(machine: Machine, program: str) -> None:
    calls = machine.boot(dpkg=1, **{program: 3})
    assert calls.count("sleep 20") == 3
    assert "apt-get -o DPkg::Lock::Timeout=600 -o Acquire::Retries=5 install --yes /tmp/agent.deb" in calls
    assert any(call.startswith(f"ln -sf /opt/ansible-{ANSIBLE_CORE}/bin/ansible ") for call in calls)


def test_what_cannot_be_had_keeps_nobody_from_looking_why(machine: Machine) -> None:
    calls = machine.boot(dpkg=1, pip=1000)
    assert calls.count("sleep 20") == 29
    assert not any(call.startswith("ln") for call in calls), "an Ansible that is not whole would be used"
    assert calls[-1] == "systemctl enable --now amazon-ssm-agent"


def test_a_machine_that_has_everything_gets_no_second_agent(machine: Machine) -> None:
    assert not any(call.startswith("wget") for call in machine.boot())


def test_it_runs_at_every_boot_so_that_a_newer_ansible_needs_no_new_machine() -> None:
    settings, shell = parts(user_data("eu-west-1"))
    assert settings[0] == "text/cloud-config"
    assert YAML(typ="safe").load(settings[1]) == {"cloud_final_modules": [["scripts-user", "always"]]}
    assert shell[0] == "text/x-shellscript"
    assert shell[1].strip() == script("eu-west-1").strip()
    assert shell[1].startswith("#!/bin/sh\n")


def parts(text: str) -> list[tuple[str, str]]:
    """The types and contents of the parts, as MIME has them."""
    found = [part for part in email.message_from_string(text).walk() if not part.is_multipart()]
    return [(part.get_content_type(), str(part.get_payload())) for part in found]
