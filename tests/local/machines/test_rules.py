"""What podman's networks leave in the packet filter goes, and nothing of anybody else."""

from __future__ import annotations

from local.machines.rules import removals

LEFT = """\
*filter
:FORWARD ACCEPT [0:0]
:NETAVARK_FORWARD - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -m comment --comment "netavark firewall plugin rules" -j NETAVARK_FORWARD
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
:NETAVARK-HOSTPORT-DNAT - [0:0]
:NETAVARK-HOSTPORT-MASQ - [0:0]
-A OUTPUT -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT
-A POSTROUTING -j NETAVARK-HOSTPORT-MASQ
-A NETAVARK-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
COMMIT
"""
IN_USE = LEFT.replace(":NETAVARK-HOSTPORT-DNAT", ":NETAVARK-A05E1BA84A4D1 - [0:0]\n:NETAVARK-HOSTPORT-DNAT")


def test_chains_are_left_by_nobody_and_removed_after_the_rules_that_lead_to_them() -> None:
    commands = removals(LEFT)
    comment = ["-m", "comment", "--comment", "netavark firewall plugin rules"]
    assert commands[0] == ["-t", "filter", "-D", "FORWARD", *comment, "-j", "NETAVARK_FORWARD"]
    assert commands[1][:4] == ["-t", "nat", "-D", "OUTPUT"]
    assert [command[3] for command in commands if command[2] == "-X"] == [
        "NETAVARK_FORWARD", "NETAVARK-HOSTPORT-DNAT", "NETAVARK-HOSTPORT-MASQ"
    ]  # fmt: skip
    order = [command[2] for command in commands]
    assert order == sorted(order, key=["-D", "-F", "-X"].index)


def test_rules_of_others_are_not_touched() -> None:
    assert not any("DOCKER-USER" in command for command in removals(LEFT))
    assert removals("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j DOCKER-USER\nCOMMIT\n") == []


def test_nothing_goes_while_a_network_is_in_use() -> None:
    assert removals(IN_USE) == []
