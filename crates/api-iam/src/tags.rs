//! TagUser, UntagUser, ListUserTags.

use api_protocol::fault::Fault;
use control::resource::Change;
use iam::limits::TAGS_MAX;
use store::port::Store;

use crate::facade::{Call, Reply};
use crate::{fault, show};

impl<S: Store> Call<'_, S> {
    pub(crate) async fn tag_user(&self) -> Result<Reply, Fault> {
        let user = self.user_named(&self.form.user_name("UserName")?)?;
        let mut new = user.clone();
        new.tags.extend(self.form.tags()?);
        if TAGS_MAX < new.tags.len() {
            return Err(fault::limit("Cannot exceed quota for TagsPerUser: 50"));
        }
        self.change(vec![Change::replace(&user, &new)]).await?;
        Ok(Reply::empty())
    }

    pub(crate) async fn untag_user(&self) -> Result<Reply, Fault> {
        let user = self.user_named(&self.form.user_name("UserName")?)?;
        let keys = self.form.list("TagKeys");
        let mut new = user.clone();
        new.tags.retain(|key, _| !keys.contains(&key.as_str()));
        self.change(vec![Change::replace(&user, &new)]).await?;
        Ok(Reply::empty())
    }

    pub(crate) fn list_user_tags(&self) -> Result<Reply, Fault> {
        let user = self.user_named(&self.form.user_name("UserName")?)?;
        Ok(Reply::new(move |xml| {
            if user.tags.is_empty() {
                xml.within("Tags", |_| {});
            }
            show::tags(xml, user.tags.iter());
            show::end(xml, None);
        }))
    }
}
