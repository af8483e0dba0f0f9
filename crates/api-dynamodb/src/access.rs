//! Whether a caller may do what it asks: its policies and those of tables, asked before a call.
//!
//! It reads a request beside the operation that serves it, with the same shapes; what it cannot
//! read is refused. Callers whom nothing limits pass without being looked at.
//! Source: service authorization reference, "Actions, resources, and condition keys for Amazon
//! DynamoDB"; DynamoDB developer guide, "Using IAM policy conditions for fine-grained access
//! control", "DynamoDB global tables security".
//!
//! ```text
//! nobody checks, or root and no table has a policy ─► passes
//! request ─► asks: action · resource · keys · attributes · … ─► each allowed? ─► passes
//! ```

mod asks;
mod beside;
mod files;
mod reach;
mod statements;

use std::sync::Arc;

use api_protocol::authority::Need;
use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use control::history::Remains;
use control::tables::Replica;
use iam::context::Context;
use iam::identity::Identity;
use iam::keys;
use iam::policy::Policy;
use store::port::Store;

use crate::catalog::OpenTable;
use crate::facade::DynamoDb;
use crate::fault::Refused;
use crate::policies::kept::{self, StreamPolicies};
use crate::settings::{Own, Shared};

use asks::{Ask, On};
use reach::Reach;

impl<S: Store> DynamoDb<S> {
    /// Checks that a caller may do what a request of an operation asks.
    ///
    /// Errors: `AccessDeniedException`, or what is wrong with a request that cannot be read.
    pub(crate) fn authorise(
        &self,
        caller: &Caller,
        operation: &str,
        body: &[u8],
    ) -> Result<(), Refused> {
        // Its statements are answered apart, and so are those that are not allowed.
        if operation == BATCH_OF_STATEMENTS {
            return Ok(());
        }
        let Some(identity) = self.limited(caller) else {
            return Ok(());
        };
        if identity.is_root() && ROOTS_OWN.contains(&operation) {
            return Ok(());
        }
        for ask in asks::of(operation, body)? {
            let of_replicas = self.of_replicas(&ask);
            self.check_ask(caller, identity, ask)?;
            for ask in of_replicas {
                self.check_ask(caller, identity, ask)?;
            }
        }
        Ok(())
    }

    /// Returns, for each statement of a `BatchExecuteStatement`, why the caller may not have it
    /// run; nothing at all where nobody limits the caller.
    ///
    /// Errors: what is wrong with a request that cannot be read.
    pub(crate) fn denied_statements(
        &self,
        caller: &Caller,
        body: &[u8],
    ) -> Result<Vec<Option<Fault>>, Refused> {
        let Some(identity) = self.limited(caller) else {
            return Ok(Vec::new());
        };
        let denied = |ask: Option<Ask>| {
            let checked = self.check_ask(caller, identity, ask?);
            checked.err().map(|Refused(fault)| fault)
        };
        let asks = statements::of(BATCH_OF_STATEMENTS, body)?;
        Ok(asks.into_iter().map(denied).collect())
    }

    /// Returns who a caller is, where something may limit what it may do.
    fn limited<'c>(&self, caller: &'c Caller) -> Option<&'c Identity> {
        let identity = caller.checked()?;
        (!identity.is_root() || self.has_policies()).then_some(identity)
    }

    fn check_ask(&self, caller: &Caller, identity: &Identity, ask: Ask) -> Result<(), Refused> {
        let action = format!("{}:{}", ask.service, ask.action);
        let table = ask.on.table().and_then(|given| self.plain_name(given));
        let open = table.and_then(|table| self.tables_by_name().get(table).cloned());
        let resource = self.resource(caller, &ask.on);
        let replica = open
            .as_deref()
            .and_then(|open| self.replica_of(open, &ask.on));
        let of_its_own = match (&ask.on, table, replica) {
            (On::Replica(..), Some(table), Some(replica)) => {
                kept::of_table(table, &replica.settings).map(Arc::new)
            }
            _ => self.policy_of_stream(&ask.on),
        };
        let policy = match (&of_its_own, open.as_deref()) {
            (Some(policy), _) => Some(&**policy),
            (None, Some(open)) => self.policy_of(open, &ask.on),
            (None, None) => None,
        };
        let is_asked =
            |key: &str| identity.mentions(key) || policy.is_some_and(|policy| policy.mentions(key));
        let mut context = Context::new();
        caller.describe(&mut context);
        if let On::Replica(_, region) = &ask.on {
            context.set(keys::REQUESTED_REGION, region.clone());
        }
        context.know(keys::OF_DYNAMODB);
        // Streams, backups and the like have tags of which nothing is told.
        if !matches!(ask.on, On::Arn(_)) {
            context.know(&[keys::RESOURCE_TAG]);
        }
        if is_asked(keys::RESOURCE_TAG)
            && let Some(replica) = replica
        {
            for (tag, value) in Own::of(replica).tags {
                context.set_tag(keys::RESOURCE_TAG, &tag, value);
            }
        }
        let looks_at_items = is_asked(keys::LEADING_KEYS)
            || is_asked(keys::ATTRIBUTES)
            || keys::PARTITION_KEY_VALUES.into_iter().any(is_asked);
        let reach = match (&ask.stated, open.as_deref()) {
            (Some(stated), Some(open)) => {
                let reached = stated.reached(open);
                reached.tell(&mut context);
                Some(Reach::of_statement(reached))
            }
            (None, open) if looks_at_items => Some(Reach::of(ask.call, &ask.on, open)?),
            (Some(_), None) | (None, _) => None,
        };
        ask.facts.tell(&mut context);
        if let Some(reach) = reach {
            reach.tell(&mut context);
        }
        let need = Need {
            action: &action,
            resource: &resource,
            policy,
        };
        Ok(caller.check_with(identity, &need, &context)?)
    }

    /// Returns the ARN of what is asked for.
    fn resource(&self, caller: &Caller, on: &On) -> String {
        let arn = |given: &str| match self.plain_name(given) {
            Some(table) => self.table_arn(caller, table),
            // One of another region, or of no table: the operation finds none.
            None => given.to_owned(),
        };
        match on {
            On::Nothing => "*".to_owned(),
            On::Table(given) => arn(given),
            On::Replica(given, region) => match self.plain_name(given) {
                Some(table) => {
                    format!("arn:aws:dynamodb:{region}:{}:table/{table}", caller.account)
                }
                None => given.clone(),
            },
            On::Tables => self.table_arn(caller, "*"),
            On::GlobalTable(name) => {
                format!("arn:aws:dynamodb::{}:global-table/{name}", caller.account)
            }
            On::Index(given, index) => format!("{}/index/{index}", arn(given)),
            // As for tables: under no other account's name does a policy miss it. Records outlive
            // their table, so that it is not asked for.
            On::Arn(arn) => match self.stream_named(arn) {
                Some((table, label)) => self.arn(caller, format!("table/{table}/stream/{label}")),
                None => arn.clone(),
            },
        }
    }

    /// Returns what a call that reaches all replicas of a table asks leave for in other regions.
    fn of_replicas(&self, ask: &Ask) -> Vec<Ask> {
        let On::Table(given) = &ask.on else {
            return Vec::new();
        };
        let Some(open) = self.find(given).filter(|_| ask.action == OF_EVERY_REPLICA) else {
            return Vec::new();
        };
        let here = self.control.project().region.as_str();
        let others = open.view.replicas.keys().filter(|region| *region != here);
        let on = |region: &String| On::Replica(given.clone(), region.clone());
        others
            .map(|region| Ask::plain("dynamodb", OF_EVERY_REPLICA, on(region)))
            .collect()
    }

    /// Returns the replica of a table that is asked for.
    fn replica_of<'t>(&self, open: &'t OpenTable, on: &On) -> Option<&'t Replica> {
        match on {
            On::Replica(_, region) => open.view.replicas.get(region),
            On::Table(_) | On::Index(..) => self.own_replica(open),
            On::Nothing | On::Tables | On::GlobalTable(_) | On::Arn(_) => None,
        }
    }

    /// Returns the policy of a stream of this region that is asked for.
    fn policy_of_stream(&self, on: &On) -> Option<Arc<Policy>> {
        let On::Arn(arn) = on else {
            return None;
        };
        let (table, label) = self.stream_named(arn)?;
        let open = self.tables_by_name().get(table).cloned();
        if let Some(open) = open
            && let Some(policy) = self.policies_of_streams(&open).of(label)
        {
            return Some(policy);
        }
        // Of a table that is gone, or was made anew by the same name.
        let mut gone = self.control.remains().into_iter();
        let is_meant =
            |gone: &Remains| gone.table.name == table && Shared::of(&gone.table).has_stream(label);
        let gone = gone.find(is_meant)?;
        StreamPolicies::new(table, &gone.stream_policies).of(label)
    }

    /// Returns the policies of a table's streams.
    pub(crate) fn policies_of_streams<'t>(&self, open: &'t OpenTable) -> &'t StreamPolicies {
        open.stream_policies.get_or_init(|| {
            let own = self.own_replica(open);
            let read = |own: &Replica| kept::of_streams(&open.view.table.name, &own.settings);
            own.map(read).unwrap_or_default()
        })
    }

    /// Returns the policy of a table, which is one for its indexes, too.
    fn policy_of<'t>(&self, open: &'t OpenTable, on: &On) -> Option<&'t Policy> {
        match on {
            On::Nothing | On::Tables | On::GlobalTable(_) | On::Replica(..) | On::Arn(_) => None,
            On::Table(_) | On::Index(..) => self.policy_of_table(open),
        }
    }

    /// Returns the policy of a table.
    pub(crate) fn policy_of_table<'t>(&self, open: &'t OpenTable) -> Option<&'t Policy> {
        let compile = || {
            let own = self.own_replica(open)?;
            kept::of_table(&open.view.table.name, &own.settings)
        };
        open.policy.get_or_init(compile).as_ref()
    }
}

/// The call that needs leave in every region of a global table.
/// Source: DynamoDB developer guide, "DynamoDB global tables security".
const OF_EVERY_REPLICA: &str = "UpdateTimeToLive";

const BATCH_OF_STATEMENTS: &str = "BatchExecuteStatement";

/// What the root user may do whatever a table's policy says: a policy must not lock out whoever
/// has to mend it.
const ROOTS_OWN: [&str; 3] = [
    "GetResourcePolicy",
    "PutResourcePolicy",
    "DeleteResourcePolicy",
];

#[cfg(test)]
mod tests;
