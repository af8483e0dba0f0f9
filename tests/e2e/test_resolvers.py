"""Tables whose resolver merges what regions changed at the same time."""

import pytest
from laptop import EAST, IRELAND, REGIONS, TOKYO, error_code, eventually
from test_tables import item_in, make_table

TAG = "hither:resolver"
KEY = {"id": "one"}


def make_merging(laptop, name, resolver):
    return make_table(laptop, name, tags={TAG: resolver})


def everywhere(laptop, table, found):
    for region in REGIONS:
        eventually(lambda: found(item_in(laptop, table, region, KEY)))
    eventually(lambda: len(set(laptop.digests(table).values())) == 1)


def add(laptop, table, region, by, name="n"):
    update(laptop, table, region, "ADD #n :by", {":by": by}, {"#n": name})


def update(laptop, table, region, expression, values, names=None):
    laptop.table(table, region).update_item(
        Key=KEY,
        UpdateExpression=expression,
        ExpressionAttributeValues=values,
        **({"ExpressionAttributeNames": names} if names else {}),
    )


def races(laptop, table):
    path = f"/_hither/conflicts?table={table}"
    return [race for region in REGIONS for race in laptop.ask(region, path)["conflicts"]]


def test_additions_of_all_regions_count_across_a_cut(far):
    make_merging(far, "counted", "counters")
    far.table("counted", EAST).put_item(Item={**KEY, "n": 100})
    everywhere(far, "counted", lambda item: item and item["n"] == 100)
    with far.cut_off(TOKYO):
        for _ in range(20):
            for region in REGIONS:
                add(far, "counted", region, 1)
        update(far, "counted", TOKYO, "SET n = n - :by", {":by": 5})
        far.client("dynamodb", IRELAND).transact_write_items(
            TransactItems=[
                {
                    "Update": {
                        "TableName": "counted",
                        "Key": {"id": {"S": "one"}},
                        "UpdateExpression": "ADD n :by",
                        "ExpressionAttributeValues": {":by": {"N": "7"}},
                    }
                }
            ]
        )
        assert item_in(far, "counted", TOKYO, KEY)["n"] == 115
    everywhere(far, "counted", lambda item: item["n"] == 162)
    assert races(far, "counted") == []


def test_an_addition_counts_on_top_of_a_value_that_was_set_meanwhile(far):
    make_merging(far, "raised", "counters")
    add(far, "raised", EAST, 1)
    everywhere(far, "raised", lambda item: item and item["n"] == 1)
    with far.cut_off(TOKYO):
        add(far, "raised", TOKYO, 3)
        update(far, "raised", EAST, "SET n = :n", {":n": 1000})
    everywhere(far, "raised", lambda item: item["n"] == 1003)


@pytest.mark.parametrize("resolver", ["attributes", "counters"])
def test_changes_of_different_attributes_both_stay(far, resolver):
    table = f"both-{resolver}"
    make_merging(far, table, resolver)
    far.table(table, EAST).put_item(Item={**KEY, "a": 1, "b": 1, "c": 1})
    everywhere(far, table, lambda item: item and item["a"] == 1)
    with far.cut_off(TOKYO):
        update(far, table, TOKYO, "SET a = :v REMOVE c", {":v": 2})
        update(far, table, EAST, "SET b = :v", {":v": 3})
        # This one is changed on both sides.
        update(far, table, TOKYO, "SET d = :v", {":v": "Tokyo"})
        update(far, table, EAST, "SET d = :v", {":v": "East"})
    wanted = {**KEY, "a": 2, "b": 3, "d": "East"}
    everywhere(far, table, lambda item: item == wanted)
    found = eventually(lambda: races(far, table))
    for race in found:
        assert race["winner"]["region"] == EAST
        assert race["loser"]["region"] == TOKYO
        lost, kept = race["loser"]["item"], race["winner"]["item"]
        differing = {name for name in {*lost, *kept} if lost.get(name) != kept.get(name)}
        assert differing == {"d"}


def test_elements_stay_that_are_added_while_others_are_taken_out(far):
    make_merging(far, "tagged", "counters")
    far.table("tagged", EAST).put_item(Item={**KEY, "s": {"red", "blue"}})
    everywhere(far, "tagged", lambda item: item and item["s"] == {"red", "blue"})
    with far.cut_off(TOKYO):
        update(far, "tagged", TOKYO, "DELETE s :s", {":s": {"red"}})
        update(far, "tagged", EAST, "ADD s :s", {":s": {"green"}})
        update(far, "tagged", TOKYO, "ADD s :s", {":s": {"grey"}})
    everywhere(far, "tagged", lambda item: item["s"] == {"blue", "green", "grey"})


def test_a_table_without_the_tag_keeps_the_later_item_whole(far):
    make_table(far, "whole")
    far.table("whole", EAST).put_item(Item={**KEY, "n": 0})
    everywhere(far, "whole", lambda item: item and item["n"] == 0)
    with far.cut_off(TOKYO):
        add(far, "whole", TOKYO, 1)
        add(far, "whole", EAST, 2)
    everywhere(far, "whole", lambda item: item["n"] == 2)


def test_streams_and_replicas_see_plain_items(far):
    table = make_merging(far, "seen", "counters")
    add(far, "seen", EAST, 1)
    add(far, "seen", EAST, 2)
    everywhere(far, "seen", lambda item: item and item["n"] == 3)
    client = far.client("dynamodb", IRELAND)
    arn = client.describe_table(TableName="seen")["Table"]["LatestStreamArn"]
    streams = far.client("dynamodbstreams", IRELAND)
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    start = {"ShardIteratorType": "TRIM_HORIZON"}
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, **start)
    records = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    images = [record["dynamodb"]["NewImage"] for record in records]
    assert images == [{"id": {"S": "one"}, "n": {"N": n}} for n in ("1", "3")]
    assert table.scan()["Items"] == [{**KEY, "n": 3}]


def test_a_resolver_is_known_and_stays(near):
    create = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    client = near.client("dynamodb", EAST)
    tags = [{"Key": TAG, "Value": "magic"}]
    code, message = error_code(client.create_table, TableName="magic", Tags=tags, **create)
    assert code == "ValidationException"
    assert message == "Tag hither:resolver is item, attributes or counters, not magic"
    make_table(near, "fixed", tags={TAG: "counters"})
    arn = client.describe_table(TableName="fixed")["Table"]["TableArn"]
    tagged = {"ResourceArn": arn, "Tags": [{"Key": TAG, "Value": "attributes"}]}
    code, message = error_code(client.tag_resource, **tagged)
    assert code == "ValidationException"
    assert "cannot be changed; this table's is counters" in message
    code, _ = error_code(client.untag_resource, ResourceArn=arn, TagKeys=[TAG])
    assert code == "ValidationException"
