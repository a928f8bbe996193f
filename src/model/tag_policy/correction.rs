//! `tag_value_correction`: which value a wrong or missing one is replaced by, and where.

use std::sync::Arc;

use super::effective::AllowedValues;

/// The map of one setting, in the order written; no target value stands twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Corrections(pub Vec<Correction>);

/// One target value with its scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The value to write.
    pub value: Arc<str>,
    /// What a resource must have; all of it (tag-policy 7, rule 26). Empty: every resource.
    pub scope: Vec<(ScopeMember, Arc<str>)>,
}

/// What a member of a `value_scope` looks at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScopeMember {
    /// `acs:rm:rgId`: the resource group.
    ResourceGroup,
    /// Any other name: a tag of the same resource.
    Tag(Arc<str>),
}

impl ScopeMember {
    /// The name of the resource group in documents.
    pub const RESOURCE_GROUP: &'static str = "acs:rm:rgId";

    /// The name in documents.
    pub fn as_str(&self) -> &str {
        match self {
            Self::ResourceGroup => Self::RESOURCE_GROUP,
            Self::Tag(key) => key,
        }
    }
}

impl From<&str> for ScopeMember {
    fn from(name: &str) -> Self {
        if name == Self::RESOURCE_GROUP {
            Self::ResourceGroup
        } else {
            Self::Tag(Arc::from(name))
        }
    }
}

impl Corrections {
    /// Puts the entries in the order in which they are tried (tag-policy 7, rule 25): those whose
    /// value is listed first, in the order of the list, then the others in the order of bytes.
    pub fn sort(&mut self, values: &AllowedValues) {
        let place = |value: &str| match values {
            AllowedValues::Listed(listed) => listed
                .iter()
                .position(|pattern| pattern.as_str() == value)
                .unwrap_or(usize::MAX),
            AllowedValues::Unset | AllowedValues::Matched(_) => usize::MAX,
        };
        self.0.sort_by(|left, right| {
            let places = place(&left.value).cmp(&place(&right.value));
            places.then_with(|| left.value.cmp(&right.value))
        });
    }
}

impl Correction {
    /// Whether some resource can be in the scope of both: no member asks for two values.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.scope.iter().all(|(member, value)| {
            let mut others = other.scope.iter();
            !others.any(|(name, asked)| name == member && asked != value)
        })
    }

    /// The scope in an order that does not depend on how it was written.
    pub fn sorted_scope(&self) -> Vec<(ScopeMember, Arc<str>)> {
        let mut scope = self.scope.clone();
        scope.sort();
        scope
    }
}
