//! Associated inheritance: which resources take tags from which, and since when (tag-policy 4).
//!
//! A rule is defined once: the two types and what triggers it. Whether it is in force is the
//! account's affair, and so is which keys it carries. Ids are opaque: their spelling follows the
//! console's, which is irregular.
//!
//! Not here: what an event writes (`tagging`), and how documents spell all this (`document`).

mod in_force;

pub use in_force::{RuleInForce, RulesInForce};

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::arn::{AccountId, Arn};
use super::tag::check_key;
use super::text::InvalidTagText;

/// The most resources that an account excludes from `rg_inherit` (tag-policy 3.4).
pub const MAX_EXCLUDED: usize = 20;
/// The most keys in the scope of a rule (tag-policy 4.2).
pub const MAX_SCOPE_KEYS: usize = 50;
/// The longest id of a rule, in bytes.
pub const MAX_RULE_ID_BYTES: usize = 128;
/// The role in whose name inherited tags are written (tag-policy 8).
pub const SERVICE_ROLE: &str = "AliyunServiceRoleForTag";
/// The service that assumes [`SERVICE_ROLE`].
pub const SERVICE_NAME: &str = "tag.aliyuncs.com";

/// The id of a rule, and so the kind of an association:
/// `rule:AttachDisk-DetachDisk-TagInstance:Ecs-Instance:Ecs-Disk`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(Arc<str>);

/// Why a text is no id of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of 1 to {MAX_RULE_ID_BYTES} letters, digits, `-`, `_`, `.` and `:`")]
pub struct InvalidRuleId;

impl RuleId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, shared.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl TryFrom<&str> for RuleId {
    type Error = InvalidRuleId;

    fn try_from(text: &str) -> Result<Self, InvalidRuleId> {
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        if (1..=MAX_RULE_ID_BYTES).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(Arc::from(text)))
        } else {
            Err(InvalidRuleId)
        }
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a rule is: shipped, or the operator's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDefinition {
    /// The type whose tags are taken, in lower case: `ecs:instance`.
    pub primary: Box<str>,
    /// The type that takes them, in lower case.
    pub associated: Box<str>,
    /// Whether making an association brings tags.
    pub on_associate: OnAssociate,
    /// Whether ending one takes them away.
    pub on_dissociate: OnDissociate,
    /// Whether associations that are there already can be filled when the rule is enabled.
    pub existing: ExistingSupport,
}

/// What making an association does. An edit of the primary's tags follows in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnAssociate {
    /// The associated resource takes the tags of its primary.
    Inherit,
    /// Nothing: the tags come with the next edit of the primary.
    Nothing,
}

/// What ending an association does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnDissociate {
    /// The inherited tags are deleted.
    Delete,
    /// They stay (tag-policy 7, rule 45).
    Keep,
}

/// Whether a rule can fill associations that were there before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExistingSupport {
    /// It can.
    Supported,
    /// It cannot: the switch has no effect.
    Unsupported,
}

/// A rule as an account has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSetting {
    /// Whether it is in force.
    pub status: Status,
    /// Which keys it carries.
    pub scope: TagScope,
    /// Whether associations that were there are filled once when it is enabled.
    pub existing: ApplyToExisting,
    /// On whose authority it writes.
    pub authority: Authority,
}

/// Whether a rule, or the feature, is in force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// It is.
    Enabled,
    /// It is not.
    #[default]
    Disabled,
}

/// The keys that a rule carries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TagScope {
    /// All.
    #[default]
    All,
    /// These, in the order of bytes; none stands twice, and there is at least one.
    Keys(Box<[Arc<str>]>),
}

/// Why keys are no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidScope {
    /// More than [`MAX_SCOPE_KEYS`].
    #[error("more than {MAX_SCOPE_KEYS} tag keys")]
    TooMany,
    /// A key that stands twice.
    #[error("tag key `{0}` is given twice")]
    Duplicate(Arc<str>),
    /// A text that is no key.
    #[error("tag key `{key}`: {problem}")]
    Key {
        /// The text.
        key: Arc<str>,
        /// What is wrong with it.
        problem: InvalidTagText,
    },
}

impl TagScope {
    /// The scope of these keys; no key means all (tag-policy 4.2).
    ///
    /// # Errors
    ///
    /// When there are too many, one stands twice, or one is no tag key.
    pub fn new<'k>(keys: impl IntoIterator<Item = &'k str>) -> Result<Self, InvalidScope> {
        let mut kept: Vec<Arc<str>> = Vec::new();
        for key in keys {
            let key: Arc<str> = Arc::from(key);
            check_key(&key).map_err(|problem| InvalidScope::Key {
                key: Arc::clone(&key),
                problem,
            })?;
            if kept.contains(&key) {
                return Err(InvalidScope::Duplicate(key));
            }
            if kept.len() == MAX_SCOPE_KEYS {
                return Err(InvalidScope::TooMany);
            }
            kept.push(key);
        }
        kept.sort_unstable();
        Ok(if kept.is_empty() {
            Self::All
        } else {
            Self::Keys(kept.into_boxed_slice())
        })
    }

    /// Whether a key is carried.
    pub fn holds(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Keys(_) => self.names(key),
        }
    }

    /// Whether a key is named, rather than carried with all others.
    pub fn names(&self, key: &str) -> bool {
        match self {
            Self::All => false,
            Self::Keys(keys) => keys.iter().any(|named| **named == *key),
        }
    }
}

/// Whether enabling a rule fills the associations that are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ApplyToExisting {
    /// They are filled once, in the background.
    Yes,
    /// They wait for the next edit of their primary.
    #[default]
    No,
}

/// On whose authority inherited tags are written (security 5.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Authority {
    /// The service-linked role's: whoever may tag the primary tags the associated.
    #[default]
    ServiceRole,
    /// The causing principal's: each associated resource is checked like a tag write.
    Principal,
}

/// Associated inheritance in one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountInheritance {
    /// Whether the feature is on. Off, no rule acts, and tags that are there stay.
    pub feature: Status,
    /// The regions in which it works; `None`: all of the catalog's list.
    pub regions: Option<Box<[Arc<str>]>>,
    /// The rules that were set.
    pub rules: BTreeMap<RuleId, RuleSetting>,
    /// The resources that take nothing from their resource group, in order (tag-policy 3.4).
    pub excluded: Box<[Arn]>,
}

/// Associated inheritance as authored: definitions, and what each account made of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inheritance {
    /// The rules that there are: the shipped ones and the operator's own.
    pub definitions: BTreeMap<RuleId, RuleDefinition>,
    /// What the accounts have set; an account that is not here has the feature off.
    pub accounts: BTreeMap<AccountId, Arc<AccountInheritance>>,
}

impl Inheritance {
    /// What the account that owns a resource has set.
    pub fn of(&self, owner: Option<&str>) -> Option<&AccountInheritance> {
        self.accounts.get(owner?).map(|own| &**own)
    }
}

impl AccountInheritance {
    /// The setting of a rule that is in force, as far as the account has a say.
    pub fn in_force(&self, rule: &RuleId) -> Option<&RuleSetting> {
        let setting = self.rules.get(rule)?;
        let is_on = self.feature == Status::Enabled && setting.status == Status::Enabled;
        is_on.then_some(setting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_bounded_and_its_keys_differ() {
        let keys: Vec<String> = (0..=MAX_SCOPE_KEYS).map(|n| format!("k{n}")).collect();
        let most = keys.iter().skip(1).map(String::as_str);
        assert!(TagScope::new(most).unwrap().names("k50"));
        let more = keys.iter().map(String::as_str);
        assert_eq!(TagScope::new(more), Err(InvalidScope::TooMany));
        assert_eq!(TagScope::new([]), Ok(TagScope::All));
        let twice = TagScope::new(["a", "a"]);
        assert_eq!(twice, Err(InvalidScope::Duplicate("a".into())));
        assert!(matches!(TagScope::new([""]), Err(InvalidScope::Key { .. })));
        assert!(TagScope::All.holds("x") && !TagScope::All.names("x"));
    }

    #[test]
    fn ids_of_rules_are_opaque_and_bounded() {
        let shipped = "rule:UpdateLoadBalancerZones-UpdateLoadBalancerAddressTypeConfig-TagNlb:\
                       Nlb-Loadbalancer:Vpc-Eip";
        assert_eq!(RuleId::try_from(shipped).unwrap().as_str(), shipped);
        let long = "r".repeat(MAX_RULE_ID_BYTES + 1);
        for text in ["", "a/b", "a b", "ä", &*long] {
            assert_eq!(RuleId::try_from(text), Err(InvalidRuleId), "{text}");
        }
    }
}
