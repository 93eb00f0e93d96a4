"""Our own gateway in front of the stand-ins, with a model for every chain of the matrix."""

from conftest import candidate
from gateway import VENDORS, provider

from .cells import POSITIONS, read_cells

#: Short, for the matrix waits for them often; long enough for a busy machine.
TIMEOUTS = {"per_try": "700ms", "idle": "800ms"}


def model_of(cell):
    """What to ask for, to get this cell's chain."""
    parts = ["faults", *([cell.vendor, cell.position] if cell.vendor else [])]
    return "-".join([*parts, cell.name] if cell.settings else parts)


def document(standins):
    """Nobody is ejected or left alone: each cell is the first of its kind."""
    steadfast = {"consecutive_failures": 1000}
    cells = {model_of(cell): cell for cell in read_cells()}
    return {
        "providers": {s.name: provider(s, outlier_detection=steadfast) for s in standins},
        "models": {
            name: {"candidates": [candidate(vendor) for vendor in cell.chain(VENDORS)]}
            | cell.settings
            for name, cell in cells.items()
        },
        "defaults": {"timeouts": TIMEOUTS},
        "limits": {"request_body": "256KiB", "reply": "256KiB"},
        "observe": {"longest_cool_down": "0s"},
    }
