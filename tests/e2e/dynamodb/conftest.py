"""What the DynamoDB cases share: the server under test.

Alone they ask a region of Hither. With DYNAMODB_ENDPOINT set they ask that server instead, and
with DYNAMODB_ANSWERS they keep what was answered (`compare.py` does both).
"""

import os

import pytest
from laptop import EAST
from server import Server, Single

PEER = os.environ.get("DYNAMODB_ENDPOINT")
ANSWERS = os.environ.get("DYNAMODB_ANSWERS")

_outcomes = {}


@pytest.fixture(scope="session")
def one(request):
    endpoint = PEER or request.getfixturevalue("near").endpoint(EAST)
    server = Server(endpoint, is_peer=bool(PEER))
    yield server
    if ANSWERS:
        server.save(ANSWERS, _outcomes)


@pytest.fixture(scope="session")
def single(one):
    return Single(one.endpoint)


@pytest.fixture
def server(one, request):
    one.test = request.node.nodeid.split("dynamodb/", 1)[-1]
    return one


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if call.when == "call":
        said = "" if report.passed else str(call.excinfo.value) if call.excinfo else ""
        _outcomes[item.nodeid.split("dynamodb/", 1)[-1]] = [report.outcome, said[:600]]
