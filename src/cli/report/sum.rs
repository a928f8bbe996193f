//! Resources grouped by the values of one tag, with their amounts.

use std::collections::BTreeMap;

use clap::ValueEnum;

use super::Told;
use super::amount::{Amount, Overflow};
use super::costs::Costs;
use crate::wire::v1;

/// What is a row of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Show {
    /// A value.
    #[default]
    Groups,
    /// A type of resources with a value.
    Types,
    /// A single resource.
    Resources,
}

/// What resources have in common. The order is that of the report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// They carry the tag with this value.
    Value(String),
    /// They do not carry it.
    Untagged,
    /// They cost something, and the server does not tell them.
    Unlisted,
}

impl Group {
    /// The name in JSON and CSV.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Value(_) => "value",
            Self::Untagged => "untagged",
            Self::Unlisted => "unlisted",
        }
    }

    /// The value, where there is one.
    pub(super) fn value(&self) -> Option<&str> {
        match self {
            Self::Value(value) => Some(value),
            Self::Untagged | Self::Unlisted => None,
        }
    }
}

/// One row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) group: Group,
    /// Empty where a row is a whole group.
    pub(super) arn: String,
    /// Empty where a row has several, or it is not known.
    pub(super) kind: String,
    pub(super) resources: u64,
    pub(super) amount: Amount,
}

/// What was seen so far.
#[derive(Debug)]
pub(super) struct Sum<'a> {
    key: &'a str,
    show: Show,
    costs: Option<Costs>,
    rows: BTreeMap<(Group, String, String), (u64, Amount)>,
}

impl<'a> Sum<'a> {
    pub(super) fn new(key: &'a str, show: Show, costs: Option<Costs>) -> Self {
        Self {
            key,
            show,
            costs,
            rows: BTreeMap::new(),
        }
    }

    /// Adds a resource.
    pub(super) fn add(&mut self, resource: v1::TaggedResource) -> Result<(), Overflow> {
        let v1::TaggedResource {
            arn,
            r#type,
            resource_group: _,
            tags,
        } = resource;
        let costs = self.costs.as_mut();
        let amount = costs.and_then(|costs| costs.take(&arn)).unwrap_or_default();
        let tag = tags.into_iter().find(|tag| tag.key == self.key);
        let group = tag.map_or(Group::Untagged, |tag| Group::Value(tag.value));
        self.count(group, arn, r#type, amount)
    }

    fn count(
        &mut self,
        group: Group,
        arn: String,
        kind: String,
        amount: Amount,
    ) -> Result<(), Overflow> {
        let key = match self.show {
            Show::Groups => (group, String::new(), String::new()),
            Show::Types => (group, String::new(), kind),
            Show::Resources => (group, arn, kind),
        };
        let (resources, sum) = self.rows.entry(key).or_default();
        *resources += 1;
        *sum = sum.plus(amount)?;
        Ok(())
    }

    /// The whole report.
    pub(super) fn finish(mut self) -> Result<Told, Overflow> {
        let costs = self.costs.take();
        let places = costs.as_ref().map(Costs::places);
        for (arn, amount) in costs.map(Costs::rest).unwrap_or_default() {
            self.count(Group::Unlisted, arn.into(), String::new(), amount)?;
        }
        let rows = self.rows.into_iter();
        let rows = rows.map(|((group, arn, kind), (resources, amount))| Row {
            group,
            arn,
            kind,
            resources,
            amount,
        });
        Ok(Told {
            rows: rows.collect(),
            show: self.show,
            places,
        })
    }
}
