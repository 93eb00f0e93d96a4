"""What clients need besides: time enough, for they ask for much at once."""

import pytest


@pytest.fixture(scope="session")
def timeouts():
    return {"per_try": "20s", "idle": "20s"}
