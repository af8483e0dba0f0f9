//! The facade of Certificate Manager: one call in, one answer out.
//!
//! It serves the region of its node; calls for other regions do not reach it.
//! Source: the service model of Certificate Manager, version 2015-12-08.

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::json::{ACM, Exchange, parse};
use base::arn::Arn;
use bytes::Bytes;
use control::certificates::{self, Certificate, users};
use control::control::Control;
use control::resource::Change;
use http::{Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use store::port::Store;
use tokio::sync::Mutex;

use crate::fault::{invalid_arn, no_certificate, unchanged, validation};

/// The facade of Certificate Manager.
pub struct Acm<S> {
    control: Control<S>,
    /// Orders the changes of this region's certificates.
    turn: Mutex<()>,
}

/// One call, as the operations see it.
pub(crate) struct Call<'c, S> {
    pub(crate) control: &'c Control<S>,
    pub(crate) account: String,
    pub(crate) body: &'c [u8],
}

/// What a call is about, where it says so.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnyArn {
    certificate_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ByArn {
    certificate_arn: String,
}

impl<S: Store> Acm<S> {
    /// Makes the facade over a region's resources.
    pub fn new(control: Control<S>) -> Self {
        Self {
            control,
            turn: Mutex::new(()),
        }
    }

    /// Answers one call.
    pub async fn handle(&self, caller: &Caller, request: Request<Bytes>) -> Response<Bytes> {
        let exchange = Exchange::open(ACM, caller, request.headers());
        match self.answer(caller, &request).await {
            Ok(Value::Null) => exchange.ok(Bytes::from_static(b"{}")),
            Ok(body) => exchange.ok(body.to_string()),
            Err(fault) => exchange.fault(&fault),
        }
    }

    async fn answer(&self, caller: &Caller, request: &Request<Bytes>) -> Result<Value, Fault> {
        let operation = ACM.operation(request.headers())?;
        check(caller, operation, request.body())?;
        let call = Call {
            control: &self.control,
            account: caller.account.to_string(),
            body: request.body(),
        };
        match operation {
            "DescribeCertificate" => call.describe(),
            "GetCertificate" => call.get(),
            "ListCertificates" => call.list(),
            "ListTagsForCertificate" => call.list_tags(),
            "ImportCertificate" => {
                let _turn = self.turn.lock().await;
                call.import().await
            }
            "DeleteCertificate" => {
                let _turn = self.turn.lock().await;
                call.delete().await
            }
            "AddTagsToCertificate" => {
                let _turn = self.turn.lock().await;
                call.add_tags().await
            }
            "RemoveTagsFromCertificate" => {
                let _turn = self.turn.lock().await;
                call.remove_tags().await
            }
            "RequestCertificate" => Err(validation(
                "No certificate authority is configured: make a certificate elsewhere and bring \
                 it with ImportCertificate",
            )),
            other => Err(Fault::unknown_operation(other)),
        }
    }
}

/// Checks that the caller may do what it asks.
fn check(caller: &Caller, operation: &str, body: &[u8]) -> Result<(), Fault> {
    let is_limited = caller.checked().is_some_and(|identity| !identity.is_root());
    if !is_limited {
        return Ok(());
    }
    let arn = parse::<AnyArn>(body)?.certificate_arn;
    let resource = arn.as_deref().unwrap_or("*");
    caller.check(&format!("acm:{operation}"), resource)
}

impl<S: Store> Call<'_, S> {
    /// Returns the caller's certificate that an ARN names.
    ///
    /// Errors: `InvalidArnException`, `ResourceNotFoundException`.
    pub(crate) fn find(&self, arn: &str) -> Result<Certificate, Fault> {
        Arn::parse(arn)
            .filter(|own| own.service == "acm" && own.resource.starts_with("certificate/"))
            .ok_or_else(|| invalid_arn(arn))?;
        certificates::by_arn(self.control, arn)
            .filter(|certificate| certificate.account == self.account)
            .ok_or_else(|| no_certificate(arn))
    }

    /// Returns the caller's certificate that the body names and nothing else.
    pub(crate) fn find_only(&self) -> Result<Certificate, Fault> {
        let body: ByArn = parse(self.body)?;
        self.find(&body.certificate_arn)
    }

    /// Makes changes, all or none of them.
    pub(crate) async fn change(&self, changes: Vec<Change>) -> Result<(), Fault> {
        let changed = self.control.change(changes).await;
        changed.map(|_| ()).map_err(|error| unchanged(&error))
    }

    fn get(&self) -> Result<Value, Fault> {
        let certificate = self.find_only()?;
        let mut answer = json!({"Certificate": certificate.certificate});
        if !certificate.chain.is_empty() {
            answer["CertificateChain"] = certificate.chain.into();
        }
        Ok(answer)
    }

    async fn delete(&self) -> Result<Value, Fault> {
        let certificate = self.find_only()?;
        let arn = certificate.arn();
        let users = users(self.control, &arn);
        if let Some(user) = users.first() {
            let user = user.arn();
            let message = format!("Certificate {arn} is in use by {user}.");
            return Err(Fault::caller("ResourceInUseException", message));
        }
        self.change(vec![Change::remove(&certificate)]).await?;
        Ok(Value::Null)
    }
}
