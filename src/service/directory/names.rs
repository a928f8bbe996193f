//! Texts of a message as what they name. What names nothing refuses the call, with its field.

use std::sync::Arc;

use super::Hearing;
use super::asker::Asker;
use crate::model::account::Name;
use crate::model::arn::{AccountId, Arn, ArnRef};
use crate::model::inheritance::RuleId;
use crate::model::resource::Link;
use crate::model::tag::{Tag, TagRef, TagSet, check_key};
use crate::model::tagging::FailureCode;
use crate::model::verdict::{RefusalReason, limits};
use crate::tagging::shape::{Form, MAX_RESOURCES};
use crate::tagging::{Description, Said, View as _};
use crate::wire::status::{CallError, DirectoryFault, Refusal};
use crate::wire::v1;

/// The longest type of a resource, in bytes.
const MAX_TYPE_BYTES: usize = 128;
/// The longest region, in bytes.
const MAX_REGION_BYTES: usize = 64;

/// A field that breaks a rule.
pub(super) fn invalid(field: String, detail: &(impl ToString + ?Sized)) -> CallError {
    CallError::Refused(Refusal {
        reason: RefusalReason::InvalidRequest,
        field,
        detail: detail.to_string(),
    })
}

/// A call that is refused with a code of the tag service.
pub(super) fn refused(code: FailureCode, field: &'static str, message: String) -> CallError {
    let fault = DirectoryFault::Refused {
        code,
        field,
        message,
    };
    fault.into()
}

/// More names than anybody may send are not even read.
fn check_count(found: usize, field: &'static str) -> Result<(), CallError> {
    if found <= MAX_RESOURCES {
        return Ok(());
    }
    let code = FailureCode::TooManyResources;
    let message = format!("{found} are given, at most {MAX_RESOURCES} are taken");
    Err(refused(code, field, message))
}

/// The form of a call.
pub(super) fn form(form: i32) -> Result<Form, CallError> {
    match v1::TagCallForm::try_from(form) {
        Ok(v1::TagCallForm::Unspecified | v1::TagCallForm::Unified) => Ok(Form::Unified),
        Ok(v1::TagCallForm::Ecs) => Ok(Form::Ecs),
        Err(_) => Err(invalid("form".to_owned(), "not a known form")),
    }
}

/// ARNs as they are written.
pub(super) fn arns(arns: &[String]) -> Result<Vec<Arn>, CallError> {
    check_count(arns.len(), "arns")?;
    let arns = arns.iter().enumerate();
    arns.map(|(place, text)| {
        let at = |error| invalid(format!("arns[{place}]"), &error);
        Arn::try_from(&**text).map_err(at)
    })
    .collect()
}

impl Hearing<'_> {
    /// ARNs of a principal: `*` as region or account stands for the region and the account that the
    /// call is about, where no resource is known by the name as it is written (tag-policy 5.2).
    pub(super) fn arns_of(
        &self,
        asker: &Asker<'_>,
        texts: &[String],
    ) -> Result<Vec<Arn>, CallError> {
        let written = arns(texts)?;
        let named = written.into_iter().map(|arn| self.current(asker, arn));
        Ok(named.collect())
    }

    fn current(&self, asker: &Asker<'_>, arn: Arn) -> Arn {
        if self.turn.view.find(arn.as_str()).is_some() {
            return arn;
        }
        let fields: ArnRef<'_> = arn.fields();
        let region = match fields.region() {
            "*" if !asker.region.is_empty() => asker.region,
            region => region,
        };
        let account = match fields.account() {
            "*" => asker.account().unwrap_or("*"),
            account => account,
        };
        let (service, id) = (fields.service(), fields.id());
        let named = format!("acs:{service}:{region}:{account}:{id}");
        Arn::try_from(&*named).unwrap_or(arn)
    }
}

/// The tags of a call, or of a resource.
pub(super) fn tags(tags: &[v1::Tag]) -> Result<Vec<TagRef<'_>>, CallError> {
    if tags.len() > limits::RESOURCE_TAGS {
        let message = format!("{} tags are given", tags.len());
        return Err(refused(FailureCode::TooManyTags, "tags", message));
    }
    let read = |tag: &'_ v1::Tag| -> Result<(), (FailureCode, String)> {
        let v1::Tag { key, value } = tag;
        let text = |code| move |error: &dyn std::fmt::Display| (code, format!("`{key}`: {error}"));
        check_key(key).map_err(|error| text(FailureCode::MalformedKey)(&error))?;
        let parsed = TagRef::parse(key, value).map(|_| ());
        parsed.map_err(|error| text(FailureCode::MalformedValue)(&error))
    };
    for tag in tags {
        read(tag).map_err(|(code, message)| refused(code, "tags", message))?;
    }
    let tags = tags
        .iter()
        .map(|v1::Tag { key, value }| TagRef { key, value });
    Ok(tags.collect())
}

/// The keys of a call.
pub(super) fn keys(keys: &[String]) -> Result<Vec<&str>, CallError> {
    if keys.len() > limits::RESOURCE_TAGS {
        let message = format!("{} keys are given", keys.len());
        return Err(refused(FailureCode::TooManyTags, "keys", message));
    }
    for key in keys {
        check_key(key).map_err(|error| {
            let message = format!("`{key}`: {error}");
            refused(FailureCode::MalformedKey, "keys", message)
        })?;
    }
    Ok(keys.iter().map(String::as_str).collect())
}

/// The group of a resource; none, where it is in no group.
pub(super) fn group(group: &v1::ResourceGroup, field: String) -> Result<Option<Name>, CallError> {
    let v1::ResourceGroup { id } = group;
    if id.is_empty() {
        return Ok(None);
    }
    let name = Name::try_from(&**id).map_err(|error| invalid(field, &error))?;
    Ok(Some(name))
}

/// Associations.
pub(super) fn links(sent: &[v1::ResourceAssociation]) -> Result<Vec<Link>, CallError> {
    check_count(sent.len(), "associations")?;
    let sent = sent.iter().enumerate();
    sent.map(|(place, one)| {
        let v1::ResourceAssociation {
            primary,
            associated,
            rule,
        } = one;
        let at = |name: &str| format!("associations[{place}].{name}");
        let arn = |text: &str, name| Arn::try_from(text).map_err(|error| invalid(at(name), &error));
        let rule = RuleId::try_from(&**rule).map_err(|error| invalid(at("rule"), &error))?;
        Ok(Link {
            primary: arn(primary, "primary")?,
            associated: arn(associated, "associated")?,
            rule,
        })
    })
    .collect()
}

/// What an inventory tells.
pub(super) fn descriptions(sent: &[v1::ResourceFacts]) -> Result<Vec<Description>, CallError> {
    check_count(sent.len(), "resources")?;
    if sent.is_empty() {
        let message = "none is given".to_owned();
        return Err(refused(FailureCode::NoResources, "resources", message));
    }
    let facts = sent.iter().enumerate();
    let read: Vec<Description> = facts
        .map(|(place, facts)| description(facts, place))
        .collect::<Result<_, _>>()?;
    let mut seen = std::collections::BTreeSet::new();
    match read.iter().find(|one| !seen.insert(&one.arn)) {
        Some(twice) => {
            let (code, message) = (FailureCode::DuplicateResource, twice.arn.to_string());
            Err(refused(code, "resources", message))
        }
        None => Ok(read),
    }
}

fn description(facts: &v1::ResourceFacts, place: usize) -> Result<Description, CallError> {
    let v1::ResourceFacts {
        arn,
        account,
        region,
        r#type,
        resource_group,
        tags: sent,
    } = facts;
    let at = |name: &str| format!("resources[{place}].{name}");
    let arn = Arn::try_from(&**arn).map_err(|error| invalid(at("arn"), &error))?;
    if !account.is_empty() && arn.fields().owner().is_some() {
        return Err(invalid(at("account"), "the ARN names one"));
    }
    let own = (!account.is_empty())
        .then(|| AccountId::try_from(&**account))
        .transpose();
    let is_region = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if region.len() > MAX_REGION_BYTES || !region.bytes().all(is_region) {
        return Err(invalid(at("region"), "not a region"));
    }
    let is_type =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b':');
    let shaped = r#type
        .split_once(':')
        .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
    if !r#type.is_empty()
        && (r#type.len() > MAX_TYPE_BYTES || !shaped || !r#type.bytes().all(is_type))
    {
        return Err(invalid(at("type"), "not of the form `<service>:<type>`"));
    }
    let group = match resource_group {
        Some(sent) => Said::That(group(sent, at("resource_group.id"))?),
        None => Said::Nothing,
    };
    Ok(Description {
        arn,
        account: own.map_err(|error| invalid(at("account"), &error))?,
        region: (!region.is_empty()).then(|| Arc::from(&**region)),
        kind: (!r#type.is_empty()).then(|| r#type.as_str().into()),
        group,
        tags: match sent {
            Some(v1::TagSet { tags: sent }) => Said::That(tag_set(sent)?),
            None => Said::Nothing,
        },
    })
}

fn tag_set(sent: &[v1::Tag]) -> Result<TagSet, CallError> {
    let read = tags(sent)?.into_iter().map(Tag::from).collect();
    TagSet::new(read).map_err(|twice| {
        let (code, message) = (FailureCode::DuplicateKey, twice.to_string());
        refused(code, "resources.tags", message)
    })
}
