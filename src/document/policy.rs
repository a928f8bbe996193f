//! RAM policies: JSON to [`Policy`] (ram 1 to 3 and 9; security 2.8, 3.8 and 7).
//!
//! Every element, operator and key that is not understood is refused, because a condition that is
//! lost from an Allow is a grant, and one that is lost from a Deny is a hole.
//!
//! Not here: who has a policy, and whether attachments fit (`compiler`).

mod condition;
mod error;
mod key;
mod operand;
mod operator;
mod principal;
mod statement;

pub use error::PolicyErrorKind;
pub(in crate::document) use statement::ReadStatement;

use super::cursor::{self, Cursor, Parsed, Sink, Told};
use super::error::{DocumentErrors, Limit};
use super::lint;
use super::position::Source;
use crate::model::catalog::Catalog;
use crate::model::condition::MAX_VALUES;
use crate::model::settings::Settings;
use crate::model::statement::{DocumentLayer, Policy};
use crate::model::verdict::limits::SESSION_POLICY_CHARS;

/// The most bytes of one policy document.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024;
/// The most bytes of one value of a condition, and of one condition key.
pub const MAX_VALUE_BYTES: usize = 1_024;
/// The most statements of one document.
pub const STATEMENTS: Limit = Limit {
    what: "statements",
    most: 512,
    code: "TOO_MANY_STATEMENTS",
};
/// The most actions of one statement.
pub const ACTIONS: Limit = Limit {
    what: "actions",
    most: 1_024,
    code: "TOO_MANY_ACTIONS",
};
/// The most resources of one statement.
pub const RESOURCES: Limit = Limit {
    what: "resources",
    most: 1_024,
    code: "TOO_MANY_RESOURCES",
};
/// The most entries of one family of principals in one statement.
pub const PRINCIPALS: Limit = Limit {
    what: "principals",
    most: 1_024,
    code: "TOO_MANY_PRINCIPALS",
};
/// The most conditions of one statement: pairs of an operator and a key.
pub const CONDITIONS: Limit = Limit {
    what: "conditions",
    most: 64,
    code: "TOO_MANY_CONDITIONS",
};
/// The most values of one condition.
pub const VALUES: Limit = Limit {
    what: "values",
    most: MAX_VALUES,
    code: "TOO_MANY_VALUES",
};

/// What decides how a policy is read, beside its text.
#[derive(Debug, Clone, Copy)]
pub struct PolicyOptions<'a> {
    /// Which kind of document it is.
    pub layer: DocumentLayer,
    /// The switches: `operators`, `unknown_keys` and `not_resource` count here.
    pub settings: &'a Settings,
    /// Regions, tag families, and the facts about actions that warnings need.
    pub catalog: &'a Catalog,
}

/// Reads the text of one policy document.
///
/// ```
/// use tagwarden::document::{PolicyOptions, read_policy};
/// use tagwarden::model::{catalog::Catalog, settings::Settings, statement::DocumentLayer};
///
/// let options = PolicyOptions {
///     layer: DocumentLayer::Identity,
///     settings: &Settings::default(),
///     catalog: &Catalog::default(),
/// };
/// let text = r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "ecs:*"}]}"#;
/// let errors = read_policy(text, &options).unwrap_err();
/// assert_eq!(errors.to_string(), "1:32: /Statement/0: member `Resource` is missing");
/// ```
///
/// # Errors
///
/// All errors of the document.
pub fn read_policy(
    text: &str,
    options: &PolicyOptions<'_>,
) -> Result<Parsed<Policy>, DocumentErrors> {
    cursor::read(Source::new(text), MAX_DOCUMENT_BYTES, |at, sink| {
        check_length(text, at, options, sink)?;
        policy(at, options, sink)
    })
}

/// A session policy is refused over its limit; others are warned of the platform's (ram 1.6).
pub(super) fn check_length(
    text: &str,
    at: &Cursor<'_, '_>,
    options: &PolicyOptions<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), Told> {
    // There are no more characters than bytes.
    let over = |limit: usize| text.len() > limit && text.chars().nth(limit).is_some();
    if options.layer == DocumentLayer::Session && over(SESSION_POLICY_CHARS) {
        return Err(at.refuse(PolicyErrorKind::SessionTooLong, sink));
    }
    if let Some(limit) = lint::platform_limit(options.layer)
        && over(limit)
    {
        sink.warn(&at.spot(), lint::LintKind::OverPlatformLimit { limit });
    }
    Ok(())
}

/// Reads a policy that stands in a larger document; positions are that document's.
///
/// # Errors
///
/// When an error was told.
pub fn policy(
    at: &Cursor<'_, '_>,
    options: &PolicyOptions<'_>,
    sink: &mut Sink<'_>,
) -> Result<Policy, Told> {
    let members = at.members(&["Version", "Statement"], sink)?;
    let version = members
        .required("Version", sink)
        .and_then(|at| at.word("`1`", &[("1", ())], sink));
    let list;
    let statements = match members.required("Statement", sink) {
        Ok(at) => {
            list = at;
            statements(&list, options, sink)
        }
        Err(told) => Err(told),
    };
    version?;
    let statements = statements?;
    lint::statements(&statements, options.catalog, sink);
    let statements = statements.into_iter().map(|read| read.statement).collect();
    Ok(Policy { statements })
}

fn statements<'c, 'n>(
    list: &'c Cursor<'_, 'n>,
    options: &PolicyOptions<'_>,
    sink: &mut Sink<'_>,
) -> Result<Vec<ReadStatement<'c, 'n>>, Told> {
    let items = list.some_items(STATEMENTS, sink)?;
    cursor::all(items, |at| statement::read(at, options, sink))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::cursor::all;

    #[test]
    fn a_policy_inside_a_document_is_told_by_that_documents_positions() {
        let text = r#"{"roles": [{"trust": {"Version": "1", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "alice"}]}}]}"#;
        let options = PolicyOptions {
            layer: DocumentLayer::Trust,
            settings: &Settings::default(),
            catalog: &Catalog::default(),
        };
        let read = cursor::read(Source::on_line(text, 10), 1_024, |at, sink| {
            let roles = at.members(&["roles"], sink)?.required("roles", sink)?;
            all(roles.items(sink)?, |at| {
                let trust = at.members(&["trust"], sink)?.required("trust", sink)?;
                policy(&trust, &options, sink)
            })
        });
        let errors = read.unwrap_err();
        let at = &errors.first().at;
        assert_eq!(at.pointer, "/roles/0/trust/Statement/0/Principal");
        assert_eq!((at.line, at.column), (11, 73));
        let shown = errors.in_file("account.json").to_string();
        assert!(
            shown.starts_with("account.json:11:73: /roles/0/trust/"),
            "{shown}"
        );
    }
}
