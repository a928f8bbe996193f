//! What is wrong with a call before any resource is looked at: counts and repetitions
//! (tag-policy 5.2). The characters of tags depend on the type and are checked with the resource.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::model::arn::Arn;
use crate::model::tag::TagRef;
use crate::model::tagging::FailureCode;

/// The most resources of one call.
pub const MAX_RESOURCES: usize = 50;

/// The two forms of the tag service's operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// By ARN: a resource fails alone.
    Unified,
    /// The family of ECS: one that fails makes the call fail.
    Ecs,
}

impl Form {
    /// The most tags, or keys, of one call.
    pub fn most_tags(self) -> usize {
        match self {
            Self::Unified => 10,
            Self::Ecs => 20,
        }
    }
}

/// Why a call is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFault {
    /// The code.
    pub code: FailureCode,
    /// The ARN or the key that it is about.
    pub subject: Option<Arc<str>>,
}

impl CallFault {
    fn of(code: FailureCode) -> Self {
        Self {
            code,
            subject: None,
        }
    }

    fn about(code: FailureCode, subject: &str) -> Self {
        Self {
            code,
            subject: Some(Arc::from(subject)),
        }
    }
}

impl fmt::Display for CallFault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Some(subject) => write!(to, "{}: `{subject}`", self.code),
            None => write!(to, "{}", self.code),
        }
    }
}

impl std::error::Error for CallFault {}

/// Checks the resources of a call.
///
/// # Errors
///
/// When there is none, there are more than [`MAX_RESOURCES`], or one stands twice.
pub fn check_resources(arns: &[Arn]) -> Result<(), CallFault> {
    if arns.is_empty() {
        return Err(CallFault::of(FailureCode::NoResources));
    }
    if arns.len() > MAX_RESOURCES {
        return Err(CallFault::of(FailureCode::TooManyResources));
    }
    let mut seen = BTreeSet::new();
    match arns.iter().find(|arn| !seen.insert(*arn)) {
        Some(twice) => {
            let code = FailureCode::DuplicateResource;
            Err(CallFault::about(code, twice.as_str()))
        }
        None => Ok(()),
    }
}

/// Checks the tags that a call adds.
///
/// # Errors
///
/// When there is none, there are too many, or a key stands twice.
pub fn check_tags(form: Form, tags: &[TagRef<'_>]) -> Result<(), CallFault> {
    check_names(form, tags.iter().map(|tag| tag.key))
}

/// Checks the keys that a call removes.
///
/// # Errors
///
/// When there is none, there are too many, or one stands twice.
pub fn check_keys(form: Form, keys: &[&str]) -> Result<(), CallFault> {
    check_names(form, keys.iter().copied())
}

fn check_names<'k>(
    form: Form,
    keys: impl ExactSizeIterator<Item = &'k str>,
) -> Result<(), CallFault> {
    if keys.len() == 0 {
        return Err(CallFault::of(FailureCode::NoTags));
    }
    if keys.len() > form.most_tags() {
        return Err(CallFault::of(FailureCode::TooManyTags));
    }
    let mut seen = BTreeSet::new();
    for key in keys {
        // tag-policy 7, rule 50: "duplicate key in one request: reject".
        if !seen.insert(key) {
            return Err(CallFault::about(FailureCode::DuplicateKey, key));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arns(count: usize) -> Vec<Arn> {
        let arn = |n| Arn::try_from(&*format!("acs:ecs:cn-hangzhou:1:instance/{n}")).unwrap();
        (0..count).map(arn).collect()
    }

    #[test]
    fn resources_are_counted_and_differ() {
        assert_eq!(check_resources(&arns(50)), Ok(()));
        let code = |arns: &[Arn]| check_resources(arns).unwrap_err().code.as_str();
        assert_eq!(code(&arns(51)), "NumberExceed.ResourceIds");
        assert_eq!(code(&[]), "MissingParameter.ResourceIds");
        let mut twice = arns(2);
        twice.extend(arns(1));
        let fault = check_resources(&twice).unwrap_err();
        let told = "RESOURCE_DUPLICATE: `acs:ecs:cn-hangzhou:1:instance/0`";
        assert_eq!(fault.to_string(), told);
    }

    #[test]
    fn tags_are_counted_by_the_form_and_their_keys_differ() {
        let keys: Vec<String> = (0..21).map(|n| format!("k{n}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        for (form, most) in [(Form::Unified, 10), (Form::Ecs, 20)] {
            assert_eq!(check_keys(form, &keys[..most]), Ok(()));
            let code = |keys: &[&str]| check_keys(form, keys).unwrap_err().code.as_str();
            assert_eq!(code(&keys[..=most]), "NumberExceed.Tags");
            assert_eq!(code(&[]), "MissingParameter.Tags");
            assert_eq!(code(&["a", "a"]), "Duplicate.TagKey");
            // Keys are sensitive to case.
            assert_eq!(check_keys(form, &["a", "A"]), Ok(()));
        }
        let tag = TagRef {
            key: "k",
            value: "",
        };
        assert_eq!(check_tags(Form::Ecs, &[tag]), Ok(()));
        let twice = check_tags(Form::Ecs, &[tag, tag]).unwrap_err();
        assert_eq!(twice.subject.as_deref(), Some("k"));
    }
}
