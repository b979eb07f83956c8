"""Where a run happens, from the environment: the same definitions run from the command line and from Dagster.

BTG_OUTPUT (default `output/`), BTG_DATA (the data root with the snapshots, default `data/`; empty: none), BTG_INPUT (a
folder to measure instead of the bundled figures, or another data root), BTG_DEMO (1: with the invented survey),
BTG_TABLES_ONLY (1: without site, reports and spreadsheets), BTG_REGION and BTG_YEAR (catalog.current), BTG_EXECUTOR
(`in_process` or `multiprocess`), BTG_UMASK (who else may open what is written; default 077: nobody).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from sources import bundled

CHECKOUT = Path(__file__).resolve().parents[1]


ALONE = "in_process"
EXECUTORS = (ALONE, "multiprocess")


class SettingError(ValueError):
    """A setting in the environment that is not one of the choices."""


@dataclass(frozen=True)
class Settings:
    """Absolute paths of a run and the executor it uses."""

    output: Path
    input_folder: Path
    data: Path | None
    executor: str
    demo: bool = False
    edition: str = ""
    tables_only: bool = False

    @classmethod
    def from_environment(cls) -> Settings:
        """The settings that the environment asks for; raises SettingError."""
        chosen = Path(os.environ["BTG_INPUT"]).resolve() if os.environ.get("BTG_INPUT") else None
        if chosen is not None and is_data_root(chosen):
            data, folder = chosen, bundled.FOLDER
        elif chosen is not None:
            data, folder = None, chosen
        else:
            root = os.environ.get("BTG_DATA", str(CHECKOUT / "data"))
            data, folder = Path(root).resolve() if root else None, bundled.FOLDER
        executor = os.environ.get("BTG_EXECUTOR") or EXECUTORS[0]
        if executor not in EXECUTORS:
            raise SettingError(f"BTG_EXECUTOR: expected {' or '.join(EXECUTORS)}, found '{executor}'")
        return cls(
            output=Path(os.environ.get("BTG_OUTPUT") or CHECKOUT / "output").resolve(),
            input_folder=folder,
            data=data,
            executor=executor,
            demo=os.environ.get("BTG_DEMO") == "1",
            edition=os.environ.get("BTG_EDITION", ""),
            tables_only=os.environ.get("BTG_TABLES_ONLY") == "1",
        )


def is_data_root(folder: Path) -> bool:
    """Whether a folder holds snapshots, rather than figures.csv and its companions."""
    return (folder / "snapshots").is_dir()


def restrict_rights() -> None:
    """Give files and folders that are made from here on least rights: BTG_UMASK, octal; raises SettingError.

    The default 077 leaves them to their owner alone; 027 lets the owner's group read, 007 also write.
    """
    said = os.environ.get("BTG_UMASK") or "077"
    if not re.fullmatch("0?[0-7]{3}", said):
        raise SettingError(f"BTG_UMASK: expected three octal digits such as 077, found '{said}'")
    os.umask(int(said, 8))


def prepare_dagster_home() -> None:
    """Let Dagster keep its run history in the ignored folder `.dagster_home`, unless the user chose another home."""
    os.environ.setdefault("BTG_DAGSTER_STORAGE", str(CHECKOUT / ".dagster_home"))
    os.environ.setdefault("DAGSTER_HOME", str(CHECKOUT))
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    Path(os.environ["BTG_DAGSTER_STORAGE"]).mkdir(parents=True, exist_ok=True)
