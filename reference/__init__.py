"""Writes the files that are made from the code: reference pages, the stack file's schema, the offers table.

``make docs`` runs it; a test fails where a committed file is not what it would write.
"""
