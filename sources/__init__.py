"""Reads what publishers deliver: bytes in, checked and typed tables out.

A changed assumption (a column renamed, a municipality missing, a code unknown) is an `InputError` that says where,
what was expected and what to do; never a silent empty table. This room imports only `catalog`: no Dagster, no
statistics.
"""
