//! Tests of whose a request is: users, sessions, and keys that are no more.

use std::collections::BTreeMap;
use std::sync::Arc;

use api_protocol::sigv4::{Credential, Credentials, SignatureError};
use base::name::AccountId;
use clock::time::WallTime;
use control::access::directory::Directory;
use control::access::tokens::{self, Wish};
use control::access::{self, User};
use control::control::Control;
use control::resource::Change;
use control::testing::Node;
use iam::credentials::{KeyState, UserName};
use iam::session::Subject;
use store::memory::MemStore;
use tokio::sync::watch;

use super::Keyring;

struct World {
    control: Control<MemStore>,
    directory: watch::Sender<Arc<Directory>>,
    keyring: Keyring,
}

impl World {
    async fn new() -> Self {
        let control = Node::open("eu-west-1").await.control;
        let (directory, known) = watch::channel(Arc::new(Directory::read(&control)));
        let keys = BTreeMap::from([("STARTED".to_owned(), "its secret".to_owned())]);
        let keyring = Keyring::new(&keys, control.project(), known);
        let anna = User {
            account: AccountId::DEFAULT.to_string(),
            name: "anna".to_owned(),
            path: "/".to_owned(),
            id: "AIDAANNA".to_owned(),
            created_micros: 1,
            access_keys: Vec::new(),
            attached: Vec::new(),
            inline: BTreeMap::new(),
            boundary: None,
            tags: BTreeMap::new(),
        };
        let change = vec![Change::put(&anna)];
        control.change(change).await.expect("stored");
        Self {
            control,
            directory,
            keyring,
        }
    }

    fn anna(&self) -> User {
        let name = UserName::parse("anna").expect("a name");
        access::user(&self.control, AccountId::DEFAULT, &name).expect("she is there")
    }

    fn look(&self) {
        self.directory
            .send_replace(Arc::new(Directory::read(&self.control)));
    }

    fn find(&self, key: &str, token: Option<&str>) -> Result<Credential, SignatureError> {
        self.find_at(0, key, token)
    }

    fn find_at(
        &self,
        secs: i64,
        key: &str,
        token: Option<&str>,
    ) -> Result<Credential, SignatureError> {
        let now = self.control.clock().wall().as_micros() + secs * 1_000_000;
        self.keyring.find(WallTime::from_micros(now), key, token)
    }

    fn session(&self) -> tokens::Issued {
        let wish = Wish {
            subject: Subject::User {
                name: "anna".to_owned(),
                id: "AIDAANNA".to_owned(),
            },
            account: AccountId::DEFAULT,
            life_secs: Some(900),
            policies: Vec::new(),
            tags: Vec::new(),
        };
        tokens::issue(&self.control, wish).expect("issued")
    }
}

#[tokio::test]
async fn keys_of_users_count_while_they_are_active() {
    let world = World::new().await;
    let (key, secret) = access::create_access_key(&world.control, &world.anna())
        .await
        .expect("made");
    assert_eq!(
        world.find(&key.id, None).expect_err("not looked at"),
        SignatureError::UnknownKey
    );
    world.look();
    let found = world.find(&key.id, None).expect("known");
    assert_eq!(found.secret.reveal(), secret.reveal());
    assert_eq!(
        found.identity.principal.arn(),
        "arn:aws:iam::000000000000:user/anna"
    );
    assert!(
        world.find(&key.id, Some("a token")).is_err(),
        "it has no token"
    );
    access::set_state(&world.control, &key, KeyState::Inactive)
        .await
        .expect("changed");
    world.look();
    assert!(world.find(&key.id, None).is_err());
}

#[tokio::test]
async fn sessions_live_as_long_as_their_user_and_their_time() {
    let world = World::new().await;
    world.look();
    let issued = world.session();
    let key = issued.session.access_key.as_str();
    let token = Some(issued.token.as_str());
    for _ in 0..2 {
        let found = world.find(key, token).expect("live");
        assert_eq!(found.secret.reveal(), issued.session.secret.reveal());
        assert!(found.identity.session.is_some());
    }
    let error = |key, token| world.find(key, token).expect_err("refused");
    assert_eq!(error(key, None), SignatureError::UnknownKey);
    assert_eq!(error("ASIAANOTHER", token), SignatureError::UnknownKey);
    assert_eq!(error(key, Some("none")), SignatureError::UnknownKey);
    let late = world.find_at(900, key, token).expect_err("late");
    assert_eq!(late, SignatureError::ExpiredToken);

    let gone = vec![Change::remove(&world.anna())];
    world.control.change(gone).await.expect("removed");
    world.look();
    assert_eq!(error(key, token), SignatureError::UnknownKey);
}

#[tokio::test]
async fn keys_that_a_node_is_started_with_are_its_accounts() {
    let world = World::new().await;
    let (functions, _) = super::function_keys(&world.control.project().key);
    for key in ["STARTED", &functions] {
        let found = world.find(key, None).expect("known");
        assert!(found.identity.is_root());
    }
}
