"""Numbers as readers write them: the one place that formats a figure."""

from typing import Final

# What stands between thousands and before decimals.
_SIGNS: Final = {"nl": str.maketrans(",.", ".,"), "en": str.maketrans("", "")}


def number(value: float, decimals: int, language: str = "nl") -> str:
    """The separators of the language, a true minus sign, and never a minus before nought."""
    text = f"{abs(value):,.{decimals}f}".translate(_SIGNS[language])
    return f"−{text}" if value < 0 and text.strip("0.,") else text
