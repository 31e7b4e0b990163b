"""An operator's own colour, and what can be read on it."""


def ink_on(accent: str) -> str:
    """Return black or white, whichever reads better on a colour (WCAG 2.2, contrast ratio).

    :param accent: as `#7a1f3d`.
    """
    channels = [int(accent[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#ffffff"
