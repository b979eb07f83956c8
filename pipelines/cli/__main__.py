"""`python -m pipelines.cli` is `btg`."""

from pipelines.cli import main

if __name__ == "__main__":  # a process that helps reads this module too
    main()
