//! Puts an owned question to the engine, as a server would: texts are read, the directory asked.

use std::collections::BTreeSet;

use tagwarden::compiler::compile_session;
use tagwarden::engine::decide_each;
use tagwarden::engine::decision::{Decision, Verdicts};
use tagwarden::engine::request::{
    Context, ContextEntry, KnownGroup, KnownTags, Request, Resource, Session, TagWrite,
};
use tagwarden::model::account::Name;
use tagwarden::model::action::ActionRef;
use tagwarden::model::arn::{PrincipalRef, ResourceName};
use tagwarden::model::bundle::Bundle;
use tagwarden::model::condition::{parse_bool, parse_date, parse_ip};
use tagwarden::model::request::{AccessRequest, RequestedResource, SessionClaim};
use tagwarden::model::resource as model;
use tagwarden::model::tag::{PackedTags, TagRef, check_key, pack};
use tagwarden::model::verdict::{RefusalReason, limits};
use tagwarden::snapshot::Snapshot;

/// Asks the engine. A text that cannot be read is `InvalidRequest`; of a typed key it is told
/// after the engine's own faults that stand before it.
pub(crate) fn ask(
    snapshot: &Snapshot,
    bundle: &Bundle,
    request: &AccessRequest,
    verdicts: &mut Verdicts,
) -> Result<Decision, RefusalReason> {
    let invalid = RefusalReason::InvalidRequest;
    let set = request.tags.set.as_deref().map(tags).transpose()?;
    for key in &request.tags.remove_keys {
        check_key(key).map_err(|_| invalid)?;
    }
    let told = request
        .resources
        .iter()
        .map(|asked| asked.tags.as_deref().map(tags).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    let kept: Vec<String> = request
        .resources
        .iter()
        .map(|asked| packed(bundle, asked))
        .collect();
    let resources = request
        .resources
        .iter()
        .zip(&told)
        .zip(&kept)
        .map(|((asked, sent), kept)| resource(bundle, asked, sent.as_deref(), kept))
        .collect::<Result<Vec<_>, _>>()?;
    let values: Vec<Vec<&str>> = request
        .context
        .values()
        .map(|values| values.iter().map(String::as_str).collect())
        .collect();
    let entries: Vec<ContextEntry<'_>> = request
        .context
        .keys()
        .zip(&values)
        .map(|(key, values)| ContextEntry { key, values })
        .collect();
    let mut typed = Typed {
        fault: sent_faults(request),
        ..Typed::default()
    };
    let others: Vec<ContextEntry<'_>> = entries
        .iter()
        .copied()
        .filter(|entry| !typed.takes(entry))
        .collect();
    let policy = match &request.session {
        SessionClaim::Policy(policy) => Some(compile_session(policy, &bundle.settings)),
        SessionClaim::None | SessionClaim::Unstated => None,
    };
    let remove_keys: Vec<&str> = request
        .tags
        .remove_keys
        .iter()
        .map(String::as_str)
        .collect();
    let question = Request {
        principal: PrincipalRef::parse(&request.principal).map_err(|_| invalid)?,
        action: ActionRef::parse(&request.action).map_err(|_| invalid)?,
        resources: &resources,
        tags: TagWrite {
            set: set.as_deref(),
            remove_keys: &remove_keys,
            remove_all: request.tags.remove_all,
            replace: request.tags.replace,
        },
        context: Context {
            current_time: parse_date(request.current_time.as_deref().expect("an instant"))
                .expect("an instant"),
            source_ip: typed.source_ip,
            secure_transport: typed.secure_transport,
            mfa_present: typed.mfa_present,
            entries: &others,
        },
        session: match (&request.session, &policy) {
            (SessionClaim::Unstated, _) => Session::Unstated,
            (SessionClaim::None, _) => Session::None,
            (SessionClaim::Policy(_), None) => unreachable!("compiled above"),
            (SessionClaim::Policy(_), Some(policy)) => Session::Policy(policy),
        },
        kind: request.kind,
        understands_obligations: request.understands_obligations,
    };
    match decide_each(snapshot, &question, verdicts) {
        Err(refused) => Err(typed
            .fault
            .map_or(refused.reason, |fault| fault.min(refused.reason))),
        Ok(decision) => typed.fault.map_or(Ok(decision), Err),
    }
}

/// Faults of tags that were sent for a resource that the directory knows: the engine sees others.
fn sent_faults(request: &AccessRequest) -> Option<RefusalReason> {
    let sent = request
        .resources
        .iter()
        .filter_map(|asked| asked.tags.as_ref());
    sent.filter_map(|tags| {
        let keys: BTreeSet<&str> = tags.iter().map(|(key, _)| key.as_str()).collect();
        if keys.len() < tags.len() {
            Some(RefusalReason::TagKeyDuplicate)
        } else {
            (tags.len() > limits::RESOURCE_TAGS).then_some(RefusalReason::TagLimit)
        }
    })
    .min()
}

fn tags(tags: &[(String, String)]) -> Result<Vec<TagRef<'_>>, RefusalReason> {
    tags.iter()
        .map(|(key, value)| TagRef::parse(key, value).map_err(|_| RefusalReason::InvalidRequest))
        .collect()
}

/// What is known of a resource.
fn find<'b>(bundle: &'b Bundle, asked: &RequestedResource) -> Option<&'b model::Resource> {
    let mut stored = bundle.resources.iter();
    stored.find(|stored| stored.arn.as_str() == asked.arn)
}

/// The tags of a resource that is known, as the directory keeps them.
fn packed(bundle: &Bundle, asked: &RequestedResource) -> String {
    let mut text = String::new();
    if let Some(stored) = find(bundle, asked) {
        stored.tags.iter().for_each(|tag| pack(tag, &mut text));
    }
    text
}

fn resource<'a>(
    bundle: &'a Bundle,
    asked: &'a RequestedResource,
    sent: Option<&'a [TagRef<'a>]>,
    kept: &'a str,
) -> Result<Resource<'a>, RefusalReason> {
    let invalid = RefusalReason::InvalidRequest;
    let name = ResourceName::parse(&asked.arn).map_err(|_| invalid)?;
    if let Some(Some(group)) = &asked.group {
        Name::try_from(group.as_str()).map_err(|_| invalid)?;
    }
    if let Some(stored) = find(bundle, asked) {
        return Ok(Resource {
            name,
            tags: KnownTags::Stored(PackedTags::new(kept.as_bytes())),
            group: stored
                .group
                .as_ref()
                .map_or(KnownGroup::None, |group| KnownGroup::Some(group.as_str())),
            owner: stored.owner(),
        });
    }
    Ok(Resource {
        name,
        tags: sent.map_or(KnownTags::Unknown, KnownTags::Sent),
        group: match &asked.group {
            None => KnownGroup::Unknown,
            Some(None) => KnownGroup::None,
            Some(Some(group)) => KnownGroup::Some(group),
        },
        owner: None,
    })
}

/// The typed keys of a context.
#[derive(Debug, Default)]
struct Typed {
    source_ip: Option<std::net::IpAddr>,
    secure_transport: Option<bool>,
    mfa_present: Option<bool>,
    fault: Option<RefusalReason>,
}

impl Typed {
    /// Whether the entry is a typed key; its value is read.
    fn takes(&mut self, entry: &ContextEntry<'_>) -> bool {
        let text = match entry.values {
            [one] => Some(*one),
            _ => None,
        };
        let readable = match entry.key.to_ascii_lowercase().as_str() {
            "acs:sourceip" => {
                self.source_ip = text.and_then(parse_ip);
                self.source_ip.is_some()
            }
            "acs:securetransport" => {
                self.secure_transport = text.and_then(parse_bool);
                self.secure_transport.is_some()
            }
            "acs:mfapresent" => {
                self.mfa_present = text.and_then(parse_bool);
                self.mfa_present.is_some()
            }
            _ => return false,
        };
        if !readable {
            let fault = RefusalReason::ContextValueInvalid;
            self.fault = Some(self.fault.map_or(fault, |first| first.min(fault)));
        }
        true
    }
}
