//! The context of a message: typed keys parsed, derived keys refused (security 2.1 and 2.9).

use std::cmp::Ordering;
use std::net::IpAddr;

use arrayvec::ArrayVec;
use jiff::Timestamp;

use super::fault::{Faults, first_repeat};
use crate::engine::request::{Context, ContextEntry};
use crate::model::condition::{parse_bool, parse_ip};
use crate::model::context_key::is_derived;
use crate::model::text::{eq_fold, is_plain};
use crate::model::verdict::{RefusalReason, limits};
use crate::wire::message;

/// The circumstances of a request, checked.
#[derive(Debug, Default)]
pub(crate) struct Circumstances<'m> {
    source_ip: Option<IpAddr>,
    secure_transport: Option<bool>,
    mfa_present: Option<bool>,
    keys: ArrayVec<&'m str, { limits::CONTEXT_ENTRIES }>,
    entries: ArrayVec<ContextEntry<'m>, { limits::CONTEXT_ENTRIES }>,
}

/// What a key of the context is to the server.
enum KeyClass {
    SourceIp,
    SecureTransport,
    MfaPresent,
    Derived,
    Plain,
}

impl<'m> Circumstances<'m> {
    /// Reads the entries of a message.
    pub(crate) fn read(&mut self, context: &'m message::Context<'_>, faults: &mut Faults) {
        if context.count > limits::CONTEXT_ENTRIES {
            let detail = format!("more than {} entries", limits::CONTEXT_ENTRIES);
            return faults.add(RefusalReason::ContextLimit, || "context".to_owned(), detail);
        }
        for (place, entry) in context.entries.iter().enumerate() {
            self.read_entry(place, entry.key, context.values_of(entry), faults);
        }
        // security 2.1: two entries equal after case folding.
        if let Some(place) = first_repeat(&self.keys, |a, b| eq_fold(a, b), |a, b| order(a, b)) {
            let field = || format!("context[{place}].key");
            faults.add(
                RefusalReason::ContextKeyDuplicate,
                field,
                "the key is given twice",
            );
        }
    }

    fn read_entry(
        &mut self,
        place: usize,
        key: &'m str,
        values: &'m [&'m str],
        faults: &mut Faults,
    ) {
        let field = || format!("context[{place}].key");
        let has_control = !is_plain(key) && key.chars().any(char::is_control);
        if !(1..=limits::CONTEXT_BYTES).contains(&key.len()) || has_control {
            let detail = format!("not 1 to {} bytes without controls", limits::CONTEXT_BYTES);
            faults.add(RefusalReason::InvalidRequest, field, detail);
        }
        if values.len() > limits::CONTEXT_VALUES {
            let detail = format!("more than {} values", limits::CONTEXT_VALUES);
            let field = || format!("context[{place}].values");
            return faults.add(RefusalReason::ContextLimit, field, detail);
        }
        if let Some(value) = values
            .iter()
            .position(|value| value.len() > limits::CONTEXT_BYTES)
        {
            let detail = format!("longer than {} bytes", limits::CONTEXT_BYTES);
            let field = || format!("context[{place}].values[{value}]");
            faults.add(RefusalReason::InvalidRequest, field, detail);
        }
        // The number of entries was checked, so that there is a place for the key.
        let _ = self.keys.try_push(key);
        self.place_entry(place, key, values, faults);
    }

    fn place_entry(
        &mut self,
        place: usize,
        key: &'m str,
        values: &'m [&'m str],
        faults: &mut Faults,
    ) {
        match class_of(key) {
            // security 2.9: typed values are parsed at the edge, whatever the policies say.
            KeyClass::SourceIp => self.source_ip = typed(place, values, parse_ip, faults),
            KeyClass::SecureTransport => {
                self.secure_transport = typed(place, values, parse_bool, faults);
            }
            KeyClass::MfaPresent => self.mfa_present = typed(place, values, parse_bool, faults),
            // security 2.1: what the engine derives is never accepted.
            KeyClass::Derived => {
                let field = || format!("context[{place}].key");
                faults.add(
                    RefusalReason::ContextKeyDerived,
                    field,
                    "the server derives this key",
                );
            }
            KeyClass::Plain => {
                if values.len() > 1 && has_prefix(key, "acs:") {
                    let field = || format!("context[{place}].values");
                    let detail = "a key with the prefix `acs:` has one value";
                    faults.add(RefusalReason::ContextValueInvalid, field, detail);
                }
                let _ = self.entries.try_push(ContextEntry { key, values });
            }
        }
    }

    /// The context as the engine takes it.
    pub(crate) fn as_engine(&self, now: Timestamp) -> Context<'_> {
        Context {
            current_time: now,
            source_ip: self.source_ip,
            secure_transport: self.secure_transport,
            mfa_present: self.mfa_present,
            entries: &self.entries,
        }
    }
}

/// Reads the value of a typed key. An empty list is an absent key (semantics 7).
fn typed<T>(
    place: usize,
    values: &[&str],
    parse: impl Fn(&str) -> Option<T>,
    faults: &mut Faults,
) -> Option<T> {
    let parsed = match values {
        [] => return None,
        [value] => parse(value),
        _ => None,
    };
    if parsed.is_none() {
        let field = || format!("context[{place}].values");
        faults.add(
            RefusalReason::ContextValueInvalid,
            field,
            "not one value of the key's type",
        );
    }
    parsed
}

fn class_of(key: &str) -> KeyClass {
    let is = |name: &str| key.eq_ignore_ascii_case(name);
    if is("acs:SourceIp") {
        KeyClass::SourceIp
    } else if is("acs:SecureTransport") {
        KeyClass::SecureTransport
    } else if is("acs:MFAPresent") {
        KeyClass::MfaPresent
    } else if is_derived(key) {
        KeyClass::Derived
    } else {
        KeyClass::Plain
    }
}

fn has_prefix(key: &str, prefix: &str) -> bool {
    key.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn order(left: &str, right: &str) -> Ordering {
    let fold = |text: &str| {
        text.chars()
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    fold(left).cmp(&fold(right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::v1;

    fn check(entries: &[(&str, &[&str])], expected: Option<RefusalReason>) {
        let message: Vec<v1::ContextEntry> = entries
            .iter()
            .map(|(key, values)| v1::ContextEntry {
                key: (*key).to_owned(),
                values: values.iter().map(|value| (*value).to_owned()).collect(),
            })
            .collect();
        let context = message::Context::from(message.as_slice());
        let (mut read, mut faults) = (Circumstances::default(), Faults::default());
        read.read(&context, &mut faults);
        let found = match faults.into_result() {
            Ok(late) => late,
            Err(early) => Some(early),
        };
        assert_eq!(found.map(|refusal| refusal.reason), expected, "{entries:?}");
    }

    #[test]
    fn derived_doubled_and_unreadable_keys_are_refused() {
        check(
            &[
                ("acs:SourceIp", &["::ffff:10.0.0.1"]),
                ("oss:Prefix", &["a", "b"]),
            ],
            None,
        );
        check(&[("acs:SourceIp", &[])], None);
        for key in [
            "acs:PrincipalARN",
            "acs:currenttime",
            "action",
            "acs:ResourceGroupId",
            "acs:RequestTag/env",
            "ecs:tag/env",
            "oss:BucketTag/env",
            "ecs:tag",
        ] {
            check(&[(key, &["x"])], Some(RefusalReason::ContextKeyDerived));
        }
        check(
            &[("oss:Prefix", &["a"]), ("OSS:prefix", &["b"])],
            Some(RefusalReason::ContextKeyDuplicate),
        );
        check(
            &[("acs:SourceIp", &["10.0.0.01"])],
            Some(RefusalReason::ContextValueInvalid),
        );
        check(
            &[("acs:MFAPresent", &["TRUE"])],
            Some(RefusalReason::ContextValueInvalid),
        );
        check(
            &[("acs:SourceVpc", &["a", "b"])],
            Some(RefusalReason::ContextValueInvalid),
        );
        check(&[("", &["a"])], Some(RefusalReason::InvalidRequest));
        check(
            &[("acs:Referer", &["x".repeat(2_049).as_str()])],
            Some(RefusalReason::InvalidRequest),
        );
    }
}
