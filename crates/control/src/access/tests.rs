//! Users, keys, policies and sessions as they are stored, and what comes of them. No signatures.

use std::collections::BTreeMap;

use base::name::AccountId;
use clock::time::WallTime;
use iam::context::Context;
use iam::credentials::{KeyState, UserName};
use iam::decision::decide;
use iam::identity::Identity;
use iam::request::Request;
use iam::session::{SessionError, Subject};
use store::memory::MemStore;

use super::directory::{ADMINISTRATOR_ACCESS, Directory};
use super::tokens::{self, TokenError, Wish};
use super::{
    AccessError, AccessKey, ManagedPolicy, User, access_keys, create_access_key, delete_access_key,
    policies, policy, set_state, user, users,
};
use crate::control::{Control, ControlError};
use crate::project::ProjectKey;
use crate::resource::Change;
use crate::seal::SealError;
use crate::testing::{Node, pull};

const READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Action":"dynamodb:GetItem","Resource":"*"}]}"#;
const WRITE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Action":"dynamodb:PutItem","Resource":"*"}]}"#;
const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/carts";

fn anna() -> User {
    User {
        account: AccountId::DEFAULT.to_string(),
        name: "Anna".to_owned(),
        path: "/".to_owned(),
        id: "AIDAANNA".to_owned(),
        created_micros: 1,
        access_keys: Vec::new(),
        attached: Vec::new(),
        inline: BTreeMap::new(),
        boundary: None,
        tags: BTreeMap::new(),
    }
}

fn read_policy() -> ManagedPolicy {
    ManagedPolicy {
        account: AccountId::DEFAULT.to_string(),
        name: "Read".to_owned(),
        path: "/team/".to_owned(),
        id: "ANPAREAD".to_owned(),
        description: String::new(),
        document: READ.to_owned(),
        created_micros: 1,
        updated_micros: 1,
        tags: BTreeMap::new(),
    }
}

fn name(text: &str) -> UserName {
    UserName::parse(text).expect("a name")
}

async fn put(control: &Control<MemStore>, user: &User) {
    control
        .change(vec![Change::put(user)])
        .await
        .expect("stored");
}

fn may(identity: &Identity, action: &str) -> bool {
    let mut context = Context::new();
    identity.describe(&mut context);
    let request = Request {
        principal: &identity.principal,
        action,
        resources: &[TABLE],
        owner: AccountId::DEFAULT,
        context: &context,
    };
    decide(&identity.policies(None), &request).is_allowed()
}

#[tokio::test]
async fn kinds_are_told_apart() {
    let node = Node::open("us-east-1").await;
    let control = &node.control;
    put(control, &anna()).await;
    let stored = Change::put(&read_policy());
    control.change(vec![stored]).await.expect("stored");
    let (key, _) = create_access_key(control, &anna()).await.expect("a key");
    let anna = user(control, AccountId::DEFAULT, &name("anna")).expect("case does not count");
    assert_eq!(anna.access_keys, std::slice::from_ref(&key.id));
    assert_eq!(
        users(control, AccountId::DEFAULT),
        std::slice::from_ref(&anna)
    );
    assert_eq!(access_keys(control, &anna), std::slice::from_ref(&key));
    assert_eq!(policies(control, AccountId::DEFAULT), [read_policy()]);
    let arn = "arn:aws:iam::000000000000:policy/team/Read";
    assert_eq!(policy(control, arn), Some(read_policy()));
    assert_eq!(
        policy(control, "arn:aws:iam::000000000000:policy/Read"),
        None
    );
    assert_eq!(control.all::<User>().len(), 1);
    assert_eq!(control.all::<AccessKey>(), [key]);
    assert_eq!(control.all::<ManagedPolicy>().len(), 1);
}

#[tokio::test]
async fn a_user_has_two_keys_at_most() {
    let node = Node::open("us-east-1").await;
    let control = &node.control;
    put(control, &anna()).await;
    let read = || user(control, AccountId::DEFAULT, &name("Anna")).expect("she is there");
    let (first, secret) = create_access_key(control, &read()).await.expect("a key");
    let stale = read();
    let (second, _) = create_access_key(control, &read()).await.expect("another");
    let third = create_access_key(control, &read()).await;
    assert!(matches!(third, Err(AccessError::TooManyKeys)));
    let raced = create_access_key(control, &stale).await;
    assert!(matches!(
        raced,
        Err(AccessError::Control(ControlError::Unexpected(_)))
    ));

    let directory = Directory::read(control);
    let found = directory.find(&first.id).expect("it is active");
    assert_eq!(found.secret.reveal(), secret.reveal());
    assert_eq!(
        found.identity.principal.arn(),
        "arn:aws:iam::000000000000:user/Anna"
    );

    set_state(control, &second, KeyState::Inactive)
        .await
        .expect("inactive");
    delete_access_key(control, &read(), &first)
        .await
        .expect("deleted");
    let directory = Directory::read(control);
    assert!(directory.find(&first.id).is_none() && directory.find(&second.id).is_none());
    assert_eq!(read().access_keys, std::slice::from_ref(&second.id));
    let second = access_keys(control, &read()).remove(0);
    assert_eq!(second.state(), KeyState::Inactive);
    set_state(control, &second, KeyState::Active)
        .await
        .expect("active");
    assert!(Directory::read(control).find(&second.id).is_some());
}

#[tokio::test]
async fn a_key_that_its_user_does_not_name_is_none() {
    let node = Node::open("us-east-1").await;
    let control = &node.control;
    put(control, &anna()).await;
    let (key, _) = create_access_key(control, &anna()).await.expect("a key");
    // As when two regions each make one at once, and one of both users is kept.
    put(control, &anna()).await;
    assert!(Directory::read(control).find(&key.id).is_none());
    let later = User {
        id: "AIDAOTHER".to_owned(),
        access_keys: vec![key.id.clone()],
        ..anna()
    };
    put(control, &later).await;
    assert!(
        Directory::read(control).find(&key.id).is_none(),
        "a later user has other keys"
    );
}

#[tokio::test]
async fn other_regions_know_the_keys() {
    let (here, there) = (Node::open("us-east-1").await, Node::open("eu-west-1").await);
    put(&here.control, &anna()).await;
    let (key, secret) = create_access_key(&here.control, &anna())
        .await
        .expect("a key");
    pull(&there, &here).await;
    there.control.refresh().await.expect("loaded");
    let directory = Directory::read(&there.control);
    let found = directory.find(&key.id).expect("it has arrived");
    assert_eq!(found.secret.reveal(), secret.reveal());
}

/// Returns what Anna may do, first read and then write, with what `change` makes of her.
async fn of(change: impl FnOnce(&mut User)) -> (bool, bool) {
    let node = Node::open("us-east-1").await;
    let control = &node.control;
    let stored = Change::put(&read_policy());
    control.change(vec![stored]).await.expect("stored");
    let mut anna = anna();
    change(&mut anna);
    put(control, &anna).await;
    let (key, _) = create_access_key(control, &anna).await.expect("a key");
    let directory = Directory::read(control);
    let identity = &directory.find(&key.id).expect("active").identity;
    (
        may(identity, "dynamodb:GetItem"),
        may(identity, "dynamodb:PutItem"),
    )
}

#[tokio::test]
async fn policies_come_from_where_they_are() {
    let read = || "arn:aws:iam::000000000000:policy/team/Read".to_owned();
    let inline = |document: &str| BTreeMap::from([("own".to_owned(), document.to_owned())]);
    let all = || vec![ADMINISTRATOR_ACCESS.to_owned()];
    assert_eq!(of(|_| ()).await, (false, false));
    assert_eq!(of(|anna| anna.attached = vec![read()]).await, (true, false));
    assert_eq!(of(|anna| anna.inline = inline(WRITE)).await, (false, true));
    assert_eq!(of(|anna| anna.attached = all()).await, (true, true));
    let bounded = of(|anna| {
        anna.attached = all();
        anna.boundary = Some(read());
    });
    assert_eq!(bounded.await, (true, false));
    // What is missing or cannot be read may have denied anything.
    let missing =
        of(|anna| anna.attached = vec![ADMINISTRATOR_ACCESS.to_owned(), "gone".to_owned()]);
    assert_eq!(missing.await, (false, false));
    let broken = of(|anna| {
        anna.attached = all();
        anna.inline = inline("{");
    });
    assert_eq!(broken.await, (false, false));
}

fn wish(subject: Subject, policies: &[&str]) -> Wish {
    Wish {
        subject,
        account: AccountId::DEFAULT,
        life_secs: None,
        policies: policies.iter().map(|&text| text.to_owned()).collect(),
        tags: vec![("team".to_owned(), "a".to_owned())],
    }
}

fn of_anna() -> Subject {
    Subject::User {
        name: "Anna".to_owned(),
        id: "AIDAANNA".to_owned(),
    }
}

#[tokio::test]
async fn another_region_opens_a_token_without_asking() {
    let (here, there) = (Node::open("us-east-1").await, Node::open("eu-west-1").await);
    let issued = tokens::issue(&here.control, wish(of_anna(), &[READ])).expect("issued");
    let (key, project) = (
        issued.session.access_key.as_str(),
        &there.control.project().key,
    );
    let now = issued.session.issued;
    let found = tokens::open(project, now, key, &issued.token).expect("opened");
    assert_eq!(found.secret.reveal(), issued.session.secret.reveal());
    assert_eq!(found.subject, of_anna());

    let open = |project: &ProjectKey, now: WallTime, key: &str, token: &str| {
        tokens::open(project, now, key, token).err()
    };
    let refused = Some(TokenError::Sealed(SealError::Refused));
    assert_eq!(
        open(project, now, "ASIAANOTHERKEYANOTHER", &issued.token),
        refused
    );
    assert_eq!(open(&ProjectKey([8; 32]), now, key, &issued.token), refused);
    let expired = issued.session.expires;
    assert_eq!(
        open(project, expired, key, &issued.token),
        Some(TokenError::Expired)
    );
    let mut changed = issued.token.clone();
    let last = changed.pop().expect("it is not empty");
    changed.insert(10, last);
    assert!(open(project, now, key, &changed).is_some());
    let malformed = Some(TokenError::Sealed(SealError::Malformed));
    assert_eq!(open(project, now, key, "token"), malformed);
    assert_eq!(open(project, now, key, ""), malformed);
}

#[tokio::test]
async fn a_session_is_its_users_and_no_more_than_its_policies() {
    let node = Node::open("us-east-1").await;
    let control = &node.control;
    let subject = of_anna();
    let issue = |subject: Subject, policies: &[&str]| {
        let issued = tokens::issue(control, wish(subject, policies));
        issued.expect("issued").session
    };
    let session = issue(subject.clone(), &[]);
    assert!(
        Directory::read(control).of_session(&session).is_none(),
        "she is no user yet"
    );
    let mut anna = anna();
    anna.attached = vec![ADMINISTRATOR_ACCESS.to_owned()];
    put(control, &anna).await;
    let directory = Directory::read(control);
    let whole = directory.of_session(&session).expect("she is");
    assert!(may(&whole, "dynamodb:GetItem") && may(&whole, "dynamodb:PutItem"));
    let limited = issue(subject, &[READ]);
    let limited = directory.of_session(&limited).expect("she is");
    assert!(may(&limited, "dynamodb:GetItem") && !may(&limited, "dynamodb:PutItem"));
    let root = directory
        .of_session(&issue(Subject::Root, &[]))
        .expect("root is always there");
    assert!(may(&root, "dynamodb:PutItem"));
    let another = Subject::User {
        name: "Anna".to_owned(),
        id: "AIDAEARLIER".to_owned(),
    };
    assert!(
        directory.of_session(&issue(another, &[])).is_none(),
        "an earlier Anna is gone"
    );
}

#[tokio::test]
async fn a_token_stays_small_and_its_life_bounded() {
    let node = Node::open("us-east-1").await;
    let long = "x".repeat(5_000);
    let large = tokens::issue(&node.control, wish(Subject::Root, &[&long]));
    assert_eq!(large.err(), Some(SessionError::TooLarge));
    let mut short = wish(of_anna(), &[]);
    short.life_secs = Some(1);
    let short = tokens::issue(&node.control, short).err();
    assert!(matches!(short, Some(SessionError::Life { .. })));
}
