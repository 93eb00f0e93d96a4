"""Puts a cell's fault on stand-ins for the time of one request."""

from contextlib import contextmanager

from .cells import BEFORE


@contextmanager
def playing(cell, chain):
    """`chain` is the stand-ins of the three candidates, in order; the others are healthy."""
    spoiled = chain[cell.place]
    for standin in chain[: cell.place]:
        standin.fail(BEFORE)
    if cell.fault is None:
        spoiled.listen(False)
    else:
        spoiled.fail(cell.fault, **({"times": cell.times} if cell.times else {}))
    try:
        yield
    finally:
        if cell.fault is None:
            spoiled.listen(True)
        for standin in chain[: cell.place + 1]:
            standin.reset()
