//! CreatePolicy, GetPolicy, ListPolicies, DeletePolicy, and the one version that a policy has.
//!
//! A policy is not changed: another takes its place.

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use control::access::directory::ADMINISTRATOR_ACCESS;
use control::access::{self, ManagedPolicy};
use control::resource::Change;
use iam::credentials::{IdKind, unique_id};
use iam::kind::Kind;
use iam::limits::TAGS_MAX;
use iam::policy::Policy;
use store::port::Store;

use crate::facade::{Call, Reply};
use crate::fault;
use crate::show::{self, Uses, VERSION};

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
            xml.within("Policy", |xml| {
                show::policy(xml, &policy, Uses::default());
            });
        }))
    }

    pub(crate) fn get_policy(&self) -> Result<Reply, Fault> {
        let policy = self.policy(self.form.required("PolicyArn")?)?;
        let uses = self.uses().remove(&policy.arn()).unwrap_or_default();
        Ok(Reply::new(move |xml| {
            xml.within("Policy", |xml| show::policy(xml, &policy, uses));
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
        let uses = self.uses();
        if self.form.text("OnlyAttached") == Some("true") {
            let of = |policy: &ManagedPolicy| uses.get(&policy.arn());
            policies.retain(|policy| of(policy).is_some_and(|uses| 0 < uses.attached));
        }
        let page = self.form.page(policies, |policy| &policy.name)?;
        Ok(Reply::new(move |xml| {
            xml.within("Policies", |xml| {
                for policy in &page.items {
                    let uses = uses.get(&policy.arn()).copied().unwrap_or_default();
                    xml.within("member", |xml| show::policy(xml, policy, uses));
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
        if self.uses().contains_key(&policy.arn()) {
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

    /// Returns the policies that users have, by ARN.
    fn uses(&self) -> BTreeMap<String, Uses> {
        let mut uses: BTreeMap<String, Uses> = BTreeMap::new();
        for user in access::users(self.control, self.account) {
            for arn in user.attached {
                uses.entry(arn).or_default().attached += 1;
            }
            if let Some(arn) = user.boundary {
                uses.entry(arn).or_default().bounding += 1;
            }
        }
        uses
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
