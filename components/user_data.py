"""User data of a machine of Debian's image: it becomes a node of Systems Manager that can configure itself.

The image has neither the agent nor an Ansible as new as the roles need (bookworm's is 2.14). The region's bucket is
reached through the gateway endpoint, PyPI through the NAT gateway.
"""

from __future__ import annotations

from .releases import ANSIBLE_CORE

# `always`: a newer Ansible is newer user data, for which AWS stops the machine and starts it again. So it comes without
# another machine, which would have none of the measurements. Until then the one before is used, each in its own folder.
_PARTS = """\
Content-Type: multipart/mixed; boundary="====="
MIME-Version: 1.0

--=====
Content-Type: text/cloud-config; charset="us-ascii"

#cloud-config
cloud_final_modules:
  - [scripts-user, always]

--=====
Content-Type: text/x-shellscript; charset="us-ascii"

{script}
--=====--
"""
# At the first boot networks come late and other programs hold apt's lock: everything is tried for ten minutes and more.
# The agent comes last, for the association is applied once, as soon as it answers, and needs Ansible then. It comes
# whatever has failed, for without it nobody could look why.
_SCRIPT = """\
#!/bin/sh
export DEBIAN_FRONTEND=noninteractive

retry() {{
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        if [ "$tries" -ge 30 ]; then
            echo "gave up after $tries tries: $*" >&2
            return 1
        fi
        sleep 20
    done
}}

apt() {{
    apt-get -o DPkg::Lock::Timeout=600 -o Acquire::Retries=5 "$@"
}}

packages() {{
    apt update && apt install --yes --no-install-recommends ca-certificates python3-apt python3-venv unzip wget
}}

ansible() {{
    python3 -m venv /opt/ansible-{ansible} &&
        /opt/ansible-{ansible}/bin/pip install --quiet ansible-core=={ansible}
}}

agent() {{
    wget --quiet --tries=5 --output-document=/tmp/agent.deb \\
        https://s3.{region}.amazonaws.com/amazon-ssm-{region}/latest/debian_amd64/amazon-ssm-agent.deb &&
        apt install --yes /tmp/agent.deb
}}

retry packages
retry ansible &&
    ln -sf /opt/ansible-{ansible}/bin/ansible /opt/ansible-{ansible}/bin/ansible-playbook /usr/local/bin/
dpkg --status amazon-ssm-agent >/dev/null 2>&1 || retry agent
systemctl enable --now amazon-ssm-agent
"""


def user_data(region: str) -> str:
    """What makes a node of Systems Manager of Debian's image, for cloud-init."""
    return _PARTS.format(script=script(region))


def script(region: str) -> str:
    """What runs at every boot; where everything is there already it changes nothing."""
    return _SCRIPT.format(region=region, ansible=ANSIBLE_CORE)
