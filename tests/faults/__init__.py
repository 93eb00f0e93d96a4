"""The fault matrix: every way a provider can fail, and what a client sees of it."""
