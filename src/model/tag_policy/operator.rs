//! Inheritance operators, and sets of them.

use std::fmt;

/// How a policy changes a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operator {
    /// `@@assign`
    Assign,
    /// `@@append`
    Append,
    /// `@@remove`
    Remove,
}

impl Operator {
    /// All of them, in the order in which they are applied.
    pub const ALL: [Self; 3] = [Self::Assign, Self::Append, Self::Remove];

    /// The name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assign => "@@assign",
            Self::Append => "@@append",
            Self::Remove => "@@remove",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Assign => 1,
            Self::Append => 2,
            Self::Remove => 4,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A set of operators: what child policies may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operators(u8);

impl Operators {
    /// `@@none`
    pub const NONE: Self = Self(0);
    /// `@@all`
    pub const ALL: Self = Self(7);

    /// Whether an operator is in the set.
    pub fn holds(self, operator: Operator) -> bool {
        self.0 & operator.bit() != 0
    }

    /// Whether nothing is in the set.
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// What is in both sets.
    #[must_use]
    pub fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The set with one more operator.
    #[must_use]
    pub fn with(self, operator: Operator) -> Self {
        Self(self.0 | operator.bit())
    }
}

impl FromIterator<Operator> for Operators {
    fn from_iter<I: IntoIterator<Item = Operator>>(operators: I) -> Self {
        operators.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Operators {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return formatter.write_str("@@all");
        }
        if self.is_empty() {
            return formatter.write_str("@@none");
        }
        let held = Operator::ALL
            .into_iter()
            .filter(|operator| self.holds(*operator));
        for (place, operator) in held.enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            write!(formatter, "{separator}{operator}")?;
        }
        Ok(())
    }
}
