//! `TagResources` and `UntagResources`: what a user writes (security 4).

use std::sync::Arc;

use super::event::{Event, failure};
use super::shape::{Form, check_keys, check_resources, check_tags};
use super::target::count;
use super::{Actor, CallError, Edit, Gate, View, partial, whole};
use crate::model::arn::Arn;
use crate::model::resource::{LiveResource, LiveTag, Provenance};
use crate::model::settings::{InvalidTag, TypeLimits, is_reserved_key};
use crate::model::tag::{TagRef, check_key};
use crate::model::tagging::{Failure, FailureCode, Plan};

/// Whose write it is: for whom places are kept (security 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hand {
    /// A user's: reserved places are not its own.
    User,
    /// An administrator's: it may fill a resource.
    Administrator,
}

/// The keys that are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys<'k> {
    /// These; those that are not there are no error.
    These(&'k [&'k str]),
    /// All but those of the system.
    All,
}

impl<'a, 's, V: View, G: Gate> Actor<'a, 's, V, G> {
    /// Adds or overwrites tags. A resource that is refused is told in the plan, or makes the call
    /// fail: as the form says.
    ///
    /// # Errors
    ///
    /// When the call is malformed, or fails as a whole.
    pub fn tag(
        &self,
        form: Form,
        arns: &[Arn],
        set: &[TagRef<'_>],
        hand: Hand,
    ) -> Result<Plan, CallError> {
        check_resources(arns)?;
        check_tags(form, set)?;
        self.each(form, arns, |event, resource| {
            add(event, resource, set, hand)
        })
    }

    /// Removes tags.
    ///
    /// # Errors
    ///
    /// When the call is malformed, or fails as a whole.
    pub fn untag(&self, form: Form, arns: &[Arn], keys: Keys<'_>) -> Result<Plan, CallError> {
        check_resources(arns)?;
        if let Keys::These(keys) = keys {
            check_keys(form, keys)?;
        }
        self.each(form, arns, |event, resource| take(event, resource, keys))
    }

    fn each(
        &self,
        form: Form,
        arns: &[Arn],
        write: impl Fn(&mut Event<'a, 's, V, G>, LiveResource) -> Result<(), Refusal>,
    ) -> Result<Plan, CallError> {
        let mut event = self.event();
        for arn in arns {
            let written = match event.find(arn) {
                Some(resource) => write(&mut event, resource),
                None => Err(Refusal::of(FailureCode::ResourceNotFound)),
            };
            if let Err(Refusal { key, code }) = written {
                event.refuse(Failure {
                    key,
                    ..failure(arn, code)
                });
            }
        }
        let outcome = event.finish();
        match form {
            Form::Unified => Ok(partial(outcome)),
            // tag-policy 5.2: "no partial result in the response, so whole call".
            Form::Ecs => whole(outcome),
        }
    }
}

/// Why nothing is written to a resource.
struct Refusal {
    key: Option<Arc<str>>,
    code: FailureCode,
}

impl Refusal {
    fn of(code: FailureCode) -> Self {
        Self { key: None, code }
    }

    fn about(key: &str, code: FailureCode) -> Self {
        Self {
            key: Some(Arc::from(key)),
            code,
        }
    }
}

fn add<V: View, G: Gate>(
    event: &mut Event<'_, '_, V, G>,
    mut resource: LiveResource,
    set: &[TagRef<'_>],
    hand: Hand,
) -> Result<(), Refusal> {
    let limits = event.law.limits(&resource);
    for tag in set {
        limits.check(*tag).map_err(|fault| {
            let code = match fault {
                InvalidTag::Key(_) => FailureCode::MalformedKey,
                InvalidTag::Value(_) => FailureCode::MalformedValue,
            };
            Refusal::about(tag.key, code)
        })?;
    }
    let edit = Edit { set, removed: &[] };
    event.admit(&resource, &edit).map_err(Refusal::of)?;
    let before = count(&resource);
    for tag in set {
        // security 5.4: "A user's write of the same value clears provenance".
        let own = LiveTag {
            value: Arc::from(tag.value),
            provenance: Provenance::Own,
        };
        resource.tags.insert(Arc::from(tag.key), own);
    }
    if count(&resource) > before && !fits(&resource, &limits, hand, event.law.reserve()) {
        return Err(Refusal::of(FailureCode::QuotaExceeded));
    }
    let touched = set.iter().map(|tag| Arc::from(tag.key)).collect();
    let arn = resource.arn.clone();
    event.put(resource);
    event.edited(&arn, touched, Vec::new());
    Ok(())
}

/// tag-policy 7, rule 51, and security 5.4: "`reserve_tags` (default 2) places are kept for
/// inheritance and administrators". What inheritance has written stands in these places first.
fn fits(resource: &LiveResource, limits: &TypeLimits, hand: Hand, reserve: usize) -> bool {
    let all = count(resource);
    let tags = resource.tags.iter();
    let custom = tags.filter(|(key, _)| !is_reserved_key(key));
    let own = custom
        .filter(|(_, tag)| tag.provenance == Provenance::Own)
        .count();
    match hand {
        Hand::User => own + (all - own).max(reserve) <= limits.tags,
        Hand::Administrator => all <= limits.tags,
    }
}

fn take<V: View, G: Gate>(
    event: &mut Event<'_, '_, V, G>,
    mut resource: LiveResource,
    keys: Keys<'_>,
) -> Result<(), Refusal> {
    let removed: Vec<Arc<str>> = match keys {
        Keys::These(keys) => {
            // tag-policy 5.1: "system tags are read-only".
            let is_no_key = |key: &&&str| check_key(key).is_err() || is_reserved_key(key);
            if let Some(key) = keys.iter().find(is_no_key) {
                return Err(Refusal::about(key, FailureCode::MalformedKey));
            }
            keys.iter().map(|key| Arc::from(*key)).collect()
        }
        Keys::All => {
            let keys = resource.tags.keys();
            keys.filter(|key| !is_reserved_key(key)).cloned().collect()
        }
    };
    let named: Vec<&str> = removed.iter().map(|key| &**key).collect();
    let edit = Edit {
        set: &[],
        removed: &named,
    };
    event.admit(&resource, &edit).map_err(Refusal::of)?;
    for key in &removed {
        resource.tags.remove(key);
    }
    let arn = resource.arn.clone();
    event.put(resource);
    event.edited(&arn, removed, Vec::new());
    Ok(())
}
