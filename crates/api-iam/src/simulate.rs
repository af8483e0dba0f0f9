//! SimulatePrincipalPolicy, SimulateCustomPolicy: decisions asked for without doing anything.
//!
//! They are made by what decides calls. Groups, roles and service control policies there are none.
//! Which context keys policies look at in vain is not told.

use std::sync::Arc;

use api_protocol::fault::Fault;
use api_protocol::xml::XmlWriter;
use clock::time::WallTime;
use control::access::directory;
use iam::context::{Context, Value};
use iam::credentials::UserName;
use iam::decision::{self, Cause, Decision, Grant, Source};
use iam::identity::Identity;
use iam::keys;
use iam::kind::Kind;
use iam::policy::Policy;
use iam::request::Request;
use store::port::Store;

use crate::facade::{Call, Reply};
use crate::fault;

/// One question and its answer.
struct Evaluated {
    action: String,
    resource: String,
    decision: &'static str,
    /// The policy whose statement decided.
    source: Option<String>,
}

impl<S: Store> Call<'_, S> {
    pub(crate) fn simulate_principal_policy(&self) -> Result<Reply, Fault> {
        let arn = self.form.required("PolicySourceArn")?;
        let mut identity = self.user_of_arn(arn)?;
        identity
            .policies
            .extend(self.policies("PolicyInputList", Kind::Managed)?);
        self.simulate(identity)
    }

    pub(crate) fn simulate_custom_policy(&self) -> Result<Reply, Fault> {
        let mut identity = match self.form.text("CallerArn") {
            Some(arn) => self.user_of_arn(arn)?,
            None => nobody(self.account),
        };
        identity.boundary = None;
        identity.policies = self.policies("PolicyInputList", Kind::Managed)?;
        if identity.policies.is_empty() {
            return Err(fault::invalid("PolicyInputList must have a policy"));
        }
        self.simulate(identity)
    }

    fn simulate(&self, mut identity: Identity) -> Result<Reply, Fault> {
        let boundary = self.policies("PermissionsBoundaryPolicyInputList", Kind::Managed)?;
        identity.boundary = boundary.into_iter().next().or(identity.boundary);
        let resource_policy = match self.form.text("ResourcePolicy") {
            Some(text) => Some(compiled("ResourcePolicy", text, Kind::Resource)?),
            None => None,
        };
        let entries = self.entries()?;
        let mut context = Context::new();
        identity.describe(&mut context);
        // What the call does not tell is absent; of other keys no call knows anything either.
        for supported in [keys::OF_CALLS, keys::OF_DYNAMODB, keys::OF_SOME] {
            context.know(supported);
        }
        for entry in &entries {
            entry.tell(&mut context);
        }
        let actions = self.form.list("ActionNames");
        if actions.is_empty() {
            return Err(fault::invalid("ActionNames must have an action"));
        }
        let mut resources = self.form.list("ResourceArns");
        if resources.is_empty() {
            resources.push("*");
        }
        let mut evaluated = Vec::new();
        for action in actions {
            for resource in &resources {
                let request = Request {
                    principal: &identity.principal,
                    action,
                    resources: &[*resource],
                    owner: self.account,
                    context: &context,
                };
                let policies = identity.policies(resource_policy.as_deref());
                let decision = decision::decide(&policies, &request);
                evaluated.push(Evaluated::of(action, resource, &decision));
            }
        }
        Ok(Reply::new(move |xml| show(xml, &evaluated)))
    }

    fn user_of_arn(&self, arn: &str) -> Result<Identity, Fault> {
        let own = format!("arn:aws:iam::{}:user/", self.account);
        let name = arn
            .strip_prefix(&own)
            .and_then(|path| path.rsplit('/').next());
        let name = name.and_then(UserName::parse);
        let name = name.ok_or_else(|| {
            fault::invalid("Only users of this account can be simulated, by their ARN")
        })?;
        let user = self.user_named(&name)?;
        let known = Some(&user).filter(|user| user.arn() == arn);
        let identity = known.and_then(|user| directory::of_user(self.control, user));
        identity.ok_or_else(|| fault::no_user(name.as_str()))
    }

    fn policies(&self, list: &str, kind: Kind) -> Result<Vec<Arc<Policy>>, Fault> {
        let texts = self.form.list(list).into_iter().enumerate();
        texts
            .map(|(at, text)| compiled(&format!("{list}.{}", at + 1), text, kind))
            .collect()
    }

    /// Returns what the call says of the request that it imagines.
    fn entries(&self) -> Result<Vec<Entry<'_>>, Fault> {
        let mut entries = Vec::new();
        for at in 1..=ENTRIES_MAX {
            let member = format!("ContextEntries.member.{at}");
            let Some(key) = self.form.text(&format!("{member}.ContextKeyName")) else {
                break;
            };
            let kind = self.form.required(&format!("{member}.ContextKeyType"))?;
            let texts = self.form.list(&format!("{member}.ContextKeyValues"));
            let (element, is_list) = match kind.strip_suffix("List") {
                Some(element) => (element, true),
                None => (kind, false),
            };
            let values: Option<Vec<Value<'_>>> =
                texts.into_iter().map(|text| value(element, text)).collect();
            let values = values.ok_or_else(|| {
                fault::invalid(&format!("A value of {key} is none of type {kind}"))
            })?;
            entries.push(Entry {
                key,
                values,
                is_list,
            });
        }
        Ok(entries)
    }
}

/// What is known of an imagined request.
struct Entry<'f> {
    key: &'f str,
    values: Vec<Value<'f>>,
    is_list: bool,
}

impl<'f> Entry<'f> {
    fn tell(&self, context: &mut Context<'f>) {
        match self.values.as_slice() {
            [one] if !self.is_list => context.set(self.key, one.clone()),
            several => context.set_many(self.key, several.iter().cloned()),
        }
    }
}

/// Reads a value of a type of IAM's; `None` for a text that is none.
fn value<'t>(kind: &str, text: &'t str) -> Option<Value<'t>> {
    Some(match kind {
        "boolean" => Value::Bool(text.parse().ok()?),
        "ip" => Value::Ip(text.parse().ok()?),
        "date" => {
            let seconds = || Some(WallTime::from_micros(text.parse::<i64>().ok()? * 1_000_000));
            Value::Time(api_protocol::timestamp::parse_iso(text).or_else(seconds)?)
        }
        "numeric" => match text.parse::<i64>() {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::from(text),
        },
        "string" | "binary" => Value::from(text),
        _ => return None,
    })
}

fn compiled(name: &str, text: &str, kind: Kind) -> Result<Arc<Policy>, Fault> {
    match Policy::compile(name, text, kind) {
        Ok(policy) => Ok(Arc::new(policy)),
        Err(mistakes) => Err(fault::invalid(&mistakes.message())),
    }
}

/// Returns a user of whom nothing is known but the account.
fn nobody(account: base::name::AccountId) -> Identity {
    Identity {
        principal: iam::principal::Principal::user(account, "/", "simulated", "AIDASIMULATED"),
        ..Identity::root(account)
    }
}

impl Evaluated {
    fn of(action: &str, resource: &str, decision: &Decision<'_>) -> Self {
        let named = |source: &Source<'_>| Some(source.policy.to_owned());
        let (decision, source) = match decision {
            Decision::Allowed(Grant::Root) => ("allowed", None),
            Decision::Allowed(Grant::Statement(_, source)) => ("allowed", named(source)),
            Decision::Denied(denial) => match &denial.cause {
                Cause::Explicit(_, source) => ("explicitDeny", named(source)),
                Cause::Implicit(_) => ("implicitDeny", None),
            },
        };
        Self {
            action: action.to_owned(),
            resource: resource.to_owned(),
            decision,
            source,
        }
    }
}

fn show(xml: &mut XmlWriter, evaluated: &[Evaluated]) {
    xml.within("EvaluationResults", |xml| {
        for one in evaluated {
            xml.within("member", |xml| {
                xml.leaf("EvalActionName", &one.action);
                xml.leaf("EvalResourceName", &one.resource);
                xml.leaf("EvalDecision", one.decision);
                xml.within("MatchedStatements", |xml| {
                    if let Some(source) = &one.source {
                        xml.within("member", |xml| xml.leaf("SourcePolicyId", source));
                    }
                });
            });
        }
    });
    xml.leaf("IsTruncated", "false");
}

/// The most keys that a call may tell. 200: a policy of the largest size names no more.
const ENTRIES_MAX: usize = 200;
