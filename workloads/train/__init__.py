"""A small language model, trained on every node at once, to say whether the nodes can train.

The package imports nothing of the project around it: it runs on a node, and what it must know comes with the job as
environment variables (see :mod:`train.config.job`).
"""
