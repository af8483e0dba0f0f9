//! What facades and shells ask of each other, answered by the region that holds both.
//!
//! It adds nothing of its own: types of one side become those of the other.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use api_cloudwatch::facade::CloudWatch;
use api_cloudwatch::port::{Figures, Minute};
use api_dynamodb::faults::set::Faults;
use api_dynamodb::model::check::Wording;
use api_dynamodb::throttle::Throttling;
use api_lambda::port::{self, Invocation, Outcome, RunError, Runner};
use api_protocol::dispatch::{Regions, Strangers};
use api_protocol::front::{Authentication, Front};
use api_protocol::hosts::Hosts;
use api_protocol::sigv4::Verifier;
use api_route53::facade::Live;
use base::name::TableId;
use base::region::{RegionId, RegionName};
use clock::port::{Clock, Entropy};
use control::access::directory::Directory;
use control::control::Control;
use control::functions::{self, Function};
use dns_core::view::View;
use function::call::{Call, LogWanted};
use function::code::{CodeSource, CodeUnavailable};
use function::host::Host;
use function::spec::{CodeHash, FunctionSpec};
use gateway_core::invoke::{FunctionName, InvokeError};
use health_core::view::HealthView;
use replica::delays::Delays;
use store::port::Store;

use crate::config::{self, Access, NodeConfig};
use crate::credentials::Keyring;
use crate::server::Facades;

/// What of DNS others look at.
pub(crate) struct DnsParts {
    pub(crate) stats: Arc<dns::stats::Stats>,
    pub(crate) views: watch::Receiver<Arc<View>>,
}

/// Functions' code, as the replicated items hold it.
#[derive(Clone)]
pub(crate) struct Code<S>(pub(crate) Control<S>);

impl<S: Store> CodeSource for Code<S> {
    async fn fetch(&self, code: CodeHash) -> Result<Bytes, CodeUnavailable> {
        let package = functions::load_code(&self.0, &code.to_string()).await;
        package.map_err(|error| CodeUnavailable(error.to_string()))
    }
}

/// Returns a function as the host takes it; `None` where it cannot be run here.
pub(crate) fn spec_of(region: &RegionName, function: Function) -> Option<FunctionSpec> {
    let spec = || {
        Some(FunctionSpec {
            name: FunctionName::parse(&function.name).ok()?,
            region: region.clone(),
            arn: arn(&function),
            code: CodeHash::parse(&function.code.sha256)?,
            handler: function.handler.clone(),
            runtime: function.runtime.clone(),
            environment: function.environment.clone(),
            timeout: Duration::from_secs(function.timeout_secs.into()),
            memory_mb: function.memory_mb,
            revision: function.revision.clone(),
            concurrency: function.concurrency,
        })
    };
    let spec = spec();
    if spec.is_none() {
        tracing::warn!(
            function = function.name,
            "a function cannot be run by this build"
        );
    }
    spec
}

fn arn(function: &Function) -> String {
    let Function {
        region,
        account,
        name,
        ..
    } = function;
    format!("arn:aws:lambda:{region}:{account}:function:{name}")
}

/// The functions of this region, for the facade that invokes them.
pub(crate) struct Functions {
    host: Host,
    clock: Arc<dyn Clock>,
}

impl Functions {
    fn call(&self, invocation: Invocation) -> Result<Call, RunError> {
        let name = FunctionName::parse(&invocation.function).map_err(|_| RunError::NotFound)?;
        let deadline = self.clock.now() + invocation.patience;
        let mut call = Call::new(name, invocation.payload, deadline);
        call.request_id = Some(invocation.request_id);
        call.client_context = invocation.client_context;
        call.trace_id = invocation.trace_id;
        call.log = match invocation.log {
            port::LogWanted::None => LogWanted::None,
            port::LogWanted::Tail => LogWanted::Tail,
        };
        Ok(call)
    }
}

impl Runner for Functions {
    async fn check_runtime(&self, runtime: &str) -> Result<(), String> {
        self.host
            .check_runtime(runtime)
            .await
            .map_err(|error| error.to_string())
    }

    async fn check_package(&self, package: Bytes) -> Result<(), String> {
        // It inflates up to 250 MB: on the threads for that, so that heartbeats go on.
        let checked = move || function::code::unpack::check(&package);
        match tokio::task::spawn_blocking(checked).await {
            Ok(checked) => checked.map_err(|error| error.to_string()),
            Err(error) => Err(format!("check the package: {error}")),
        }
    }

    async fn run(&self, invocation: Invocation) -> Result<Outcome, RunError> {
        let call = self.call(invocation)?;
        let answer = self.host.invoke_with(call).await.map_err(run_error)?;
        Ok(Outcome {
            function_error: answer.function_error(),
            log_tail: answer.log_tail,
            payload: answer.payload,
            executed_version: "$LATEST",
        })
    }

    fn accept(&self, invocation: Invocation) -> Result<(), RunError> {
        let call = self.call(invocation)?;
        self.host.accept(call).map(drop).map_err(run_error)
    }
}

fn run_error(error: InvokeError) -> RunError {
    match error {
        InvokeError::NotFound => RunError::NotFound,
        InvokeError::Throttled => RunError::Throttled,
        InvokeError::TimedOut => RunError::TimedOut,
        InvokeError::Crashed(why) => RunError::Unavailable(why),
        InvokeError::Unavailable => RunError::Unavailable("the region cannot run it".to_owned()),
    }
}

/// Makes what Route 53's facade knows of what goes on.
pub(crate) fn live(
    health: &watch::Receiver<Arc<HealthView>>,
    views: watch::Receiver<Arc<View>>,
) -> Live {
    let health = health.clone();
    let reports =
        move |check: &str, wanted| control::dns::check::reports(&health.borrow(), check, wanted);
    Live {
        views,
        reports: Arc::new(reports),
    }
}

/// What a node measures, for the facade that tells it.
struct Measured(Arc<Delays>);

impl Figures for Measured {
    fn delays(&self) -> Vec<(TableId, RegionId)> {
        let minutes = self.0.read();
        let pairs = minutes.pairs();
        pairs.map(|(table, region, _)| (table, region)).collect()
    }

    fn delays_between(&self, pair: (TableId, RegionId), minutes: (i64, i64)) -> Vec<Minute> {
        let kept = self.0.read();
        let told = kept.between(pair, minutes).map(|minute| Minute {
            number: minute.number,
            count: minute.count,
            sum: minute.sum,
            min: minute.min,
            max: minute.max,
            spread: minute.spread().collect(),
        });
        told.collect()
    }
}

/// Makes the facades of a node.
pub(crate) fn facades<S: Store>(
    config: &NodeConfig,
    control: &Control<S>,
    host: &Host,
    (live, delays): (Live, Arc<Delays>),
    clock: &Arc<dyn Clock>,
) -> Facades<S> {
    let runner = Functions {
        host: host.clone(),
        clock: Arc::clone(clock),
    };
    let dynamodb = api_dynamodb::facade::DynamoDb::new(control.clone());
    let dynamodb = dynamodb.with_wording(match config.wording {
        config::Wording::Classic => Wording::Classic,
        config::Wording::Newer => Wording::Newer,
    });
    let dynamodb = dynamodb.with_faults(if config.is_for_tests() {
        Faults::Act
    } else {
        Faults::Ignored
    });
    let dynamodb = dynamodb.with_throttling(match config.throttling {
        config::Throttling::Off => Throttling::Off,
        config::Throttling::On => Throttling::On,
    });
    Facades {
        dynamodb: Arc::new(dynamodb),
        route53: api_route53::facade::Route53::new(control.clone(), live),
        apigateway: api_apigateway::facade::ApiGateway::new(control.clone()),
        lambda: api_lambda::lambda::Lambda::new(control.clone(), runner),
        acm: api_acm::facade::Acm::new(control.clone()),
        iam: api_iam::facade::Iam::new(control.clone()),
        sts: api_sts::identity::Sts::new(control.clone()),
        cloudwatch: CloudWatch::new(control.clone(), Arc::new(Measured(delays))),
    }
}

/// Makes the door of a node's endpoint.
pub(crate) fn front(
    config: &NodeConfig,
    directory: watch::Receiver<Arc<Directory>>,
    clock: Arc<dyn Clock>,
    entropy: &dyn Entropy,
) -> Front {
    let (authentication, strangers) = match &config.access {
        Access::Development => (
            Authentication::Development(Hosts::new(config.hosts.iter().cloned())),
            Strangers::Own,
        ),
        Access::Keys(keys) => {
            let keyring = Keyring::new(keys, &config.project, directory);
            let verifier = Verifier::new(Arc::new(keyring));
            (Authentication::Signed(verifier), Strangers::Refuse)
        }
    };
    let regions = Regions {
        own: config.project.region.clone(),
        all: config
            .project
            .regions
            .iter()
            .map(|region| region.name.clone())
            .collect(),
        strangers,
    };
    Front::new(regions, authentication, clock, entropy)
}
