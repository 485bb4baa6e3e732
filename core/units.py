"""Figures as people read them."""

from datetime import UTC, datetime


def human_bytes(count: float) -> str:
    """Bytes with the decimal units that drives are sold by: 18000207937536 -> "18.0 TB"."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(size) < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} PB"


def human_rate(bits: float) -> str:
    """Bits a second: 4100000 -> "4.1 Mbit/s"."""
    if bits < 1e6:
        return f"{bits / 1e3:.0f} kbit/s"
    return f"{bits / 1e6:.1f} Mbit/s"


def human_seconds(seconds: float) -> str:
    """A span of time with its two largest units: 3900 -> "1 h 05 min"."""
    whole = max(0, round(seconds))
    minutes, s = divmod(whole, 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    if days:
        return f"{days} d {h:02d} h"
    if hours:
        return f"{hours} h {m:02d} min"
    return f"{minutes} min {s:02d} s" if minutes else f"{s} s"


def utc_text(at: float) -> str:
    """A moment in the machine's zone, with the zone's offset."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


def percent(value: float) -> str:
    """42.31 -> "42 %"; never 100 before it is 100."""
    return f"{min(value, 99.0) if value < 100 else 100.0:.0f} %"
