//! Outcomes, reasons and layers by the numbers and the words that answers have for them.

use crate::model::verdict::{DenyReason, Layer, OnDeny, Outcome};
use crate::wire::v1;

pub(super) fn effect(allowed: bool) -> v1::Effect {
    if allowed {
        v1::Effect::Allow
    } else {
        v1::Effect::Deny
    }
}

pub(super) fn shown(on_deny: OnDeny) -> v1::OnDeny {
    match on_deny {
        OnDeny::Error => v1::OnDeny::Error,
        OnDeny::EmptyResult => v1::OnDeny::EmptyResult,
    }
}

pub(super) fn told(reason: DenyReason) -> v1::Reason {
    match reason {
        DenyReason::Implicit => v1::Reason::ImplicitDeny,
        DenyReason::Explicit => v1::Reason::ExplicitDeny,
        DenyReason::PrincipalUnknown => v1::Reason::PrincipalUnknown,
        DenyReason::ObligationRequired => v1::Reason::ObligationRequired,
        DenyReason::ResourceUnknown => v1::Reason::ResourceUnknown,
    }
}

pub(super) fn outcome_reason(outcome: Outcome) -> v1::Reason {
    match outcome {
        Outcome::Allow => v1::Reason::Unspecified,
        Outcome::ImplicitDeny => v1::Reason::ImplicitDeny,
        Outcome::ExplicitDeny => v1::Reason::ExplicitDeny,
    }
}

pub(super) fn outcome_text(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "allowed",
        Outcome::ImplicitDeny => "no Allow holds",
        Outcome::ExplicitDeny => "a Deny holds",
    }
}

/// The number of a layer, and the level of a control layer.
pub(super) fn layer(layer: Option<Layer>) -> (v1::Layer, u32) {
    let (layer, level) = match layer {
        None => (v1::Layer::Unspecified, 0),
        Some(Layer::Control { level }) => (v1::Layer::Control, level),
        Some(Layer::Session) => (v1::Layer::Session, 0),
        Some(Layer::Identity) => (v1::Layer::Identity, 0),
        Some(Layer::ResourceGroup) => (v1::Layer::ResourceGroup, 0),
        Some(Layer::ResourceBased) => (v1::Layer::ResourceBased, 0),
        Some(Layer::AccountOwner) => (v1::Layer::AccountOwner, 0),
    };
    (layer, u32::from(level))
}

pub(super) fn layer_text(layer: Layer) -> String {
    match layer {
        Layer::Control { level } => format!("control policies of level {level}"),
        Layer::Session => "session policy".to_owned(),
        Layer::Identity => "identity policies of the account".to_owned(),
        Layer::ResourceGroup => "identity policies of the resource group".to_owned(),
        Layer::ResourceBased => "resource-based policies".to_owned(),
        Layer::AccountOwner => "owner of the account".to_owned(),
    }
}
