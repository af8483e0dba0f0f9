//! Functions by region and account, and code stored, read, shared and dropped.

use super::*;
use crate::resource::Change;
use crate::testing::{Node, pull};

fn sample(region: &str, name: &str, code: &CodeRef) -> Function {
    Function {
        region: region.to_owned(),
        account: AccountId::DEFAULT.to_string(),
        name: name.to_owned(),
        runtime: "provided.al2023".to_owned(),
        role: "arn:aws:iam::000000000000:role/r".to_owned(),
        handler: "bootstrap".to_owned(),
        description: String::new(),
        timeout_secs: 3,
        memory_mb: 128,
        ephemeral_mb: 512,
        environment: BTreeMap::new(),
        architecture: "x86_64".to_owned(),
        code: code.clone(),
        concurrency: None,
        revision: "1".to_owned(),
        modified_micros: 0,
        permissions: BTreeMap::new(),
        tags: BTreeMap::new(),
    }
}

fn package(bytes: usize) -> Bytes {
    // No two chunks are equal.
    (0..bytes)
        .map(|at| u8::try_from(at / 1000 % 251).unwrap())
        .collect()
}

#[tokio::test]
async fn code_of_any_size_comes_back_as_it_was() {
    let node = Node::open("us-east-1").await;
    for bytes in [
        1,
        CHUNK_BYTES - 1,
        CHUNK_BYTES,
        CHUNK_BYTES + 1,
        3 * CHUNK_BYTES,
    ] {
        let package = package(bytes);
        let code = store_code(&node.control, &package).await.unwrap();
        assert_eq!(code.bytes, bytes as u64);
        let loaded = load_code(&node.control, &code.sha256).await.unwrap();
        assert!(loaded == package, "{bytes} bytes");
    }
}

#[tokio::test]
async fn code_survives_a_restart_and_reaches_other_regions() {
    let virginia = Node::open("us-east-1").await;
    let package = package(2 * CHUNK_BYTES + 5);
    let code = store_code(&virginia.control, &package).await.unwrap();
    let virginia = virginia.restart().await;
    assert!(load_code(&virginia.control, &code.sha256).await.unwrap() == package);
    let ireland = Node::open("eu-west-1").await;
    let absent = load_code(&ireland.control, &code.sha256).await;
    assert!(matches!(absent, Err(CodeError::Absent(_))));
    pull(&ireland, &virginia).await;
    assert!(load_code(&ireland.control, &code.sha256).await.unwrap() == package);
}

#[tokio::test]
async fn code_that_a_function_has_is_stored_once() {
    let node = Node::open("us-east-1").await;
    let package = package(CHUNK_BYTES + 1);
    let code = store_code(&node.control, &package).await.unwrap();
    let created = vec![Change::create(&sample("us-east-1", "cart", &code))];
    node.control.change(created).await.unwrap();
    let before = node.control.tables().applied();
    store_code(&node.control, &package).await.unwrap();
    assert_eq!(node.control.tables().applied(), before);
}

#[tokio::test]
async fn code_stays_while_any_region_has_a_function_with_it() {
    let node = Node::open("us-east-1").await;
    let package = package(CHUNK_BYTES + 1);
    let code = store_code(&node.control, &package).await.unwrap();
    let elsewhere = sample("eu-west-1", "cart", &code);
    let created = vec![Change::create(&elsewhere)];
    node.control.change(created).await.unwrap();
    drop_code(&node.control, &code).await.unwrap();
    assert!(load_code(&node.control, &code.sha256).await.is_ok());
    let removed = vec![Change::remove(&elsewhere)];
    node.control.change(removed).await.unwrap();
    drop_code(&node.control, &code).await.unwrap();
    let gone = load_code(&node.control, &code.sha256).await;
    assert!(matches!(gone, Err(CodeError::Absent(_))));
}

#[tokio::test]
async fn functions_belong_to_a_region_and_an_account() {
    let node = Node::open("us-east-1").await;
    let code = store_code(&node.control, &package(1)).await.unwrap();
    let (cart, pay) = (
        sample("us-east-1", "cart", &code),
        sample("us-east-1", "pay", &code),
    );
    let changes = [&pay, &cart, &sample("eu-west-1", "cart", &code)].map(Change::create);
    node.control.change(changes.to_vec()).await.unwrap();
    let virginia = RegionName::parse("us-east-1").unwrap();
    let found = in_region(&node.control, &virginia);
    assert_eq!(found, [cart.clone(), pay]);
    let other = AccountId::parse("111111111111").unwrap();
    let own = AccountId::DEFAULT;
    assert_eq!(function(&node.control, &virginia, own, "cart"), Some(cart));
    assert_eq!(function(&node.control, &virginia, other, "cart"), None);
    assert!(named(&node.control, &virginia, "cart").is_some());
}
