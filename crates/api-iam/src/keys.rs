//! CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey.
//!
//! A secret is told once, when it is made; what is kept of it is sealed.

use api_protocol::fault::Fault;
use control::access::{self, AccessKey, User};
use iam::credentials::{AccessKeyId, KeyState};
use store::port::Store;

use crate::facade::{Call, Reply};
use crate::{fault, show};

impl<S: Store> Call<'_, S> {
    pub(crate) async fn create_access_key(&self) -> Result<Reply, Fault> {
        let user = self.user()?;
        let (key, secret) = access::create_access_key(self.control, &user)
            .await
            .map_err(|error| fault::no_key(&error))?;
        Ok(Reply::new(move |xml| {
            xml.within("AccessKey", |xml| {
                xml.leaf("UserName", &key.user);
                xml.leaf("AccessKeyId", &key.id);
                xml.leaf("Status", key.state().as_str());
                xml.leaf("SecretAccessKey", secret.reveal());
                show::moment(xml, "CreateDate", key.created_micros);
            });
        }))
    }

    pub(crate) fn list_access_keys(&self) -> Result<Reply, Fault> {
        let user = self.user()?;
        let keys = access::access_keys(self.control, &user);
        Ok(Reply::new(move |xml| {
            xml.within("AccessKeyMetadata", |xml| {
                for key in &keys {
                    xml.within("member", |xml| show::key(xml, key));
                }
            });
            show::end(xml, None);
        }))
    }

    pub(crate) async fn update_access_key(&self) -> Result<Reply, Fault> {
        let (_, key) = self.own_key()?;
        let state = self.form.required("Status")?;
        let state = KeyState::parse(state)
            .ok_or_else(|| fault::invalid("Status must be Active or Inactive"))?;
        access::set_state(self.control, &key, state)
            .await
            .map_err(|error| fault::no_key(&error))?;
        Ok(Reply::empty())
    }

    pub(crate) async fn delete_access_key(&self) -> Result<Reply, Fault> {
        let (user, key) = self.own_key()?;
        access::delete_access_key(self.control, &user, &key)
            .await
            .map_err(|error| fault::no_key(&error))?;
        Ok(Reply::empty())
    }

    /// Returns the user that a call names, and the key of theirs that it names.
    fn own_key(&self) -> Result<(User, AccessKey), Fault> {
        let id = self.form.required("AccessKeyId")?;
        let user = self.user()?;
        let found = AccessKeyId::parse(id).and_then(|id| access::access_key(self.control, &id));
        let own = found.filter(|key| key.user_id == user.id);
        let key = own.ok_or_else(|| {
            fault::no_such(&format!("The Access Key with id {id} cannot be found."))
        })?;
        Ok((user, key))
    }
}
