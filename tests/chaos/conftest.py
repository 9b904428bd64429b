"""The fleet of tests/e2e, for tests that break it."""

import importlib.util
import pathlib
import sys

E2E = pathlib.Path(__file__).resolve().parents[1] / "e2e"
sys.path.insert(0, str(E2E))
spec = importlib.util.spec_from_file_location("e2e_conftest", E2E / "conftest.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
globals().update({name: value for name, value in vars(module).items() if not name.startswith("__")})


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes about a minute or more; scripts/chaos runs it, scripts/test does not")
