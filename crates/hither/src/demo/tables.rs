//! DynamoDB calls straight to a region's endpoint, beside the app.
//!
//! They are signed as any SDK's, by the client that deploys.

use anyhow::Context;

use base::region::RegionName;
use deploy::call::{Call, Shape, structure};
use deploy::client::Client;
use deploy::operation::{Api, Operation};

const PUT_ITEM: Operation = operation("PutItem");
const GET_ITEM: Operation = operation("GetItem");

const fn operation(name: &'static str) -> Operation {
    Operation {
        api: Api::DynamoDb,
        name,
        method: "POST",
        path: "/",
        query: &[],
    }
}

/// The demo's table.
pub(crate) const TABLE: &str = "carts";

/// Puts so many of an article into a cart.
pub(crate) async fn put(
    client: &mut Client,
    region: &RegionName,
    (customer, sku): (&str, &str),
    quantity: u64,
) -> anyhow::Result<()> {
    let number = structure([("N", quantity.to_string().into())]);
    let Shape::Structure(mut item) = key(customer, sku) else {
        unreachable!("a key is a structure")
    };
    item.push(("quantity", number));
    let call = Call::new(PUT_ITEM, region)
        .with("TableName", TABLE)
        .with("Item", Shape::Structure(item));
    client
        .call(&call)
        .await
        .with_context(|| format!("put an item in {region}"))?;
    Ok(())
}

/// Returns how many of an article are in a cart, as `region` has it.
pub(crate) async fn quantity(
    client: &mut Client,
    region: &RegionName,
    (customer, sku): (&str, &str),
) -> anyhow::Result<Option<u64>> {
    let call = Call::new(GET_ITEM, region)
        .with("TableName", TABLE)
        .with("Key", key(customer, sku))
        .with("ConsistentRead", true);
    let reply = client
        .call(&call)
        .await
        .with_context(|| format!("read an item in {region}"))?;
    let number = reply.text(&["Item", "quantity", "N"]);
    number
        .map(|text| text.parse().context("read a quantity"))
        .transpose()
}

fn key(customer: &str, sku: &str) -> Shape {
    structure([
        ("customer", structure([("S", customer.into())])),
        ("sku", structure([("S", sku.into())])),
    ])
}
