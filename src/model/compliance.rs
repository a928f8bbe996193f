//! Compliance with tag policies: the question, and the codes of the answer (tag-policy 3).
//!
//! What engine and reference evaluator share. The owned question is what a case file, the command
//! line and the reference use; the server asks the engine with borrowed parts.

use std::collections::BTreeMap;
use std::fmt;

use super::organization::TagMode;

/// Do the tags of this resource comply after this operation?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggingQuestion {
    /// The type `service:resource`.
    pub resource_type: String,
    /// The region; `None`: not known.
    pub region: Option<String>,
    /// The resource group; `None`: not known. `Some(None)`: it is in none.
    pub group: Option<Option<String>>,
    /// The tags before the operation; none on create.
    pub current: Vec<(String, String)>,
    /// What is done.
    pub operation: TaggingOperation,
    /// What the resource may take from its group.
    pub inheritance: Inheritance,
    /// Whether the resource carried a tag before.
    pub history: TagHistory,
}

/// What is done with tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaggingOperation {
    /// Nothing: the tags are looked at as they are.
    Detect,
    /// A resource is made with these tags.
    Create(Vec<(String, String)>),
    /// Tags are set and keys are removed.
    Write {
        /// The tags that are added or overwritten.
        set: Vec<(String, String)>,
        /// The keys that are removed; none of them is set.
        removed: Vec<String>,
    },
}

/// The tags that a resource may take from its resource group (tag-policy 3.4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Inheritance {
    /// The tags of the group are not known: nothing is said of inheritance.
    #[default]
    Unknown,
    /// The resource is excluded from it.
    Excluded,
    /// The group has these tags.
    Group(Vec<(String, String)>),
}

/// Whether a resource ever carried a tag: AWS judges no others (tag-policy 3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum TagHistory {
    /// Only what it carries now tells.
    #[default]
    Unknown,
    /// It did.
    Tagged,
}

/// What is wrong with a tag. The order is that of the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ViolationCode {
    /// The key is there in another case.
    KeyCase,
    /// The key is absent.
    Missing,
    /// The statement is over a limit, and writes under it are refused (security 6.4).
    OverLimit,
    /// The tag of the resource group is not inherited.
    RgTagNotInherited,
    /// The value is not allowed.
    Value,
    /// The value matches no expression.
    ValueRegex,
}

impl ViolationCode {
    /// All of them, in their order.
    pub const ALL: [Self; 6] = [
        Self::KeyCase,
        Self::Missing,
        Self::OverLimit,
        Self::RgTagNotInherited,
        Self::Value,
        Self::ValueRegex,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeyCase => "KEY_CASE",
            Self::Missing => "MISSING",
            Self::OverLimit => "OVER_LIMIT",
            Self::RgTagNotInherited => "RG_TAG_NOT_INHERITED",
            Self::Value => "VALUE",
            Self::ValueRegex => "VALUE_REGEX",
        }
    }
}

impl fmt::Display for ViolationCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What the tags of one resource come to for one key that a tag policy asks for: the worst that is
/// found. The order is from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyOutcome {
    /// Nothing is wrong.
    Compliant,
    /// The tag of the resource group is not inherited.
    NotInherited,
    /// The key is there in another case.
    WrongCase,
    /// The value is not allowed.
    WrongValue,
    /// The key is absent.
    Missing,
}

impl KeyOutcome {
    /// All of them, in the order of their places.
    pub const ALL: [Self; 5] = [
        Self::Compliant,
        Self::NotInherited,
        Self::WrongCase,
        Self::WrongValue,
        Self::Missing,
    ];

    /// What a violation comes to; `None`: it is of writes alone.
    pub fn of(code: ViolationCode) -> Option<Self> {
        match code {
            ViolationCode::KeyCase => Some(Self::WrongCase),
            ViolationCode::Missing => Some(Self::Missing),
            ViolationCode::OverLimit => None,
            ViolationCode::RgTagNotInherited => Some(Self::NotInherited),
            ViolationCode::Value | ViolationCode::ValueRegex => Some(Self::WrongValue),
        }
    }

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compliant => "compliant",
            Self::NotInherited => "not_inherited",
            Self::WrongCase => "wrong_case",
            Self::WrongValue => "wrong_value",
            Self::Missing => "missing",
        }
    }

    /// Its place among all.
    pub fn place(self) -> usize {
        self as usize
    }
}

/// What tags come to, owned: what cases expect and evaluators agree on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaggingAnswer {
    /// Whether any statement applied.
    pub evaluated: bool,
    /// What is wrong, by code and key; none twice.
    pub violations: Vec<(ViolationCode, String)>,
    /// Whether the operation is intercepted.
    pub intercepted: bool,
    /// What a repair writes; `None`: the tag is removed.
    pub corrected: BTreeMap<String, Option<String>>,
}

/// What tags come to in all three stages (security 6.3), owned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StagedAnswer {
    /// Whether any statement of any stage applied.
    pub evaluated: bool,
    /// What is wrong, with the furthest stage that finds it.
    pub violations: BTreeMap<(ViolationCode, String), TagMode>,
    /// Whether the policies that enforce intercept the operation.
    pub intercepted: bool,
    /// What a repair writes, by the policies that enforce.
    pub corrected: BTreeMap<String, Option<String>>,
}
