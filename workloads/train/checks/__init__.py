"""Checks before training: can these nodes train, how fast, which node or link is slow, and how sure is that.

:mod:`~train.checks.run` runs them in order, ``python -m train.checks`` alone. What is measured becomes a judgement in
two ways: against floors of the catalogue row (:mod:`~train.checks.floors`) and against the peers of the same run
(:mod:`~train.checks.estimate`).
"""
