//! AttachUserPolicy, DetachUserPolicy, ListAttachedUserPolicies, and boundaries of users.

use api_protocol::fault::Fault;
use control::resource::Change;
use iam::limits::ATTACHED_POLICIES_MAX;
use store::port::Store;

use crate::facade::{Call, Reply};
use crate::{fault, show};

impl<S: Store> Call<'_, S> {
    pub(crate) async fn attach_user_policy(&self) -> Result<Reply, Fault> {
        let user = self.user_named(&self.form.user_name("UserName")?)?;
        let arn = self.policy_arn(self.form.required("PolicyArn")?)?;
        if user.attached.contains(&arn) {
            return Ok(Reply::empty());
        }
        if ATTACHED_POLICIES_MAX <= user.attached.len() {
            let message =
                format!("Cannot exceed quota for PoliciesPerUser: {ATTACHED_POLICIES_MAX}");
            return Err(fault::limit(&message));
        }
        let mut new = user.clone();
        new.attached.push(arn);
        self.change(vec![Change::replace(&user, &new)]).await?;
        Ok(Reply::empty())
    }

    pub(crate) async fn detach_user_policy(&self) -> Result<Reply, Fault> {
        let user = self.user_named(&self.form.user_name("UserName")?)?;
        let arn = self.form.required("PolicyArn")?;
        let mut new = user.clone();
        new.attached.retain(|attached| attached != arn);
        if new.attached.len() == user.attached.len() {
            return Err(fault::no_such(&format!("Policy {arn} was not found.")));
        }
        self.change(vec![Change::replace(&user, &new)]).await?;
        Ok(Reply::empty())
    }

    pub(crate) fn list_attached_user_policies(&self) -> Result<Reply, Fault> {
        let user = self.user_named(&self.form.user_name("UserName")?)?;
        let mut attached = user.attached;
        attached.sort();
        let page = self.form.page(attached, |arn| arn)?;
        Ok(Reply::new(move |xml| {
            xml.within("AttachedPolicies", |xml| {
                for arn in &page.items {
                    xml.within("member", |xml| {
                        xml.leaf("PolicyName", arn.rsplit('/').next().unwrap_or_default());
                        xml.leaf("PolicyArn", arn);
                    });
                }
            });
            show::end(xml, page.marker.as_deref());
        }))
    }

    pub(crate) async fn put_user_permissions_boundary(&self) -> Result<Reply, Fault> {
        let user = self.user_named(&self.form.user_name("UserName")?)?;
        let arn = self.policy_arn(self.form.required("PermissionsBoundary")?)?;
        let mut new = user.clone();
        new.boundary = Some(arn);
        self.change(vec![Change::replace(&user, &new)]).await?;
        Ok(Reply::empty())
    }

    pub(crate) async fn delete_user_permissions_boundary(&self) -> Result<Reply, Fault> {
        let user = self.user_named(&self.form.user_name("UserName")?)?;
        if user.boundary.is_none() {
            let message = format!("No permissions boundary is set for user {}.", user.name);
            return Err(fault::no_such(&message));
        }
        let mut new = user.clone();
        new.boundary = None;
        self.change(vec![Change::replace(&user, &new)]).await?;
        Ok(Reply::empty())
    }
}
