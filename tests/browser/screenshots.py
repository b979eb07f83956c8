"""The pictures of pages that README and docs show.

python -m tests.browser.screenshots OUTPUT      # renews them from the standing edition of an output folder
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image

from catalog import load_catalogue
from pipelines.browser import DESKTOP, Setting, opened_browser, opened_tab
from pipelines.serve import served
from reports import editions

DOCS = Path(__file__).parents[2] / "docs"
PHONE = Setting("phone", width=360, height=1100, is_mobile=True)
COLOURS = 96  # enough for pages of text and few colours, at a third of the size
CORE = "GM0153"


def main(output: Path) -> None:
    """Open the pages and save what is seen first of each."""
    name = editions.standing(output) or sys.exit(f"No edition in {output}: make measure")
    headline = next(i.indicator_id for i in load_catalogue().headline_indicators[::-1])
    wide = Setting(DESKTOP.name, width=1180, height=1400)
    pages = {
        "site-home": ("index.html", wide),
        "site-cores": ("cores-and-rural.html", wide),
        "site-indicator": (f"indicators/{headline}.html", wide),
        "site-municipality": (f"regions/{CORE}.html", wide),
        "site-phone": (f"regions/{CORE}.html", PHONE),
    }
    with served(output) as address, opened_browser() as browser:
        for picture, (page, setting) in pages.items():
            with opened_tab(browser, setting) as tab:
                tab.goto(f"{address}/{name}/site/{page}", wait_until="networkidle")
                save(tab.screenshot(), picture)


def save(png: bytes, picture: str) -> None:
    """A picture with few colours, which is small."""
    seen = Image.open(io.BytesIO(png)).convert("RGB")
    few = seen.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(DOCS / f"{picture}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
