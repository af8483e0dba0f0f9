//! The function itself: requests in, table calls, answers out.
//!
//! It decides nothing about shapes; [`crate::request`] and [`crate::reply`] do.

use std::env;
use std::fmt::Display;

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use lambda_http::{Body, Error, Request, RequestExt, Response, service_fn, tracing};

use crate::reply::{self, Reply};
use crate::request::{self, Operation};

/// Most lines that one answer lists; a cart is read in one page.
const LINES_MAX: i32 = 1000;

/// Serves invocations until the Lambda runtime ends the process.
///
/// Errors: those of the Lambda runtime's API; [`env::VarError`] without `TABLE`.
pub async fn run() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let cart = Cart {
        client: Client::new(&config),
        table: env::var("TABLE")?,
        region: config
            .region()
            .map_or_else(|| "unknown".to_owned(), ToString::to_string),
    };
    lambda_http::run(service_fn(|request| serve(&cart, request))).await
}

struct Cart {
    client: Client,
    table: String,
    region: String,
}

async fn serve(cart: &Cart, request: Request) -> Result<Response<Body>, Error> {
    let method = request.method().as_str();
    let path = request.raw_http_path();
    let reply = match request::parse(method, path, request.body()) {
        Ok(operation) => cart.perform(operation).await,
        Err(reason) => reply::refused(&reason),
    };
    let mut response = Response::builder()
        .status(reply.status)
        .header("content-type", "application/json");
    if let Some(allow) = reply.allow {
        response = response.header("allow", allow);
    }
    Ok(response.body(Body::Text(reply.body.to_string()))?)
}

impl Cart {
    async fn perform(&self, operation: Operation) -> Reply {
        let outcome = match &operation {
            Operation::Health => self.health().await,
            Operation::List { customer } => self.list(customer).await,
            Operation::Put {
                customer,
                sku,
                quantity,
            } => self.put(customer, sku, *quantity).await,
            Operation::Remove { customer, sku } => self.remove(customer, sku).await,
        };
        outcome.unwrap_or_else(|cause| {
            tracing::error!(?operation, cause, "the table did not serve");
            reply::table_failed(&self.region)
        })
    }

    async fn health(&self) -> Result<Reply, String> {
        self.client
            .get_item()
            .table_name(&self.table)
            .key("customer", text("health"))
            .key("sku", text("health"))
            .send()
            .await
            .map_err(|error| cause(&DisplayErrorContext(error)))?;
        Ok(reply::healthy(&self.region, &self.table))
    }

    async fn list(&self, customer: &str) -> Result<Reply, String> {
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("customer = :customer")
            .expression_attribute_values(":customer", text(customer))
            .limit(LINES_MAX)
            .send()
            .await
            .map_err(|error| cause(&DisplayErrorContext(error)))?;
        Ok(reply::cart(&self.region, customer, page.items()))
    }

    async fn put(&self, customer: &str, sku: &str, quantity: u32) -> Result<Reply, String> {
        let updated = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("customer", text(customer))
            .key("sku", text(sku))
            .update_expression("SET quantity = :quantity, written_in = :region")
            .expression_attribute_values(":quantity", AttributeValue::N(quantity.to_string()))
            .expression_attribute_values(":region", text(&self.region))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|error| cause(&DisplayErrorContext(error)))?;
        let item = updated.attributes.unwrap_or_default();
        Ok(reply::stored(&self.region, &item))
    }

    async fn remove(&self, customer: &str, sku: &str) -> Result<Reply, String> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("customer", text(customer))
            .key("sku", text(sku))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| cause(&DisplayErrorContext(error)))?;
        Ok(match deleted.attributes {
            Some(_) => reply::removed(&self.region, customer, sku),
            None => reply::no_such_line(customer, sku),
        })
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn cause(error: &impl Display) -> String {
    error.to_string()
}
