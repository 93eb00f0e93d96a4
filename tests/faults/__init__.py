"""The fault matrix: every way a provider can fail, and what a client sees of it."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
# What the end-to-end tests share is there for programs, too.
sys.path[:0] = [str(TESTS), str(TESTS / "e2e"), str(TESTS / "vendor")]
