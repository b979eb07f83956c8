"""Numbers as Dutch readers write them: the one place that formats a figure."""


def number(value: float, decimals: int) -> str:
    """Decimal comma, point between thousands, a true minus sign, and never a minus before nought."""
    text = f"{abs(value):,.{decimals}f}".translate(str.maketrans(",.", ".,"))
    return f"−{text}" if value < 0 and text.strip("0.,") else text
