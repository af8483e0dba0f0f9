"""Where DynamoDB Local answers a case otherwise than Hither, why, and who has it right.

Each entry names the cases by patterns of their ids. `compare.py` fails for a difference that is
explained by none, and for an entry that explains no difference.
"""

import dataclasses

REFERENCE = "API reference"
GUIDE = "developer guide"


@dataclasses.dataclass(frozen=True)
class Difference:
    """One difference: what the cases ask, both answers, and what AWS's documentation says."""

    about: str
    hither: str
    local: str
    right: str
    why: str
    cases: tuple[str, ...]


def of(about, hither, local, why, *cases, right="Hither"):
    return Difference(about, hither, local, right, why, cases)


DIFFERENCES = [
    of("a body that is no object of JSON, or none",
       "400 `SerializationException`", "500 `InternalFailure`, or taken up to its first error",
       "a caller's fault is a 4xx of the protocol, which SDKs do not try again",
       r"test_wire.py::test_a_body_that_is_no_object", r"test_wire.py::test_a_body_that_is_no_utf"),
    of("a member of the wrong JSON type",
       "400 `SerializationException`",
       "500 `InternalFailure`, or converted: `5` is a text, `\"5\"` a "
       "number", "the model gives each member one type",
       r"::test_a_member_of_the_wrong_type", r"::test_types_come_before", r"that-are-no-number",
       r"a-limit-that-is-no-number"),
    of("enumerations: `ReturnConsumedCapacity`, `ReturnItemCollectionMetrics`, `TableClass`, "
       "`StreamViewType`, `BillingMode`, `ConditionalOperator` of an unknown value",
       "`ValidationException`", "ignored, or 500 `InternalFailure`",
       "the model lists the values",
       r"an-unknown-return", r"an-unknown-class", r"an-unknown-view", r"an-unknown-billing-mode",
       r"an-unknown-conditionaloperator"),
    of("several broken constraints in one request",
       "all are told in one message", "the first is told, or 500 `InternalFailure`",
       "the service reports `N validation errors detected`",
       r"several-violations", r"::test_all_broken_constraints"),
    of("constraints of length and presence: an empty `ClientRequestToken`, empty "
       "`AttributesToGet`, an `Update` without its expression",
       "`ValidationException`", "accepted", f"{REFERENCE}: minimum lengths and required members",
       r"test_transactions.py::test_writes\[a-token-that-is-empty", r"attributes_to_get\[no-attr",
       r"an-update-without-an-expression"),
    of("a request wrong in two ways", "parameters are checked before the table is looked up, "
       "expressions before keys", "the table first, keys before expressions",
       "the service refuses what it can refuse without the table first",
       r"::test_of_two_faults", r"before-the-table-is-looked-up",
       r"::test_the_key_is_checked_before"),
    of("targets: none, unknown, of another version",
       "400 `UnknownOperationException`",
       "500 `InternalFailure`, `InvalidAction`, or the operation "
       "before the second dot", "one target is one operation of the model",
       r"::test_an_unknown_target", r"::test_no_target"),
    of("content types of requests", "answered in kind; another one than JSON is 404",
       "ignored; the answer is always `application/x-amz-json-1.0`",
       "the protocol's type is part of it", r"::test_the_content_type_of",
       r"::test_another_content"),
    of("methods other than POST", "GET tells its health, others are 404",
       "400 `MissingAuthenticationToken`, 500 `InternalFailure`",
       "load balancers ask the service by GET", r"::test_get_tells", r"::test_other_methods"),
    of("`x-amz-crc32` and `x-amzn-RequestId`",
       "on every answer, the id of 52 characters", "no checksum on refusals, the id a UUID",
       "SDKs that check the sum warn where there is none", r"has_checksum_and_id"),
    of("the members of an error", "`message`; `__type` with the prefix of its origin",
       "`Message`; `UnknownOperationException` with the model's prefix",
       "the protocol's member is `message`", r"::test_errors_name_their_shape",
       r"::test_a_canceled_transaction_tells"),
    of("gzip of answers", "if the caller accepts it", "never", "HTTP, `Accept-Encoding`",
       r"::test_a_large_answer_is_compressed"),
    of("gzip of requests", "read", "500 `InternalFailure`",
       "HTTP, `Content-Encoding`", r"::test_a_compressed_request", r"claims_to_be_comp",
       r"::test_a_bomb"),
    of("`UPDATED_OLD` and `UPDATED_NEW` of a nested path", "the part that the update names",
       "the whole attribute", f"{REFERENCE}: only the updated attributes are returned; the service "
       "returns the parts of documents", r"test_update.py::test_returns\[updated-(old|new)-a[n]?-"),
    of("numbers that an update wrote, read back", "in their normal form (`10`)",
       "as they were written (`1.0E1`), sums with trailing zeros (`2.00`)",
       f"{GUIDE}, data types: leading and trailing zeros are trimmed",
       r"numbers-are-answered-in-their-normal", r"a-sum-back-to-zero", r"a-sum-drops-trailing",
       r"one-number-in-two-writings-as-key"),
    of("an update that only removes, of an item that is not there", "no item is made",
       "an item of the key alone is made",
       f"{REFERENCE}, `AttributeUpdates`: DELETE causes nothing to happen",
       r"makes-no-item"),
    of("`AttributeUpdates` without `Action`", "`PUT`", "nothing is done",
       f"{REFERENCE}: the default is PUT",
       r"updates-a-name-with-dots", r"updates-a-reserved-word", r"updates-all-new",
       r"updates-put-", r"test_expected\[of-an-update\]"),
    of("a delete of what is not there", "`{}`", "`ConsumedCapacity`, which nobody asked for",
       f"{REFERENCE}: returned only if asked for",
       r"removing-nothing", r"all-old-of-nothing-removed"),
    of("the word `size` as an attribute's name", "refused as reserved", "accepted",
       f"{GUIDE}, reserved words: SIZE is one", r"a-reserved-word-inside-a-path"),
    of("`KeyConditions` with `NE`", "`ValidationException`", "500 `InternalFailure`",
       f"{REFERENCE} lists the operators of key conditions", r"key-condition-refused-ne"),
    of("a page of 1 MB with a filter", "ends with the item that crosses 1 MB",
       "goes on until the items that passed fill it",
       f"{GUIDE}: the limit applies before the filter", r"::test_a_page_ends_at_one_mebibyte"),
    of("what cancels a transaction: an item that is too large, a key that does not fit, an update "
       "that cannot be applied", "`TransactionCanceledException` with the reason "
       "`ValidationError`", "`ValidationException`",
       f"{REFERENCE}, `TransactWriteItems`: reasons for cancellation",
       r"a-transaction-with-an-item-that-is-too-large",
       r"test_cancellations\[(a-delete-by|a-put-of-an-item|an-update-of)",
       r"test_writes\[an-update-of-the-key"),
    of("the reason of a failed `ConditionCheck`", "`ConditionalCheckFailed` with its message, and "
       "the item if asked for", "without message and item",
       f"{REFERENCE}: each reason has a code and a message", r"test_cancellations\[a-failed-check"),
    of("capacity of transactions", "2 units per KB written or 4 KB read, and the split in "
       "`WriteCapacityUnits` and `ReadCapacityUnits`", "an empty list, or no split",
       f"{GUIDE}: two reads or writes are performed per item",
       r"a-transaction-takes", r"a-transaction-by-indexes", r"a-check-takes-two",
       r"billed_as_reads"),
    of("capacity of batches and of queries that find nothing",
       "each item is rounded up; a query takes at least half a unit",
       "items are added up first; none",
       f"{GUIDE}: each item of a batch is read on its own; reads of nothing are charged too",
       r"a-batch-rounds", r"write-units-a-batch", r"a-query-of-nothing"),
    of("tags", "served", "`UnknownOperationException`", f"{REFERENCE}, `TagResource`", r"tag"),
    of("`TableClass`, `TableId`, protection from deletion after another update",
       "described, kept", "not described; switched off by the next `UpdateTable`",
       f"{REFERENCE}, `TableDescription`",
       r"::test_a_table_class", r"::test_a_table_made_again", r"::test_an_arn_stands",
       r"::test_changes_are_described"),
    of("a parallel scan that goes on after a key of another segment", "refused", "accepted",
       "the service asks for the correct segment", r"::test_a_segment_goes_on_after"),
    of("what `DeleteTable` answers", "status `DELETING`", "status `ACTIVE`",
       f"{REFERENCE}, `DeleteTable`", r"::test_what_a_deletion_answers"),
    of("ARNs", "of the region that is asked; another region's are refused",
       "of region `ddblocal`; those of all regions are taken",
       f"{GUIDE}: an ARN names a region and an account",
       r"described_as", r"::test_an_arn_of_another_region"),
    of("tables whose names differ in case", "two tables", "500 `InternalFailure`",
       f"{GUIDE}, naming rules: names are case-sensitive", r"names-are-told-apart-by-case"),
    of("throughput of a table that is billed by use", "refused", "accepted",
       f"{REFERENCE}: `ProvisionedThroughput` cannot be given with PAY_PER_REQUEST",
       r"throughput-on-demand", r"units-of-a-table-on-demand"),
    of("expired items", "an item whose time is more than five years past stays",
       "it is removed as well", f"{GUIDE}, TTL: such items are left alone, for fear of "
       "mistakes", r"test_expiry.py::test_only_items_of_a_past_time"),
    of("what a stream says of an expired item", "`REMOVE`, with the service as `userIdentity`",
       "an `eventName` that the model does not have",
       f"{GUIDE}, streams and TTL: a service's delete",
       r"test_expiry.py::test_a_stream_says_who"),
    of("indexes with keys of several attributes", "up to four for each part of the key",
       "`ValidationException`; the version compared is older than they are",
       f"{GUIDE}, global secondary indexes: multi-attribute keys",
       r"test_index_reads.py::test_indexes_of_a_table"),
    of("the order of partitions in a read of several", "that of their keys", "another",
       "the service promises none", r"test_partiql.py::test_a_select_finds\[WHERE pk = 'a' AND",
       right="both"),
    of("a statement's `NextToken` with another statement",
       "`NextToken does not match request`", "what an operation would say of its start key",
       "the token is the statement's own", r"test_partiql.py::test_a_token_belongs"),
    of("an `INSERT` of what is there", "`DuplicateItemException`; `DuplicateItem` in a transaction",
       "`DuplicateItem`; `ValidationError` in a transaction",
       "the model's error is `DuplicateItemException`, the reason `DuplicateItem`",
       r"test_partiql.py::test_an_item_lives", r"test_partiql.py::test_a_transaction_is_whole"),
    of("capacity of statements", "told as it is asked for", "left out",
       f"{REFERENCE}, `ExecuteStatement`: `ConsumedCapacity`",
       r"test_partiql.py::test_capacity_is"),
]
