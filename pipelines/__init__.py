"""Dagster wiring and the command line: definitions, storage between steps, checks, and `btg`.

What does not belong here: statistics (methods), reading sources (sources), files for readers (reports).
"""

import os
import warnings

# The matrices here are small: threads of the linear algebra library cost more than they bring, many times more on a
# busy machine, and would let the last digits depend on the machine. Before anything imports NumPy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from dagster import BetaWarning, PreviewWarning

# Dagster is pinned exactly and its changelog is read before every upgrade: its notes on what may change are for us.
warnings.filterwarnings("ignore", category=BetaWarning)
warnings.filterwarnings("ignore", category=PreviewWarning)
