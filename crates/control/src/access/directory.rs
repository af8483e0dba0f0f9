//! A snapshot of who may use a project: secrets opened, policies compiled, all by access key.
//!
//! It verifies no signature and follows no changes: whoever holds one makes another when
//! resources change. What cannot be read or is missing is closed, never left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::name::AccountId;
use iam::credentials::Secret;
use iam::identity::{Identity, InSession};
use iam::kind::Kind;
use iam::policy::Policy;
use iam::principal::Principal;
use iam::session::{Session, Subject};
use store::port::Store;

use crate::access::{self, AccessKey, ManagedPolicy, User};
use crate::control::Control;

/// Who may use a project.
#[derive(Debug, Default)]
pub struct Directory {
    keys: BTreeMap<String, Holder>,
    users: BTreeMap<String, Arc<Identity>>,
}

/// What belongs to an active access key.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Its secret.
    pub secret: Secret,
    /// Whose it is.
    pub identity: Arc<Identity>,
}

impl Directory {
    /// Reads everything.
    pub fn read<S: Store>(control: &Control<S>) -> Self {
        let policies = policies(control);
        let users: Vec<User> = control.all();
        let mut directory = Self::default();
        for user in &users {
            let Some(identity) = identity_of(user, &policies) else {
                tracing::error!(user = user.arn(), "a user without an account is left out");
                continue;
            };
            directory.users.insert(user.id.clone(), Arc::new(identity));
        }
        let listed: BTreeMap<&str, &User> = users
            .iter()
            .flat_map(|user| user.access_keys.iter().map(move |id| (id.as_str(), user)))
            .collect();
        for key in control.all::<AccessKey>() {
            let is_listed = listed
                .get(key.id.as_str())
                .is_some_and(|user| user.id == key.user_id);
            if !is_listed || !key.is_active {
                continue;
            }
            let Some(identity) = directory.users.get(&key.user_id).cloned() else {
                continue;
            };
            match access::secret_of(control, &key) {
                Ok(secret) => {
                    let holder = Holder { secret, identity };
                    directory.keys.insert(key.id, holder);
                }
                Err(error) => tracing::error!(key = key.id, %error, "an access key stays closed"),
            }
        }
        directory
    }

    /// Returns what belongs to an access key; `None` for one that does not exist or is inactive.
    pub fn find(&self, access_key: &str) -> Option<&Holder> {
        self.keys.get(access_key)
    }

    /// Returns a user by their unique id.
    pub fn user(&self, id: &str) -> Option<&Arc<Identity>> {
        self.users.get(id)
    }

    /// Returns whose a session is; `None` where they are no more.
    ///
    /// It compiles the session's policies: callers keep it for as long as the session is used.
    pub fn of_session(&self, session: &Session) -> Option<Identity> {
        let whose = match &session.subject {
            Subject::Root => Identity::root(session.account),
            Subject::User { id, .. } => {
                let user = self.users.get(id)?;
                (user.account == session.account).then(|| Identity::clone(user))?
            }
        };
        let compile = |text: &String| {
            let policy = Policy::stored("session policy", text, Kind::Session);
            Arc::new(policy)
        };
        let mut tags = whose.tags;
        tags.extend(session.tags.iter().cloned());
        Some(Identity {
            tags,
            session: Some(InSession {
                policies: session.policies.iter().map(compile).collect(),
                issued: session.issued,
            }),
            ..whose
        })
    }
}

/// Returns a user as decisions know them; `None` for one without an account. It opens no secret.
pub fn of_user<S: Store>(control: &Control<S>, user: &User) -> Option<Identity> {
    identity_of(user, &policies(control))
}

/// Returns all policies of their own by ARN, compiled.
fn policies<S: Store>(control: &Control<S>) -> BTreeMap<String, Arc<Policy>> {
    let compiled = |policy: ManagedPolicy| {
        let arn = policy.arn();
        let compiled = Policy::stored(&arn, &policy.document, Kind::Managed);
        (arn, Arc::new(compiled))
    };
    control
        .all::<ManagedPolicy>()
        .into_iter()
        .map(compiled)
        .collect()
}

fn identity_of(user: &User, managed: &BTreeMap<String, Arc<Policy>>) -> Option<Identity> {
    let account = AccountId::parse(&user.account)?;
    let named = |arn: &String| {
        let known = managed.get(arn).cloned().or_else(|| built_in(arn));
        // It may have denied something, and may still be on its way here.
        known.unwrap_or_else(|| Arc::new(Policy::closed(arn)))
    };
    let attached = user.attached.iter().map(named);
    let inline = user.inline.iter().map(|(name, document)| {
        let policy = Policy::stored(name, document, Kind::Inline);
        Arc::new(policy)
    });
    let tags = user.tags.iter();
    Some(Identity {
        principal: Principal::user(account, &user.path, &user.name, &user.id),
        account,
        policies: attached.chain(inline).collect(),
        boundary: user.boundary.as_ref().map(named),
        tags: tags
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        session: None,
    })
}

/// Returns the one policy of AWS's own that everybody has: all is allowed.
fn built_in(arn: &str) -> Option<Arc<Policy>> {
    const ALL: &str = r#"{"Version":"2012-10-17",
        "Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let policy = || Arc::new(Policy::stored(arn, ALL, Kind::Managed));
    (arn == ADMINISTRATOR_ACCESS).then(policy)
}

/// The ARN of AWS's policy that allows everything.
/// Source: IAM user guide, "AWS managed policies for job functions".
pub const ADMINISTRATOR_ACCESS: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
