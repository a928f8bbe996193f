//! Patterns of ARNs, matched field by field. The texts of the fields stand together: one read of
//! memory for most patterns.

use std::fmt;
use std::ops::Range;

use super::matcher::{MatcherRef, Shape, matches};
use super::symbol::Symbol;
use crate::model::arn::ArnRef;

/// A pattern of ARNs.
#[derive(Clone, PartialEq, Eq)]
pub struct ArnMatcher {
    /// The texts of service, relative id, region and account, one after the other.
    text: Symbol,
    /// Where the first three end.
    ends: [u32; 3],
    service: Shape,
    id: Shape,
    region: Shape,
    account: Option<Shape>,
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
            // INVARIANT: no document is longer.
            *end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        }
        text.push_str(last);
        Self {
            text: text.into(),
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
        self.field_matches(self.service, 0..service, arn.service())
            && self.field_matches(self.id, service..id, arn.id())
            && self.field_matches(self.region, id..region, arn.region())
    }

    /// Whether the account field covers an owner. `own` is the account that the policy speaks for.
    #[inline]
    pub fn matches_owner(&self, owner: &str, own: &str) -> bool {
        let [_, _, region] = self.ends;
        match self.account {
            Some(shape) => self.field_matches(shape, region..u32::MAX, owner),
            None => owner == own,
        }
    }

    #[inline]
    fn field_matches(&self, shape: Shape, range: Range<u32>, text: &str) -> bool {
        let bytes = self.text.as_bytes();
        let place = |place| {
            usize::try_from(place)
                .unwrap_or(usize::MAX)
                .min(bytes.len())
        };
        let pattern = bytes.get(place(range.start)..place(range.end));
        matches(shape, pattern.unwrap_or_default(), text.as_bytes())
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
            Some(shape) => AccountMatcher::Field(self.field(shape, region..u32::MAX)),
            None => AccountMatcher::Own,
        }
    }

    #[inline]
    fn field(&self, shape: Shape, range: Range<u32>) -> MatcherRef<'_> {
        let place = |place| {
            usize::try_from(place)
                .unwrap_or(usize::MAX)
                .min(self.text.len())
        };
        let text = self.text.get(place(range.start)..place(range.end));
        let text = text.unwrap_or_default();
        MatcherRef { shape, text }
    }
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
        check(AccountMatcher::Field(field(Shape::Exact, "12")));
    }

    #[test]
    fn a_pattern_is_small() {
        assert!(size_of::<ArnMatcher>() <= 32);
        assert!(size_of::<super::super::policy::Resources>() <= 32);
        assert!(size_of::<super::super::Statement>() <= 144);
    }
}
