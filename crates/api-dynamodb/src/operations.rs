//! Which operations of the model are served, and why the others are not.
//!
//! An operation of the model that is missing here fails a test; one that is served and not
//! dispatched does not compile. `docs/reference/dynamodb.md` is made of this table.

use crate::fault::{self, Refused};

/// What becomes of a call of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Support {
    /// It is answered; the text says what of it is not served, where something is not.
    Served(Served, &'static str),
    /// It is refused, for this reason.
    Refused(&'static str),
}

/// Declares the operations, each in one of the two lists.
macro_rules! operations {
    (
        served { $($served:ident $($but:literal)?,)* }
        refused { $($refused:ident: $why:expr,)* }
    ) => {
        /// An operation that is served.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Served { $(
            #[doc = concat!("`", stringify!($served), "`.")]
            $served,
        )* }

        /// The operations by name, with what becomes of their calls.
        pub(crate) const OPERATIONS: &[(&str, Support)] = &[
            $((stringify!($served), Support::Served(Served::$served, concat!($($but)?))),)*
            $((stringify!($refused), Support::Refused($why)),)*
        ];
    };
}

operations! {
    served {
        BatchExecuteStatement,
        BatchGetItem,
        BatchWriteItem,
        CancelBulkOperation,
        CreateBackup,
        CreateGlobalTable "refuses as AWS does: version 2017.11.29 is no more",
        CreateTable "vector indexes are refused; keys of KMS encrypt nothing",
        DeleteBackup,
        DeleteItem,
        DeleteResourcePolicy,
        DeleteTable,
        DescribeBackup,
        DescribeBulkOperation "what it used is not told",
        DescribeContinuousBackups,
        DescribeContributorInsights "they are always off",
        DescribeEndpoints,
        DescribeExport,
        DescribeGlobalTable "refuses as AWS does: version 2017.11.29 is no more",
        DescribeGlobalTableSettings "refuses as AWS does: version 2017.11.29 is no more",
        DescribeImport,
        DescribeKinesisStreamingDestination "there are none to be described",
        DescribeLimits,
        DescribeStream,
        DescribeTable,
        DescribeTimeToLive,
        ExecuteStatement,
        ExecuteTransaction,
        ExportTableToPointInTime "into the region's directories, unencrypted",
        GetItem,
        GetRecords,
        GetResourcePolicy,
        GetShardIterator,
        ImportTable "from the region's directories; vector indexes are refused",
        ListBackups,
        ListBulkOperations,
        ListContributorInsights "there are none to be listed",
        ListExports,
        ListGlobalTables "there are none of version 2017.11.29, as on AWS",
        ListImports,
        ListStreams,
        ListTables,
        ListTagsOfResource,
        PutItem,
        PutResourcePolicy,
        Query,
        RestoreTableFromBackup,
        RestoreTableToPointInTime,
        Scan,
        StartBulkPutItems "from and into the region's directories, unencrypted",
        TagResource,
        TransactGetItems,
        TransactWriteItems,
        UntagResource,
        UpdateContinuousBackups,
        UpdateContributorInsights "they cannot be enabled",
        UpdateGlobalTable "refuses as AWS does: version 2017.11.29 is no more",
        UpdateGlobalTableSettings "refuses as AWS does: version 2017.11.29 is no more",
        UpdateItem,
        UpdateTable "vector indexes and strong consistency across regions are refused",
        UpdateTimeToLive "it may be changed again at once",
    }
    refused {
        DescribeTableReplicaAutoScaling: AUTO_SCALING,
        DisableKinesisStreamingDestination: KINESIS,
        EnableKinesisStreamingDestination: KINESIS,
        SearchVectors: VECTORS,
        UpdateKinesisStreamingDestination: KINESIS,
        UpdateTableReplicaAutoScaling: AUTO_SCALING,
    }
}

/// Refuses a call, naming its operation and the reason.
pub(crate) fn refuse(name: &str, why: &str) -> Refused {
    fault::validation(format!("{name} is not supported by this endpoint: {why}")).into()
}

const AUTO_SCALING: &str = "capacity is scaled by Application Auto Scaling, which is not here";
pub(crate) const INSIGHTS: &str = "accesses are not counted by key";
const KINESIS: &str = "there are no Kinesis streams to send changes to";
const VECTORS: &str = "there are no vector indexes";
