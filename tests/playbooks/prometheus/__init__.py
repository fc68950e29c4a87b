"""The role ``prometheus`` as files: its templates rendered with its defaults, without Ansible and without a machine."""

from __future__ import annotations

import json
import os.path
from pathlib import Path
from typing import Any

import jinja2
from ruamel.yaml import YAML

from playbooks import PLAYBOOKS

ROLE = PLAYBOOKS / "roles" / "prometheus"
RULES_TESTS = {
    Path(__file__).with_name("rules_test.yml"): "",
    Path(__file__).with_name("untold_test.yml"): "checkpoints",
}
"""What `promtool test rules` runs, beside a ``rules.yml`` of a role that has this bucket for verdicts."""
SECRET = """a "b" $HOME `id` %h \\ c'd = #e"""
"""With all that means something to a shell or to systemd."""


def defaults() -> dict[str, Any]:
    """The role's variables as they are where nobody sets them."""
    return YAML(typ="safe").load(ROLE / "defaults" / "main.yml")


def render(template: str, marks: tuple[str, str] = ("{{", "}}"), **variables: Any) -> str:
    """A template with the defaults and these variables."""
    begin, end = marks
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROLE / "templates"), variable_start_string=begin, variable_end_string=end,
        trim_blocks=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["to_nice_json"] = lambda value: json.dumps(value, indent=4)
    environment.filters["dirname"] = os.path.dirname
    known = {"ansible_managed": "Ansible", "_prometheus_rules": "/etc/prometheus/rules/nodes.yml"}
    known |= {"_prometheus_targets": "/etc/prometheus/targets/nodes.json"}
    return environment.get_template(template).render({**known, **defaults(), **variables})


def rules(**variables: Any) -> str:
    """The rules' file, whose annotations keep the double braces of Prometheus."""
    return render("rules.yml.j2", ("[[", "]]"), **variables)
