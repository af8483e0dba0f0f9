//! Nodes in memory, for tests of control and of the facades over it.
//!
//! It is compiled for tests only, or with the feature `testing`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use base::name::AccountId;
use base::region::{RegionId, RegionName};
use clock::port::{Clock, Entropy};
use clock::time::{Moment, WallTime};
use item::key::{KeyAttribute, KeyKind, KeySchema};
use store::memory::MemStore;
use store::port::Durability;
use table::tables::{Options as TableOptions, Tables};

use crate::control::{Control, Options, Reach};
use crate::project::{Project, ProjectKey, Region};

/// A clock that moves by a microsecond with each reading.
#[derive(Debug)]
pub struct TestClock(AtomicU64);

impl Default for TestClock {
    fn default() -> Self {
        Self(AtomicU64::new(1_780_000_000_000_000))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        Moment::from_micros(self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn wall(&self) -> WallTime {
        let micros = self.0.fetch_add(1, Ordering::Relaxed);
        WallTime::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

impl TestClock {
    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let micros = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        self.0.fetch_add(micros, Ordering::Relaxed);
    }
}

/// Numbers that look random and come the same in each run.
#[derive(Debug, Default)]
pub struct TestEntropy(AtomicU64);

impl Entropy for TestEntropy {
    fn random(&self) -> u64 {
        let next = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        next.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17)
    }
}

/// A region's tables and resources in memory.
pub struct Node {
    /// Its resources.
    pub control: Control<MemStore>,
    /// How far the other regions have come, to be told by the test.
    pub reach: watch::Sender<Arc<Reach>>,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// What it stores in, to be held up by the test.
    pub store: MemStore,
}

/// The regions of the project that [`Node`] belongs to.
pub const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-northeast-1"];

impl Node {
    /// Opens an empty region of a project with [`REGIONS`].
    ///
    /// It panics when it cannot.
    pub async fn open(region: &str) -> Self {
        Self::over(MemStore::new(), region).await
    }

    /// Cuts the region's power and opens it again.
    pub async fn restart(&self) -> Self {
        let region = self.control.project().region.clone();
        Self::over(self.store.crash(), region.as_str()).await
    }

    /// Returns the region's number.
    pub fn id(&self) -> RegionId {
        self.control.tables().region()
    }

    async fn over(store: MemStore, region: &str) -> Self {
        let project = project(region);
        let hands = Arc::new(TestClock::default());
        let clock: Arc<dyn Clock> = hands.clone();
        let entropy: Arc<dyn Entropy> = Arc::new(TestEntropy::default());
        let options = TableOptions {
            region: project.region.id(),
            members: project
                .regions
                .iter()
                .map(|region| region.name.id())
                .collect(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            durability: Durability::Disk,
        };
        let tables = Tables::open(store.clone(), options)
            .await
            .expect("tables open");
        let (reach, watch) = watch::channel(Arc::default());
        let options = Options {
            project,
            clock,
            entropy,
            reach: watch,
        };
        let control = Control::open(tables, options).await.expect("control opens");
        Self {
            control,
            reach,
            clock: hands,
            store,
        }
    }
}

/// Returns the project of [`Node`] as `region` sees it.
pub fn project(region: &str) -> Project {
    let name = |text: &str| RegionName::parse(text).expect("a region name");
    let regions = REGIONS.iter().zip(11_u8..).map(|(region, last)| {
        let ip = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
        let at = |port| SocketAddr::new(ip, port);
        Region {
            name: name(region),
            addresses: vec![ip],
            api: at(4566),
            https: at(8443),
            http: at(8080),
            dns: at(5300),
            link: at(7100),
            gossip: at(7101),
        }
    });
    Project {
        name: "shop".to_owned(),
        account: AccountId::DEFAULT,
        region: name(region),
        regions: regions.collect(),
        key: ProjectKey([7; 32]),
    }
}

/// Returns a schema with one text attribute as partition key.
pub fn schema(partition: &str) -> KeySchema {
    let partition = KeyAttribute {
        name: partition.to_owned(),
        kind: KeyKind::S,
    };
    KeySchema {
        partition,
        sort: None,
    }
}

/// Applies to `to` everything of `from`'s own log.
///
/// It panics when that fails.
pub async fn pull(to: &Node, from: &Node) {
    let origin = from.id();
    let after = to.control.tables().applied().at(origin);
    let page = from
        .control
        .tables()
        .read_log(origin, after, usize::MAX)
        .await
        .expect("a page");
    to.control
        .tables()
        .apply(origin, after, page.to, page.records)
        .await
        .expect("applied");
}
