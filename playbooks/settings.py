"""How Ansible is run: what makes it fast, and what keeps it from writing anywhere but into its private folder."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

FORKS = 50
"""Hosts at once. A fork costs about 60 MB while it lasts."""
CONNECT_TIMEOUT_S = 10


@dataclass(frozen=True)
class Settings:
    """``fast``: as measured best; without it as Ansible comes, which is what the benchmark divides by."""

    fast: bool = True

    def environment(self, private: Path) -> dict[str, str]:
        """Ansible's configuration for a run in the folder ``private``."""
        found = {
            "ANSIBLE_HOME": str(private / "home"),
            "ANSIBLE_LOCAL_TEMP": str(private / "tmp"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(private / "cp"),
            "TMPDIR": str(private / "tmp"),
            # A configuration file of the user or the folder must not change what a run does.
            "ANSIBLE_CONFIG": str(private / "none.cfg"),
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_HOST_KEY_CHECKING": "True",
            "ANSIBLE_TIMEOUT": str(CONNECT_TIMEOUT_S),
            "ANSIBLE_NOCOLOR": "True",
            "ANSIBLE_DEPRECATION_WARNINGS": "False",
        }
        return {**found, **(self._fast() if self.fast else {})}

    def _fast(self) -> dict[str, str]:
        """Mitogen keeps one interpreter a host instead of a process a task; hosts do not wait for each other."""
        found = {
            "ANSIBLE_PIPELINING": "True",
            "ANSIBLE_FORKS": str(FORKS),
            "ANSIBLE_GATHERING": "explicit",
            "ANSIBLE_STRATEGY": "free",
        }
        plugins = _mitogen_strategies()
        if plugins is None:
            return found
        return {**found, "ANSIBLE_STRATEGY_PLUGINS": str(plugins), "ANSIBLE_STRATEGY": "mitogen_free"}


def _mitogen_strategies() -> Path | None:
    """The folder of Mitogen's strategy plugins; ``None`` where it is not installed."""
    spec = importlib.util.find_spec("ansible_mitogen")
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) / "plugins" / "strategy" if places else None
