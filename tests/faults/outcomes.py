"""How well a client was served."""

from .cells import ANSWERED, ERROR


def is_best(cell, seen):
    """Whether nobody could have served this client better."""
    return seen.outcome == ANSWERED or (seen.outcome == ERROR and cell.client == ERROR)
