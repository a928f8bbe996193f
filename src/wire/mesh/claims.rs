//! Metadata of the proxy's filters, as routes read it.

use prost_types::value::Kind;
use prost_types::{Struct, Value};

use crate::model::route::source::Claim;
use crate::routing::{Claimed, Claims};
use crate::wire::envoy::config::core::v3::Metadata;

impl Claims for Metadata {
    fn claim(&self, claim: &Claim) -> Claimed<'_> {
        let Some((last, before)) = claim.path.split_last() else {
            return Claimed::Absent;
        };
        let Some(mut members) = self.filter_metadata.get(&*claim.filter) else {
            return Claimed::Absent;
        };
        for name in before {
            match kind(members, name) {
                None => return Claimed::Absent,
                Some(Kind::StructValue(below)) => members = below,
                Some(_) => return Claimed::Other,
            }
        }
        match kind(members, last) {
            None => Claimed::Absent,
            Some(Kind::StringValue(text)) => Claimed::Text(text),
            Some(Kind::BoolValue(flag)) => Claimed::Flag(*flag),
            Some(_) => Claimed::Other,
        }
    }
}

fn kind<'m>(members: &'m Struct, name: &str) -> Option<&'m Kind> {
    let Value { kind } = members.fields.get(name)?;
    kind.as_ref()
}

/// No metadata was sent.
#[derive(Debug)]
pub(super) struct NoMetadata;

impl Claims for NoMetadata {
    fn claim(&self, _: &Claim) -> Claimed<'_> {
        Claimed::Absent
    }
}
