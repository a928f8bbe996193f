//! `CreateTags` and `DeleteTag`: the predefined tags of the principal's account.

use super::Hearing;
use super::asker::Asker;
use super::names::{invalid, refused};
use super::told::Told;
use crate::model::arn::AccountId;
use crate::model::tagging::{FailureCode, Plan};
use crate::tagging::shape::CallFault;
use crate::tagging::{Predefining, check_predefined, predefine, undefine};
use crate::wire::status::CallError;
use crate::wire::v1;

const CREATE: &str = "tag:CreateTags";
const DELETE: &str = "tag:DeleteTag";

pub(super) fn create(
    hearing: &Hearing<'_>,
    message: &v1::CreateTagsRequest,
) -> Result<(Told, Plan), CallError> {
    let v1::CreateTagsRequest { writer, tags } = message;
    hearing.asking(writer.as_ref(), |asker| {
        let values: Vec<Vec<&str>> = tags.iter().map(texts).collect();
        let sent: Vec<Predefining<'_>> = tags
            .iter()
            .zip(&values)
            .map(|(tag, values)| (&*tag.key, &**values))
            .collect();
        check_predefined(&sent).map_err(|fault| malformed(&fault))?;
        let account = permitted(asker, CREATE)?;
        let plan = predefine(hearing.turn.view, &account, &sent);
        let keys = tags.iter().map(|tag| tag.key.clone()).collect();
        Ok(told(
            hearing,
            asker,
            keys,
            plan.map_err(|fault| malformed(&fault))?,
        ))
    })
}

pub(super) fn delete(
    hearing: &Hearing<'_>,
    message: &v1::DeleteTagRequest,
) -> Result<(Told, Plan), CallError> {
    let v1::DeleteTagRequest { writer, tag } = message;
    hearing.asking(writer.as_ref(), |asker| {
        let absent = || invalid("tag".to_owned(), "absent");
        let tag = tag.as_ref().ok_or_else(absent)?;
        let values = texts(tag);
        let sent = (&*tag.key, &*values);
        check_predefined(&[sent]).map_err(|fault| malformed(&fault))?;
        let account = permitted(asker, DELETE)?;
        let plan = undefine(hearing.turn.view, &account, sent);
        Ok(told(hearing, asker, vec![tag.key.clone()], plan))
    })
}

fn texts(tag: &v1::PredefinedTag) -> Vec<&str> {
    tag.values.iter().map(String::as_str).collect()
}

/// The account of the principal, if it may do this there.
fn permitted(asker: &Asker<'_>, action: &str) -> Result<AccountId, CallError> {
    let none = || invalid("writer.principal".to_owned(), "it is of no account");
    let account = asker.account().ok_or_else(none)?;
    let account = AccountId::try_from(account)
        .map_err(|error| invalid("writer.principal".to_owned(), &error))?;
    let arn = format!("acs:tag:*:{account}:predefined");
    if asker.may_do(action, &arn) {
        return Ok(account);
    }
    let message = format!("`{action}` on `{arn}` is not allowed");
    Err(refused(FailureCode::NoPermission, "writer", message))
}

fn malformed(fault: &CallFault) -> CallError {
    refused(fault.code, "tags", fault.to_string())
}

fn told(hearing: &Hearing<'_>, asker: &Asker<'_>, keys: Vec<String>, plan: Plan) -> (Told, Plan) {
    let (told, plan) = hearing.told(&[], keys, plan);
    (told.by(asker), plan)
}
