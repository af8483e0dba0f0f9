//! The system tables: one for each kind of shared resource.
//!
//! Their numbers are on disk and in every log: append, never reorder, never use again.

use base::name::TableId;

/// A system table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SystemTable {
    /// Definitions of users' tables, and their replicas.
    Tables,
    /// Hosted zones.
    Zones,
    /// Record sets.
    Records,
    /// Health checks.
    HealthChecks,
    /// Tags of resources that have no better place for them.
    Tags,
    /// Change batches of zones, for `GetChange`.
    Changes,
    /// Given entries of the latency map.
    Latency,
    /// HTTP APIs with their routes, integrations, stages and deployments.
    Apis,
    /// Custom domains and their API mappings.
    Domains,
    /// Certificates with their sealed keys.
    Certificates,
    /// Functions and their permissions.
    Functions,
    /// Functions' code, in chunks; not kept in memory.
    FunctionCode,
    /// Access keys with their sealed secrets.
    Keys,
    /// Backups of tables, exports and imports: what is known of them, not what they hold.
    Backups,
    /// CIDR collections and their blocks.
    CidrCollections,
}

impl SystemTable {
    /// All system tables, by number.
    pub const ALL: [Self; 15] = [
        Self::Tables,
        Self::Zones,
        Self::Records,
        Self::HealthChecks,
        Self::Tags,
        Self::Changes,
        Self::Latency,
        Self::Apis,
        Self::Domains,
        Self::Certificates,
        Self::Functions,
        Self::FunctionCode,
        Self::Keys,
        Self::Backups,
        Self::CidrCollections,
    ];

    /// Returns the table's number.
    pub const fn id(self) -> TableId {
        TableId(match self {
            Self::Tables => 1,
            Self::Zones => 2,
            Self::Records => 3,
            Self::HealthChecks => 4,
            Self::Tags => 5,
            Self::Changes => 6,
            Self::Latency => 7,
            Self::Apis => 8,
            Self::Domains => 9,
            Self::Certificates => 10,
            Self::Functions => 11,
            Self::FunctionCode => 12,
            Self::Keys => 13,
            Self::Backups => 14,
            Self::CidrCollections => 15,
        })
    }

    /// Returns the table's name, as status and digests show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tables => "hither.tables",
            Self::Zones => "hither.zones",
            Self::Records => "hither.records",
            Self::HealthChecks => "hither.health-checks",
            Self::Tags => "hither.tags",
            Self::Changes => "hither.changes",
            Self::Latency => "hither.latency",
            Self::Apis => "hither.apis",
            Self::Domains => "hither.domains",
            Self::Certificates => "hither.certificates",
            Self::Functions => "hither.functions",
            Self::FunctionCode => "hither.function-code",
            Self::Keys => "hither.keys",
            Self::Backups => "hither.backups",
            Self::CidrCollections => "hither.cidr-collections",
        }
    }

    /// Returns the table with this number.
    pub fn of(id: TableId) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.id() == id)
    }

    /// Returns whether definitions of users' tables follow from it.
    pub const fn is_defining(self) -> bool {
        matches!(self, Self::Tables | Self::Backups)
    }

    /// Returns whether all its items are kept in memory.
    pub const fn is_resident(self) -> bool {
        !matches!(self, Self::FunctionCode)
    }
}
