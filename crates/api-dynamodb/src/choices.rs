//! The enumerations of the service's model that requests choose from.
//!
//! What is no choice has been refused before.

/// Declares an enumeration and its names on the wire.
macro_rules! choices {
    (
        $(#[$doc:meta])*
        $name:ident {
            $( $(#[$choice_doc:meta])* $choice:ident = $wire:literal, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $( $(#[$choice_doc])* $choice, )* }

        impl $name {
            /// Returns the choice that is written so.
            pub(crate) fn parse(text: &str) -> Option<Self> {
                match text {
                    $( $wire => Some(Self::$choice), )*
                    _ => None,
                }
            }

            /// Returns the choice as it is written.
            #[allow(dead_code, reason = "not every enumeration is written back")]
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $( Self::$choice => $wire, )* }
            }
        }
    };
}

choices! {
    /// How much of the consumed capacity an answer tells.
    ReturnConsumedCapacity {
        /// The sum, and the table's and each index's part.
        Indexes = "INDEXES",
        /// The sum.
        Total = "TOTAL",
        /// Nothing.
        None = "NONE",
    }
}

choices! {
    /// Whether an answer tells the size of item collections.
    ReturnItemCollectionMetrics {
        /// It does, where there are local secondary indexes.
        Size = "SIZE",
        /// It does not.
        None = "NONE",
    }
}

choices! {
    /// Which image of the item a write answers with.
    ReturnValues {
        /// None.
        None = "NONE",
        /// The whole item before.
        AllOld = "ALL_OLD",
        /// What the update names, before it.
        UpdatedOld = "UPDATED_OLD",
        /// The whole item after.
        AllNew = "ALL_NEW",
        /// What the update names, after it.
        UpdatedNew = "UPDATED_NEW",
    }
}

choices! {
    /// Whether a failed condition answers with the item as it is.
    ReturnOnFailure {
        /// It does.
        AllOld = "ALL_OLD",
        /// It does not.
        None = "NONE",
    }
}

choices! {
    /// What a query or scan answers with.
    Select {
        /// Whole items.
        AllAttributes = "ALL_ATTRIBUTES",
        /// What an index holds of the items.
        AllProjectedAttributes = "ALL_PROJECTED_ATTRIBUTES",
        /// The named parts of the items.
        SpecificAttributes = "SPECIFIC_ATTRIBUTES",
        /// How many items there are.
        Count = "COUNT",
    }
}

choices! {
    /// How the conditions of a legacy parameter are joined.
    ConditionalOperator {
        /// All must hold.
        And = "AND",
        /// One must hold.
        Or = "OR",
    }
}

choices! {
    /// A test of a legacy condition.
    ComparisonOperator {
        /// Equal.
        Eq = "EQ",
        /// Not equal.
        Ne = "NE",
        /// Equal to one of several.
        In = "IN",
        /// Less than or equal.
        Le = "LE",
        /// Less than.
        Lt = "LT",
        /// Greater than or equal.
        Ge = "GE",
        /// Greater than.
        Gt = "GT",
        /// Between two values.
        Between = "BETWEEN",
        /// There.
        NotNull = "NOT_NULL",
        /// Not there.
        Null = "NULL",
        /// Containing.
        Contains = "CONTAINS",
        /// There, and not containing.
        NotContains = "NOT_CONTAINS",
        /// Beginning with.
        BeginsWith = "BEGINS_WITH",
    }
}

choices! {
    /// What a legacy update does to an attribute.
    AttributeAction {
        /// Adds to a number or a set.
        Add = "ADD",
        /// Sets the attribute.
        Put = "PUT",
        /// Removes the attribute, or elements of its set.
        Delete = "DELETE",
    }
}

choices! {
    /// What a stream record holds.
    StreamViewType {
        /// The item after the change.
        NewImage = "NEW_IMAGE",
        /// The item before the change.
        OldImage = "OLD_IMAGE",
        /// Both.
        NewAndOldImages = "NEW_AND_OLD_IMAGES",
        /// The key alone.
        KeysOnly = "KEYS_ONLY",
    }
}

choices! {
    /// Which shards of a stream are asked for.
    ShardFilterType {
        /// Those that a shard is the parent of.
        ChildShards = "CHILD_SHARDS",
    }
}

choices! {
    /// Where in a shard a reader begins.
    ShardIteratorType {
        /// At the oldest record.
        TrimHorizon = "TRIM_HORIZON",
        /// Behind the newest record.
        Latest = "LATEST",
        /// At a record.
        AtSequenceNumber = "AT_SEQUENCE_NUMBER",
        /// Behind a record.
        AfterSequenceNumber = "AFTER_SEQUENCE_NUMBER",
        /// At a moment.
        AtTimestamp = "AT_TIMESTAMP",
    }
}
