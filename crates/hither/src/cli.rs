//! The command line: what can be asked for, and with what.
//!
//! It is parsed here and nowhere else.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The release, and the commit that was built where that is known: `0.0.0+1a2b3c4d5e6f`.
pub(crate) const VERSION: &str = env!("HITHER_VERSION");

/// One app in several regions at once, all of them active.
#[derive(Debug, Parser)]
#[command(
    name = "hither",
    version = VERSION,
    arg_required_else_help = true,
    after_help = EXAMPLES
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Three regions on this machine, the five steps, and what happens when one dies.
    Demo(DemoArgs),
    /// The regions of a manifest on this machine, for development and CI.
    Up(UpArgs),
    /// One node of one region.
    Serve(ServeArgs),
    /// What a manifest says, made in regions that are served already.
    Deploy(DeployArgs),
    /// Regions, health, link delays, replication lag and versions.
    Status(StatusArgs),
    /// The writes that lost a race of two regions, and how to have them back.
    Conflicts(Box<ConflictsArgs>),
    /// Takes a region's clients away before it is powered off, and gives them back.
    #[command(subcommand)]
    Region(RegionCommand),
    /// Whether a table is the same in all its regions, and what differs where it is not.
    Verify(Box<VerifyArgs>),
    /// Makes a table's calls fail on purpose, for tests.
    Faults(FaultsArgs),
    /// Deletes all tables in all regions, for suites of tests.
    Reset(ResetArgs),
    /// The shell lines that point AWS tools at a region.
    Env(EnvArgs),
    /// Every mistake in a manifest.
    Check(CheckArgs),
}

impl Command {
    /// Returns what is logged where `HITHER_LOG` says nothing.
    pub(crate) const fn log_level(&self) -> &'static str {
        match self {
            Self::Serve(_) => "info",
            Self::Demo(_)
            | Self::Up(_)
            | Self::Deploy(_)
            | Self::Status(_)
            | Self::Conflicts(_)
            | Self::Region(_)
            | Self::Verify(_)
            | Self::Faults(_)
            | Self::Reset(_)
            | Self::Env(_)
            | Self::Check(_) => "error",
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Tell the story and exit: 0 only if all of it held.
    #[arg(long)]
    pub(crate) once: bool,
    /// Print one JSON object with every figure.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct UpArgs {
    /// The manifest.
    #[arg(long, default_value = "hither.toml")]
    pub(crate) manifest: PathBuf,
    /// Where data is kept; `.hither` beside the manifest by default.
    #[arg(long)]
    pub(crate) state_dir: Option<PathBuf>,
    /// Join the regions without the delays of the real ones.
    #[arg(long)]
    pub(crate) no_delay: bool,
    /// Answer to this host name too; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// Leave a region dead whose process failed, in place of starting it again.
    #[arg(long)]
    pub(crate) no_restart: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// The region to serve.
    #[arg(long)]
    pub(crate) region: String,
    /// The manifest that names the project and its regions.
    #[arg(long, default_value = "hither.toml")]
    pub(crate) manifest: PathBuf,
    /// Where this node keeps its data.
    #[arg(long)]
    pub(crate) data_dir: PathBuf,
    /// When writes count as done: once they are on disk, or before (`async`: a power loss takes
    /// the last ones). The manifest's `durability` by default, which is `disk` unless it says
    /// otherwise.
    #[arg(long)]
    pub(crate) durability: Option<DurabilityWord>,
    /// How much memory is taken for what was read from disk, in MiB. The manifest's `cache` by
    /// default, which is 64 MiB unless it says otherwise.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(8..=1_048_576))]
    pub(crate) cache: Option<u64>,
    /// The secret that all nodes of the project share, 64 hexadecimal digits; made in the data
    /// directory where it is not given.
    #[arg(long)]
    pub(crate) project_key: Option<PathBuf>,
    /// Access keys of the AWS APIs, as in `~/.aws/credentials`. Without it any key is accepted,
    /// and only loopback is listened on.
    #[arg(long)]
    pub(crate) credentials: Option<PathBuf>,
    /// Lets tables suffer faults on purpose, and all tables be deleted at once, although callers
    /// must sign: for an environment that is for tests alone.
    #[arg(long)]
    pub(crate) test_controls: bool,
    /// Answers to this host name too, in development; may be given several times. Without
    /// credentials a node answers to loopback addresses, `localhost` and AWS's own names alone,
    /// since a page could have its own name lead here.
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// The words that DynamoDB's requests are refused in: those that us-east-1 uses, or those that
    /// more and more regions use since 2026.
    #[arg(long, env = "HITHER_DYNAMODB_WORDING", default_value = "classic")]
    pub(crate) dynamodb_wording: DynamoDbWording,
    /// Whether DynamoDB's tables are held to their throughput; the tag `hither:throttling` of a
    /// table says so for itself.
    #[arg(long, env = "HITHER_DYNAMODB_THROTTLING", default_value = "off")]
    pub(crate) dynamodb_throttling: DynamoDbThrottling,
    /// The second port of the AWS APIs, as tools of DynamoDB Local expect it; the manifest's
    /// `dynamodb` port by default, which is 8000 unless it says otherwise.
    #[arg(long)]
    pub(crate) dynamodb_port: Option<u16>,
    /// Listen on the region's loopback address, whatever address the manifest gives it.
    #[arg(long)]
    pub(crate) laptop: bool,
    /// Addresses to dial in place of others: a JSON object of `"target": "relay"`.
    #[arg(long, hide = true)]
    pub(crate) via: Option<PathBuf>,
    /// Stop when standard input ends: for a parent that must not leave children behind.
    #[arg(long, hide = true)]
    pub(crate) until_stdin_ends: bool,
}

/// When writes count as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DurabilityWord {
    /// Once they are on disk.
    Disk,
    /// Once the operating system has them.
    Async,
}

/// The words that DynamoDB's requests are refused in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DynamoDbWording {
    /// All that is wrong, with its values.
    Classic,
    /// The first that is wrong, without its value.
    #[value(name = "2026")]
    Newer,
}

/// Whether DynamoDB's tables are held to their throughput.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DynamoDbThrottling {
    /// They serve whatever is asked.
    Off,
    /// They serve what they are provisioned for, or the most that is set for them.
    On,
}

#[derive(Args, Debug)]
pub(crate) struct DeployArgs {
    /// The manifest.
    #[arg(long, default_value = "hither.toml")]
    pub(crate) manifest: PathBuf,
    /// Where a running `hither up` keeps its data; `.hither` beside the manifest by default.
    #[arg(long)]
    pub(crate) state_dir: Option<PathBuf>,
    /// Calls regions at public addresses, too, although nothing encrypts the calls and they carry
    /// certificates' private keys: where something else encrypts the way there.
    #[arg(long)]
    pub(crate) allow_plain_http: bool,
}

#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) at: AtArgs,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(crate) struct ConflictsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ConflictsCommand>,
    #[command(flatten)]
    pub(crate) list: RacesArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConflictsCommand {
    /// The races of a table, oldest first: what `hither conflicts TABLE` does.
    List(RacesArgs),
    /// One race: what its two writes made of the item, attribute by attribute.
    Show(RaceArgs),
    /// Writes a race's loser again, or deletes the item again where the loser was a delete.
    Restore {
        #[command(flatten)]
        race: RaceArgs,
        /// Write, although the item was written since the race, or may have been.
        #[arg(long)]
        force: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct RacesArgs {
    /// The table.
    #[arg(required = true)]
    pub(crate) table: Option<String>,
    /// The races of this item alone, given by its key: `{"id": {"S": "a"}}`.
    #[arg(long, value_name = "JSON")]
    pub(crate) key: Option<String>,
    /// Races that were won at this time or later: `2026-11-23T09:00:00Z`, or how long ago: `2h`.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Races that a write of this region won.
    #[arg(long, value_name = "REGION")]
    pub(crate) winner: Option<String>,
    /// Races that a write of this region lost.
    #[arg(long, value_name = "REGION")]
    pub(crate) loser: Option<String>,
    /// Most races to print.
    #[arg(long, default_value = "100")]
    pub(crate) limit: NonZeroUsize,
    #[command(flatten)]
    pub(crate) asked: AskedArgs,
}

#[derive(Args, Debug)]
pub(crate) struct RaceArgs {
    /// The table.
    pub(crate) table: String,
    /// The race, as the list of races calls it.
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) asked: AskedArgs,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// The table.
    pub(crate) table: String,
    #[command(flatten)]
    pub(crate) asked: AskedArgs,
}

/// Which region tells, and how.
#[derive(Args, Debug)]
pub(crate) struct AskedArgs {
    #[command(flatten)]
    pub(crate) at: AtArgs,
    /// The region to ask; by default the first that answers and has the table.
    #[arg(long, conflicts_with = "endpoint")]
    pub(crate) region: Option<String>,
    /// The project's secret, which the regions of a project want whose callers sign.
    #[arg(long)]
    pub(crate) project_key: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RegionCommand {
    /// Sends no more clients to a region, waits until those that it has are served and all that it
    /// holds is elsewhere, too, and says when it can be powered off.
    Drain(DrainArgs),
    /// Takes a drain back: clients are sent to the region again.
    Undrain(UndrainArgs),
    /// Makes a join token, by which one other machine is given the project's key, once, to serve a
    /// region. Call it on the machine of a region that runs.
    Invite(InviteArgs),
    /// Joins a project with a token: writes its key to a file, for `hither serve --project-key`.
    Join(JoinArgs),
}

#[derive(Args, Debug)]
pub(crate) struct InviteArgs {
    /// The region that the other machine is to serve; the manifest names it.
    pub(crate) region: String,
    /// How long the token counts: `90s`, `15m` at most.
    #[arg(long, value_name = "TIME", default_value = "15m")]
    pub(crate) expires: jiff::SignedDuration,
    /// The project's secret; that of `hither up` by default.
    #[arg(long)]
    pub(crate) project_key: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

#[derive(Args, Debug)]
pub(crate) struct JoinArgs {
    /// The token, or `-` to read it from standard input, where other users of this machine do not
    /// see it.
    pub(crate) token: String,
    /// Where the project's key is to be written; no file is replaced.
    #[arg(long, default_value = "project.key")]
    pub(crate) project_key: PathBuf,
    /// Where the inviting region's link port is reached from here, where that is not the address
    /// that its manifest says.
    #[arg(long)]
    pub(crate) address: Option<std::net::SocketAddr>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DrainArgs {
    /// The region.
    pub(crate) region: String,
    /// How long to wait: `90s`, `10m`. The region stays drained when the time is up.
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub(crate) timeout: jiff::SignedDuration,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

#[derive(Args, Debug)]
pub(crate) struct UndrainArgs {
    /// The region.
    pub(crate) region: String,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

#[derive(Args, Debug)]
pub(crate) struct FaultsArgs {
    #[command(flatten)]
    pub(crate) at: AtArgs,
    /// The one region to ask; all by default.
    #[arg(long, global = true)]
    pub(crate) region: Option<String>,
    #[command(subcommand)]
    pub(crate) command: FaultsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FaultsCommand {
    /// The faults of each table.
    List,
    /// Sets a table's faults in place of those that it has.
    Set {
        /// The table.
        table: String,
        /// Faults: `throttle=0.1`, `unprocessed=0.1`, `transaction-conflict=0.1`,
        /// `latency=50ms`, `seed=7`.
        #[arg(required = true, value_name = "NAME=VALUE")]
        faults: Vec<String>,
    },
    /// Removes a table's faults.
    Clear {
        /// The table; all by default.
        table: Option<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct ResetArgs {
    #[command(flatten)]
    pub(crate) at: AtArgs,
    /// Delete, although callers of the regions must sign.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Which regions are asked.
#[derive(Args, Debug)]
pub(crate) struct AtArgs {
    /// The manifest.
    #[arg(long, default_value = "hither.toml", global = true)]
    pub(crate) manifest: PathBuf,
    /// A region's API endpoint to ask, in place of those of the manifest.
    #[arg(long, global = true)]
    pub(crate) endpoint: Option<std::net::SocketAddr>,
    /// Where `hither up` keeps its data; `.hither` beside the manifest by default. While it runs,
    /// its regions on this machine are asked, whatever addresses the manifest gives them.
    #[arg(long, global = true)]
    pub(crate) state_dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct EnvArgs {
    /// The manifest.
    #[arg(long, default_value = "hither.toml")]
    pub(crate) manifest: PathBuf,
    /// The region that tools talk to; the first of the manifest by default.
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// Where `hither up` keeps its data; `.hither` beside the manifest by default. While it runs,
    /// tools are pointed at its regions on this machine.
    #[arg(long)]
    pub(crate) state_dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The manifest.
    #[arg(default_value = "hither.toml")]
    pub(crate) manifest: PathBuf,
}

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  hither demo              three regions on this laptop, the whole story
  hither up                the regions of ./hither.toml on this machine
  hither deploy            the same file, to the regions that your own machines serve
  hither status            what is running, where, how far apart
  hither conflicts TABLE   writes that lost a race of two regions
  hither region drain NAME before a region is powered off
  hither verify TABLE      whether all regions hold the same
  eval \"$(hither env)\"    point AWS tools here";
