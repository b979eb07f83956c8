"""Pure statistics on frames: reference periods, group values, differences and verdicts.

No files, no Dagster and no indicator names in this room; it imports only `catalog`.
"""
