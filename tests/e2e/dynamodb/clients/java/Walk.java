// Walks through DynamoDB with the AWS SDK for Java: `java -cp LIB Walk.java ENDPOINT TABLE`, with a
// key from the environment.
// It ends with an error where an answer is not the one that AWS gives.

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.*;

class Walk {
    static AttributeValue s(String text) {
        return AttributeValue.fromS(text);
    }

    static AttributeValue n(int number) {
        return AttributeValue.fromN(Integer.toString(number));
    }

    static void check(boolean holds, Object shown) {
        if (!holds) {
            throw new AssertionError(shown);
        }
    }

    static <E extends Exception> E refused(Class<E> kind, Runnable call) {
        try {
            call.run();
        } catch (Exception error) {
            if (kind.isInstance(error)) {
                return kind.cast(error);
            }
            throw error;
        }
        throw new AssertionError("not refused");
    }

    public static void main(String[] arguments) {
        try {
            walk(arguments);
        } catch (DynamoDbException error) {
            // Its message leaves the code out.
            System.err.println(error.awsErrorDetails().errorCode());
            throw error;
        }
    }

    static void walk(String[] arguments) {
        String table = arguments[1];
        DynamoDbClient client = DynamoDbClient.builder()
                .endpointOverride(URI.create(arguments[0]))
                .region(Region.US_EAST_1)
                .httpClient(UrlConnectionHttpClient.create())
                .credentialsProvider(EnvironmentVariableCredentialsProvider.create())
                .build();
        client.createTable(call -> call
                .tableName(table)
                .billingMode(BillingMode.PAY_PER_REQUEST)
                .attributeDefinitions(
                        AttributeDefinition.builder().attributeName("pk").attributeType("S").build(),
                        AttributeDefinition.builder().attributeName("sk").attributeType("N").build())
                .keySchema(
                        KeySchemaElement.builder().attributeName("pk").keyType("HASH").build(),
                        KeySchemaElement.builder().attributeName("sk").keyType("RANGE").build()));
        client.waiter().waitUntilTableExists(call -> call.tableName(table));

        Map<String, AttributeValue> key = Map.of("pk", s("a"), "sk", n(1));
        Map<String, AttributeValue> item = Map.of(
                "pk", s("a"),
                "sk", n(1),
                "exact", AttributeValue.fromN("12345678901234567890.123456789"),
                "bytes", AttributeValue.fromB(SdkBytes.fromByteArray(new byte[] {0, 1, -1})),
                "nested", AttributeValue.fromM(Map.of(
                        "list", AttributeValue.fromL(List.of(AttributeValue.fromBool(true), s("ž"))))));
        client.putItem(call -> call.tableName(table).item(item));
        var read = client.getItem(call -> call.tableName(table).key(key).consistentRead(true));
        check(read.item().equals(item), read);

        // Refusals are the SDK's own classes, with what they tell.
        var failed = refused(ConditionalCheckFailedException.class, () -> client.putItem(call -> call
                .tableName(table)
                .item(item)
                .conditionExpression("attribute_not_exists(pk)")
                .returnValuesOnConditionCheckFailure("ALL_OLD")));
        check(failed.item().equals(item), failed.item());
        refused(ResourceNotFoundException.class,
                () -> client.getItem(call -> call.tableName(table + "-not").key(key)));
        var canceled = refused(TransactionCanceledException.class, () -> client.transactWriteItems(
                call -> call.transactItems(
                        TransactWriteItem.builder().put(put -> put
                                .tableName(table).item(Map.of("pk", s("b"), "sk", n(1)))).build(),
                        TransactWriteItem.builder().conditionCheck(check -> check
                                .tableName(table).key(Map.of("pk", s("c"), "sk", n(1)))
                                .conditionExpression("attribute_exists(pk)")).build())));
        check(canceled.cancellationReasons().get(1).code().equals("ConditionalCheckFailed"), canceled);

        var updated = client.updateItem(call -> call
                .tableName(table)
                .key(key)
                .updateExpression("SET n = if_not_exists(n, :zero) + :one REMOVE bytes")
                .expressionAttributeValues(Map.of(":zero", n(0), ":one", n(1)))
                .returnValues(ReturnValue.UPDATED_NEW));
        check(updated.attributes().equals(Map.of("n", n(1))), updated);

        // Pages.
        var puts = IntStream.range(0, 25).mapToObj(at -> WriteRequest.builder()
                .putRequest(put -> put.item(Map.of("pk", s("many"), "sk", n(at)))).build()).toList();
        var batch = client.batchWriteItem(call -> call.requestItems(Map.of(table, puts)));
        check(batch.unprocessedItems().isEmpty(), batch);
        List<String> found = new ArrayList<>();
        client.queryPaginator(call -> call
                .tableName(table)
                .keyConditionExpression("pk = :pk")
                .expressionAttributeValues(Map.of(":pk", s("many")))
                .limit(7)).items().forEach(one -> found.add(one.get("sk").n()));
        check(found.equals(IntStream.range(0, 25).mapToObj(Integer::toString).toList()), found);

        client.deleteTable(call -> call.tableName(table));
        client.waiter().waitUntilTableNotExists(call -> call.tableName(table));
        System.out.println("walked");
    }
}
