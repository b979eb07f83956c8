"""`python -m pipelines.cli` is `btg`."""

from pipelines.cli import main

main()
