"""What all tests share: how often hypothesis tries, and a Ctrl-C that arrives.

Of each property few examples are tried in `make test`, and hundreds in `make test-all`.
"""

import signal

import pytest
from hypothesis import HealthCheck, settings

common = dict(
    deadline=None,  # how long an example takes depends on the machine
    database=None,  # leaves no folder behind
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("quick", max_examples=60, derandomize=True, **common)
settings.register_profile("thorough", max_examples=400, **common)


def pytest_configure(config):
    settings.load_profile("quick" if config.option.markexpr == "not slow" else "thorough")


@pytest.fixture
def ctrl_c():
    """Let Python hear of Ctrl-C: what a script starts in the background is told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
