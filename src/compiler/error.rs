//! Why documents that are each valid do not make a snapshot together.

use std::fmt;

use super::effective::MergeError;

/// One fault, with the part of the bundle that holds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {kind}")]
pub struct CompileError {
    /// Where it stands: `account 123`, `organization rd-1`.
    pub origin: String,
    /// What is wrong.
    pub kind: CompileErrorKind,
}

/// The faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileErrorKind {
    /// An attachment names a policy that nobody wrote.
    #[error("policy `{policy}` does not exist")]
    UnknownPolicy {
        /// The policy as named.
        policy: String,
    },
    /// An attachment or a group names a user, group or role that does not exist.
    #[error("{grantee} does not exist")]
    UnknownGrantee {
        /// Who is named.
        grantee: String,
    },
    /// A name or a number stands twice.
    #[error("{what} stands twice")]
    Duplicate {
        /// What.
        what: String,
    },
    /// A policy has more statements than can be counted.
    #[error("policy `{policy}` has more than 65,535 statements")]
    TooManyStatements {
        /// The policy.
        policy: String,
    },
    /// The tag policies of a chain do not make an effective policy.
    #[error("tag policies: {error}")]
    TagPolicies {
        /// Why.
        error: MergeError,
    },
    /// A policy is attached deeper than is looked for.
    #[error("`{resource}` is deeper than {limit} segments")]
    AttachedTooDeep {
        /// The ARN.
        resource: String,
        /// The limit.
        limit: usize,
    },
    /// A policy is attached to an ARN that names no single resource.
    #[error("`{resource}` names no single resource")]
    AttachedOpen {
        /// The ARN.
        resource: String,
    },
}

/// All faults of a bundle; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileErrors(pub Vec<CompileError>);

impl fmt::Display for CompileErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, error) in self.0.iter().enumerate() {
            let separator = if place == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for CompileErrors {}
