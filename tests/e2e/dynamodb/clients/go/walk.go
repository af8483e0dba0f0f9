// Walks through DynamoDB with the AWS SDK for Go: `walk ENDPOINT TABLE`, with a key from the
// environment.
// It ends with an error where an answer is not the one that AWS gives.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type row struct {
	Pk     string            `dynamodbav:"pk"`
	Sk     int               `dynamodbav:"sk"`
	Bytes  []byte            `dynamodbav:"bytes,omitempty"`
	Set    []string          `dynamodbav:"set,stringset,omitempty"`
	Nested map[string]string `dynamodbav:"nested,omitempty"`
	Count  int               `dynamodbav:"count,omitempty"`
}

const patience = 30 * time.Second

func main() {
	log.SetFlags(log.Lshortfile)
	endpoint, table := os.Args[1], aws.String(os.Args[2])
	key, secret := os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint:     &endpoint,
		Region:           "us-east-1",
		Credentials:      credentials.NewStaticCredentialsProvider(key, secret, ""),
		RetryMaxAttempts: 1,
	})
	ctx := context.Background()
	makeTable(ctx, client, table)
	one(ctx, client, table)
	refusals(ctx, client, table)
	pages(ctx, client, table)
	_, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: table})
	must(err)
	gone := dynamodb.NewTableNotExistsWaiter(client)
	must(gone.Wait(ctx, &dynamodb.DescribeTableInput{TableName: table}, patience, soonGone))
	fmt.Println("walked")
}

func makeTable(ctx context.Context, client *dynamodb.Client, table *string) {
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:   table,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeN},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	})
	must(err)
	made := dynamodb.NewTableExistsWaiter(client)
	must(made.Wait(ctx, &dynamodb.DescribeTableInput{TableName: table}, patience, soonMade))
}

// one puts, gets, updates and deletes one item; all types come back as they were.
func one(ctx context.Context, client *dynamodb.Client, table *string) {
	wrote := row{
		Pk: "a", Sk: 1, Bytes: []byte{0, 1, 255}, Set: []string{"x", "y"},
		Nested: map[string]string{"letter": "ž"},
	}
	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: item(wrote)})
	must(err)
	got, err := client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: table, Key: key("a", 1), ConsistentRead: aws.Bool(true),
	})
	must(err)
	var read row
	must(attributevalue.UnmarshalMap(got.Item, &read))
	same(read, wrote)
	none, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: key("z", 1)})
	must(err)
	same(len(none.Item), 0)
	updated, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                table,
		Key:                      key("a", 1),
		UpdateExpression:         aws.String("SET #n = if_not_exists(#n, :zero) + :one REMOVE nested"),
		ExpressionAttributeNames: map[string]string{"#n": "count"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":zero": number(0), ":one": number(1),
		},
		ReturnValues: types.ReturnValueUpdatedNew,
	})
	must(err)
	same(len(updated.Attributes), 1)
	same(updated.Attributes["count"], number(1))
	deleted, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: table, Key: key("a", 1), ReturnValues: types.ReturnValueAllOld,
	})
	must(err)
	same(deleted.Attributes["count"], number(1))
}

// refusals are the SDK's own types, with what they tell.
func refusals(ctx context.Context, client *dynamodb.Client, table *string) {
	here := item(row{Pk: "here", Sk: 1})
	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: here})
	must(err)
	_, err = client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           table,
		Item:                                here,
		ConditionExpression:                 aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var failed *types.ConditionalCheckFailedException
	same(errors.As(err, &failed), true)
	same(failed.Item["pk"], types.AttributeValue(&types.AttributeValueMemberS{Value: "here"}))

	absent := aws.String(*table + "-not")
	_, err = client.GetItem(ctx, &dynamodb.GetItemInput{TableName: absent, Key: key("a", 1)})
	var missing *types.ResourceNotFoundException
	same(errors.As(err, &missing), true)

	transact := func(condition string) error {
		_, err := client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
			TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: table, Item: item(row{Pk: "both", Sk: 1})}},
				{ConditionCheck: &types.ConditionCheck{
					TableName: table, Key: key("here", 1), ConditionExpression: &condition,
				}},
			},
		})
		return err
	}
	var canceled *types.TransactionCanceledException
	same(errors.As(transact("attribute_not_exists(pk)"), &canceled), true)
	same(*canceled.CancellationReasons[0].Code, "None")
	same(*canceled.CancellationReasons[1].Code, "ConditionalCheckFailed")
	must(transact("attribute_exists(pk)"))
	both, err := client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{
		TransactItems: []types.TransactGetItem{
			{Get: &types.Get{TableName: table, Key: key("both", 1)}},
			{Get: &types.Get{TableName: table, Key: key("here", 1)}},
		},
	})
	must(err)
	same(both.Responses[0].Item["pk"], item(row{Pk: "both"})["pk"])
}

// pages writes a batch, gets one, and reads a partition and the table page by page.
func pages(ctx context.Context, client *dynamodb.Client, table *string) {
	const many = 25
	var puts []types.WriteRequest
	var keys []map[string]types.AttributeValue
	for at := range many {
		put := types.PutRequest{Item: item(row{Pk: "many", Sk: at})}
		puts = append(puts, types.WriteRequest{PutRequest: &put})
		keys = append(keys, key("many", at))
	}
	wrote, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{*table: puts},
	})
	must(err)
	same(len(wrote.UnprocessedItems), 0)
	got, err := client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{*table: {Keys: keys}},
	})
	must(err)
	same(len(got.Responses[*table]), many)

	query := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{
		TableName:              table,
		KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "many"},
		},
		Limit: aws.Int32(7),
	})
	var found []row
	for query.HasMorePages() {
		page, err := query.NextPage(ctx)
		must(err)
		var rows []row
		must(attributevalue.UnmarshalListOfMaps(page.Items, &rows))
		found = append(found, rows...)
	}
	same(len(found), many)
	for at, one := range found {
		same(one.Sk, at)
	}
	scan := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{
		TableName: table, Limit: aws.Int32(10),
	})
	var scanned int32
	for scan.HasMorePages() {
		page, err := scan.NextPage(ctx)
		must(err)
		scanned += page.Count
	}
	same(scanned, int32(many+2))
}

func item(of row) map[string]types.AttributeValue {
	item, err := attributevalue.MarshalMap(of)
	must(err)
	return item
}

func key(pk string, sk int) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: pk}, "sk": number(sk),
	}
}

func number(value int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(value)}
}

func soonMade(options *dynamodb.TableExistsWaiterOptions) {
	options.MinDelay, options.MaxDelay = 50*time.Millisecond, time.Second
}

func soonGone(options *dynamodb.TableNotExistsWaiterOptions) {
	options.MinDelay, options.MaxDelay = 50*time.Millisecond, time.Second
}

func must(err error) {
	if err != nil {
		_ = log.Output(2, err.Error())
		os.Exit(1)
	}
}

func same(found, wanted any) {
	if !reflect.DeepEqual(found, wanted) {
		_ = log.Output(2, fmt.Sprintf("found %#v, not %#v", found, wanted))
		os.Exit(1)
	}
}
