//! Effective tag policies by the specification's sentences, one setting at a time (tag-policy 2).
//!
//! For every setting the whole chain is walked again, and what a node may use is asked of all the
//! nodes above it. The answer is JSON in the canonical form (tag-policy 6).
//!
//! Not here: provenance, and limits that concern a policy as a whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::model::tag_policy::{
    Corrections, Dialect, ListClause, ListSetting, Operator, Operators, PolicyStatement, Section,
    Setting, TagPolicy,
};

/// The policies of the nodes on a path, Root first, each in attach order.
pub type Chain<'a> = [Vec<&'a TagPolicy>];

/// The effective policy of the last node.
pub fn effective(dialect: Dialect, chain: &Chain<'_>) -> Value {
    let mut policy = Map::new();
    for section in [Section::Tags, Section::RgInherit, Section::MatchedTags] {
        let mut statements = Map::new();
        for key in keys(chain, section) {
            let asked = Asked {
                dialect,
                chain,
                section,
                key: &key,
            };
            statements.insert(key.to_string(), asked.statement());
        }
        if !statements.is_empty() {
            policy.insert(section.as_str().to_owned(), Value::Object(statements));
        }
    }
    Value::Object(policy)
}

fn keys(chain: &Chain<'_>, section: Section) -> BTreeSet<Arc<str>> {
    let policies = chain.iter().flatten();
    let statements = policies.flat_map(|policy| &policy.statements);
    let named = statements.filter(|statement| statement.section == section);
    named.map(|statement| Arc::clone(&statement.key)).collect()
}

/// One statement of one chain.
struct Asked<'a> {
    dialect: Dialect,
    chain: &'a Chain<'a>,
    section: Section,
    key: &'a str,
}

impl<'a> Asked<'a> {
    fn statement(&self) -> Value {
        let mut found = Map::new();
        let tag_key = self.tag_key();
        let tag_key = tag_key.map_or(self.key, |written| written);
        found.insert("tag_key".to_owned(), json!(tag_key));
        for setting in ListSetting::ALL {
            let name = Setting::List(setting).as_str().to_owned();
            match self.fitting_list(setting) {
                Some(list) => {
                    let vanishes = match setting {
                        ListSetting::EnforcedFor | ListSetting::ReportRequiredTagFor => true,
                        ListSetting::TagValue
                        | ListSetting::ResourceTypeScope
                        | ListSetting::RegionScope
                        | ListSetting::RgScope => false,
                    };
                    if !(vanishes && list.is_empty()) {
                        found.insert(name, json!(list));
                    }
                }
                None if setting == ListSetting::TagValue && self.section == Section::Tags => {
                    found.insert(name, json!(["*"]));
                }
                None => {}
            }
        }
        if let Some(corrections) = self.correction() {
            let name = Setting::TagValueCorrection.as_str().to_owned();
            found.insert(name, written(corrections));
        }
        Value::Object(found)
    }

    /// What the policies of one node say under this key, in attach order.
    fn parts(&self, node: usize) -> Vec<&'a PolicyStatement> {
        let policies = self.chain.get(node).into_iter().flatten();
        let statements = policies.flat_map(|policy| &policy.statements);
        let here = |one: &&PolicyStatement| one.section == self.section && *one.key == *self.key;
        statements.filter(here).collect()
    }

    /// What one node may use: what all controls of all nodes above it leave.
    fn allowed(&self, node: usize, setting: Setting) -> Operators {
        let mut left = Operators::ALL;
        for above in 0..node {
            for part in self.parts(above) {
                let control = match setting {
                    Setting::TagKey => part.tag_key.as_ref().and_then(|one| one.children),
                    Setting::TagValueCorrection => {
                        part.correction.as_ref().and_then(|one| one.children)
                    }
                    Setting::List(list) => part.lists.get(&list).and_then(|one| one.children),
                };
                left = left.both(control.unwrap_or(Operators::ALL));
            }
        }
        left
    }

    /// The nearest node from below that may assign, and there the policy attached first.
    fn tag_key(&self) -> Option<&'a str> {
        (0..self.chain.len()).rev().find_map(|node| {
            let may = self.allowed(node, Setting::TagKey).holds(Operator::Assign);
            let parts = self.parts(node).into_iter();
            let mut assigned = parts.filter_map(|part| part.tag_key.as_ref()?.assign.as_deref());
            if may { assigned.next() } else { None }
        })
    }

    fn correction(&self) -> Option<&'a Corrections> {
        (0..self.chain.len()).rev().find_map(|node| {
            let allowed = self.allowed(node, Setting::TagValueCorrection);
            let parts = self.parts(node).into_iter();
            let mut assigned = parts.filter_map(|part| part.correction.as_ref()?.assign.as_ref());
            if allowed.holds(Operator::Assign) {
                assigned.next()
            } else {
                None
            }
        })
    }

    /// Security 6.4: the lowest nodes are left out until the list fits.
    fn fitting_list(&self, setting: ListSetting) -> Option<Vec<&'a str>> {
        let most = match (setting, self.section) {
            (ListSetting::RgScope, _) | (ListSetting::TagValue, Section::MatchedTags) => 20,
            _ => usize::MAX,
        };
        let tries = (0..=self.chain.len()).rev();
        let lists = tries.map(|nodes| self.list(setting, nodes));
        let mut fitting = lists.filter(|list| list.as_ref().map_or(0, Vec::len) <= most);
        fitting.next().flatten()
    }

    /// The list after the first `nodes` nodes: assign, append, remove at each.
    fn list(&self, setting: ListSetting, nodes: usize) -> Option<Vec<&'a str>> {
        let mut value: Option<Vec<&'a str>> = None;
        for node in 0..nodes {
            let clauses: Vec<&'a ListClause> = self
                .parts(node)
                .into_iter()
                .filter_map(|part| part.lists.get(&setting))
                .collect();
            if setting.is_scope() && value.is_none() && self.is_locked_above(node) {
                continue;
            }
            let allowed = self.allowed(node, Setting::List(setting));
            if allowed.holds(Operator::Assign) {
                let lists = clauses.iter().filter_map(|clause| clause.assign.as_ref());
                let mut counting =
                    lists.filter(|list| !self.is_refused(setting, list, value.as_ref()));
                if let Some(list) = counting.next() {
                    let mut assigned = Vec::new();
                    push(&mut assigned, list);
                    value = Some(assigned);
                }
            }
            if allowed.holds(Operator::Append) {
                for list in clauses.iter().filter_map(|clause| clause.append.as_ref()) {
                    if !self.is_refused(setting, list, value.as_ref()) {
                        let values = value.get_or_insert_default();
                        push(values, list);
                    }
                }
            }
            if let (Some(values), true) = (&mut value, allowed.holds(Operator::Remove)) {
                let removed = clauses.iter().filter_map(|clause| clause.remove.as_ref());
                let removed: Vec<&Arc<str>> = removed.flatten().collect();
                values.retain(|text| !removed.iter().any(|gone| ***gone == **text));
            }
        }
        value
    }

    /// Security 6.1: an empty list for a scope that is not set is refused.
    fn is_refused(
        &self,
        setting: ListSetting,
        list: &[Arc<str>],
        value: Option<&Vec<&'a str>>,
    ) -> bool {
        let unset_scope = setting.is_scope() && value.is_none();
        self.dialect == Dialect::Alibaba && unset_scope && list.is_empty()
    }

    /// Security 6.1: tag key, values or interception of the statement are locked for this node.
    fn is_locked_above(&self, node: usize) -> bool {
        let locking = [
            Setting::TagKey,
            Setting::List(ListSetting::TagValue),
            Setting::List(ListSetting::EnforcedFor),
        ];
        let mut locks = locking
            .into_iter()
            .map(|setting| self.allowed(node, setting));
        self.dialect == Dialect::Alibaba && locks.any(Operators::is_empty)
    }
}

/// Adds what is not there yet, at the end.
fn push<'a>(values: &mut Vec<&'a str>, list: &'a [Arc<str>]) {
    for text in list {
        if !values.contains(&&**text) {
            values.push(text);
        }
    }
}

fn written(corrections: &Corrections) -> Value {
    let entries = corrections.0.iter().map(|one| {
        let scope = one.scope.iter();
        let scope: Map<String, Value> = scope
            .map(|(member, value)| (member.as_str().to_owned(), json!(&**value)))
            .collect();
        let entry = json!({"value_type": "Tag", "value_scope": scope});
        (one.value.to_string(), entry)
    });
    Value::Object(entries.collect())
}
