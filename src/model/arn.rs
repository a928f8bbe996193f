//! ARNs of resources and principals: `acs:<service>:<region>:<account>:<relative-id>`.
//!
//! Both forms are borrowed views of text that was checked once; [`Arn`] owns its text.
//! Identifiers compare byte for byte, and no field can swallow another (security 2.10, ram 1.5).

mod principal;

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

pub use self::principal::PrincipalRef;
pub(crate) use self::principal::{is_identity_name, is_service_principal};
use super::text::Class;

/// The longest ARN that is taken, in bytes.
pub const MAX_ARN_BYTES: usize = 1_024;

/// The most digits of an account.
const MAX_ACCOUNT_BYTES: usize = 32;

/// The number of an account: 1 to 32 digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(Arc<str>);

impl AccountId {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Maps by account are asked with digits.
impl Borrow<str> for AccountId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<&str> for AccountId {
    type Error = InvalidArn;

    fn try_from(text: &str) -> Result<Self, InvalidArn> {
        if is_account(text) {
            Ok(Self(Arc::from(text)))
        } else {
            Err(InvalidArn::Account)
        }
    }
}

/// Why a text is no ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidArn {
    /// Longer than [`MAX_ARN_BYTES`].
    #[error("longer than {MAX_ARN_BYTES} bytes")]
    TooLong,
    /// Not `acs:` and four further fields.
    #[error("not of the form `acs:<service>:<region>:<account>:<relative-id>`")]
    Shape,
    /// The service is not lower-case letters, digits and hyphens.
    #[error("the service field must be lower-case letters, digits and `-`")]
    Service,
    /// The region is not empty, `*`, or lower-case letters, digits and hyphens.
    #[error("the region field must be empty, `*`, or lower-case letters, digits and `-`")]
    Region,
    /// The account is not empty, `*`, or digits.
    #[error("the account field must be empty, `*`, or 1 to 32 digits")]
    Account,
    /// The relative id is empty, or holds a control character.
    #[error("the relative id is empty or holds a control character")]
    Id,
    /// A wildcard stands elsewhere than as the whole region or the whole last segment of the id.
    #[error("`*` or `?` is taken only as the whole region or the whole last segment of the id")]
    Wildcard,
    /// No principal has this ARN.
    #[error("not the ARN of a principal")]
    Principal,
}

/// What a request asks about: one ARN, or everything (`*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceName<'a> {
    /// The ARN `*`: actions without resource-level permission.
    All,
    /// One ARN.
    Arn(ArnRef<'a>),
}

impl<'a> ResourceName<'a> {
    /// Reads the ARN of a request.
    ///
    /// # Errors
    ///
    /// The first rule of security 2.10 and 7.2 that the text breaks.
    pub fn parse(text: &'a str) -> Result<Self, InvalidArn> {
        if text == "*" {
            Ok(Self::All)
        } else {
            ArnRef::parse(text).map(Self::Arn)
        }
    }

    /// The text as sent.
    pub fn as_str(&self) -> &'a str {
        match self {
            Self::All => "*",
            Self::Arn(arn) => arn.text,
        }
    }

    /// Whether one existing resource can bear this name.
    pub fn is_concrete(&self) -> bool {
        match self {
            Self::All => false,
            Self::Arn(arn) => arn.is_concrete(),
        }
    }
}

/// A checked ARN, borrowed: five fields, wildcards only where security 2.10 allows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArnRef<'a> {
    text: &'a str,
    service: &'a str,
    region: &'a str,
    account: &'a str,
    id: &'a str,
}

impl<'a> ArnRef<'a> {
    /// Reads an ARN with five fields.
    ///
    /// # Errors
    ///
    /// The first rule that the text breaks.
    pub fn parse(text: &'a str) -> Result<Self, InvalidArn> {
        match Self::usual(text) {
            Some(arn) => Ok(arn),
            None => Self::any(text),
        }
    }

    /// Reads an ARN as nearly all are, by one look at each byte: without a wildcard but at the end,
    /// and of ASCII.
    fn usual(text: &'a str) -> Option<Self> {
        let (service, rest) = Class::FIELD.before_colon(text.strip_prefix("acs:")?)?;
        let (region, rest) = Class::FIELD.before_colon(rest)?;
        let (account, id) = account_before_colon(rest)?;
        let fixed = id.strip_suffix("/*").unwrap_or(id);
        let is_usual = text.len() <= MAX_ARN_BYTES
            && account.len() <= MAX_ACCOUNT_BYTES
            && !service.is_empty()
            && !id.is_empty()
            && Class::FIXED.covers(fixed);
        is_usual.then_some(Self {
            text,
            service,
            region,
            account,
            id,
        })
    }

    /// Reads any ARN, or tells what is wrong with it.
    #[inline(never)]
    fn any(text: &'a str) -> Result<Self, InvalidArn> {
        if text.len() > MAX_ARN_BYTES {
            return Err(InvalidArn::TooLong);
        }
        let (service, region, account, id) = fields(text).ok_or(InvalidArn::Shape)?;
        check_fields(service, region, account)?;
        check_id(id)?;
        Ok(Self {
            text,
            service,
            region,
            account,
            id,
        })
    }

    /// The fields of a text that was read before: they are looked for, and not checked again.
    pub(crate) fn of_checked(text: &'a str) -> Self {
        let (service, region, account, id) = fields(text).unwrap_or_default();
        Self {
            text,
            service,
            region,
            account,
            id,
        }
    }

    /// The same with a text of its own.
    pub fn to_arn(self) -> Arn {
        Arn {
            text: Arc::from(self.text),
            lengths: [self.service, self.region, self.account].map(str::len),
        }
    }

    /// The text as written.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// The service: `ecs`.
    pub fn service(&self) -> &'a str {
        self.service
    }

    /// The region: `cn-hangzhou`, `*` or empty.
    pub fn region(&self) -> &'a str {
        self.region
    }

    /// The account field as written: digits, `*` or empty.
    pub fn account(&self) -> &'a str {
        self.account
    }

    /// The account, where the field holds one.
    pub fn owner(&self) -> Option<&'a str> {
        (!matches!(self.account, "" | "*")).then_some(self.account)
    }

    /// The relative id: `instance/i-1`.
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// Whether the relative id names one resource: it is neither `*` nor ends in `/*`.
    pub fn is_concrete(&self) -> bool {
        !is_open(self.id)
    }
}

/// What stands between the first four colons and behind them.
fn fields(text: &str) -> Option<(&str, &str, &str, &str)> {
    let (service, rest) = cut(text.strip_prefix("acs:")?)?;
    let (region, rest) = cut(rest)?;
    let (account, id) = cut(rest)?;
    Some((service, region, account, id))
}

/// Splits at the first colon. It is near, and a search that is fast in long texts costs more.
fn cut(text: &str) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == b':')?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

fn check_fields(service: &str, region: &str, account: &str) -> Result<(), InvalidArn> {
    if service.is_empty() || !Class::FIELD.covers(service) {
        return Err(if has_wildcard(service) {
            InvalidArn::Wildcard
        } else {
            InvalidArn::Service
        });
    }
    if region != "*" && !Class::FIELD.covers(region) {
        return Err(if has_wildcard(region) {
            InvalidArn::Wildcard
        } else {
            InvalidArn::Region
        });
    }
    if !matches!(account, "" | "*") && !is_account(account) {
        return Err(if has_wildcard(account) {
            InvalidArn::Wildcard
        } else {
            InvalidArn::Account
        });
    }
    Ok(())
}

fn check_id(id: &str) -> Result<(), InvalidArn> {
    if id.is_empty() || id.chars().any(char::is_control) {
        return Err(InvalidArn::Id);
    }
    let fixed = if is_open(id) {
        id.strip_suffix('*').unwrap_or(id)
    } else {
        id
    };
    if has_wildcard(fixed) {
        Err(InvalidArn::Wildcard)
    } else {
        Ok(())
    }
}

fn is_open(id: &str) -> bool {
    id == "*" || id.ends_with("/*")
}

fn has_wildcard(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'*' | b'?'))
}

/// The digits before the first colon, and what stands behind it. Nearly all accounts have sixteen
/// digits: those are looked at all at once.
fn account_before_colon(text: &str) -> Option<(&str, &str)> {
    const USUAL: usize = 16;
    let is_usual = |(digits, rest): (&[u8; USUAL], &[u8])| {
        let all = digits
            .iter()
            .fold(true, |all, byte| all & byte.is_ascii_digit());
        all && rest.first() == Some(&b':')
    };
    if text.as_bytes().split_first_chunk().is_some_and(is_usual) {
        return Some((text.get(..USUAL)?, text.get(USUAL + 1..)?));
    }
    Class::DIGIT.before_colon(text)
}

pub(crate) fn is_account(text: &str) -> bool {
    (1..=MAX_ACCOUNT_BYTES).contains(&text.len()) && Class::DIGIT.covers(text)
}

/// A checked ARN that owns its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arn {
    text: Arc<str>,
    /// How long service, region and account are.
    lengths: [usize; 3],
}

impl Arn {
    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text, shared.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// The fields.
    pub fn fields(&self) -> ArnRef<'_> {
        // INVARIANT: the lengths are those of the text that was parsed.
        let field = |from: usize, length| self.text.get(from..from + length).unwrap_or_default();
        let [service, region, account] = self.lengths;
        let (to_region, to_account) = (5 + service, 6 + service + region);
        let to_id = to_account + account + 1;
        ArnRef {
            text: &self.text,
            service: field(4, service),
            region: field(to_region, region),
            account: field(to_account, account),
            id: self.text.get(to_id..).unwrap_or_default(),
        }
    }
}

impl TryFrom<&str> for Arn {
    type Error = InvalidArn;

    fn try_from(text: &str) -> Result<Self, InvalidArn> {
        ArnRef::parse(text).map(ArnRef::to_arn)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_only_where_a_request_may_have_them() {
        let check = |text: &str, expected: Result<bool, InvalidArn>| {
            let found = ResourceName::parse(text).map(|name| name.is_concrete());
            assert_eq!(found, expected, "{text}");
        };
        check("*", Ok(false));
        check("acs:ecs:cn-hangzhou:123:instance/i-1", Ok(true));
        check("acs:ecs:*:123:instance/*", Ok(false));
        check("acs:ecs:*:*:*", Ok(false));
        check("acs:oss:::bucket/a:b/c", Ok(true));
        check("acs:ecs:cn-*:123:instance/i-1", Err(InvalidArn::Wildcard));
        check("acs:ecs:*:123:instance/i-*", Err(InvalidArn::Wildcard));
        check("acs:ecs:*:123:*/i-1", Err(InvalidArn::Wildcard));
        check("acs:ecs:*:123:instance/?", Err(InvalidArn::Wildcard));
        check("acs:ecs:*:12*:instance/i", Err(InvalidArn::Wildcard));
        check("acs:ECS:*:123:instance/i", Err(InvalidArn::Service));
        check("acs:ecs:*:abc:instance/i", Err(InvalidArn::Account));
        check("acs:ecs:*:123:", Err(InvalidArn::Id));
        check("acs:odps:*:projects/p", Err(InvalidArn::Shape));
        check("arn:ecs:*:123:i", Err(InvalidArn::Shape));
    }

    #[test]
    fn accounts_of_any_length_end_at_the_first_colon() {
        for length in [0, 1, 15, 16, 17, 33] {
            let account = "7".repeat(length);
            let text = format!("{account}:x:y");
            assert_eq!(account_before_colon(&text), Some((&*account, "x:y")));
            for other in ["", "a", " ", "é", "/", ";"] {
                let text = format!("{account}{other}");
                assert_eq!(account_before_colon(&text), None, "{text}");
                if !other.is_empty() {
                    let text = format!("{account}{other}:x");
                    assert_eq!(account_before_colon(&text), None, "{text}");
                    let text = format!("{other}{account}:x");
                    assert_eq!(account_before_colon(&text), None, "{text}");
                }
            }
        }
    }

    #[test]
    fn an_owned_arn_keeps_its_fields() {
        for text in [
            "acs:ecs:cn-hangzhou:123:instance/i-1",
            "acs:oss:::a:b",
            "acs:ram:*:*:role/x",
        ] {
            let arn = Arn::try_from(text).unwrap();
            assert_eq!(arn.fields(), ArnRef::parse(text).unwrap());
            assert_eq!(ArnRef::of_checked(text), arn.fields());
        }
    }
}
