"""Calls on tables: made, described, changed, listed, tagged, deleted."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from case import IN_USE, NOT_FOUND, SERIALIZATION, VALIDATION, Case, call, suite
from server import definition

HASH = definition([("pk", "S")])
ON_DEMAND = {"BillingMode": "PAY_PER_REQUEST"}
UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}
NAME = "$-table"


def create(name=NAME, **more):
    given = {} if "AttributeDefinitions" in more or "KeySchema" in more else HASH
    billing = {} if "BillingMode" in more or "ProvisionedThroughput" in more else ON_DEMAND
    return call("CreateTable", TableName=name, **given, **billing, **more)


def describe(name=NAME):
    return call("DescribeTable", TableName=name)


def change(name=NAME, **more):
    return call("UpdateTable", TableName=name, **more)


def drop(name=NAME):
    return call("DeleteTable", TableName=name)


def invalid(title, *patterns, **more):
    """A table that is not made."""
    return Case(f"create refused: {title}", create(**more).invalid(*patterns),
                describe().refused(NOT_FOUND))


def keyed(*keys, attributes=None):
    """A schema of these (attribute, key type) pairs, each attribute a text."""
    names = attributes if attributes is not None else [name for name, _ in keys]
    return {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in names],
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys],
    }


test_create = suite(
    Case("create: a name of 3 characters", create("abc"), drop("abc")),
    Case("create: a name of all characters", create("$_.-Az09"), drop("$_.-Az09")),
    Case("create: one that is there", create(), create()
         .refused(IN_USE, "Table already exists: |preexisting table"), drop()),
    Case("create: names are told apart by case", create("$-a"), create("$-A"), drop("$-a"),
         drop("$-A")),
    Case("create: provisioned", create(ProvisionedThroughput=UNITS), drop()),
    Case("create: provisioned in words",
         create(BillingMode="PROVISIONED", ProvisionedThroughput=UNITS), drop()),
    Case("create: a key of numbers", create(**definition([("pk", "N"), ("sk", "B")])), drop()),
    Case("create: with tags", create(Tags=[{"Key": "a", "Value": "1"}]), drop()),
    invalid("a name of two characters", "'tableName'|Table/index names|at least 3",
            "greater than or equal to 3|between 3 and 255|at least 3", name="ab"),
    invalid("a name of 256 characters", "less than or equal to 255|at most 255", name="a" * 256),
    invalid("a name with a slash", "regular expression|Table/index names", name="abc/def"),
    invalid("a name with an umlaut", "regular expression|Table/index names", name="täble"),
    invalid("an empty name", "tableName|TableName", name=""),
    invalid("no key", "keySchema|KeySchema", AttributeDefinitions=HASH["AttributeDefinitions"]),
    invalid("an empty key", "keySchema|KeySchema", KeySchema=[],
            AttributeDefinitions=HASH["AttributeDefinitions"]),
    invalid("no definitions", "attributeDefinitions|AttributeDefinitions",
            KeySchema=HASH["KeySchema"]),
    invalid("a key attribute without a definition",
            "not defined in AttributeDefinitions|Some index key attribute",
            **keyed(("pk", "HASH"), attributes=["other"])),
    invalid("a definition without use", "does not exactly match number of attributes",
            **keyed(("pk", "HASH"), attributes=["pk", "other"])),
    invalid("one definition twice", "", **keyed(("pk", "HASH"), attributes=["pk", "pk"])),
    invalid("a sort key alone", "HASH|Invalid KeySchema", **keyed(("pk", "RANGE"))),
    invalid("a sort key first", "first KeySchemaElement is not a HASH",
            **keyed(("sk", "RANGE"), ("pk", "HASH"))),
    invalid("two partition keys", "second KeySchemaElement is not a RANGE",
            **keyed(("pk", "HASH"), ("sk", "HASH"))),
    invalid("three key attributes", "keySchema|KeySchema|length less than or equal to 2",
            **keyed(("pk", "HASH"), ("sk", "RANGE"), ("tk", "RANGE"))),
    invalid("one attribute as both keys", "",
            **keyed(("pk", "HASH"), ("pk", "RANGE"), attributes=["pk"])),
    invalid("a key of an unknown type", "attributeType", "[SNB, ]+",
            **definition([("pk", "SS")])),
    invalid("a key of an unknown role", "keyType", **keyed(("pk", "SORT"))),
    invalid("a key's name of 256 bytes", "255|attributeName", **definition([("k" * 256, "S")])),
    invalid("no throughput", "ReadCapacityUnits|provisionedThroughput|ProvisionedThroughput",
            BillingMode="PROVISIONED"),
    invalid("throughput on demand", "Neither ReadCapacityUnits nor WriteCapacityUnits can be",
            BillingMode="PAY_PER_REQUEST", ProvisionedThroughput=UNITS),
    invalid("an unknown billing mode", "billingMode", "PAY_PER_REQUEST", BillingMode="FREE"),
    invalid("no units", "greater than or equal to 1|minimum|at least",
            ProvisionedThroughput={"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}),
    invalid("half the throughput", "writeCapacityUnits|WriteCapacityUnits|null",
            ProvisionedThroughput={"ReadCapacityUnits": 1}),
    invalid("an unknown class", "tableClass", TableClass="GLACIER"),
    invalid("a stream without a view", "StreamViewType|view",
            StreamSpecification={"StreamEnabled": True}),
    invalid("a view without a stream", "StreamViewType|StreamEnabled",
            StreamSpecification={"StreamEnabled": False, "StreamViewType": "NEW_IMAGE"}),
    invalid("an unknown view", "streamViewType",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "ALL"}),
    Case("create refused: units that are no number",
         create(ProvisionedThroughput={"ReadCapacityUnits": "many", "WriteCapacityUnits": 1})
         .refused(SERIALIZATION)),
    Case("create refused: several violations are told together",
         call("CreateTable", TableName="a;", BillingMode="FREE", TableClass="GLACIER",
              AttributeDefinitions=[], KeySchema=[])
         .invalid("validation errors detected", "tableName", "billingMode", "tableClass")),
)

test_change = suite(
    Case("update: to other units", create(ProvisionedThroughput=UNITS),
         change(ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 8}), drop()),
    Case("update: to on demand", create(ProvisionedThroughput=UNITS), change(**ON_DEMAND), drop()),
    Case("update: to provisioned", create(),
         change(BillingMode="PROVISIONED", ProvisionedThroughput=UNITS), drop()),
    Case("update: to provisioned without units", create(),
         change(BillingMode="PROVISIONED").invalid("ReadCapacityUnits|ProvisionedThroughput"),
         drop()),
    Case("update: units of a table on demand", create(),
         change(ProvisionedThroughput=UNITS).invalid("PAY_PER_REQUEST|ReadCapacityUnits"), drop()),
    Case("update: to a stream", create(),
         change(StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}),
         drop()),
    Case("update: to a stream there is", create(StreamSpecification={
             "StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}),
         change(StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
         .invalid("already has an enabled stream|stream"), drop()),
    Case("update: to no stream where there is none", create(),
         change(StreamSpecification={"StreamEnabled": False}).invalid("stream"), drop()),
    Case("update: of nothing", create(), change().invalid("At least one of"), drop()),
    Case("update: a table that is not there", change(**ON_DEMAND)
         .refused(NOT_FOUND, "Requested resource not found")),
    Case("update: an unknown class", create(), change(TableClass="GLACIER").invalid("tableClass"),
         drop()),
    Case("protection: on from the start", create(DeletionProtectionEnabled=True),
         drop().invalid("protected against deletion"),
         change(DeletionProtectionEnabled=False), drop()),
    Case("protection: on later", create(), change(DeletionProtectionEnabled=True),
         drop().invalid("protected against deletion"),
         change(DeletionProtectionEnabled=False), drop()),
    Case("delete: a table that is not there",
         drop().refused(NOT_FOUND, "Requested resource not found: Table: .*not found")),
    Case("describe: a table that is not there",
         describe().refused(NOT_FOUND, "Requested resource not found: Table: .*not found")),
    Case("describe: no name", call("DescribeTable").invalid("tableName|TableName")),
    Case("describe: an empty name", describe("").invalid("tableName|TableName")),
    Case("describe: a name that is too long", describe("a" * 256).invalid("tableName|TableName")),
    Case("delete: no name", call("DeleteTable").invalid("tableName|TableName")),
)

test_list = suite(
    Case("list: a limit of zero", call("ListTables", Limit=0).invalid("'limit'|Limit",
         "greater than or equal to 1|minimum")),
    Case("list: a limit of 101", call("ListTables", Limit=101).invalid("'limit'|Limit",
         "less than or equal to 100|maximum")),
    Case("list: a name to start after that is too short",
         call("ListTables", ExclusiveStartTableName="a").invalid("exclusiveStartTableName|"
         "Table/index names")),
    Case("list: a name to start after of bad characters",
         call("ListTables", ExclusiveStartTableName="a b c").invalid("exclusiveStartTableName|"
         "Table/index names")),
    Case("list: a limit that is no number",
         call("ListTables", Limit="ten").refused(SERIALIZATION)),
    Case("limits", call("DescribeLimits")),
)


@pytest.fixture
def table(server):
    """Makes a table and describes it."""

    def make(keys=(("pk", "S"),), **more):
        name = server.make(list(keys), **more)
        return server.client.describe_table(TableName=name)["Table"]

    return make


def test_what_a_table_on_demand_is_described_as(server, table):
    told = table([("pk", "S"), ("sk", "N")])
    name = told["TableName"]
    assert told["TableStatus"] == "ACTIVE"
    assert told["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert sorted(told["AttributeDefinitions"], key=lambda one: one["AttributeName"]) == [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
    ]
    assert told["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    throughput = told["ProvisionedThroughput"]
    assert (throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]) == (0, 0)
    assert throughput["NumberOfDecreasesToday"] == 0
    assert told["ItemCount"] == 0 and told["TableSizeBytes"] == 0
    assert told["TableArn"] == f"arn:aws:dynamodb:us-east-1:000000000000:table/{name}"
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", told["TableId"])
    assert told["DeletionProtectionEnabled"] is False
    assert "LatestStreamArn" not in told and "GlobalSecondaryIndexes" not in told


def test_what_a_provisioned_table_is_described_as(table):
    told = table(BillingMode="PROVISIONED", ProvisionedThroughput=UNITS)
    throughput = told["ProvisionedThroughput"]
    assert (throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]) == (5, 6)


def test_what_a_stream_is_described_as(table):
    told = table(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    assert told["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    assert told["LatestStreamArn"] == f"{told['TableArn']}/stream/{told['LatestStreamLabel']}"


def test_a_table_class_is_described(server, table):
    told = table(TableClass="STANDARD_INFREQUENT_ACCESS")
    assert told["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    server.client.update_table(TableName=told["TableName"], TableClass="STANDARD")
    server.wait(told["TableName"])
    told = server.client.describe_table(TableName=told["TableName"])["Table"]
    assert told.get("TableClassSummary", {}).get("TableClass", "STANDARD") == "STANDARD"


def test_changes_are_described(server, table):
    name = table(BillingMode="PROVISIONED", ProvisionedThroughput=UNITS)["TableName"]
    for change in (
        {"ProvisionedThroughput": {"ReadCapacityUnits": 7, "WriteCapacityUnits": 8}},
        {"DeletionProtectionEnabled": True},
        {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}},
    ):
        server.client.update_table(TableName=name, **change)
        server.wait(name)
    told = server.client.describe_table(TableName=name)["Table"]
    assert told["ProvisionedThroughput"]["ReadCapacityUnits"] == 7
    assert told["DeletionProtectionEnabled"] is True
    assert told["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    server.client.update_table(TableName=name, StreamSpecification={"StreamEnabled": False})
    server.wait(name)
    told = server.client.describe_table(TableName=name)["Table"]
    assert "StreamSpecification" not in told
    assert told["LatestStreamArn"], "the last stream can still be read"
    server.client.update_table(TableName=name, BillingMode="PAY_PER_REQUEST")
    server.wait(name)
    told = server.client.describe_table(TableName=name)["Table"]
    assert told["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert "LastUpdateToPayPerRequestDateTime" in told["BillingModeSummary"]


def test_what_a_deletion_answers(server, table):
    told = table()
    deleted = server.client.delete_table(TableName=told["TableName"])["TableDescription"]
    assert deleted["TableStatus"] == "DELETING" and deleted["TableId"] == told["TableId"]
    assert not {"KeySchema", "AttributeDefinitions", "CreationDateTime"} & set(deleted)
    server.client.get_waiter("table_not_exists").wait(
        TableName=told["TableName"], WaiterConfig={"Delay": 0.02, "MaxAttempts": 500}
    )


def test_a_table_made_again_is_empty_and_another_one(server, table):
    first = table()
    name, key = first["TableName"], {"pk": {"S": "a"}}
    server.client.put_item(TableName=name, Item=key)
    server.client.delete_table(TableName=name)
    server.client.get_waiter("table_not_exists").wait(
        TableName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 500}
    )
    server.client.create_table(TableName=name, **HASH, **ON_DEMAND)
    server.wait(name)
    assert "Item" not in server.client.get_item(TableName=name, Key=key)
    second = server.client.describe_table(TableName=name)["Table"]
    assert second["TableId"] != first["TableId"]


def test_pages_of_names_hold_every_table_once_in_order(server):
    stem = server.unique("listed")
    names = [f"{stem}-{at}" for at in range(5)]
    for name in names:
        server.client.create_table(TableName=name, **HASH, **ON_DEMAND)
    seen, after = [], stem
    while after and after.startswith(stem):
        page = server.client.list_tables(ExclusiveStartTableName=after, Limit=2)
        assert len(page["TableNames"]) <= 2
        seen += [name for name in page["TableNames"] if name.startswith(stem)]
        after = page.get("LastEvaluatedTableName")
    assert seen == names
    for name in names:
        server.wait(name)
        server.client.delete_table(TableName=name)


def test_an_arn_stands_for_the_name(server, table):
    told = table()
    arn, key = told["TableArn"], {"pk": {"S": "a"}}
    server.client.put_item(TableName=arn, Item=key)
    assert server.client.get_item(TableName=arn, Key=key)["Item"] == key
    assert server.client.describe_table(TableName=arn)["Table"]["TableId"] == told["TableId"]
    assert server.client.scan(TableName=arn)["Count"] == 1
    reply = server.client.batch_get_item(RequestItems={arn: {"Keys": [key]}})
    assert list(reply["Responses"].values()) == [[key]]


def refusal(call, **parameters):
    with pytest.raises(Exception) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"]


def test_an_arn_of_another_region_names_no_table_here(server, table):
    arn = table()["TableArn"].replace("us-east-1", "eu-west-1")
    key = {"pk": {"S": "a"}}
    assert refusal(server.client.get_item, TableName=arn, Key=key) in (
        NOT_FOUND, VALIDATION, "AccessDeniedException")


# Tags.


@pytest.fixture
def arn(table):
    return table()["TableArn"]


def tags_of(server, arn):
    pages = server.client.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def tagged(count, start=0):
    return [{"Key": f"key-{at}", "Value": f"{at}"} for at in range(start, start + count)]


def test_tags_are_added_replaced_and_removed(server, arn):
    assert tags_of(server, arn) == {}
    server.client.tag_resource(ResourceArn=arn, Tags=[
        {"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    server.client.tag_resource(ResourceArn=arn, Tags=[
        {"Key": "a", "Value": "2"}, {"Key": "ö +-=._:/@", "Value": "ö"}])
    assert tags_of(server, arn) == {"a": "2", "b": "", "ö +-=._:/@": "ö"}
    server.client.untag_resource(ResourceArn=arn, TagKeys=["a", "nope"])
    assert tags_of(server, arn) == {"b": "", "ö +-=._:/@": "ö"}


def test_tags_of_a_new_table(server, table):
    told = table(Tags=[{"Key": "a", "Value": "1"}])
    assert tags_of(server, told["TableArn"]) == {"a": "1"}


def test_tags_come_in_pages_of_ten(server, arn):
    server.client.tag_resource(ResourceArn=arn, Tags=tagged(25))
    first = server.client.list_tags_of_resource(ResourceArn=arn)
    assert len(first["Tags"]) == 10 and first["NextToken"]
    assert len(tags_of(server, arn)) == 25


def test_a_table_has_fifty_tags(server, arn):
    server.client.tag_resource(ResourceArn=arn, Tags=tagged(50))
    assert refusal(server.client.tag_resource, ResourceArn=arn, Tags=tagged(1, 50)) == VALIDATION
    server.client.tag_resource(ResourceArn=arn, Tags=[{"Key": "key-0", "Value": "again"}])
    assert len(tags_of(server, arn)) == 50


@pytest.mark.parametrize(
    ("key", "value"),
    [("", "x"), ("k" * 129, "x"), ("k", "v" * 257), ("aws:mine", "x"), ("a!", "x"), ("a", "x%")],
    ids=["no key", "a key of 129", "a value of 257", "a key of AWS", "a key of other characters",
         "a value of other characters"],
)
def test_tags_that_are_refused(server, arn, key, value):
    tags = [{"Key": key, "Value": value}]
    assert refusal(server.client.tag_resource, ResourceArn=arn, Tags=tags) == VALIDATION
    assert tags_of(server, arn) == {}


def test_tags_of_the_largest_size(server, arn):
    tags = [{"Key": "k" * 128, "Value": "v" * 256}]
    server.client.tag_resource(ResourceArn=arn, Tags=tags)
    assert tags_of(server, arn) == {"k" * 128: "v" * 256}


def test_tags_of_a_table_that_is_not_there(server, arn):
    client = server.client
    for call_, more in (
        (client.tag_resource, {"Tags": tagged(1)}),
        (client.untag_resource, {"TagKeys": ["a"]}),
    ):
        assert refusal(call_, ResourceArn=f"{arn}-not", **more) == NOT_FOUND
    # Whoever lists the tags of what is not theirs is not told whether it is there.
    code = refusal(client.list_tags_of_resource, ResourceArn=f"{arn}-not")
    assert code in (NOT_FOUND, "AccessDeniedException")


@pytest.mark.parametrize("arn_", ["a-name", "", "arn:aws:s3:::bucket"])
def test_tags_of_what_is_no_table(server, arn_):
    assert refusal(server.client.list_tags_of_resource, ResourceArn=arn_) == VALIDATION


def test_calls_on_tags_that_lack_a_member(server, arn):
    assert refusal(server.client.tag_resource, ResourceArn=arn) == VALIDATION
    assert refusal(server.client.untag_resource, ResourceArn=arn) == VALIDATION
    assert refusal(server.client.tag_resource, Tags=tagged(1)) == VALIDATION
    assert refusal(server.client.tag_resource, ResourceArn=arn, Tags=[]) == VALIDATION
    assert refusal(server.client.untag_resource, ResourceArn=arn, TagKeys=[]) == VALIDATION


def test_tags_of_several_callers_at_once_are_all_kept(server, arn):
    def tag(at):
        server.client.tag_resource(ResourceArn=arn, Tags=tagged(1, at))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tag, range(24)))
    assert len(tags_of(server, arn)) == 24
