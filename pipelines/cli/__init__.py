"""`btg`, the analyst's hand tool. Exit 0: done; 1: the data is at fault; 2: the call is."""

from __future__ import annotations

from importlib import import_module

from pipelines.cli.common import CALL_AT_FAULT, DATA_AT_FAULT, app, leave

# Each module adds its commands to the application, in the order in which `btg --help` lists them.
for _module in (
    "measuring",
    "intake",
    "register",
    "coverage",
    "survey",
    "editions",
    "history",
    "reporting",
    "rebuild",
    "care",
    "serving",
    "accessibility",
):
    import_module(f"pipelines.cli.{_module}")


def main() -> None:
    """Entry point of `btg`."""
    from catalog import AddressError, CatalogueError, YearError
    from pipelines.query import NotAnswered
    from pipelines.settings import SettingError, restrict_rights
    from pipelines.signals import stop_when_asked

    try:
        restrict_rights()
        stop_when_asked()
        app()
    except (AddressError, YearError, SettingError) as error:
        leave(str(error), CALL_AT_FAULT)
    except CatalogueError as error:
        leave(f"The catalogue has a mistake.\n{error}", DATA_AT_FAULT)
    except NotAnswered as error:
        leave(f"An edition cannot be read: {error}", DATA_AT_FAULT)
