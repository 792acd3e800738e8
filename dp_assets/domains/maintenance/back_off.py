"""How long to wait before what went wrong is tried again."""

from dp_assets.core.units import HOUR_MS

FIRST_BACK_OFF_MS, LONGEST_BACK_OFF_MS = 3 * HOUR_MS, 24 * HOUR_MS


def back_off_ms(failures: int) -> int:
    """How long to wait after that many failures in a row: 3 h, 6 h, 12 h, then 24 h."""
    return min(FIRST_BACK_OFF_MS * 2 ** min(failures - 1, 10), LONGEST_BACK_OFF_MS)
