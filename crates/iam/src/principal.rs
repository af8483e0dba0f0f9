//! Who asks, and whom a resource's policy is for.
//!
//! It authenticates nobody.
//! Source: IAM user guide, "AWS JSON policy elements: Principal".

use base::name::AccountId;

use crate::context::Context;
use crate::keys;
use crate::mistake::Problem;

/// Who asks, as authentication found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    identity: Identity,
    account: Option<AccountId>,
    arn: String,
    id: String,
}

/// What kind a principal is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The account itself.
    Root,
    /// A user.
    User {
        /// Its name, without path.
        name: String,
    },
    /// A session of a role.
    Role {
        /// The ARN of the role.
        role: String,
    },
    /// A service of AWS's, or one of Hither's parts.
    Service,
    /// Nobody that is known.
    Anonymous,
}

impl Principal {
    /// Makes the root user of an account.
    pub fn root(account: AccountId) -> Self {
        Self {
            identity: Identity::Root,
            account: Some(account),
            arn: format!("arn:aws:iam::{account}:root"),
            id: account.to_string(),
        }
    }

    /// Makes a user.
    ///
    /// Shape: `path` begins and ends with `/`; `id` is the unique id, as in `AIDA…`.
    pub fn user(account: AccountId, path: &str, name: &str, id: &str) -> Self {
        Self {
            identity: Identity::User {
                name: name.to_owned(),
            },
            account: Some(account),
            arn: format!("arn:aws:iam::{account}:user{path}{name}"),
            id: id.to_owned(),
        }
    }

    /// Makes a session of a role.
    ///
    /// Shape: `path` begins and ends with `/`; `id` is the role's unique id, as in `AROA…`.
    pub fn role(account: AccountId, path: &str, name: &str, id: &str, session: &str) -> Self {
        Self {
            identity: Identity::Role {
                role: format!("arn:aws:iam::{account}:role{path}{name}"),
            },
            account: Some(account),
            arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
            id: format!("{id}:{session}"),
        }
    }

    /// Makes a service, as in `apigateway.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        Self {
            identity: Identity::Service,
            account: None,
            arn: name.to_owned(),
            id: name.to_owned(),
        }
    }

    /// Makes somebody who has not signed.
    pub fn anonymous() -> Self {
        Self {
            identity: Identity::Anonymous,
            account: None,
            arn: "anonymous".to_owned(),
            id: "anonymous".to_owned(),
        }
    }

    /// Returns what kind it is of.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns its account; `None` for services and strangers.
    pub fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// Returns its ARN, as messages name it; a service's is its name.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Returns its unique id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Tells a context what it is: its name, ids, ARN, account and type.
    pub fn describe<'a>(&'a self, context: &mut Context<'a>) {
        context.know(keys::OF_PRINCIPALS);
        let is_service = matches!(self.identity, Identity::Service);
        context.set(keys::PRINCIPAL_IS_AWS_SERVICE, is_service);
        let (kind, arn) = match &self.identity {
            Identity::Root => ("Account", &self.arn),
            Identity::User { name } => {
                context.set(keys::USERNAME, name.as_str());
                ("User", &self.arn)
            }
            Identity::Role { role } => ("AssumedRole", role),
            Identity::Service => {
                context.set(keys::PRINCIPAL_SERVICE_NAME, self.arn.as_str());
                return;
            }
            Identity::Anonymous => {
                context.set(keys::PRINCIPAL_ACCOUNT, "anonymous");
                context.set(keys::PRINCIPAL_TYPE, "Anonymous");
                context.set(keys::USER_ID, self.id.as_str());
                return;
            }
        };
        context.set(keys::PRINCIPAL_TYPE, kind);
        context.set(keys::PRINCIPAL_ARN, arn.as_str());
        context.set(keys::USER_ID, self.id.as_str());
        if let Some(account) = self.account {
            context.set(keys::PRINCIPAL_ACCOUNT, account.to_string());
        }
    }
}

/// How closely a statement names who asks. Later ones are closer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Naming {
    /// Its account: the account may then grant it to its own.
    Account,
    /// Everybody.
    Everybody,
    /// Its role.
    Role,
    /// Itself.
    Itself,
}

/// Whom a statement of a resource's policy is for.
#[derive(Clone, Debug)]
pub(crate) struct Principals {
    /// Whether it is for all but these.
    pub(crate) negated: bool,
    pub(crate) patterns: Box<[PrincipalPattern]>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalPattern {
    Everybody,
    Account(AccountId),
    /// A user, a role or a session, by ARN.
    Arn(Box<str>),
    /// A unique id.
    Id(Box<str>),
    Service(Box<str>),
    /// An identity provider or a canonical user: Hither has none.
    Foreign,
}

impl Principals {
    /// Returns how closely the statement names `who`; `None` where it is not for them.
    pub(crate) fn naming(&self, who: &Principal) -> Option<Naming> {
        let namings = self
            .patterns
            .iter()
            .filter_map(|pattern| pattern.naming(who));
        if !self.negated {
            return namings.max();
        }
        // To leave out an account leaves out its root user alone: the others are named themselves.
        let is_left_out = namings.max().is_some_and(|naming| match naming {
            Naming::Account => false,
            Naming::Everybody | Naming::Role | Naming::Itself => true,
        });
        (!is_left_out).then_some(Naming::Everybody)
    }
}

impl PrincipalPattern {
    /// Reads a name under `AWS`.
    ///
    /// Errors: what is neither `*`, an account, an ARN of IAM or STS, nor a unique id.
    pub(crate) fn parse_aws(text: &str) -> Result<Self, Problem> {
        let refused = || Problem::Principal(text.to_owned());
        if text == "*" {
            return Ok(Self::Everybody);
        }
        if let Some(account) = AccountId::parse(text) {
            return Ok(Self::Account(account));
        }
        // A part of a name cannot be left open.
        if text.contains(['*', '?', '$']) {
            return Err(refused());
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", partition, "iam" | "sts", "", account, resource]
                if partition.starts_with("aws") =>
            {
                let account = AccountId::parse(account).ok_or_else(refused)?;
                let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
                match kind {
                    "root" if name.is_empty() => Ok(Self::Account(account)),
                    "user" | "role" | "assumed-role" | "federated-user" if !name.is_empty() => {
                        Ok(Self::Arn(text.into()))
                    }
                    _ => Err(refused()),
                }
            }
            [id] if is_unique_id(id) => Ok(Self::Id((*id).into())),
            _ => Err(refused()),
        }
    }

    /// Reads a name under `Service`.
    ///
    /// Errors: what is no name of a service.
    pub(crate) fn parse_service(text: &str) -> Result<Self, Problem> {
        let is_name = text.contains('.')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
        if is_name {
            Ok(Self::Service(text.into()))
        } else {
            Err(Problem::Principal(text.to_owned()))
        }
    }

    fn naming(&self, who: &Principal) -> Option<Naming> {
        match self {
            Self::Everybody => Some(Naming::Everybody),
            Self::Account(account) => (who.account == Some(*account)).then_some({
                match who.identity {
                    Identity::Root => Naming::Itself,
                    Identity::User { .. }
                    | Identity::Role { .. }
                    | Identity::Service
                    | Identity::Anonymous => Naming::Account,
                }
            }),
            Self::Arn(arn) => match &who.identity {
                Identity::Role { role } if **role == **arn => Some(Naming::Role),
                Identity::User { .. } | Identity::Role { .. } => {
                    (*who.arn == **arn).then_some(Naming::Itself)
                }
                Identity::Root | Identity::Service | Identity::Anonymous => None,
            },
            Self::Id(id) => match &who.identity {
                Identity::User { .. } => (*who.id == **id).then_some(Naming::Itself),
                Identity::Role { .. } => {
                    let of_role = who.id.split(':').next();
                    (of_role == Some(&**id)).then_some(Naming::Role)
                }
                Identity::Root | Identity::Service | Identity::Anonymous => None,
            },
            Self::Service(name) => match who.identity {
                Identity::Service => (*who.arn == **name).then_some(Naming::Itself),
                Identity::Root
                | Identity::User { .. }
                | Identity::Role { .. }
                | Identity::Anonymous => None,
            },
            Self::Foreign => None,
        }
    }
}

fn is_unique_id(text: &str) -> bool {
    (16..=128).contains(&text.len())
        && text.starts_with('A')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
