"""An operator's own colour, and what can be read on it."""


def ink_on(accent: str) -> str:
    """Return black or white, whichever reads better on a colour (WCAG 2.2, contrast ratio).

    :param accent: as `#7a1f3d`.
    """
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, accent))


def contrast(one: str, other: str) -> float:
    """Return how far two colours stand apart, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
