// Walks through DynamoDB with the AWS SDK for JavaScript: `node walk.mjs ENDPOINT TABLE`, with a
// key from the environment.
// It ends with an error where an answer is not the one that AWS gives.

import assert from "node:assert/strict";
import {
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
  TransactionCanceledException,
  waitUntilTableExists,
  waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";
import {
  DynamoDBDocumentClient,
  GetCommand,
  NumberValue,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
  paginateQuery,
  paginateScan,
} from "@aws-sdk/lib-dynamodb";

const [endpoint, TableName] = process.argv.slice(2);
const client = new DynamoDBClient({ endpoint, region: "us-east-1", maxAttempts: 1 });
const documents = DynamoDBDocumentClient.from(client, {
  unmarshallOptions: { wrapNumbers: NumberValue.from },
});
const patience = { client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 };

await client.send(new CreateTableCommand({
  TableName,
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: [
    { AttributeName: "pk", AttributeType: "S" },
    { AttributeName: "sk", AttributeType: "N" },
  ],
  KeySchema: [
    { AttributeName: "pk", KeyType: "HASH" },
    { AttributeName: "sk", KeyType: "RANGE" },
  ],
}));
await waitUntilTableExists(patience, { TableName });

// Values of all types come back as they were.
const item = {
  pk: "a",
  sk: NumberValue.from("1"),
  exact: NumberValue.from("12345678901234567890.123456789"),
  bytes: new Uint8Array([0, 1, 255]),
  set: new Set(["x", "y"]),
  nested: { list: [true, null, "ž", []] },
};
await documents.send(new PutCommand({ TableName, Item: item }));
const Key = { pk: "a", sk: 1 };
const read = await documents.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
assert.deepEqual(read.Item, item);
assert.equal((await documents.send(new GetCommand({ TableName, Key: { pk: "z", sk: 1 } }))).Item,
  undefined);

// Refusals are the SDK's own classes, with what they tell.
await assert.rejects(
  documents.send(new PutCommand({
    TableName,
    Item: item,
    ConditionExpression: "attribute_not_exists(pk)",
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  })),
  (error) => error instanceof ConditionalCheckFailedException && error.Item.pk.S === "a",
);
await assert.rejects(
  documents.send(new GetCommand({ TableName: `${TableName}-not`, Key })),
  ResourceNotFoundException,
);
await assert.rejects(
  documents.send(new TransactWriteCommand({
    TransactItems: [
      { Put: { TableName, Item: { pk: "b", sk: 1 } } },
      { ConditionCheck: { TableName, Key: { pk: "c", sk: 1 },
        ConditionExpression: "attribute_exists(pk)" } },
    ],
  })),
  (error) => error instanceof TransactionCanceledException &&
    error.CancellationReasons.map((one) => one.Code).join() === "None,ConditionalCheckFailed",
);

const updated = await documents.send(new UpdateCommand({
  TableName,
  Key,
  UpdateExpression: "SET #n = if_not_exists(#n, :zero) + :one REMOVE bytes",
  ExpressionAttributeNames: { "#n": "count" },
  ExpressionAttributeValues: { ":zero": 0, ":one": 1 },
  ReturnValues: "UPDATED_NEW",
}));
assert.deepEqual(updated.Attributes, { count: NumberValue.from("1") });

// Pages.
const puts = Array.from({ length: 25 }, (_, at) => ({
  PutRequest: { Item: { pk: { S: "many" }, sk: { N: `${at}` } } },
}));
const batch = await client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: puts } }));
assert.deepEqual(batch.UnprocessedItems, {});
const found = [];
for await (const page of paginateQuery({ client: documents, pageSize: 7 }, {
  TableName,
  KeyConditionExpression: "pk = :pk",
  ExpressionAttributeValues: { ":pk": "many" },
})) {
  found.push(...page.Items.map((one) => Number(one.sk.value)));
}
assert.deepEqual(found, Array.from({ length: 25 }, (_, at) => at));
let scanned = 0;
for await (const page of paginateScan({ client: documents, pageSize: 10 }, { TableName })) {
  scanned += page.Count;
}
assert.equal(scanned, 26);

await client.send(new DeleteTableCommand({ TableName }));
await waitUntilTableNotExists(patience, { TableName });
console.log("walked");
