"""Dagster wiring and the command line: definitions, storage between steps, checks, and `btg`.

What does not belong here: statistics (methods), reading sources (sources), files for readers (reports).
"""

import warnings

from dagster import BetaWarning, PreviewWarning

# Dagster is pinned exactly and its changelog is read before every upgrade: its notes on what may change are for us.
warnings.filterwarnings("ignore", category=BetaWarning)
warnings.filterwarnings("ignore", category=PreviewWarning)
