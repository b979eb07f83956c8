"""Remakes region_names.csv from recorded code lists of CBS: `python -m sources.bundled.remake_names FILE...`.

The lists are RegioSCodes of OData v4 (JSON), that of 03759ned first: its descriptions say when every municipality
since 1988 came into being and was abolished. Others add regions it lacks, such as labour market regions (85554NED).
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import sys
from pathlib import Path

from sources.bundled import FOLDER
from sources.names import FILE, RegionName

_DATE = r"(\d{2})-(\d{2})-(\d{4})"
_FOUNDED = re.compile(rf"Begindatum {_DATE}")
_ENDED = re.compile(rf"Opgeheven per {_DATE}|Naamswijziging per {_DATE},\s*nieuwe naam: .*\((?P<code>GM\d{{4}})\)")

# A region of which no code list was recorded; its code stands in regions.csv.
_NOT_LISTED = [RegionName("GG1106", "GGD Twente (GG)")]
# How others write names that CBS writes otherwise.
_OTHER_NAMES = {
    "GM0164": ["Hengelo (Overijssel)", "Hengelo (Ov.)"],
    "GM0248": ["Hengelo (Gelderland)", "Hengelo (G.)"],
    "GM0373": ["Bergen (Noord-Holland)", "Bergen (N-H)"],
    "GM0893": ["Bergen (Limburg)"],
    "GM0518": ["Den Haag", "'s-Gravenhage"],
    "GM0796": ["Den Bosch"],
    "GM0820": ["Nuenen", "Nuenen c.a."],
    "PV21": ["Friesland (PV)"],
}


def rows(texts: list[str]) -> list[RegionName]:
    """All regions of the code lists (JSON): by code, the title first, then the other names."""
    titles: dict[str, RegionName] = {}
    for text in texts:
        for entry in json.loads(text)["value"]:
            code, description = entry["Identifier"].strip(), entry["Description"] or ""
            dates = _day(_FOUNDED.search(description)), _ended(code, description)
            titles.setdefault(code, RegionName(code, entry["Title"].strip(), *dates))
    titles |= {row.code: row for row in _NOT_LISTED if row.code not in titles}
    other = [titles[code]._replace(name=name) for code, names in _OTHER_NAMES.items() for name in names]
    return sorted([*titles.values(), *other], key=lambda row: row.code)


def _ended(code: str, description: str) -> str | None:
    ends = [_day(found) for found in _ENDED.finditer(description) if found["code"] != code]
    return max(filter(None, ends), default=None)


def _day(found: re.Match[str] | None) -> str | None:
    if not found:
        return None
    day, month, year = [part for part in found.groups() if part and part.isdigit()]
    return f"{year}-{month}-{day}"


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m sources.bundled.remake_names", description=f"Remake {FILE}.")
    parser.add_argument("files", type=Path, nargs="+", help="code lists of regions, that of 03759ned first")
    made = rows([path.read_text(encoding="utf-8") for path in parser.parse_args(arguments).files])
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([RegionName._fields, *made])
    (FOLDER / FILE).write_bytes(out.getvalue().encode())
    sys.stdout.write(f"{FILE}: {len(made)} names of {len({row.code for row in made})} regions\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
