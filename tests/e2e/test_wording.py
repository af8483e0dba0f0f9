"""The switch for the words that DynamoDB's requests are refused in."""

import boto3
import botocore.config
import laptop as laptops
import pytest
from laptop import EAST, error_code


@pytest.fixture(scope="module", params=["classic", "2026"])
def worded(request):
    with laptops.guarded("--dynamodb-wording", request.param) as laptop:
        client = boto3.session.Session().client(
            "dynamodb",
            region_name=EAST,
            endpoint_url=laptop.endpoint(EAST),
            aws_access_key_id=laptops.KEY,
            aws_secret_access_key=laptops.SECRET,
            config=botocore.config.Config(
                parameter_validation=False, retries={"total_max_attempts": 1}
            ),
        )
        yield request.param, client


def test_broken_constraints_are_told_in_the_words_asked_for(worded):
    words, client = worded
    code, message = error_code(client.list_tables, Limit=0, ExclusiveStartTableName="a")
    assert code == "ValidationException"
    if words == "classic":
        assert message.startswith("2 validation errors detected: ")
        assert "Value '0' at 'limit' failed to satisfy constraint: " in message
    else:
        assert message.startswith("1 validation error detected: Value at '")
        assert "'Limit'" in message or "'ExclusiveStartTableName'" in message
    assert "Member must have" in message


def test_other_refusals_read_the_same(worded):
    _, client = worded
    code, message = error_code(client.describe_table, TableName="missing")
    assert code == "ResourceNotFoundException"
    assert message == "Requested resource not found: Table: missing not found"
    wrong = {"TableName": "missing", "Item": {"id": {"NULL": False}}}
    code, message = error_code(client.put_item, **wrong)
    assert code == "ValidationException" and "Null attribute value types" in message
