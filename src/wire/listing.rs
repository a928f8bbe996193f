//! Questions to the directory, read and checked; and what it knows, as messages.
//!
//! Not here: who may see what (`service::listing`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::page::PageKey;
use super::status::{CallError, ManageFault, Refusal};
use super::v1;
use crate::directory::{Entry, Filter, Kinds, Query, Scope, Sense, TextMatch};
use crate::engine::compliance::{TypeSources, resource_type};
use crate::model::account::Name;
use crate::model::arn::{AccountId, ResourceName};
use crate::model::catalog::Catalog;
use crate::model::tag::{MAX_VALUE_CHARS, check_key};
use crate::model::verdict::{RefusalReason, limits};

/// The most filters of a question.
pub const MAX_FILTERS: usize = 20;
/// The most values of one filter.
pub const MAX_VALUES: usize = 20;
/// The most regions, types or groups of a scope.
pub const MAX_NAMED: usize = 50;
/// The most entries of a page.
pub const MAX_PAGE: usize = 1_000;
/// The entries of a page for which no size is asked.
const PAGE: usize = 50;

/// What stands between the parts of a position.
const PART: char = '\0';

/// Which page of an answer is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SentPage<'m> {
    /// The most entries.
    pub(crate) size: usize,
    token: &'m str,
}

/// What a page token is good for: one RPC, one caller, one principal, one question (security 9).
#[derive(Debug)]
pub(crate) struct Bound<'k> {
    pages: &'k PageKey,
    parts: [String; 4],
}

impl<'m> SentPage<'m> {
    /// Reads the fields of a message.
    pub(crate) fn read(size: u32, token: &'m str) -> Result<Self, CallError> {
        let size = match usize::try_from(size) {
            Ok(0) => PAGE,
            Ok(size) if size <= MAX_PAGE => size,
            Ok(_) | Err(_) => return Err(invalid("page_size", format!("more than {MAX_PAGE}"))),
        };
        Ok(Self { size, token })
    }

    /// Where the page begins; `None`: it is the first one.
    pub(crate) fn position(&self, bound: &Bound<'_>) -> Result<Option<Vec<String>>, CallError> {
        if self.token.is_empty() {
            return Ok(None);
        }
        let position = bound.pages.open(&bound.parts(), self.token)?;
        Ok(Some(position.split(PART).map(str::to_owned).collect()))
    }
}

impl<'k> Bound<'k> {
    /// `question` is the message without the fields of the page.
    pub(crate) fn new(
        pages: &'k PageKey,
        rpc: &str,
        caller: &str,
        principal: &str,
        question: &impl prost::Message,
    ) -> Self {
        let question = question.encode_to_vec();
        let question = STANDARD_NO_PAD.encode(question);
        let parts = [
            rpc.to_owned(),
            caller.to_owned(),
            principal.to_owned(),
            question,
        ];
        Self { pages, parts }
    }

    /// The token of a position.
    pub(crate) fn seal(&self, position: &[&str]) -> String {
        let position = position.join(&PART.to_string());
        self.pages.seal(&self.parts(), &position)
    }

    fn parts(&self) -> [&str; 4] {
        self.parts.each_ref().map(String::as_str)
    }
}

/// A token that was sealed here and says nothing of use.
pub(crate) fn unreadable() -> CallError {
    ManageFault::PageToken.into()
}

/// Reads a scope; `own` is the principal's account, which stands where none is named.
pub(crate) fn scope(
    message: Option<&v1::ResourceScope>,
    own: Option<&str>,
    catalog: &Catalog,
) -> Result<Scope, CallError> {
    let empty = v1::ResourceScope::default();
    let v1::ResourceScope {
        account,
        regions,
        types,
        resource_groups,
    } = message.unwrap_or(&empty);
    for (named, field) in [
        (regions, "scope.regions"),
        (types, "scope.types"),
        (resource_groups, "scope.resource_groups"),
    ] {
        if named.len() > MAX_NAMED {
            return Err(invalid(field, format!("more than {MAX_NAMED}")));
        }
    }
    Ok(Scope {
        account: read_account(account, own)?,
        regions: regions.iter().map(|region| Box::from(&**region)).collect(),
        kinds: (!types.is_empty()).then(|| kinds(types, catalog)),
        groups: resource_groups
            .iter()
            .map(|id| group(id))
            .collect::<Result<_, _>>()?,
    })
}

fn read_account(account: &str, own: Option<&str>) -> Result<Box<str>, CallError> {
    if account.is_empty() {
        let absent = || invalid("scope.account", "absent, and the principal has none");
        return own.map(Box::from).ok_or_else(absent);
    }
    let account = AccountId::try_from(account);
    let account = account.map_err(|error| invalid("scope.account", error.to_string()))?;
    Ok(Box::from(account.as_str()))
}

fn group(id: &str) -> Result<Name, CallError> {
    Name::try_from(id).map_err(|error| invalid("scope.resource_groups", error.to_string()))
}

/// The types as the directory's index knows them: what the catalog's table corrects is found by
/// what it is corrected from.
fn kinds(types: &[String], catalog: &Catalog) -> Kinds {
    let mut kinds = Kinds::default();
    for kind in types {
        let kind = kind.to_ascii_lowercase().into_boxed_str();
        if !catalog.resource_types.contains_key(&kind) {
            kinds.told.push(kind.clone());
        }
        let aliases = catalog.resource_types.iter();
        let aliases = aliases.filter(|(_, corrected)| **corrected == kind);
        kinds.told.extend(aliases.map(|(alias, _)| alias.clone()));
        kinds.kept.push(kind);
    }
    kinds
}

/// Reads a whole search.
pub(crate) fn query(scope: Scope, filters: &[v1::TagFilter]) -> Result<Query, CallError> {
    if filters.len() > MAX_FILTERS {
        return Err(invalid("filters", format!("more than {MAX_FILTERS}")));
    }
    let filters = filters.iter().enumerate();
    let filters = filters.map(|(place, filter)| read_filter(place, filter));
    Ok(Query {
        scope,
        filters: filters.collect::<Result<_, _>>()?,
    })
}

fn read_filter(place: usize, filter: &v1::TagFilter) -> Result<Filter, CallError> {
    let v1::TagFilter {
        key,
        values,
        negated,
    } = filter;
    let at = |field: &str| format!("filters[{place}].{field}");
    if values.len() > MAX_VALUES {
        return Err(invalid(at("values"), format!("more than {MAX_VALUES}")));
    }
    let key = key.as_ref().ok_or_else(|| invalid(at("key"), "absent"))?;
    let values = values.iter().map(|value| text_match(value, &at("values")));
    Ok(Filter {
        key: text_match(key, &at("key"))?,
        values: values.collect::<Result<_, _>>()?,
        sense: if *negated { Sense::Lacks } else { Sense::Has },
    })
}

/// Reads how texts are compared.
pub(crate) fn text_match(message: &v1::TextMatch, field: &str) -> Result<TextMatch, CallError> {
    let v1::TextMatch { kind: _, text } = message;
    if text.chars().count() > MAX_VALUE_CHARS {
        let detail = format!("longer than {MAX_VALUE_CHARS} characters");
        return Err(invalid(format!("{field}.text"), detail));
    }
    let text = Box::from(&**text);
    match v1::TextMatchKind::try_from(message.kind) {
        Ok(v1::TextMatchKind::Exact) => Ok(TextMatch::Exact(text)),
        Ok(v1::TextMatchKind::Prefix) => Ok(TextMatch::Prefix(text)),
        Ok(v1::TextMatchKind::Infix) => Ok(TextMatch::Infix(text)),
        Ok(v1::TextMatchKind::Unspecified) | Err(_) => {
            Err(invalid(format!("{field}.kind"), "not stated, or not known"))
        }
    }
}

/// Reads the key whose values are asked for.
pub(crate) fn key(key: &str) -> Result<&str, CallError> {
    check_key(key).map_err(|error| invalid("key", error.to_string()))?;
    Ok(key)
}

/// Reads the keys that are asked for.
pub(crate) fn keys(keys: &[String]) -> Result<&[String], CallError> {
    if keys.len() > MAX_NAMED {
        return Err(invalid("keys", format!("more than {MAX_NAMED}")));
    }
    for (place, key) in keys.iter().enumerate() {
        check_key(key).map_err(|error| invalid(format!("keys[{place}]"), error.to_string()))?;
    }
    Ok(keys)
}

/// Reads the ARNs whose tags are asked for.
pub(crate) fn arns(arns: &[String]) -> Result<Vec<ResourceName<'_>>, CallError> {
    let refused = |reason, field: String, detail: String| {
        CallError::Refused(Refusal {
            reason,
            field,
            detail,
        })
    };
    if arns.is_empty() {
        return Err(refused(
            RefusalReason::NoResource,
            "arns".to_owned(),
            "none".to_owned(),
        ));
    }
    if arns.len() > limits::RESOURCES {
        let detail = format!("more than {}", limits::RESOURCES);
        return Err(refused(
            RefusalReason::ResourceLimit,
            "arns".to_owned(),
            detail,
        ));
    }
    let mut names = Vec::with_capacity(arns.len());
    for (place, arn) in arns.iter().enumerate() {
        let field = format!("arns[{place}]");
        let name = ResourceName::parse(arn).map_err(|error| invalid(&*field, error.to_string()))?;
        if !name.is_concrete() {
            let detail = "an ARN names one resource".to_owned();
            return Err(refused(RefusalReason::ResourceIdRequired, field, detail));
        }
        if names.contains(&name) {
            let detail = "the ARN is given twice".to_owned();
            return Err(refused(RefusalReason::ResourceDuplicate, field, detail));
        }
        names.push(name);
    }
    Ok(names)
}

/// A resource as a message.
pub(crate) fn tagged(entry: &Entry, catalog: &Catalog) -> v1::TaggedResource {
    let sources = TypeSources {
        name: ResourceName::Arn(entry.fields()),
        stored: entry.kind(),
        sent: "",
    };
    // Nothing is sent that could contradict the ARN.
    let kind = resource_type(catalog, &[], &sources).unwrap_or_default();
    v1::TaggedResource {
        arn: entry.arn().to_owned(),
        r#type: kind.unwrap_or_default().into_owned(),
        resource_group: Some(v1::ResourceGroup {
            id: entry.group().unwrap_or_default().to_owned(),
        }),
        tags: entry
            .tags()
            .iter()
            .map(|tag| v1::Tag {
                key: tag.key.to_owned(),
                value: tag.value.to_owned(),
            })
            .collect(),
    }
}

/// A field that breaks a rule.
pub(crate) fn invalid(field: impl Into<String>, detail: impl Into<String>) -> CallError {
    CallError::Refused(Refusal {
        reason: RefusalReason::InvalidRequest,
        field: field.into(),
        detail: detail.into(),
    })
}
