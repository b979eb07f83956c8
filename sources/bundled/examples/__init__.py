"""Invented workbooks, laid out as publishers do: to try out deliveries, and to show how a layout is described."""

from pathlib import Path

FOLDER = Path(__file__).parent
UWV, GGD = FOLDER / "uwv_ww_voorbeeld.xlsx", FOLDER / "ggd_ervaren_gezondheid_voorbeeld.xlsx"
