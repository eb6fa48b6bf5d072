"""Tables as plain text, for terminals."""

from collections.abc import Iterable, Sequence


def aligned(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of texts in aligned columns, two spaces apart; nothing is cut off.

    >>> print(aligned(["file", "verdict"], [["a.wav", "anger"]]))
    file   verdict
    a.wav  anger
    """
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
