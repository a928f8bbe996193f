//! Cases of associated inheritance: a sequence of events, and the tags that they end in.

mod step;

pub use step::{Pair, Step};

use std::collections::{BTreeMap, BTreeSet};

use self::step::{pairs, step};
use crate::document::bundle::entry::list;
use crate::document::cursor::{self, Cursor, Sink, Told};
use crate::document::error::Limit;
use crate::document::settings::settings;
use crate::document::tag_policy::tag_policy;
use crate::model::settings::Settings;
use crate::model::tag_policy::{Dialect, TagPolicy};

/// One case.
#[derive(Debug, Clone, PartialEq)]
pub struct AssociationCase {
    /// Its name in the file.
    pub id: String,
    /// The line that it stands on.
    pub line: usize,
    /// The switches.
    pub settings: Settings,
    /// The tag policy that enforces; `None`: there is no organization.
    pub policy: Option<TagPolicy>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The tags that resources end with, by their names in the case.
    pub expected: BTreeMap<String, BTreeMap<String, String>>,
    /// What could not be written: resource and key. A resource that is refused has no key.
    pub expected_failed: BTreeSet<(String, Option<String>)>,
}

const STEPS: Limit = Limit {
    what: "steps",
    most: 1_000,
    code: "TOO_MANY_STEPS",
};

const MEMBERS: [&str; 9] = [
    "id",
    "source",
    "evidence",
    "settings",
    "tag_policy",
    "steps",
    "expect",
    "expect_failed",
    "why",
];

/// Reads a case.
pub(super) fn read(
    at: &Cursor<'_, '_>,
    line: usize,
    sink: &mut Sink<'_>,
) -> Result<AssociationCase, Told> {
    let members = at.members(&MEMBERS, sink)?;
    let id = members
        .required("id", sink)
        .and_then(|at| at.text(sink).map(str::to_owned));
    let settings = members.optional("settings").map(|at| settings(&at, sink));
    let policy = members
        .optional("tag_policy")
        .map(|at| tag_policy(&at, Dialect::Alibaba, sink));
    let steps = members.required("steps", sink).and_then(|at| {
        let items = at.some_items(STEPS, sink)?;
        cursor::all(items, |at| step(&at, sink))
    });
    let expected = members
        .required("expect", sink)
        .and_then(|at| expected(&at, sink));
    let failed = list(members.optional("expect_failed"), sink, failed);
    Ok(AssociationCase {
        id: id?,
        line,
        settings: settings.transpose()?.unwrap_or_default(),
        policy: policy.transpose()?,
        steps: steps?,
        expected: expected?,
        expected_failed: failed?.into_iter().collect(),
    })
}

fn expected(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, Told> {
    let entries = at.entries(sink)?;
    let read = cursor::all(entries, |(name, at)| {
        let tags = pairs(&at, sink)?;
        Ok((name.to_owned(), tags.into_iter().collect()))
    });
    Ok(read?.into_iter().collect())
}

/// `["d", "env"]`, or `["d"]` for a resource that is refused as a whole.
fn failed(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<(String, Option<String>), Told> {
    let mut items = at.items(sink)?;
    let (Some(id), key, None) = (items.next(), items.next(), items.next()) else {
        return Err(at.unexpected("a resource, and a key where it is about one", sink));
    };
    let key = key.map(|at| at.text(sink).map(str::to_owned)).transpose();
    Ok((id.text(sink)?.to_owned(), key?))
}
