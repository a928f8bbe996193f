//! A resource as the bytes of its row.
//!
//! The form is that of a protobuf message, so that a later format can add to it; the number of the
//! format says which fields there are. Texts were checked before they were written, and the digest
//! of a row says that they still are what they were.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use prost::Message as _;

use crate::model::account::{InvalidName, Name};
use crate::model::arn::{AccountId, Arn, InvalidArn};
use crate::model::inheritance::{InvalidRuleId, InvalidScope, RuleId};
use crate::model::resource::{Association, LiveResource, LiveTag, Provenance, Version};

/// Why bytes are no row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// They have another form.
    #[error("{0}")]
    Form(#[from] prost::DecodeError),
    /// It, its owner or a primary has no such ARN.
    #[error("{0}")]
    Arn(#[from] InvalidArn),
    /// A group has no such name.
    #[error("{0}")]
    Name(#[from] InvalidName),
    /// A rule has no such id.
    #[error("{0}")]
    Rule(#[from] InvalidRuleId),
    /// The scope of a rule is none.
    #[error("{0}")]
    Scope(#[from] InvalidScope),
    /// Something is missing.
    #[error("something is missing")]
    Incomplete,
    /// Nobody wrote this tag.
    #[error("the tag `{0}` has no known provenance")]
    Provenance(String),
}

#[derive(Clone, PartialEq, prost::Message)]
struct Row {
    #[prost(uint64, tag = "1")]
    version: u64,
    #[prost(string, optional, tag = "2")]
    account: Option<String>,
    #[prost(string, optional, tag = "3")]
    region: Option<String>,
    #[prost(string, optional, tag = "4")]
    kind: Option<String>,
    #[prost(string, optional, tag = "5")]
    group: Option<String>,
    #[prost(message, repeated, tag = "6")]
    tags: Vec<RowTag>,
    #[prost(message, repeated, tag = "7")]
    primaries: Vec<RowAssociation>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RowTag {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
    /// 0 own, 1 inherited, 2 of the group, 3 a correction.
    #[prost(uint32, tag = "3")]
    provenance: u32,
    #[prost(message, optional, tag = "4")]
    association: Option<RowAssociation>,
    #[prost(string, optional, tag = "5")]
    group: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RowAssociation {
    #[prost(string, tag = "1")]
    primary: String,
    #[prost(string, tag = "2")]
    rule: String,
}

/// Texts that many rows share: each is kept once while a store is read.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<Arc<str>, foldhash::fast::RandomState>);

impl Names {
    /// The most texts that are kept, and the longest of them, in bytes.
    const MOST: usize = 1 << 16;

    fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = Arc::from(text);
        if self.0.len() < Self::MOST {
            self.0.insert(Arc::clone(&text));
        }
        text
    }
}

/// Adds the bytes of a resource to those that are there.
pub(super) fn encode(resource: &LiveResource, bytes: &mut Vec<u8>) {
    let LiveResource {
        arn: _,
        account,
        region,
        kind,
        group,
        version,
        tags,
        primaries,
    } = resource;
    let row = Row {
        version: version.0,
        account: account.as_ref().map(ToString::to_string),
        region: region.as_deref().map(str::to_owned),
        kind: kind.as_deref().map(str::to_owned),
        group: group.as_ref().map(ToString::to_string),
        tags: tags.iter().map(|(key, tag)| written(key, tag)).collect(),
        primaries: primaries.iter().map(RowAssociation::from).collect(),
    };
    bytes.reserve(row.encoded_len());
    row.encode_raw(bytes);
}

fn written(key: &str, tag: &LiveTag) -> RowTag {
    let LiveTag { value, provenance } = tag;
    let (provenance, association, group) = match provenance {
        Provenance::Own => (0, None, None),
        Provenance::Inherited(association) => (1, Some(association.into()), None),
        Provenance::Group(group) => (2, None, Some(group.to_string())),
        Provenance::Correction => (3, None, None),
    };
    RowTag {
        key: key.to_owned(),
        value: value.to_string(),
        provenance,
        association,
        group,
    }
}

impl From<&Association> for RowAssociation {
    fn from(association: &Association) -> Self {
        let Association { primary, rule } = association;
        Self {
            primary: primary.to_string(),
            rule: rule.to_string(),
        }
    }
}

impl TryFrom<RowAssociation> for Association {
    type Error = RowError;

    fn try_from(row: RowAssociation) -> Result<Self, RowError> {
        let RowAssociation { primary, rule } = row;
        Ok(Self {
            primary: Arn::try_from(&*primary)?,
            rule: RuleId::try_from(&*rule)?,
        })
    }
}

/// The resource of an ARN, from the bytes of its row.
pub(super) fn decode(arn: &str, bytes: &[u8], names: &mut Names) -> Result<LiveResource, RowError> {
    let Row {
        version,
        account,
        region,
        kind,
        group,
        tags,
        primaries,
    } = Row::decode(bytes)?;
    let mut kept = BTreeMap::new();
    for row in tags {
        let (key, tag) = read(row, names)?;
        kept.insert(key, tag);
    }
    Ok(LiveResource {
        arn: Arn::try_from(arn)?,
        account: account.as_deref().map(AccountId::try_from).transpose()?,
        region: region.map(|region| names.share(&region)),
        kind: kind.map(String::into_boxed_str),
        group: group.as_deref().map(Name::try_from).transpose()?,
        version: Version(version),
        tags: kept,
        primaries: primaries
            .into_iter()
            .map(Association::try_from)
            .collect::<Result<_, _>>()?,
    })
}

fn read(row: RowTag, names: &mut Names) -> Result<(Arc<str>, LiveTag), RowError> {
    let RowTag {
        key,
        value,
        provenance,
        association,
        group,
    } = row;
    let provenance = match (provenance, association, group) {
        (0, None, None) => Provenance::Own,
        (1, Some(association), None) => Provenance::Inherited(association.try_into()?),
        (2, None, Some(group)) => Provenance::Group(Name::try_from(&*group)?),
        (3, None, None) => Provenance::Correction,
        (_, _, _) => return Err(RowError::Provenance(key)),
    };
    let value = names.share(&value);
    Ok((names.share(&key), LiveTag { value, provenance }))
}
