//! What tables can have on AWS and cannot have here: told as off, and asked for in vain.
//!
//! Nothing is pretended: what would switch something on is refused in the table of operations, or
//! here where switching it off is possible. Source: DynamoDB service model 2012-08-10.

use api_protocol::fault::Fault;
use api_protocol::json;
use serde_json::json as json_value;
use store::port::Store;

use crate::facade::{Answer, DynamoDb};
use crate::fault;
use crate::operations;
use crate::wire::shape;

shape! {
    /// The members of the calls on contributor insights and Kinesis streams.
    NamedIn {
        table: "TableName" as String,
        index: "IndexName" as String,
        action: "ContributorInsightsAction" as String,
    }
}

impl<S: Store> DynamoDb<S> {
    /// Answers `DescribeContributorInsights`: they are off.
    pub(crate) fn describe_contributor_insights(&self, body: &[u8]) -> Answer {
        let request: NamedIn = json::parse(body)?;
        self.insights_off(&request)
    }

    /// Answers `UpdateContributorInsights`: what is off can be switched off.
    pub(crate) fn update_contributor_insights(&self, body: &[u8]) -> Answer {
        let request: NamedIn = json::parse(body)?;
        let answer = self.insights_off(&request)?;
        match request.action.as_deref() {
            Some("DISABLE") => Ok(answer),
            Some(_) | None => Err(operations::refuse(
                "UpdateContributorInsights ENABLE",
                operations::INSIGHTS,
            )),
        }
    }

    /// Answers `ListContributorInsights`: there are none.
    pub(crate) fn list_contributor_insights(&self, body: &[u8]) -> Answer {
        let request: NamedIn = json::parse(body)?;
        if let Some(given) = &request.table {
            self.existing(given)?;
        }
        Ok(b"{\"ContributorInsightsSummaries\":[]}".to_vec())
    }

    /// Answers `DescribeKinesisStreamingDestination`: there are none.
    pub(crate) fn describe_kinesis_destinations(&self, body: &[u8]) -> Answer {
        let request: NamedIn = json::parse(body)?;
        let name = self.existing(&request.table.unwrap_or_default())?;
        let answer = json_value!({ "TableName": name, "KinesisDataStreamDestinations": [] });
        Ok(answer.to_string().into_bytes())
    }

    fn insights_off(&self, request: &NamedIn) -> Answer {
        let given = request.table.as_deref().unwrap_or_default();
        let name = self.existing(given)?;
        let mut answer = json_value!({
            "TableName": name,
            "ContributorInsightsStatus": "DISABLED",
        });
        if let Some(index) = &request.index {
            let open = self.find(given);
            let mut known = open.iter().flat_map(|open| &open.view.indexes);
            if known.all(|known| known.name != *index) {
                let message = format!("Requested resource not found: Index: {index} not found");
                return Err(Fault::caller("ResourceNotFoundException", message).into());
            }
            answer["IndexName"] = index.as_str().into();
        }
        Ok(answer.to_string().into_bytes())
    }

    /// Returns the name of a table that there is.
    fn existing(&self, given: &str) -> Result<String, Fault> {
        let open = self.find(given);
        let open = open.ok_or_else(|| fault::no_table_named(given))?;
        Ok(open.view.table.name.clone())
    }
}
