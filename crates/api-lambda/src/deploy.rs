//! Functions made, shown, changed and deleted.
//!
//! Nothing is half done: code is stored before the function that names it, in one call.

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use control::control::ControlError;
use control::functions::{self, CodeRef, Function};
use control::resource::Change;
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::port::Store;

use crate::configuration::{Shown, arn, configuration};
use crate::lambda::{Call, Lambda, check_revision};
use crate::limits::{PACKAGE_BYTES_MAX, PAGE_MAX};
use crate::port::Runner;
use crate::{check, fault, name};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateFunction {
    function_name: String,
    runtime: Option<String>,
    role: String,
    handler: Option<String>,
    code: Code,
    description: Option<String>,
    timeout: Option<u32>,
    memory_size: Option<u32>,
    environment: Option<Environment>,
    tags: Option<BTreeMap<String, String>>,
    architectures: Option<Vec<String>>,
    ephemeral_storage: Option<EphemeralStorage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateFunctionConfiguration {
    role: Option<String>,
    handler: Option<String>,
    description: Option<String>,
    timeout: Option<u32>,
    memory_size: Option<u32>,
    environment: Option<Environment>,
    runtime: Option<String>,
    revision_id: Option<String>,
    ephemeral_storage: Option<EphemeralStorage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateFunctionCode {
    #[serde(flatten)]
    code: Code,
    architectures: Option<Vec<String>>,
    dry_run: Option<bool>,
    revision_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Code {
    zip_file: Option<String>,
    s3_bucket: Option<String>,
    image_uri: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Environment {
    variables: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EphemeralStorage {
    size: u32,
}

/// What AWS takes where nothing is said. Source: Lambda API reference, `CreateFunction`.
const TIMEOUT_SECS: u32 = 3;
const MEMORY_MB: u32 = 128;
const EPHEMERAL_MB: u32 = 512;

impl<S: Store, R: Runner> Lambda<S, R> {
    pub(crate) async fn create_function(&self, call: &Call<'_>) -> Result<Response<Bytes>, Fault> {
        let members: Map<String, Value> = call.parse()?;
        check::unsupported(&members)?;
        let asked: CreateFunction = read(members)?;
        let account = call.caller.account;
        let name = name::parse(self.region(), account, &asked.function_name, None)?.to_owned();
        let package = package("CreateFunction", asked.code)?;
        let runtime = asked.runtime.ok_or_else(|| missing("Runtime"))?;
        let handler = asked.handler.ok_or_else(|| missing("Handler"))?;
        let mut function = Function {
            region: self.region().to_string(),
            account: account.to_string(),
            runtime,
            role: check::role(asked.role)?,
            handler: check::handler(handler)?,
            description: check::description(asked.description.unwrap_or_default())?,
            timeout_secs: check::timeout(asked.timeout.unwrap_or(TIMEOUT_SECS))?,
            memory_mb: check::memory(asked.memory_size.unwrap_or(MEMORY_MB))?,
            ephemeral_mb: check::ephemeral(
                asked
                    .ephemeral_storage
                    .map_or(EPHEMERAL_MB, |storage| storage.size),
            )?,
            environment: variables(asked.environment)?,
            architecture: check::architecture(asked.architectures)?,
            code: CodeRef {
                sha256: String::new(),
                bytes: 0,
            },
            concurrency: None,
            revision: self.fresh_revision(),
            modified_micros: self.control.clock().wall().as_micros(),
            permissions: BTreeMap::new(),
            tags: check::tags(asked.tags.unwrap_or_default())?,
            name,
        };
        self.check_runtime(&function.runtime).await?;
        self.check_package(&package).await?;
        let _turn = self.deploying.lock().await;
        if let Some(other) = functions::named(&self.control, self.region(), &function.name) {
            return Err(already_exists(&other, &function));
        }
        function.code = self.store(&package).await?;
        let created = self.control.change(vec![Change::create(&function)]).await;
        created.map_err(|error| match error {
            ControlError::Unexpected(_) => already_exists(&function, &function),
            ControlError::TooMany
            | ControlError::Invalid { .. }
            | ControlError::Bad(_)
            | ControlError::Write(_)
            | ControlError::Read(_) => fault::of_change(&error, &arn(&function)),
        })?;
        let members = configuration(&function, Shown::Whole);
        Ok(call.reply(StatusCode::CREATED, &Value::Object(members)))
    }

    pub(crate) fn get_function(&self, call: &Call<'_>) -> Result<Response<Bytes>, Fault> {
        let function = self.function(call)?;
        let mut members = Map::new();
        let shown = configuration(&function, Shown::Whole);
        members.insert("Configuration".to_owned(), Value::Object(shown));
        // The package lies in Hither's own tables: there is no address to fetch it from.
        let code = json!({ "RepositoryType": "Hither" });
        members.insert("Code".to_owned(), code);
        if !function.tags.is_empty() {
            members.insert("Tags".to_owned(), json!(function.tags));
        }
        if let Some(most) = function.concurrency {
            let concurrency = json!({ "ReservedConcurrentExecutions": most });
            members.insert("Concurrency".to_owned(), concurrency);
        }
        Ok(call.reply(StatusCode::OK, &Value::Object(members)))
    }

    pub(crate) fn get_function_configuration(
        &self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Fault> {
        let members = configuration(&self.function(call)?, Shown::Whole);
        Ok(call.reply(StatusCode::OK, &Value::Object(members)))
    }

    pub(crate) fn list_functions(&self, call: &Call<'_>) -> Result<Response<Bytes>, Fault> {
        let size = match call.query.first("MaxItems").map(str::parse::<usize>) {
            None => PAGE_MAX,
            Some(Ok(size)) if (1..=10_000).contains(&size) => size.min(PAGE_MAX),
            Some(_) => {
                let value = call.query.first("MaxItems").unwrap_or_default();
                let constraint = "Member must have value between 1 and 10000";
                return Err(fault::validation(value, "maxItems", constraint));
            }
        };
        let after = call.query.first("Marker").unwrap_or_default();
        let account = call.caller.account.to_string();
        let all = functions::in_region(&self.control, self.region());
        let rest = all
            .into_iter()
            .filter(|function| function.account == account && after < function.name.as_str());
        let mut page: Vec<Function> = rest.take(size + 1).collect();
        let has_more = size < page.len();
        page.truncate(size);
        let shown = |function: &Function| Value::Object(configuration(function, Shown::Listed));
        let mut body = json!({ "Functions": page.iter().map(shown).collect::<Vec<_>>() });
        if let Some(last) = page.last().filter(|_| has_more) {
            body["NextMarker"] = Value::String(last.name.clone());
        }
        Ok(call.reply(StatusCode::OK, &body))
    }

    pub(crate) fn list_versions_by_function(
        &self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Fault> {
        let function = self.function(call)?;
        let mut members = configuration(&function, Shown::Listed);
        let qualified = format!("{}:$LATEST", arn(&function));
        members.insert("FunctionArn".to_owned(), Value::String(qualified));
        Ok(call.reply(StatusCode::OK, &json!({ "Versions": [members] })))
    }

    pub(crate) async fn update_function_code(
        &self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Fault> {
        let mut members: Map<String, Value> = call.parse()?;
        let dry_run = members.remove("DryRun");
        check::unsupported(&members)?;
        members.extend(dry_run.map(|value| ("DryRun".to_owned(), value)));
        let asked: UpdateFunctionCode = read(members)?;
        self.function(call)?;
        let package = package("UpdateFunctionCode", asked.code)?;
        self.check_package(&package).await?;
        let _turn = self.deploying.lock().await;
        let old = self.function(call)?;
        check_revision(&old, asked.revision_id.as_deref())?;
        let mut new = Function {
            architecture: check::architecture(asked.architectures)?,
            modified_micros: self.control.clock().wall().as_micros(),
            ..old.clone()
        };
        if asked.dry_run == Some(true) {
            let members = configuration(&old, Shown::Whole);
            return Ok(call.reply(StatusCode::OK, &Value::Object(members)));
        }
        new.code = self.store(&package).await?;
        let new = self.change(&old, new).await?;
        self.drop_unused(&old.code).await;
        let members = configuration(&new, Shown::Whole);
        Ok(call.reply(StatusCode::OK, &Value::Object(members)))
    }

    pub(crate) async fn update_function_configuration(
        &self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Fault> {
        let members: Map<String, Value> = call.parse()?;
        check::unsupported(&members)?;
        let asked: UpdateFunctionConfiguration = read(members)?;
        let old = self.function(call)?;
        check_revision(&old, asked.revision_id.as_deref())?;
        let mut new = Function {
            modified_micros: self.control.clock().wall().as_micros(),
            ..old.clone()
        };
        if let Some(runtime) = asked.runtime {
            self.check_runtime(&runtime).await?;
            new.runtime = runtime;
        }
        if let Some(role) = asked.role {
            new.role = check::role(role)?;
        }
        if let Some(handler) = asked.handler {
            new.handler = check::handler(handler)?;
        }
        if let Some(description) = asked.description {
            new.description = check::description(description)?;
        }
        if let Some(secs) = asked.timeout {
            new.timeout_secs = check::timeout(secs)?;
        }
        if let Some(megabytes) = asked.memory_size {
            new.memory_mb = check::memory(megabytes)?;
        }
        if let Some(storage) = asked.ephemeral_storage {
            new.ephemeral_mb = check::ephemeral(storage.size)?;
        }
        if asked.environment.is_some() {
            new.environment = variables(asked.environment)?;
        }
        let new = self.change(&old, new).await?;
        let members = configuration(&new, Shown::Whole);
        Ok(call.reply(StatusCode::OK, &Value::Object(members)))
    }

    pub(crate) async fn delete_function(&self, call: &Call<'_>) -> Result<Response<Bytes>, Fault> {
        let _turn = self.deploying.lock().await;
        let function = self.function(call)?;
        let removed = self.control.change(vec![Change::remove(&function)]).await;
        removed.map_err(|error| fault::of_change(&error, &arn(&function)))?;
        self.drop_unused(&function.code).await;
        Ok(call.no_content())
    }

    async fn check_runtime(&self, runtime: &str) -> Result<(), Fault> {
        let checked = self.runner.check_runtime(runtime).await;
        checked.map_err(|why| {
            fault::invalid(format!(
                "The runtime parameter of {runtime} is not supported: {why}"
            ))
        })
    }

    async fn check_package(&self, package: &Bytes) -> Result<(), Fault> {
        let checked = self.runner.check_package(package.clone()).await;
        checked.map_err(|why| {
            fault::invalid(format!(
                "Could not unzip uploaded file. Please check your file, then try to upload \
                 again. ({why})"
            ))
        })
    }

    async fn store(&self, package: &Bytes) -> Result<CodeRef, Fault> {
        let stored = functions::store_code(&self.control, package).await;
        stored.map_err(|error| {
            tracing::error!(%error, "a deployment package was not stored");
            fault::service("The deployment package could not be stored.")
        })
    }

    /// Removes code that has lost its last function. The call has succeeded whatever becomes of
    /// this: what stays behind is only space.
    async fn drop_unused(&self, code: &CodeRef) {
        if let Err(error) = functions::drop_code(&self.control, code).await {
            tracing::warn!(%error, sha256 = code.sha256, "unused code was not removed");
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(members: Map<String, Value>) -> Result<T, Fault> {
    serde_json::from_value(Value::Object(members)).map_err(|error| {
        let message = format!("Could not parse request body: {error}");
        Fault::caller("InvalidRequestContentException", message)
    })
}

fn missing(member: &str) -> Fault {
    fault::invalid(format!(
        "Runtime and Handler are mandatory parameters for functions created with deployment \
         packages; {member} is missing."
    ))
}

fn already_exists(other: &Function, function: &Function) -> Fault {
    if other.account == function.account {
        fault::conflict(format!("Function already exist: {}", function.name))
    } else {
        fault::conflict(format!(
            "Function already exist: {}, in another account of this project; the accounts of a \
             project share the names of its functions",
            function.name
        ))
    }
}

fn package(operation: &str, code: Code) -> Result<Bytes, Fault> {
    if code.s3_bucket.is_some_and(|bucket| !bucket.is_empty()) {
        return Err(fault::invalid(
            "Code in S3 is not supported by Hither: send the deployment package as ZipFile",
        ));
    }
    if code.image_uri.is_some_and(|image| !image.is_empty()) {
        return Err(fault::unsupported("ImageUri"));
    }
    let text = code.zip_file.unwrap_or_default();
    if text.is_empty() {
        return Err(fault::invalid("Please provide a source for function code."));
    }
    let package = STANDARD.decode(text.as_bytes()).map_err(|_| {
        Fault::caller(
            "InvalidRequestContentException",
            "Could not parse request body: ZipFile is not in base64",
        )
    })?;
    if PACKAGE_BYTES_MAX < package.len() {
        return Err(fault::too_large(operation, PACKAGE_BYTES_MAX));
    }
    Ok(Bytes::from(package))
}

fn variables(environment: Option<Environment>) -> Result<BTreeMap<String, String>, Fault> {
    let variables = environment.unwrap_or_default().variables;
    check::environment(variables.unwrap_or_default())
}
