"""What all end-to-end tests share: running regions, a time limit, logs of what failed."""

import faulthandler
import signal

import laptop as laptops
import pytest

# No test may hang the run. The longest that must be allowed is the demo's story.
TEST_SECONDS_MAX = 240


@pytest.fixture(scope="session")
def near():
    """Three regions without delays, for tests that leave links and processes alone."""
    with laptops.running(laptops.Laptop()) as laptop:
        yield laptop


@pytest.fixture(scope="module")
def far():
    """Three regions as far apart as the real ones, for tests that harm them."""
    with laptops.running(laptops.Laptop(delays=True)) as laptop:
        yield laptop


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    def give_up(*_):
        faulthandler.dump_traceback()
        pytest.fail(f"{item.name} took more than {TEST_SECONDS_MAX} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(TEST_SECONDS_MAX)
    yield
    signal.alarm(0)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for one in laptops.alive():
            for file, text in one.logs().items():
                report.sections.append((file, text))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    # `cargo xtask test FILTER` asks all runners; a name that is not one of these tests is no fault.
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.option.keyword:
        session.exitstatus = pytest.ExitCode.OK
