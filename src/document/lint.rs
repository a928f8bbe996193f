//! What is legal but probably wrong, each at a position.

use super::position::Position;

/// One warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// What is probably wrong.
    pub kind: LintKind,
    /// Where.
    pub at: Position,
}

impl std::fmt::Display for Lint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: warning: {}", self.at, self.kind)
    }
}

/// What is probably wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LintKind {
    /// A number or a boolean where the platform asks for a string.
    #[error("a value is written without quotes")]
    UnquotedValue,
}

impl LintKind {
    /// The stable code, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnquotedValue => "UNQUOTED_VALUE",
        }
    }
}
