//! Which metrics there are.
//!
//! Source: DynamoDB developer guide, "DynamoDB metrics and dimensions".

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use base::name::TableId;
use base::region::{RegionId, RegionName};
use control::control::Control;
use store::port::Store;

use crate::answer::Node;
use crate::port::Figures;
use crate::request::{Members, missing};

/// A metric of which there are values: how late writes of a table that were made here are seen in
/// another region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Metric {
    table: String,
    receiving: RegionName,
    /// Where its values are.
    pub(crate) pair: (TableId, RegionId),
}

impl Metric {
    /// Returns all of them, by table and region.
    pub(crate) fn all<S: Store>(control: &Control<S>, figures: &dyn Figures) -> Vec<Self> {
        let project = control.project();
        let tables = control.tables_in(&project.region);
        let names = tables.iter().map(|(name, view)| (view.table.id(), name));
        let names: BTreeMap<TableId, &String> = names.collect();
        let metrics = figures.delays().into_iter().filter_map(|pair| {
            let table = *names.get(&pair.0)?;
            let mut regions = project.regions.iter();
            let receiving = regions.find(|region| region.name.id() == pair.1)?;
            Some(Self {
                table: table.clone(),
                receiving: receiving.name.clone(),
                pair,
            })
        });
        let mut metrics: Vec<Self> = metrics.collect();
        metrics.sort();
        metrics
    }

    /// Returns its dimensions, by name.
    pub(crate) fn dimensions(&self) -> [(&'static str, &str); 2] {
        [
            ("ReceivingRegion", self.receiving.as_str()),
            ("TableName", &self.table),
        ]
    }

    /// Tells it.
    pub(crate) fn told(&self) -> Node {
        let dimensions = self.dimensions().map(|(name, value)| {
            Node::Structure(vec![
                ("Name", Node::text(name)),
                ("Value", Node::text(value)),
            ])
        });
        Node::Structure(vec![
            ("Namespace", Node::text(NAMESPACE)),
            ("MetricName", Node::text(LATENCY)),
            ("Dimensions", Node::List(dimensions.into())),
        ])
    }
}

/// A metric as a call asks for it.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'r> {
    namespace: &'r str,
    /// Its name.
    pub(crate) name: &'r str,
    dimensions: Vec<(&'r str, &'r str)>,
}

impl<'r> Wanted<'r> {
    /// Reads one.
    ///
    /// Errors: `MissingParameter`, `SerializationException`.
    pub(crate) fn read(members: Members<'r>) -> Result<Self, Fault> {
        let mut dimensions = Vec::new();
        for dimension in members.list("Dimensions")? {
            let dimension = Members::of(dimension)?;
            let value = dimension.text("Value")?.ok_or_else(|| missing("Value"))?;
            dimensions.push((dimension.needed("Name")?, value));
        }
        dimensions.sort_unstable();
        Ok(Self {
            namespace: members.needed("Namespace")?,
            name: members.needed("MetricName")?,
            dimensions,
        })
    }

    /// Returns which of all metrics it is; one that has no values is none of them.
    pub(crate) fn among<'m>(&self, all: &'m [Metric]) -> Option<&'m Metric> {
        if (self.namespace, self.name) != (NAMESPACE, LATENCY) {
            return None;
        }
        all.iter()
            .find(|metric| metric.dimensions() == *self.dimensions)
    }
}

/// DynamoDB's metrics.
pub(crate) const NAMESPACE: &str = "AWS/DynamoDB";

/// How late writes are seen in another region.
pub(crate) const LATENCY: &str = "ReplicationLatency";

/// What it is measured in.
pub(crate) const UNIT: &str = "Milliseconds";
