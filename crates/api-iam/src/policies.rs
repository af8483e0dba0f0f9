//! CreatePolicy, GetPolicy, ListPolicies, DeletePolicy, and the one version that a policy has.
//!
//! A policy is not changed: another takes its place.

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use control::access::directory::ADMINISTRATOR_ACCESS;
use control::access::{self, ManagedPolicy, User};
use control::resource::Change;
use iam::credentials::{IdKind, unique_id};
use iam::kind::Kind;
use iam::limits::TAGS_MAX;
use iam::policy::Policy;
use store::port::Store;

use crate::facade::{Call, Reply};
use crate::fault;
use crate::show::{self, VERSION};

impl<S: Store> Call<'_, S> {
    pub(crate) async fn create_policy(&self) -> Result<Reply, Fault> {
        let name = self.form.policy_name()?;
        let path = self.form.path("Path")?;
        let document = self.document(Kind::Managed)?;
        let tags = self.form.tags()?;
        if TAGS_MAX < tags.len() {
            return Err(fault::limit("Cannot exceed quota for TagsPerPolicy: 50"));
        }
        let now = self.now();
        let policy = ManagedPolicy {
            account: self.account.to_string(),
            name: name.to_owned(),
            path: path.to_owned(),
            id: unique_id(IdKind::Policy, self.control.entropy()),
            description: self.form.text("Description").unwrap_or_default().to_owned(),
            document: document.to_owned(),
            created_micros: now,
            updated_micros: now,
            tags: tags.into_iter().collect(),
        };
        let known = access::policies(self.control, self.account);
        if known
            .iter()
            .any(|known| known.name.eq_ignore_ascii_case(name))
        {
            let message =
                format!("A policy called {name} already exists. Duplicate names are not allowed.");
            return Err(fault::exists(&message));
        }
        self.change(vec![Change::create(&policy)]).await?;
        Ok(Reply::new(move |xml| {
            xml.within("Policy", |xml| show::policy(xml, &policy, 0, 0));
        }))
    }

    pub(crate) fn get_policy(&self) -> Result<Reply, Fault> {
        let policy = self.policy(self.form.required("PolicyArn")?)?;
        let (users, bounds) = self.uses(&policy.arn());
        Ok(Reply::new(move |xml| {
            xml.within("Policy", |xml| show::policy(xml, &policy, users, bounds));
        }))
    }

    pub(crate) fn list_policies(&self) -> Result<Reply, Fault> {
        let mut policies = Vec::new();
        let scope = self.form.text("Scope").unwrap_or("All");
        if matches!(scope, "All" | "Local") {
            policies = access::policies(self.control, self.account);
        }
        if matches!(scope, "All" | "AWS") {
            policies.push(administrator_access());
        }
        let prefix = self.form.text("PathPrefix").unwrap_or("/");
        policies.retain(|policy| policy.path.starts_with(prefix));
        policies.sort_by(|one, other| one.name.cmp(&other.name));
        let uses: BTreeMap<String, (usize, usize)> = policies
            .iter()
            .map(|policy| (policy.arn(), self.uses(&policy.arn())))
            .collect();
        if self.form.text("OnlyAttached") == Some("true") {
            policies.retain(|policy| uses.get(&policy.arn()).is_some_and(|(users, _)| 0 < *users));
        }
        let page = self.form.page(policies, |policy| &policy.name)?;
        Ok(Reply::new(move |xml| {
            xml.within("Policies", |xml| {
                for policy in &page.items {
                    let (users, bounds) = uses.get(&policy.arn()).copied().unwrap_or_default();
                    xml.within("member", |xml| show::policy(xml, policy, users, bounds));
                }
            });
            show::end(xml, page.marker.as_deref());
        }))
    }

    pub(crate) async fn delete_policy(&self) -> Result<Reply, Fault> {
        let policy = self.policy(self.form.required("PolicyArn")?)?;
        if policy.arn() == ADMINISTRATOR_ACCESS {
            return Err(fault::invalid("AWS's own policies cannot be deleted"));
        }
        if self.uses(&policy.arn()) != (0, 0) {
            let message = "Cannot delete a policy attached to entities.";
            return Err(fault::in_use(message));
        }
        self.change(vec![Change::remove(&policy)]).await?;
        Ok(Reply::empty())
    }

    pub(crate) fn get_policy_version(&self) -> Result<Reply, Fault> {
        let arn = self.form.required("PolicyArn")?;
        let policy = self.policy(arn)?;
        let version = self.form.required("VersionId")?;
        if version != VERSION {
            let message =
                format!("Policy {arn} version {version} does not exist or is not attachable.");
            return Err(fault::no_such(&message));
        }
        Ok(Reply::new(move |xml| {
            xml.within("PolicyVersion", |xml| show::version(xml, &policy));
        }))
    }

    pub(crate) fn list_policy_versions(&self) -> Result<Reply, Fault> {
        let policy = self.policy(self.form.required("PolicyArn")?)?;
        Ok(Reply::new(move |xml| {
            xml.within("Versions", |xml| {
                xml.within("member", |xml| {
                    xml.leaf("VersionId", VERSION);
                    xml.leaf("IsDefaultVersion", "true");
                    show::moment(xml, "CreateDate", policy.updated_micros);
                });
            });
            show::end(xml, None);
        }))
    }

    /// Returns the policy that an ARN names.
    pub(crate) fn policy(&self, arn: &str) -> Result<ManagedPolicy, Fault> {
        if arn == ADMINISTRATOR_ACCESS {
            return Ok(administrator_access());
        }
        let own = format!("arn:aws:iam::{}:policy/", self.account);
        let found = arn
            .starts_with(&own)
            .then(|| access::policy(self.control, arn));
        let gone = || format!("Policy {arn} does not exist or is not attachable.");
        found.flatten().ok_or_else(|| fault::no_such(&gone()))
    }

    /// Returns the ARN of a policy, if there is one of it.
    pub(crate) fn policy_arn(&self, arn: &str) -> Result<String, Fault> {
        self.policy(arn).map(|policy| policy.arn())
    }

    /// Returns how many users a policy is attached to, and how many it bounds.
    fn uses(&self, arn: &str) -> (usize, usize) {
        let users = access::users(self.control, self.account);
        let attached = |user: &&User| user.attached.iter().any(|attached| attached == arn);
        let bounded = |user: &&User| user.boundary.as_deref() == Some(arn);
        (
            users.iter().filter(attached).count(),
            users.iter().filter(bounded).count(),
        )
    }

    /// Returns the document that a call brings, if it is a policy of a kind.
    pub(crate) fn document(&self, kind: Kind) -> Result<&str, Fault> {
        let document = self.form.required("PolicyDocument")?;
        match Policy::compile("PolicyDocument", document, kind) {
            Ok(_) => Ok(document),
            Err(mistakes) => Err(fault::malformed(&mistakes)),
        }
    }
}

/// Returns the one policy of AWS's own that there is.
fn administrator_access() -> ManagedPolicy {
    ManagedPolicy {
        account: "aws".to_owned(),
        name: "AdministratorAccess".to_owned(),
        path: "/".to_owned(),
        id: "ANPAIWMBCKSKIEE64ZLYK".to_owned(),
        description: "Provides full access to AWS services and resources.".to_owned(),
        document: ALL.to_owned(),
        created_micros: MADE_MICROS,
        updated_micros: MADE_MICROS,
        tags: BTreeMap::new(),
    }
}

const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
/// 2015-02-06 18:39:46 UTC. Source: AWS managed policy reference, "AdministratorAccess".
const MADE_MICROS: i64 = 1_423_247_986_000_000;
