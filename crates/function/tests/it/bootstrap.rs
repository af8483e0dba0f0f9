//! A host with functions whose runtime is a script that does as its events say.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::region::RegionName;
use bytes::Bytes;
use clock::port::Clock as _;
use clock::time::Moment;
use clock::wall::System;
use function::call::{Answer, Call, LogWanted};
use function::code::{CodeSource, CodeUnavailable};
use function::host::{Host, HostConfig};
use function::log::LogLine;
use function::spec::{CodeHash, FunctionSpec, Functions, Surroundings};
use gateway_core::invoke::{FunctionName, InvokeError};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use zip::write::{SimpleFileOptions, ZipWriter};

const SCRIPT: &[u8] = include_bytes!("bootstrap.py");

/// A zip file with one executable named `bootstrap`.
pub(crate) fn package(bootstrap: &[u8], mode: u32) -> Bytes {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(mode);
    zip.start_file("bootstrap", options).unwrap();
    zip.write_all(bootstrap).unwrap();
    Bytes::from(zip.finish().unwrap().into_inner())
}

#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<BTreeMap<CodeHash, Bytes>>>);

impl CodeSource for Shelf {
    async fn fetch(&self, code: CodeHash) -> Result<Bytes, CodeUnavailable> {
        let package = self.0.lock().unwrap().get(&code).cloned();
        package.ok_or_else(|| CodeUnavailable("it has not arrived".to_owned()))
    }
}

pub(crate) struct World {
    pub(crate) host: Host,
    pub(crate) dir: TempDir,
    functions: watch::Sender<Arc<Functions>>,
    shelf: Shelf,
}

impl World {
    /// Starts a host with one function `f`, changed by `change`.
    pub(crate) fn with(change: impl FnOnce(&mut FunctionSpec)) -> Self {
        let dir = TempDir::new().unwrap();
        let shelf = Shelf::default();
        let functions = watch::Sender::new(Arc::new(Functions::default()));
        let config = HostConfig {
            code_dir: dir.path().join("code"),
            surroundings: Surroundings {
                region: RegionName::parse("eu-west-1").unwrap(),
                endpoint_url: "http://127.0.0.12:4566".into(),
                access_key_id: "key".into(),
                secret_access_key: "secret".into(),
                session_token: None,
                search_path: format!("/usr/bin:/bin:{}", std::env::var("PATH").unwrap()),
            },
            clock: Arc::new(System),
            entropy: Arc::new(System),
        };
        let host = Host::start(config, functions.subscribe(), shelf.clone()).unwrap();
        let world = Self {
            host,
            dir,
            functions,
            shelf,
        };
        let code = world.put(package(SCRIPT, 0o755));
        let mut spec = spec("f", code);
        change(&mut spec);
        world.publish([spec]);
        world
    }

    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// Stores a package.
    pub(crate) fn put(&self, package: Bytes) -> CodeHash {
        let code = CodeHash::of(&package);
        self.shelf.0.lock().unwrap().insert(code, package);
        code
    }

    /// Replaces all functions.
    pub(crate) fn publish(&self, specs: impl IntoIterator<Item = FunctionSpec>) {
        self.functions
            .send_replace(Arc::new(specs.into_iter().collect()));
    }

    /// Changes the function `f`.
    pub(crate) fn change(&self, change: impl FnOnce(&mut FunctionSpec)) {
        let current = Arc::clone(&self.functions.borrow());
        let mut spec = (*current.by_name[&f()]).clone();
        change(&mut spec);
        self.publish([spec]);
    }

    /// Invokes `f` and expects it to run to an end.
    pub(crate) async fn answer(&self, event: &str) -> Answer {
        let answer = self.host.invoke_with(call(event)).await;
        answer.unwrap_or_else(|error| panic!("{event}: {error}"))
    }

    /// Invokes `f` and returns what it says.
    pub(crate) async fn text(&self, event: &str) -> String {
        text(&self.answer(event).await)
    }

    /// An invocation of `f` that ends when the gate is opened.
    pub(crate) fn gated(&self) -> Call {
        let gate = self.gate();
        call(&format!(
            r#"{{"do": "wait for", "file": "{}"}}"#,
            gate.display()
        ))
    }

    /// Begins a gated invocation.
    pub(crate) fn begin_gated(&self) -> Begun<Result<Answer, InvokeError>> {
        let (host, call) = (self.host.clone(), self.gated());
        begin(async move { host.invoke_with(call).await })
    }

    /// Lets all gated invocations end.
    pub(crate) fn open_gate(&self) {
        std::fs::write(self.gate(), b"").unwrap();
    }

    fn gate(&self) -> PathBuf {
        self.dir.path().join("gate")
    }

    /// Waits until the log of `f` fulfils a condition.
    pub(crate) async fn log_shows(&self, is_there: impl Fn(&[LogLine]) -> bool) {
        let mut log = self.host.watch_log(&f()).unwrap();
        let is_there = |_: &u64| is_there(&self.host.log(&f(), 0, 1000).unwrap());
        log.wait_for(is_there).await.unwrap();
    }

    /// Waits until so many invocations of `f` have begun.
    pub(crate) async fn begun(&self, invocations: usize) {
        self.log_shows(|lines| {
            let starts = lines.iter().filter(|line| line.text.starts_with("START"));
            starts.count() == invocations
        })
        .await;
    }

    pub(crate) async fn invoke(&self, event: &str) -> Result<Answer, InvokeError> {
        self.host.invoke_with(call(event)).await
    }
}

/// Something that goes on in the background.
pub(crate) struct Begun<T>(JoinSet<T>);

impl<T: 'static> Begun<T> {
    pub(crate) async fn ended(mut self) -> T {
        self.0.join_next().await.unwrap().unwrap()
    }
}

pub(crate) fn begin<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Begun<T> {
    let mut set = JoinSet::new();
    set.spawn(work);
    Begun(set)
}

pub(crate) fn spec(name: &str, code: CodeHash) -> FunctionSpec {
    FunctionSpec {
        name: FunctionName::parse(name).unwrap(),
        region: RegionName::parse("eu-west-1").unwrap(),
        arn: format!("arn:aws:lambda:eu-west-1:000000000000:function:{name}"),
        code,
        handler: "app.handler".into(),
        runtime: "provided.al2023".into(),
        environment: BTreeMap::new(),
        timeout: Duration::from_mins(1),
        memory_mb: 128,
        revision: "1".into(),
        concurrency: None,
    }
}

pub(crate) fn f() -> FunctionName {
    FunctionName::parse("f").unwrap()
}

/// Far beyond any test.
pub(crate) fn later() -> Moment {
    System.now() + Duration::from_mins(2)
}

pub(crate) fn call(event: &str) -> Call {
    Call {
        log: LogWanted::Tail,
        ..Call::new(f(), Bytes::copy_from_slice(event.as_bytes()), later())
    }
}

pub(crate) fn text(answer: &Answer) -> String {
    String::from_utf8(answer.payload.to_vec()).unwrap()
}

/// Returns the number behind `"name": ` in a JSON text.
pub(crate) fn number(text: &str, name: &str) -> i32 {
    let at = text.find(&format!("\"{name}\": ")).expect("the member");
    let digits: String = text[at + name.len() + 4..]
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().expect("a number")
}
