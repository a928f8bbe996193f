//! Names of condition operators, in exact case (ram 2.1 and 2.3).

use crate::model::condition::{Comparison, Quantifier};

/// An operator with its qualifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    /// The set prefix.
    pub(super) quantifier: Quantifier,
    /// Whether `IfExists` follows.
    pub(super) if_exists: bool,
    /// What is between.
    pub(super) base: Base,
}

/// The operators without qualifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    Equals { negated: bool },
    EqualsIgnoreCase { negated: bool },
    Like { negated: bool },
    Numeric(Comparison),
    Date(Comparison),
    Bool,
    Ip { negated: bool },
    Null,
}

impl Operator {
    /// Reads a name; `None` for one that is not known.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (quantifier, name) = match name.split_once(':') {
            Some(("ForAnyValue", name)) => (Quantifier::ForAnyValue, name),
            Some(("ForAllValues", name)) => (Quantifier::ForAllValues, name),
            Some(_) => return None,
            None => (Quantifier::Single, name),
        };
        let (if_exists, name) = match name.strip_suffix("IfExists") {
            Some(name) => (true, name),
            None => (false, name),
        };
        Some(Self {
            quantifier,
            if_exists,
            base: Base::parse(name)?,
        })
    }

    /// Whether the platform documents it (ram 2.1).
    pub(super) fn is_documented(self) -> bool {
        !self.is_qualified() && self.base != Base::Null
    }

    /// Whether a set prefix or `IfExists` stands at it.
    pub(super) fn is_qualified(self) -> bool {
        self.if_exists || self.quantifier != Quantifier::Single
    }
}

impl Base {
    fn parse(name: &str) -> Option<Self> {
        let base = match name {
            "StringEquals" => Self::Equals { negated: false },
            "StringNotEquals" => Self::Equals { negated: true },
            "StringEqualsIgnoreCase" => Self::EqualsIgnoreCase { negated: false },
            "StringNotEqualsIgnoreCase" => Self::EqualsIgnoreCase { negated: true },
            "StringLike" => Self::Like { negated: false },
            "StringNotLike" => Self::Like { negated: true },
            "Bool" => Self::Bool,
            "IpAddress" => Self::Ip { negated: false },
            "NotIpAddress" => Self::Ip { negated: true },
            "Null" => Self::Null,
            _ => return Self::parse_ordered(name),
        };
        Some(base)
    }

    fn parse_ordered(name: &str) -> Option<Self> {
        if let Some(order) = name.strip_prefix("Numeric") {
            return comparison(order).map(Self::Numeric);
        }
        comparison(name.strip_prefix("Date")?).map(Self::Date)
    }
}

fn comparison(name: &str) -> Option<Comparison> {
    match name {
        "Equals" => Some(Comparison::Equals),
        "NotEquals" => Some(Comparison::NotEquals),
        "LessThan" => Some(Comparison::LessThan),
        "LessThanEquals" => Some(Comparison::LessThanEquals),
        "GreaterThan" => Some(Comparison::GreaterThan),
        "GreaterThanEquals" => Some(Comparison::GreaterThanEquals),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        let check = |name: &str, expected: Option<(Quantifier, bool, Base)>| {
            let found = Operator::parse(name).map(|it| (it.quantifier, it.if_exists, it.base));
            assert_eq!(found, expected, "{name}");
        };
        let single = |base| Some((Quantifier::Single, false, base));
        check("StringEquals", single(Base::Equals { negated: false }));
        check("NotIpAddress", single(Base::Ip { negated: true }));
        check(
            "DateLessThanEquals",
            single(Base::Date(Comparison::LessThanEquals)),
        );
        check(
            "ForAllValues:StringNotLikeIfExists",
            Some((Quantifier::ForAllValues, true, Base::Like { negated: true })),
        );
        check("NullIfExists", Some((Quantifier::Single, true, Base::Null)));
        for name in [
            "",
            "stringequals",
            "IfExists",
            "StringEqualsIfExistsIfExists",
            "ForAnyValue:ForAllValues:StringEquals",
            "forAnyValue:StringEquals",
            "ForSomeValue:StringEquals",
            "NumericLike",
            "Date",
            "IpAddressIncludeBorder",
            "ArnLike",
            " StringEquals",
        ] {
            check(name, None);
        }
    }
}
