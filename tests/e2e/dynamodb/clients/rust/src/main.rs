//! Walks through DynamoDB with the AWS SDK for Rust: `sdk-walk ENDPOINT TABLE`, with a key from the
//! environment.
//!
//! It ends with an error where an answer is not the one that AWS gives; it knows nothing of the
//! server that it asks.

#![expect(clippy::print_stdout, reason = "a command speaks on standard output")]

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, ConditionCheck, KeySchemaElement, KeyType,
    Put, PutRequest, ReturnValue, ReturnValuesOnConditionCheckFailure, ScalarAttributeType,
    TransactWriteItem, WriteRequest,
};

type Item = HashMap<String, AttributeValue>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let endpoint = args.next().context("an endpoint is missing")?;
    let table = args.next().context("a table's name is missing")?;
    let key = std::env::var("AWS_ACCESS_KEY_ID").context("a key is missing")?;
    let secret = std::env::var("AWS_SECRET_ACCESS_KEY").context("its secret is missing")?;
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(key, secret, None, None, "walk"))
        .retry_config(RetryConfig::disabled())
        .build();
    let walk = Walk {
        client: Client::from_conf(config),
        table,
    };
    walk.create().await?;
    walk.values().await.context("values")?;
    walk.refusals().await.context("refusals")?;
    walk.updates().await.context("updates")?;
    walk.pages().await.context("pages")?;
    walk.delete().await?;
    println!("walked");
    Ok(())
}

struct Walk {
    client: Client,
    table: String,
}

impl Walk {
    async fn create(&self) -> Result<()> {
        let attribute = |name: &str, kind| {
            let attribute = AttributeDefinition::builder();
            attribute.attribute_name(name).attribute_type(kind).build()
        };
        let key = |name: &str, role| {
            let key = KeySchemaElement::builder();
            key.attribute_name(name).key_type(role).build()
        };
        let create = self.client.create_table().table_name(&self.table);
        let create = create
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute("pk", ScalarAttributeType::S)?)
            .attribute_definitions(attribute("sk", ScalarAttributeType::N)?)
            .key_schema(key("pk", KeyType::Hash)?)
            .key_schema(key("sk", KeyType::Range)?);
        create.send().await?;
        let exists = self.client.wait_until_table_exists();
        exists.table_name(&self.table).wait(PATIENCE).await?;
        Ok(())
    }

    /// Values of all types come back as they were.
    async fn values(&self) -> Result<()> {
        let put = self.client.put_item().table_name(&self.table);
        put.set_item(Some(item())).send().await?;
        let get = self.client.get_item().table_name(&self.table);
        let read = get.set_key(Some(key("a", 1))).consistent_read(true);
        let read = read.send().await?;
        ensure!(read.item() == Some(&item()), "{read:?}");
        let get = self.client.get_item().table_name(&self.table);
        let none = get.set_key(Some(key("z", 1))).send().await?;
        ensure!(none.item().is_none(), "{none:?}");
        Ok(())
    }

    /// Refusals are the SDK's own types, with what they tell.
    async fn refusals(&self) -> Result<()> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put
            .set_item(Some(item()))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let refused = put.send().await.err().context("it is there")?;
        let refused = refused.into_service_error();
        ensure!(refused.is_conditional_check_failed_exception(), "{refused}");
        let get = self.client.get_item().table_name("not-there");
        let refused = get.set_key(Some(key("a", 1))).send().await;
        let refused = refused.err().context("no such table")?.into_service_error();
        ensure!(refused.is_resource_not_found_exception(), "{refused}");
        let put = Put::builder().table_name(&self.table);
        let put = put.set_item(Some(key("b", 1))).build()?;
        let check = ConditionCheck::builder().table_name(&self.table);
        let check = check
            .set_key(Some(key("c", 1)))
            .condition_expression("attribute_exists(pk)")
            .build()?;
        let both = self.client.transact_write_items();
        let both = both
            .transact_items(TransactWriteItem::builder().put(put).build())
            .transact_items(TransactWriteItem::builder().condition_check(check).build());
        let refused = both.send().await.err().context("there is no such item")?;
        let refused = refused.into_service_error();
        let TransactWriteItemsError::TransactionCanceledException(cancelled) = &refused else {
            anyhow::bail!("{refused}");
        };
        let reasons = cancelled.cancellation_reasons().iter();
        let codes: Vec<&str> = reasons.filter_map(|reason| reason.code()).collect();
        ensure!(codes == ["None", "ConditionalCheckFailed"], "{codes:?}");
        Ok(())
    }

    async fn updates(&self) -> Result<()> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update
            .set_key(Some(key("a", 1)))
            .update_expression("SET #n = if_not_exists(#n, :zero) + :one REMOVE bytes")
            .expression_attribute_names("#n", "count")
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew);
        let updated = update.send().await?;
        let expected = Item::from([("count".to_owned(), number(1))]);
        ensure!(updated.attributes() == Some(&expected), "{updated:?}");
        Ok(())
    }

    async fn pages(&self) -> Result<()> {
        let puts = (0..25).map(|at| {
            let put = PutRequest::builder().set_item(Some(key("many", at)));
            let put = put.build()?;
            Ok(WriteRequest::builder().put_request(put).build())
        });
        let puts = puts.collect::<Result<Vec<_>>>()?;
        let batch = self.client.batch_write_item();
        let batch = batch.request_items(&self.table, puts).send().await?;
        let left = batch.unprocessed_items();
        ensure!(left.is_none_or(HashMap::is_empty), "{left:?}");
        let query = self.client.query().table_name(&self.table);
        let query = query
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S("many".to_owned()));
        let found = query.into_paginator().page_size(7).items().send();
        let found: Vec<Item> = found.try_collect().await?;
        let expected: Vec<Item> = (0..25).map(|at| key("many", at)).collect();
        ensure!(found == expected, "{found:?}");
        let scan = self.client.scan().table_name(&self.table);
        let scanned = scan.into_paginator().page_size(10).items().send();
        let scanned: Vec<Item> = scanned.try_collect().await?;
        ensure!(scanned.len() == 26, "{scanned:?}");
        Ok(())
    }

    async fn delete(&self) -> Result<()> {
        let delete = self.client.delete_table().table_name(&self.table);
        delete.send().await?;
        let gone = self.client.wait_until_table_not_exists();
        gone.table_name(&self.table).wait(PATIENCE).await?;
        Ok(())
    }
}

fn number(value: u32) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn key(partition: &str, sort: u32) -> Item {
    let partition = AttributeValue::S(partition.to_owned());
    Item::from([
        ("pk".to_owned(), partition),
        ("sk".to_owned(), number(sort)),
    ])
}

fn item() -> Item {
    let exact = AttributeValue::N("12345678901234567890.123456789".to_owned());
    let bytes = AttributeValue::B(Blob::new([0, 1, 255]));
    let set = AttributeValue::Ss(vec!["x".to_owned(), "y".to_owned()]);
    let list = AttributeValue::L(vec![
        AttributeValue::Bool(true),
        AttributeValue::Null(true),
        AttributeValue::S("ž".to_owned()),
        AttributeValue::L(vec![]),
    ]);
    let nested = AttributeValue::M(Item::from([("list".to_owned(), list)]));
    let mut item = key("a", 1);
    item.extend([
        ("exact".to_owned(), exact),
        ("bytes".to_owned(), bytes),
        ("set".to_owned(), set),
        ("nested".to_owned(), nested),
    ]);
    item
}

/// How long a table may take to come or go.
const PATIENCE: Duration = Duration::from_secs(30);
