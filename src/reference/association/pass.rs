//! One pass over one resource: association, then the group, then correction (security 5.3).

use std::collections::BTreeSet;

use super::{Directory, Event, Failures, Resource, Source, custom};
use crate::model::compliance::{TaggingOperation, ViolationCode};
use crate::model::inheritance::TagScope;
use crate::model::settings::InvalidTag;
use crate::model::tag::TagRef;
use crate::model::tag_policy::Section;
use crate::model::tagging::FailureCode;

/// A key, and the value that it is to have; `None`: it is to go.
pub(super) type Wish = (String, Option<String>);

/// Who wishes: primary, rule and the scope of the rule.
pub(super) type Wisher<'w> = (&'w str, &'w str, TagScope);

impl Directory<'_> {
    /// Does the pass, and tells which keys were written or removed.
    pub(super) fn pass(
        &mut self,
        arn: &str,
        wishes: &[Wish],
        by: Option<&Wisher<'_>>,
        event: &mut Event,
    ) -> BTreeSet<String> {
        let Some(mut resource) = self.resources.get(arn).cloned() else {
            return BTreeSet::new();
        };
        let (written, failures) = self.work_out(arn, &mut resource, wishes, by);
        self.resources.insert(arn.to_owned(), resource);
        event.failures.extend(failures);
        written
    }

    /// The same, where the principal must be allowed to write what the pass comes to. If it is not,
    /// nothing is written.
    pub(super) fn checked_pass(
        &mut self,
        arn: &str,
        wishes: &[Wish],
        by: Option<&Wisher<'_>>,
        event: &mut Event,
    ) -> BTreeSet<String> {
        let before = self.resources.get(arn).cloned();
        let failures = event.failures.clone();
        let written = self.pass(arn, wishes, by, event);
        if written.is_empty() || !self.closed.contains(arn) {
            return written;
        }
        if let Some(before) = before {
            self.resources.insert(arn.to_owned(), before);
        }
        event.failures = failures;
        event
            .failures
            .insert((arn.to_owned(), None, FailureCode::NoPermission));
        event.denied = true;
        BTreeSet::new()
    }

    fn work_out(
        &self,
        arn: &str,
        resource: &mut Resource,
        wishes: &[Wish],
        by: Option<&Wisher<'_>>,
    ) -> (BTreeSet<String>, Failures) {
        let mut pass = Pass {
            directory: self,
            arn,
            resource,
            written: BTreeSet::new(),
            failures: Failures::new(),
        };
        if let Some((primary, rule, scope)) = by {
            let source = Source::Primary((*primary).to_owned(), (*rule).to_owned());
            pass.all(wishes.to_vec(), Some(scope), |_, _| source.clone());
        }
        let repairs = self
            .judge(pass.resource, TaggingOperation::Detect)
            .corrected;
        let group = pass.resource.group.clone();
        pass.all(
            repairs.into_iter().collect(),
            None,
            |key, value| match group.as_ref().filter(|group| self.gives(group, key, value)) {
                Some(group) => Source::Group(group.clone()),
                None => Source::Correction,
            },
        );
        (pass.written, pass.failures)
    }

    /// Whether a group has this tag, and resources inherit it.
    fn gives(&self, group: &str, key: &str, value: &str) -> bool {
        let has = self.groups.get(group).and_then(|tags| tags.get(key));
        let inherits = self.policy.is_some_and(|(policy, _)| {
            let mut statements = policy.statements.iter();
            statements.any(|one| one.section == Section::RgInherit && *one.tag_key == *key)
        });
        inherits && has.is_some_and(|has| has == value)
    }
}

struct Pass<'p, 'd> {
    directory: &'p Directory<'d>,
    arn: &'p str,
    resource: &'p mut Resource,
    written: BTreeSet<String>,
    failures: Failures,
}

impl Pass<'_, '_> {
    /// Removals first, then keys that are there, then new ones while there are places.
    fn all(
        &mut self,
        wishes: Vec<Wish>,
        scope: Option<&TagScope>,
        source: impl Fn(&str, &str) -> Source,
    ) {
        let there: BTreeSet<String> = self.resource.tags.keys().cloned().collect();
        for (key, value) in &wishes {
            if value.is_none() {
                self.remove(key);
            }
        }
        let mut new = Vec::new();
        for (key, value) in wishes {
            let Some(value) = value else { continue };
            if there.contains(&key) {
                let source = source(&key, &value);
                self.overwrite(&key, &value, source);
            } else {
                new.push((key, value));
            }
        }
        // security 5.4: "keys named in the rule's scope, then keys that RAM or tag policies name,
        // then byte order".
        if let Some(scope) = scope {
            new.sort_by_key(|(key, _)| (!scope.names(key), !self.is_named(key), key.clone()));
        }
        for (key, value) in new {
            let source = source(&key, &value);
            self.add(&key, &value, source);
        }
    }

    fn is_named(&self, key: &str) -> bool {
        self.directory.policy.is_some_and(|(policy, _)| {
            let mut statements = policy.statements.iter();
            statements.any(|one| *one.tag_key == *key)
        })
    }

    /// security 5.2: protected keys "are never overwritten or removed".
    fn is_protected(&self, key: &str) -> bool {
        let lower = |text: &str| -> String { text.chars().flat_map(char::to_lowercase).collect() };
        let mut keys = self.directory.settings.protected_tag_keys.iter();
        keys.any(|protected| lower(protected) == lower(key))
    }

    fn remove(&mut self, key: &str) {
        if self.is_protected(key) {
            self.fail(key, FailureCode::InheritanceBlocked);
        } else if self.resource.tags.remove(key).is_some() {
            self.written.insert(key.to_owned());
        }
    }

    fn overwrite(&mut self, key: &str, value: &str, source: Source) {
        let same = self
            .resource
            .tags
            .get(key)
            .is_some_and(|(now, _)| now == value);
        if !self.is_protected(key) {
            if self.admits(key, value) {
                self.write(key, value, source);
            }
        } else if !same {
            self.fail(key, FailureCode::InheritanceBlocked);
        }
    }

    fn add(&mut self, key: &str, value: &str, source: Source) {
        if !self.admits(key, value) {
            return;
        }
        if custom(self.resource) < self.directory.limits(self.resource).tags {
            self.write(key, value, source);
        } else {
            self.fail(key, FailureCode::QuotaExceeded);
        }
    }

    fn write(&mut self, key: &str, value: &str, source: Source) {
        let tag = (value.to_owned(), source);
        self.resource.tags.insert(key.to_owned(), tag);
        self.written.insert(key.to_owned());
    }

    /// security 5.2 and 5.3: what is not written by inheritance and correction.
    fn admits(&mut self, key: &str, value: &str) -> bool {
        let limits = self.directory.limits(self.resource);
        match limits.check(TagRef { key, value }) {
            Err(InvalidTag::Key(_)) => self.fail(key, FailureCode::MalformedKey),
            Err(InvalidTag::Value(_)) => self.fail(key, FailureCode::MalformedValue),
            Ok(()) if self.is_forbidden(key, value) => {
                self.fail(key, FailureCode::InheritanceBlocked);
            }
            Ok(()) => return true,
        }
        false
    }

    fn is_forbidden(&self, key: &str, value: &str) -> bool {
        let write = TaggingOperation::Write {
            set: vec![(key.to_owned(), value.to_owned())],
            removed: Vec::new(),
        };
        let answer = self.directory.judge(self.resource, write);
        let mut violations = answer.violations.iter();
        violations.any(|(code, about)| match code {
            ViolationCode::KeyCase | ViolationCode::Value | ViolationCode::ValueRegex => {
                about == key
            }
            ViolationCode::OverLimit => true,
            ViolationCode::Missing | ViolationCode::RgTagNotInherited => false,
        })
    }

    fn fail(&mut self, key: &str, code: FailureCode) {
        self.failures
            .insert((self.arn.to_owned(), Some(key.to_owned()), code));
    }
}
