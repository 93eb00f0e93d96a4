"""Other gateways before the same stand-ins, so that the fault matrix can be compared."""

from .results import chapter

__all__ = ["chapter"]
