//! Patterns of ARNs, matched field by field. The texts of the fields stand together, and in the
//! pattern itself where they are short: no read of memory of their own.

use std::fmt;
use std::ops::Range;

use arrayvec::ArrayString;

use super::matcher::{MatcherRef, Shape, matches};
use super::symbol::Symbol;
use crate::model::arn::ArnRef;

/// A pattern of ARNs.
#[derive(Clone, PartialEq, Eq)]
pub struct ArnMatcher {
    /// The texts of service, relative id, region and account, one after the other.
    text: Text,
    /// Where the first three end.
    ends: [u16; 3],
    service: Shape,
    id: Shape,
    region: Shape,
    account: Option<Shape>,
}

/// The most bytes that stand in a pattern itself.
const SHORT: usize = 24;

/// A text: a short one stands where it is used.
#[derive(Clone, PartialEq, Eq)]
enum Text {
    Short(ArrayString<SHORT>),
    Shared(Symbol),
}

impl Text {
    fn new(text: &str) -> Self {
        match ArrayString::from(text) {
            Ok(short) => Self::Short(short),
            Err(_) => Self::Shared(text.into()),
        }
    }

    #[inline]
    fn as_str(&self) -> &str {
        match self {
            Self::Short(text) => text,
            Self::Shared(text) => text,
        }
    }
}

/// The account field of a pattern (security 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountMatcher<'a> {
    /// As written; it is compared with the owner.
    Field(MatcherRef<'a>),
    /// The account that the policy speaks for.
    Own,
}

/// The fields of a pattern.
#[derive(Debug, Clone, Copy)]
pub struct ArnFields<'a> {
    /// The service field.
    pub service: MatcherRef<'a>,
    /// The region field.
    pub region: MatcherRef<'a>,
    /// The account field.
    pub account: AccountMatcher<'a>,
    /// The relative id.
    pub id: MatcherRef<'a>,
}

impl ArnMatcher {
    /// A pattern of these fields.
    pub(crate) fn new(fields: ArnFields<'_>) -> Self {
        let ArnFields {
            service,
            region,
            account,
            id,
        } = fields;
        let (account, last) = match account {
            AccountMatcher::Field(field) => (Some(field.shape), field.text),
            AccountMatcher::Own => (None, ""),
        };
        let mut text =
            String::with_capacity(service.text.len() + id.text.len() + region.text.len());
        let mut ends = [0; 3];
        for (end, field) in ends.iter_mut().zip([service, id, region]) {
            text.push_str(field.text);
            // INVARIANT: a pattern has at most `MAX_ARN_BYTES`.
            *end = u16::try_from(text.len()).unwrap_or(u16::MAX);
        }
        text.push_str(last);
        Self {
            text: Text::new(&text),
            ends,
            service: service.shape,
            id: id.shape,
            region: region.shape,
            account,
        }
    }

    /// Whether service, region and relative id of an ARN match.
    #[inline]
    pub fn matches(&self, arn: ArnRef<'_>) -> bool {
        let [service, id, region] = self.ends;
        let text = self.text.as_str().as_bytes();
        field_matches(self.service, text, 0..service, arn.service())
            && field_matches(self.id, text, service..id, arn.id())
            && field_matches(self.region, text, id..region, arn.region())
    }

    /// Whether the account field covers an owner. `own` is the account that the policy speaks for.
    #[inline]
    pub fn matches_owner(&self, owner: &str, own: &str) -> bool {
        let [_, _, region] = self.ends;
        match self.account {
            Some(shape) => {
                let text = self.text.as_str().as_bytes();
                field_matches(shape, text, region..u16::MAX, owner)
            }
            None => owner == own,
        }
    }

    /// The service field.
    #[inline]
    pub fn service(&self) -> MatcherRef<'_> {
        let [service, _, _] = self.ends;
        self.field(self.service, 0..service)
    }

    /// The relative id.
    #[inline]
    pub fn id(&self) -> MatcherRef<'_> {
        let [service, id, _] = self.ends;
        self.field(self.id, service..id)
    }

    /// The region field.
    #[inline]
    pub fn region(&self) -> MatcherRef<'_> {
        let [_, id, region] = self.ends;
        self.field(self.region, id..region)
    }

    /// The account field.
    #[inline]
    pub fn account(&self) -> AccountMatcher<'_> {
        let [_, _, region] = self.ends;
        match self.account {
            Some(shape) => AccountMatcher::Field(self.field(shape, region..u16::MAX)),
            None => AccountMatcher::Own,
        }
    }

    #[inline]
    fn field(&self, shape: Shape, range: Range<u16>) -> MatcherRef<'_> {
        let text = self.text.as_str();
        let text = text.get(places(range, text.len())).unwrap_or_default();
        MatcherRef { shape, text }
    }
}

/// The places of a field in a text of a length.
#[inline]
fn places(field: Range<u16>, length: usize) -> Range<usize> {
    let place = |place| usize::from(place).min(length);
    place(field.start)..place(field.end)
}

#[inline]
fn field_matches(shape: Shape, pattern: &[u8], field: Range<u16>, text: &str) -> bool {
    let pattern = pattern.get(places(field, pattern.len()));
    matches(shape, pattern.unwrap_or_default(), text.as_bytes())
}

impl fmt::Debug for ArnMatcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = ArnFields {
            service: self.service(),
            region: self.region(),
            account: self.account(),
            id: self.id(),
        };
        fields.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_as_they_were() {
        let field = |shape, text| MatcherRef { shape, text };
        let check = |account| {
            let fields = ArnFields {
                service: field(Shape::Exact, "ecs"),
                region: field(Shape::Glob, "cn-*部"),
                account,
                id: field(Shape::Prefix, "instance/部"),
            };
            let matcher = ArnMatcher::new(fields);
            assert_eq!(matcher.service(), fields.service);
            assert_eq!(matcher.region(), fields.region);
            assert_eq!(matcher.account(), fields.account);
            assert_eq!(matcher.id(), fields.id);
        };
        check(AccountMatcher::Own);
        check(AccountMatcher::Field(field(Shape::Any, "")));
        check(AccountMatcher::Field(field(
            Shape::Exact,
            "1234567890123456",
        )));
        check(AccountMatcher::Field(field(Shape::Exact, "12")));
    }

    #[test]
    fn a_pattern_is_small() {
        assert!(size_of::<ArnMatcher>() <= 48);
        assert!(size_of::<super::super::policy::Resources>() <= 48);
        assert!(size_of::<super::super::Statement>() <= 128);
    }
}
