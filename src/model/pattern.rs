//! Wildcards as written: `*` is any number of characters, `?` exactly one (ram 1.4).
//!
//! There is no escape. How a pattern is matched fast is the snapshot's affair.

use arrayvec::ArrayVec;

use super::action::MAX_ACTION_BYTES;
use super::arn::MAX_ARN_BYTES;
use super::text::{Class, split_at_byte};

/// The most wildcards that one pattern may hold.
pub const MAX_WILDCARDS: usize = 32;

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// Nothing is written.
    #[error("empty")]
    Empty,
    /// More bytes than the limit.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The most bytes that are taken.
        limit: usize,
    },
    /// More than [`MAX_WILDCARDS`].
    #[error("more than {MAX_WILDCARDS} wildcards")]
    TooManyWildcards,
    /// Not `*` and not `<service>:<name>`.
    #[error("neither `*` nor `<service>:<name>`")]
    ActionShape,
    /// Not `*` and not an ARN of five fields, or of four where that is accepted.
    #[error("neither `*` nor an ARN `acs:<service>:<region>:<account>:<relative-id>`")]
    ArnShape,
    /// The service field of an ARN is empty.
    #[error("the service field is empty")]
    ArnService,
    /// Four fields, with a third that is neither `*` nor a known region.
    #[error("the account field is missing, and the region field is neither `*` nor a known region")]
    ArnAccountMissing,
}

/// Text with wildcards.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// Reads a pattern of at most `limit` bytes. The empty pattern matches the empty text.
    ///
    /// # Errors
    ///
    /// The limit that the text is over.
    pub fn parse(text: &str, limit: usize) -> Result<Self, InvalidPattern> {
        check(text, limit)?;
        Ok(Self(text.into()))
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same pattern in lower case, ASCII letters only.
    #[must_use]
    pub fn to_ascii_lowercase(&self) -> Self {
        Self(self.0.to_ascii_lowercase().into())
    }

    /// Whether a wildcard stands in it.
    pub fn has_wildcard(&self) -> bool {
        has_wildcard(&self.0)
    }
}

fn check(text: &str, limit: usize) -> Result<(), InvalidPattern> {
    if text.len() > limit {
        return Err(InvalidPattern::TooLong { limit });
    }
    let wildcards = text.bytes().filter(|byte| is_wildcard(*byte)).count();
    if wildcards > MAX_WILDCARDS {
        return Err(InvalidPattern::TooManyWildcards);
    }
    Ok(())
}

/// Whether the text holds `*` or `?`.
pub fn has_wildcard(text: &str) -> bool {
    text.bytes().any(is_wildcard)
}

fn is_wildcard(byte: u8) -> bool {
    matches!(byte, b'*' | b'?')
}

/// A pattern of actions, in lower case: `*`, or `<service>:<name>` with wildcards in both.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ActionPattern {
    /// `*`.
    All,
    /// Service and name.
    Named {
        /// The service part, in lower case.
        service: Pattern,
        /// The name part, in lower case.
        name: Pattern,
    },
}

impl ActionPattern {
    /// Reads a pattern of actions.
    ///
    /// # Errors
    ///
    /// When the text is neither `*` nor `<service>:<name>`, or is over a limit.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        if text == "*" {
            return Ok(Self::All);
        }
        check(text, MAX_ACTION_BYTES)?;
        if text.is_empty() {
            return Err(InvalidPattern::Empty);
        }
        let lower = |part: &str| Pattern(part.to_ascii_lowercase().into());
        match split_at_byte(text, b':') {
            Some((service, name)) if is_action_text(service) && is_action_text(name) => {
                Ok(Self::Named {
                    service: lower(service),
                    name: lower(name),
                })
            }
            _ => Err(InvalidPattern::ActionShape),
        }
    }

    /// Whether some action can match: names hold letters and digits alone.
    pub fn can_match(&self) -> bool {
        match self {
            Self::All => true,
            Self::Named { name, .. } => !name.0.contains('-'),
        }
    }
}

fn is_action_text(text: &str) -> bool {
    !text.is_empty() && Class::ACTION_PATTERN.covers(text)
}

/// A pattern of resources, matched field by field: no `*` reaches over a colon into the next field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ResourcePattern {
    /// `*`: every resource.
    All,
    /// Five fields; the account is absent in the four-field form of older policies.
    Arn {
        /// The service field.
        service: Pattern,
        /// The region field.
        region: Pattern,
        /// The account field.
        account: AccountPattern,
        /// The relative id.
        id: Pattern,
    },
}

/// The account field of a resource pattern (security 7.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AccountPattern {
    /// As written: empty, digits, or with wildcards. A placeholder matches nothing.
    Field(Pattern),
    /// Four fields were written: in an Allow the policy's own account, in a Deny any.
    Missing,
}

impl ResourcePattern {
    /// Reads a pattern of resources. `four_fields` says whether the four-field form is accepted
    /// for a service and region.
    ///
    /// # Errors
    ///
    /// When the text is neither `*` nor an ARN, or is over a limit.
    pub fn parse(
        text: &str,
        four_fields: impl Fn(&str, &str) -> bool,
    ) -> Result<Self, InvalidPattern> {
        if text.is_empty() {
            return Err(InvalidPattern::Empty);
        }
        if text == "*" {
            return Ok(Self::All);
        }
        check(text, MAX_ARN_BYTES)?;
        let fields = fields(text);
        let field = |text: &str| Pattern(text.into());
        match fields.as_slice() {
            ["acs", "", ..] => Err(InvalidPattern::ArnService),
            ["acs", service, region, account, id] if !id.is_empty() => Ok(Self::Arn {
                service: field(service),
                region: field(region),
                account: AccountPattern::Field(field(account)),
                id: field(id),
            }),
            ["acs", service, region, id] if !id.is_empty() => {
                if !four_fields(service, region) {
                    return Err(InvalidPattern::ArnAccountMissing);
                }
                Ok(Self::Arn {
                    service: field(service),
                    region: field(region),
                    account: AccountPattern::Missing,
                    id: field(id),
                })
            }
            _ => Err(InvalidPattern::ArnShape),
        }
    }

    /// Whether some request ARN can match: the first three fields hold only what ARNs hold.
    /// Placeholders such as `<account-id>` or `1234****` with letters do not.
    pub fn can_match(&self) -> bool {
        match self {
            Self::All => true,
            Self::Arn {
                service,
                region,
                account,
                ..
            } => {
                let name = |byte: u8| {
                    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-') || is_wildcard(byte)
                };
                let digit = |byte: u8| byte.is_ascii_digit() || is_wildcard(byte);
                let account = match account {
                    AccountPattern::Field(field) => field.0.bytes().all(digit),
                    AccountPattern::Missing => true,
                };
                account && service.0.bytes().all(name) && region.0.bytes().all(name)
            }
        }
    }
}

/// The fields of an ARN: at most five, the last with all colons that are left.
fn fields(text: &str) -> ArrayVec<&str, 5> {
    let mut fields = ArrayVec::new();
    let mut rest = text;
    while fields.remaining_capacity() > 1
        && let Some((field, further)) = split_at_byte(rest, b':')
    {
        fields.push(field);
        rest = further;
    }
    fields.push(rest);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn action_patterns() {
        let check = |text: &str, expected: Result<bool, InvalidPattern>| {
            assert_eq!(
                ActionPattern::parse(text).map(|found| found.can_match()),
                expected,
                "{text}"
            );
        };
        check("*", Ok(true));
        check("RAM:*", Ok(true));
        check("*:Describe*", Ok(true));
        check("dataworks:get-project", Ok(false));
        check("", Err(InvalidPattern::Empty));
        check("ecs", Err(InvalidPattern::ActionShape));
        check("ecs: Run", Err(InvalidPattern::ActionShape));
        check("[ECS RAM Action]", Err(InvalidPattern::ActionShape));
    }

    #[test]
    fn resource_patterns() {
        let check = |text: &str, expected: Result<bool, InvalidPattern>| {
            let found = ResourcePattern::parse(text, |_, region| region == "*");
            assert_eq!(found.map(|found| found.can_match()), expected, "{text}");
        };
        check("*", Ok(true));
        check("acs:*:*cn-beijing*:*:*", Ok(true));
        check("acs:odps:*:projects/p", Ok(true));
        check(
            "acs:odps:nowhere:projects/p",
            Err(InvalidPattern::ArnAccountMissing),
        );
        check("acs:kms:*:<account>:key/*", Ok(false));
        check("acs:oss:{region-id}:1:b", Ok(false));
        check("acs::ram::*", Err(InvalidPattern::ArnService));
        check("acs:ecs:*", Err(InvalidPattern::ArnShape));
        check("", Err(InvalidPattern::Empty));
    }
}
