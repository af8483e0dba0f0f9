//! CreateUser, GetUser, ListUsers, UpdateUser, DeleteUser.
//!
//! Names are unique in their account, case aside.

use api_protocol::fault::Fault;
use control::access::{self, User};
use control::resource::Change;
use iam::credentials::{IdKind, UserName, unique_id};
use iam::limits::TAGS_MAX;
use store::port::Store;

use crate::facade::{Call, Reply};
use crate::{fault, show};

impl<S: Store> Call<'_, S> {
    pub(crate) async fn create_user(&self) -> Result<Reply, Fault> {
        let name = self.form.user_name("UserName")?;
        let path = self.form.path("Path")?;
        let tags = self.form.tags()?;
        if TAGS_MAX < tags.len() {
            return Err(fault::limit("Cannot exceed quota for TagsPerUser: 50"));
        }
        if access::user(self.control, self.account, &name).is_some() {
            let message = format!("User with name {name} already exists.");
            return Err(fault::exists(&message));
        }
        let boundary = self.form.text("PermissionsBoundary");
        let boundary = boundary.map(|arn| self.policy_arn(arn)).transpose()?;
        let user = User {
            account: self.account.to_string(),
            name: name.as_str().to_owned(),
            path: path.to_owned(),
            id: unique_id(IdKind::User, self.control.entropy()),
            created_micros: self.now(),
            access_keys: Vec::new(),
            attached: Vec::new(),
            inline: std::collections::BTreeMap::new(),
            boundary,
            tags: tags.into_iter().collect(),
        };
        self.change(vec![Change::create(&user)]).await?;
        Ok(Reply::new(move |xml| {
            xml.within("User", |xml| {
                show::user(xml, &user);
                show::user_rest(xml, &user);
            });
        }))
    }

    pub(crate) fn get_user(&self) -> Result<Reply, Fault> {
        if self.form.text("UserName").is_none() && self.is_root() {
            let account = self.account;
            return Ok(Reply::new(move |xml| {
                xml.within("User", |xml| {
                    xml.leaf("UserId", &account.to_string());
                    xml.leaf("Arn", &format!("arn:aws:iam::{account}:root"));
                });
            }));
        }
        let user = self.user()?;
        Ok(Reply::new(move |xml| {
            xml.within("User", |xml| {
                show::user(xml, &user);
                show::user_rest(xml, &user);
            });
        }))
    }

    pub(crate) fn list_users(&self) -> Result<Reply, Fault> {
        let prefix = self.form.text("PathPrefix").unwrap_or("/");
        let mut users = access::users(self.control, self.account);
        users.retain(|user| user.path.starts_with(prefix));
        users.sort_by(|one, other| one.name.cmp(&other.name));
        let page = self.form.page(users, |user| &user.name)?;
        Ok(Reply::new(move |xml| {
            xml.within("Users", |xml| {
                for user in &page.items {
                    xml.within("member", |xml| show::user(xml, user));
                }
            });
            show::end(xml, page.marker.as_deref());
        }))
    }

    pub(crate) async fn update_user(&self) -> Result<Reply, Fault> {
        let name = self.form.user_name("UserName")?;
        let old = self.user_named(&name)?;
        let mut new = old.clone();
        if self.form.text("NewPath").is_some() {
            self.form.path("NewPath")?.clone_into(&mut new.path);
        }
        if self.form.text("NewUserName").is_some() {
            let name = self.form.user_name("NewUserName")?;
            name.as_str().clone_into(&mut new.name);
        }
        let renamed = UserName::parse(&new.name).is_some_and(|new| new.folded() != name.folded());
        if !renamed {
            // In another case at most: it stays where it is.
            let mut changes = vec![Change::replace(&old, &new)];
            changes.extend(self.renamed_keys(&old, &new));
            self.change(changes).await?;
            return Ok(Reply::empty());
        }
        let taken = UserName::parse(&new.name);
        if taken.is_some_and(|name| access::user(self.control, self.account, &name).is_some()) {
            let message = format!("User with name {} already exists.", new.name);
            return Err(fault::exists(&message));
        }
        let mut changes = vec![Change::remove(&old), Change::create(&new)];
        changes.extend(self.renamed_keys(&old, &new));
        self.change(changes).await?;
        Ok(Reply::empty())
    }

    /// A key says whose it is by name, too.
    fn renamed_keys(&self, old: &User, new: &User) -> Vec<Change> {
        let keys = access::access_keys(self.control, old).into_iter();
        let renamed = keys.filter(|key| key.user != new.name).map(|key| {
            let mut named = key.clone();
            new.name.clone_into(&mut named.user);
            Change::replace(&key, &named)
        });
        renamed.collect()
    }

    pub(crate) async fn delete_user(&self) -> Result<Reply, Fault> {
        let user = self.user_named(&self.form.user_name("UserName")?)?;
        let first = if !user.access_keys.is_empty() {
            "delete access keys"
        } else if !user.attached.is_empty() {
            "detach all policies"
        } else if !user.inline.is_empty() {
            "delete policies"
        } else {
            self.change(vec![Change::remove(&user)]).await?;
            return Ok(Reply::empty());
        };
        let message = format!("Cannot delete entity, must {first} first.");
        Err(fault::in_use(&message))
    }
}
