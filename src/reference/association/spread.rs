//! From primaries to those associated with them (tag-policy 4 and 7, rules 36 to 45).

use std::collections::BTreeSet;

use super::pass::{Wish, Wisher};
use super::{Directory, Event, Failures, News, Source, is_checked, scope_of};
use crate::model::inheritance::OnDissociate;
use crate::model::settings::is_reserved_key;
use crate::model::tagging::FailureCode;

/// Through how many resources a change goes (rule 39: "depth limit").
const DEPTH: usize = 8;

impl Directory<'_> {
    /// Carries all news, breadth first.
    pub(super) fn carry(&mut self, mut event: Event) -> Failures {
        while !event.waiting.is_empty() {
            let (primary, news, path) = event.waiting.remove(0);
            let all = self.links();
            let links = all.into_iter().filter(|(from, _, _)| *from == primary);
            for (_, associated, rule) in links {
                if path.len() >= DEPTH {
                    let code = FailureCode::ChainTooLong;
                    event.failures.insert((associated, None, code));
                    continue;
                }
                if associated == primary || path.contains(&associated) {
                    continue;
                }
                let mut through = path.clone();
                through.push(primary.clone());
                match &news {
                    News::Removed => self.lose(&primary, &associated, &rule, &mut event),
                    News::Edited(keys) => {
                        self.follow(&primary, &associated, &rule, keys, &through, &mut event);
                    }
                }
            }
        }
        event.failures
    }

    /// A primary is gone: the association ends, and where its tags may not be deleted they stay.
    fn lose(&mut self, primary: &str, associated: &str, rule: &str, event: &mut Event) {
        self.end(primary, associated, rule, event);
        let link = (primary.to_owned(), rule.to_owned());
        let Some(resource) = self.resources.get_mut(associated) else {
            return;
        };
        resource.primaries.remove(&link);
        for (_, source) in resource.tags.values_mut() {
            if *source == Source::Primary(link.0.clone(), link.1.clone()) {
                *source = Source::Own;
            }
        }
    }

    /// Brings all keys of a primary.
    pub(super) fn fill(&mut self, primary: &str, associated: &str, rule: &str, event: &mut Event) {
        let keys = self.resources.get(primary);
        let keys = keys.map(|primary| primary.tags.keys().cloned().collect());
        let path = [primary.to_owned()];
        self.follow(
            primary,
            associated,
            rule,
            &keys.unwrap_or_default(),
            &path,
            event,
        );
    }

    fn follow(
        &mut self,
        primary: &str,
        associated: &str,
        rule: &str,
        keys: &BTreeSet<String>,
        path: &[String],
        event: &mut Event,
    ) {
        let (Some(from), Some(to)) = (self.resources.get(primary), self.resources.get(associated))
        else {
            return;
        };
        let setting = self.in_force(rule, to);
        let Some(in_force) = setting else { return };
        let ours = Source::Primary(primary.to_owned(), rule.to_owned());
        let mut wishes: Vec<Wish> = Vec::new();
        for key in keys {
            let done = event.done.contains(&(associated.to_owned(), key.clone()));
            // Rule 42: "system and reserved keys: never inherited".
            if done || !in_force.scope.holds(key) || is_reserved_key(key) {
                continue;
            }
            match (from.tags.get(key), to.tags.get(key)) {
                (Some((value, _)), _) => wishes.push((key.clone(), Some(value.clone()))),
                // Rule 40: "removal only by the owner in the provenance record".
                (None, Some((_, source))) if *source == ours => wishes.push((key.clone(), None)),
                (None, Some(_) | None) => {}
            }
        }
        let checked = event.checked || is_checked(setting);
        let scope = scope_of(setting);
        self.bring(
            associated,
            &wishes,
            &(primary, rule, scope),
            checked,
            path,
            event,
        );
    }

    fn bring(
        &mut self,
        associated: &str,
        wishes: &[Wish],
        by: &Wisher<'_>,
        checked: bool,
        path: &[String],
        event: &mut Event,
    ) {
        if wishes.is_empty() {
            return;
        }
        for (key, _) in wishes {
            event.done.insert((associated.to_owned(), key.clone()));
        }
        let written = if checked {
            self.checked_pass(associated, wishes, Some(by), event)
        } else {
            self.pass(associated, wishes, Some(by), event)
        };
        event.edited(associated, written, path.to_vec());
    }

    /// Ends an association: "inherited tags are deleted; other tags stay".
    pub(super) fn end(&mut self, primary: &str, associated: &str, rule: &str, event: &mut Event) {
        let Some(before) = self.resources.get(associated).cloned() else {
            return;
        };
        let setting = self.in_force(rule, &before).cloned();
        let deletes = setting.is_some()
            && self
                .definition(rule)
                .is_some_and(|rule| rule.on_dissociate == OnDissociate::Delete);
        let ours = Source::Primary(primary.to_owned(), rule.to_owned());
        let mut wishes: Vec<Wish> = Vec::new();
        if let Some(resource) = self.resources.get_mut(associated) {
            resource
                .primaries
                .remove(&(primary.to_owned(), rule.to_owned()));
            for (key, (_, source)) in &mut resource.tags {
                if *source == ours {
                    *source = Source::Own;
                    wishes.push((key.clone(), None));
                }
            }
        }
        if !deletes {
            return;
        }
        let checked = event.checked || is_checked(setting.as_ref());
        let scope = scope_of(setting.as_ref());
        let path = [primary.to_owned()];
        let denied = std::mem::replace(&mut event.denied, false);
        self.bring(
            associated,
            &wishes,
            &(primary, rule, scope),
            checked,
            &path,
            event,
        );
        if event.denied {
            self.resources.insert(associated.to_owned(), before);
        }
        event.denied |= denied;
    }
}
