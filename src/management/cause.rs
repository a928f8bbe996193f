//! On whose behalf a change of the rules of inheritance is acted on: its author's.
//!
//! A change is acted on before the next one is made. What a start finds that was not acted on is
//! the newest change therefore; where it cannot be told who made it, it is nobody's, and rules that
//! need a principal's permission fill nothing.

use std::sync::Arc;

use crate::model::object::{AccountObject, ObjectId};
use crate::model::tagging::Cause;
use crate::source::embedded::{self, Author, StoreError, View};

/// On behalf of the author of a change.
pub(super) fn of_author(author: &Author) -> Cause {
    let principal = author.principal.as_str();
    Cause {
        // An administrator is asked for nothing.
        principal: (!principal.is_empty()).then(|| Arc::from(principal)),
        ..Cause::default()
    }
}

/// On whose behalf the newest revision of a store is acted on.
///
/// # Errors
///
/// When the store cannot be read.
pub(super) fn of_newest(view: &View, number: u64) -> Result<Cause, StoreError> {
    let nobody = Cause {
        principal: Some(Arc::default()),
        ..Cause::default()
    };
    let Some(record) = view.record(number)? else {
        return Ok(nobody);
    };
    let is_known = record.cause == embedded::Cause::Import || {
        let differences = view.differences(number)?;
        differences.iter().any(|one| is_of_inheritance(&one.id))
    };
    Ok(if is_known {
        of_author(&record.author)
    } else {
        nobody
    })
}

fn is_of_inheritance(id: &ObjectId) -> bool {
    matches!(
        id,
        ObjectId::Inheritance
            | ObjectId::Account(
                _,
                AccountObject::Inheritance | AccountObject::InheritanceRule(_)
            )
    )
}
