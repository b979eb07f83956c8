"""Where a run happens, from the environment: the same definitions run from the command line and from Dagster.

BTG_OUTPUT (default `output/`), BTG_INPUT (a folder to measure instead of the bundled figures), BTG_REGION and BTG_YEAR
(catalog.current), BTG_EXECUTOR (`in_process` or `multiprocess`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sources import bundled

CHECKOUT = Path(__file__).resolve().parents[1]


EXECUTORS = ("in_process", "multiprocess")


class SettingError(ValueError):
    """A setting in the environment that is not one of the choices."""


@dataclass(frozen=True)
class Settings:
    """Absolute paths of a run and the executor it uses."""

    output: Path
    input_folder: Path
    executor: str

    @classmethod
    def from_environment(cls) -> Settings:
        """The settings that the environment asks for; raises SettingError."""
        chosen = os.environ.get("BTG_INPUT")
        executor = os.environ.get("BTG_EXECUTOR") or EXECUTORS[0]
        if executor not in EXECUTORS:
            raise SettingError(f"BTG_EXECUTOR: expected {' or '.join(EXECUTORS)}, found '{executor}'")
        return cls(
            output=Path(os.environ.get("BTG_OUTPUT") or CHECKOUT / "output").resolve(),
            input_folder=Path(chosen).resolve() if chosen else bundled.FOLDER,
            executor=executor,
        )


def prepare_dagster_home() -> None:
    """Let Dagster keep its run history in the ignored folder `.dagster_home`, unless the user chose another home."""
    os.environ.setdefault("BTG_DAGSTER_STORAGE", str(CHECKOUT / ".dagster_home"))
    os.environ.setdefault("DAGSTER_HOME", str(CHECKOUT))
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    Path(os.environ["BTG_DAGSTER_STORAGE"]).mkdir(parents=True, exist_ok=True)
