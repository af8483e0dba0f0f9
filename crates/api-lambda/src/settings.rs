//! Reserved concurrency, code signing and the settings of an account.
//!
//! Source: Lambda API reference, the calls of these names.

use api_protocol::fault::Fault;
use bytes::Bytes;
use control::functions::{self, Function};
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use store::port::Store;

use crate::fault;
use crate::lambda::{Call, Lambda};
use crate::limits::{CONCURRENCY_MAX, PACKAGE_BYTES_MAX, TOTAL_CODE_BYTES_MAX, UNPACKED_BYTES_MAX};
use crate::port::Runner;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutFunctionConcurrency {
    reserved_concurrent_executions: u32,
}

impl<S: Store, R: Runner> Lambda<S, R> {
    pub(crate) async fn put_function_concurrency(
        &self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Fault> {
        let asked: PutFunctionConcurrency = call.parse()?;
        let most = asked.reserved_concurrent_executions;
        let old = self.function(call)?;
        let others = self.own_functions(call).into_iter();
        let others = others.filter(|function| function.name != old.name);
        let reserved: u32 = others.filter_map(|function| function.concurrency).sum();
        if CONCURRENCY_MAX.saturating_sub(reserved) < most {
            return Err(fault::invalid(format!(
                "Specified ReservedConcurrentExecutions for function decreases account's \
                 UnreservedConcurrentExecution below its minimum value: {reserved} of \
                 {CONCURRENCY_MAX} are reserved by other functions"
            )));
        }
        let new = Function {
            concurrency: Some(most),
            ..old.clone()
        };
        self.change(&old, new).await?;
        let body = json!({ "ReservedConcurrentExecutions": most });
        Ok(call.reply(StatusCode::OK, &body))
    }

    pub(crate) fn get_function_concurrency(
        &self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Fault> {
        let body = match self.function(call)?.concurrency {
            Some(most) => json!({ "ReservedConcurrentExecutions": most }),
            None => json!({}),
        };
        Ok(call.reply(StatusCode::OK, &body))
    }

    pub(crate) async fn delete_function_concurrency(
        &self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Fault> {
        let old = self.function(call)?;
        if old.concurrency.is_some() {
            let new = Function {
                concurrency: None,
                ..old.clone()
            };
            self.change(&old, new).await?;
        }
        Ok(call.no_content())
    }

    /// Answers that a function's code is not signed: no function's is.
    pub(crate) fn get_function_code_signing_config(
        &self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Fault> {
        self.function(call)?;
        Ok(call.reply(StatusCode::OK, &json!({})))
    }

    pub(crate) fn get_account_settings(&self, call: &Call<'_>) -> Response<Bytes> {
        let own = self.own_functions(call);
        let reserved: u32 = own.iter().filter_map(|function| function.concurrency).sum();
        let code: u64 = own.iter().map(|function| function.code.bytes).sum();
        let body = json!({
            "AccountLimit": {
                "TotalCodeSize": TOTAL_CODE_BYTES_MAX,
                "CodeSizeUnzipped": UNPACKED_BYTES_MAX,
                "CodeSizeZipped": PACKAGE_BYTES_MAX,
                "ConcurrentExecutions": CONCURRENCY_MAX,
                "UnreservedConcurrentExecutions": CONCURRENCY_MAX.saturating_sub(reserved),
            },
            "AccountUsage": { "TotalCodeSize": code, "FunctionCount": own.len() },
        });
        call.reply(StatusCode::OK, &body)
    }

    fn own_functions(&self, call: &Call<'_>) -> Vec<Function> {
        let account = call.caller.account.to_string();
        let mut all = functions::in_region(&self.control, self.region());
        all.retain(|function| function.account == account);
        all
    }
}
