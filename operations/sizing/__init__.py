"""From a model and its tokens to a plan for its training: pure arithmetic over the catalogue. Knows no Pulumi.

:mod:`.quantities` reads what people type, :mod:`.formulas` and :mod:`.reliability` are the published formulas,
:mod:`.layout` cuts a model over chips, :mod:`.plan` searches, :mod:`.checks` compares with published runs.
"""
