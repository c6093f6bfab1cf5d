"""A directory of the run's own for `tmp_path`, gone at its end: pytest itself would leave its last three under /tmp.

Imported by tests/conftest.py as a plugin. Runs beside this one have directories of theirs.
"""

import os
import shutil
import tempfile

import pytest

ROOT_VARIABLE = "PYTEST_DEBUG_TEMPROOT"
PREFIX = "hongbao-pytest-"
_root = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("basetemp") is None and ROOT_VARIABLE not in os.environ:
        config.stash[_root] = os.environ[ROOT_VARIABLE] = tempfile.mkdtemp(prefix=PREFIX)


def pytest_unconfigure(config: pytest.Config) -> None:
    root = config.stash.get(_root, None)
    if root is not None:
        del os.environ[ROOT_VARIABLE]
        shutil.rmtree(root)
