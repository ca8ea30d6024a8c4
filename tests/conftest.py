"""What all tests share: quick mode, the browser, and a last word about what was skipped."""

import gc
import os
import shutil
import tempfile

import browser_finder
import pytest
from contract.children import NO_KERAS

# Before any kernel or worker starts, so that they inherit it.
os.environ.setdefault("WORKBOOK_QUICK", "1")
os.environ.setdefault("WORKBOOK_MINE", "")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what one has compiled, hundreds need not
# And a folder for temporary files of its own, so that what two test processes measure, which shows
# nothing, need not wait for each other (`helpers.measure.turn`).
os.environ["TMPDIR"] = tempfile.tempdir = tempfile.mkdtemp(prefix="workbook-tests-")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of a Chromium that starts; without one the test is skipped."""
    path = browser_finder.chromium()
    if path is None:
        pytest.skip("no Chromium")
    return path


@pytest.fixture(scope="module")
def no_keras():
    """Processes that the module's tests start import TensorFlow without Keras, in half the time.

    What `contract.children` says of it holds here.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, value in NO_KERAS.items():
            patch.setenv(name, value)
        yield


def pytest_addoption(parser):
    parser.addoption("--rounds", type=int, default=1, help="run each test so many times")


def pytest_generate_tests(metafunc):
    rounds = metafunc.config.getoption("--rounds")
    if rounds > 1:
        metafunc.fixturenames.append("round_of_soak")
        metafunc.parametrize("round_of_soak", range(rounds))


def pytest_collection_finish():
    gc.collect()
    gc.freeze()  # what was imported: else each look for garbage takes half a second


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    reports = terminalreporter.stats.get("skipped", [])
    skipped = [report for report in reports if "browser" in report.keywords]
    if skipped and browser_finder.chromium() is None:
        terminalreporter.section("skipped", yellow=True)
        terminalreporter.line(f"Browser tests, for want of a Chromium: {len(skipped)}.")
        terminalreporter.line(browser_finder.HOW_TO_GET)


def pytest_unconfigure():
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
