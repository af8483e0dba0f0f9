//! A Lambda function: code, configuration and concurrency.
//!
//! Source: Lambda API reference, `CreateFunction` and its neighbours.

use base::region::RegionName;

use crate::call::{Call, Shape, structure};
use crate::client::Reply;
use crate::execute::{Change, DeployError, Session, Waited};
use crate::operation::{
    CREATE_FUNCTION, GET_FUNCTION, PUT_FUNCTION_CONCURRENCY, UPDATE_FUNCTION_CODE,
    UPDATE_FUNCTION_CONFIGURATION,
};
use crate::package::Code;

/// A function as it should be.
#[derive(Clone, Debug)]
pub struct Function {
    /// The function's name.
    pub name: String,
    /// The runtime, as Lambda names it.
    pub runtime: String,
    /// The role that it runs as.
    pub role: String,
    /// The handler that the runtime is told.
    pub handler: String,
    /// The code.
    pub code: Code,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Units: seconds.
    pub timeout_secs: i64,
    /// Units: MiB.
    pub memory_mib: i64,
    /// Most instances; `None` for no bound of its own.
    pub concurrency: Option<i64>,
}

impl Function {
    /// Returns the calls that create the function.
    pub fn creating(&self, region: &RegionName) -> Vec<Call> {
        let create = Call::new(CREATE_FUNCTION, region)
            .with("FunctionName", &*self.name)
            .with("Runtime", &*self.runtime)
            .with("Role", &*self.role)
            .with("Handler", &*self.handler)
            .with("Code", structure([("ZipFile", self.zip())]))
            .with("Timeout", self.timeout_secs)
            .with("MemorySize", self.memory_mib)
            .with_some("Environment", self.environment());
        let limit = self.concurrency.map(|most| self.limiting(region, most));
        std::iter::once(create).chain(limit).collect()
    }

    /// Makes the region have the function.
    pub(crate) async fn ensure(&self, session: &mut Session<'_>) -> Result<Change, DeployError> {
        let region = session.region();
        let Some(found) = session.look(self.looking(region)).await? else {
            for call in self.creating(region) {
                session.change(call).await?;
                self.wait(session).await?;
            }
            return Ok(Change::Created);
        };
        let mut change = Change::Unchanged;
        let text = |path: &[&str]| found.text(path);
        if text(&["Configuration", "CodeSha256"]) != Some(self.code.sha256()) {
            let update = Call::new(UPDATE_FUNCTION_CODE, region)
                .with("FunctionName", &*self.name)
                .with("ZipFile", self.zip());
            session.change(update).await?;
            self.wait(session).await?;
            change = Change::Updated;
        }
        if !self.is_configured(&found) {
            session.change(self.configuring(region)).await?;
            self.wait(session).await?;
            change = Change::Updated;
        }
        if let Some(most) = self.concurrency {
            let limit = text(&["Concurrency", "ReservedConcurrentExecutions"]);
            if limit != Some(most.to_string()) {
                session.change(self.limiting(region, most)).await?;
                change = Change::Updated;
            }
        }
        Ok(change)
    }

    async fn wait(&self, session: &mut Session<'_>) -> Result<(), DeployError> {
        let look = self.looking(session.region());
        session
            .wait("the function to be active", look, |reply| {
                let text = |name| reply.text(&["Configuration", name]);
                let state = text("State").unwrap_or_else(|| "Active".to_owned());
                let update = text("LastUpdateStatus").unwrap_or_else(|| "Successful".to_owned());
                match (&*state, &*update) {
                    ("Active" | "Inactive", "Successful") => Waited::Reached,
                    ("Failed", _) | (_, "Failed") => Waited::Never(
                        text("StateReason")
                            .or_else(|| text("LastUpdateStatusReason"))
                            .unwrap_or_else(|| "Failed".to_owned()),
                    ),
                    _ => Waited::Seen(format!("{state}, last update {update}")),
                }
            })
            .await?;
        Ok(())
    }

    fn looking(&self, region: &RegionName) -> Call {
        Call::new(GET_FUNCTION, region).with("FunctionName", &*self.name)
    }

    fn configuring(&self, region: &RegionName) -> Call {
        let environment = self
            .environment()
            .unwrap_or_else(|| structure([("Variables", Shape::Map(Vec::new()))]));
        Call::new(UPDATE_FUNCTION_CONFIGURATION, region)
            .with("FunctionName", &*self.name)
            .with("Role", &*self.role)
            .with("Handler", &*self.handler)
            .with("Timeout", self.timeout_secs)
            .with("MemorySize", self.memory_mib)
            .with("Environment", environment)
            .with("Runtime", &*self.runtime)
    }

    fn limiting(&self, region: &RegionName, most: i64) -> Call {
        Call::new(PUT_FUNCTION_CONCURRENCY, region)
            .with("FunctionName", &*self.name)
            .with("ReservedConcurrentExecutions", most)
    }

    fn is_configured(&self, found: &Reply) -> bool {
        let is =
            |name, wanted: &str| found.text(&["Configuration", name]).as_deref() == Some(wanted);
        let mut environment = self.environment.clone();
        environment.sort();
        let found_environment = found
            .at(&["Configuration"])
            .map(|node| node.entries(&["Environment", "Variables"]))
            .unwrap_or_default();
        is("Runtime", &self.runtime)
            && is("Role", &self.role)
            && is("Handler", &self.handler)
            && is("Timeout", &self.timeout_secs.to_string())
            && is("MemorySize", &self.memory_mib.to_string())
            && found_environment == environment
    }

    fn zip(&self) -> Shape {
        Shape::Blob {
            bytes: self.code.zip.clone(),
            file: self.code.file.clone(),
        }
    }

    fn environment(&self) -> Option<Shape> {
        (!self.environment.is_empty())
            .then(|| structure([("Variables", Shape::Map(self.environment.clone()))]))
    }
}
