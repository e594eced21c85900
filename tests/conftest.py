"""How many examples the property tests try: few in `make test`, thousands in `make test-all`."""

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
