//! PutUserPolicy, GetUserPolicy, DeleteUserPolicy, ListUserPolicies: documents inside of a user.
//!
//! Their length counts together. Source: IAM user guide, "IAM and AWS STS quotas".

use api_protocol::fault::Fault;
use control::resource::Change;
use iam::kind::Kind;
use store::port::Store;

use crate::facade::{Call, Reply};
use crate::{fault, show};

impl<S: Store> Call<'_, S> {
    pub(crate) async fn put_user_policy(&self) -> Result<Reply, Fault> {
        let user = self.user_named(&self.form.user_name("UserName")?)?;
        let name = self.form.policy_name()?;
        let document = self.document(Kind::Inline)?;
        let mut new = user.clone();
        new.inline.insert(name.to_owned(), document.to_owned());
        let documents = new.inline.values();
        let length: usize = documents
            .map(|document| Kind::Inline.length(document))
            .sum();
        let most = Kind::Inline.chars_max();
        if most < length {
            let message = format!(
                "Maximum policy size of {most} bytes exceeded for user {}",
                user.name
            );
            return Err(fault::limit(&message));
        }
        self.change(vec![Change::replace(&user, &new)]).await?;
        Ok(Reply::empty())
    }

    pub(crate) fn get_user_policy(&self) -> Result<Reply, Fault> {
        let user = self.user_named(&self.form.user_name("UserName")?)?;
        let name = self.form.policy_name()?.to_owned();
        let document = user.inline.get(&name).ok_or_else(|| no_policy(&name))?;
        let document = show::document(document);
        Ok(Reply::new(move |xml| {
            xml.leaf("UserName", &user.name);
            xml.leaf("PolicyName", &name);
            xml.leaf("PolicyDocument", &document);
        }))
    }

    pub(crate) async fn delete_user_policy(&self) -> Result<Reply, Fault> {
        let user = self.user_named(&self.form.user_name("UserName")?)?;
        let name = self.form.policy_name()?;
        let mut new = user.clone();
        new.inline.remove(name).ok_or_else(|| no_policy(name))?;
        self.change(vec![Change::replace(&user, &new)]).await?;
        Ok(Reply::empty())
    }

    pub(crate) fn list_user_policies(&self) -> Result<Reply, Fault> {
        let user = self.user_named(&self.form.user_name("UserName")?)?;
        let names: Vec<String> = user.inline.into_keys().collect();
        let page = self.form.page(names, |name| name)?;
        Ok(Reply::new(move |xml| {
            xml.within("PolicyNames", |xml| {
                for name in &page.items {
                    xml.leaf("member", name);
                }
            });
            show::end(xml, page.marker.as_deref());
        }))
    }
}

fn no_policy(name: &str) -> Fault {
    fault::no_such(&format!(
        "The user policy with name {name} cannot be found."
    ))
}
