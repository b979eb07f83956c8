"""Dagster wiring and the command line: definitions, storage between steps, checks, and `btg`.

What does not belong here: statistics (methods), reading sources (sources), files for readers (reports).
"""
