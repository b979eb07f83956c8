"""A browser for tests of pages. Without one they skip, but for where it was promised (`.ci/run` installs it)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pipelines.browser import missing, opened_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, for all tests."""
    if why := missing():
        if os.environ.get("CI") or os.environ.get("BTG_REQUIRE_BROWSER") == "1":
            pytest.fail(why)
        pytest.skip(why)
    with opened_browser() as found:
        yield found
