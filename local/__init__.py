"""What stands in for a cloud on one machine: the embedded engine, the local providers, the control plane, the nodes.

Nothing here imports ``components``: the program does not know that it runs locally, and this package does not know
which program it serves.
"""
