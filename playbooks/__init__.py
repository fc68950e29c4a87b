"""What configures machines: the playbooks of nodes and of what watches them, their roles, and the one way to run them.

The same files reach production nodes through ``AWS-ApplyAnsiblePlaybooks`` and local machines through
:func:`playbooks.runner.converge`. Nothing here knows Pulumi, a cloud, or this machine's data root.
"""

from pathlib import Path

PLAYBOOKS = Path(__file__).resolve().parent
"""The folder of ``site.yml`` and its roles."""
