//! The answer of a case, beside what is expected of it.

use jiff::Timestamp;

use super::Offline;
use crate::document::case::{Case, Expectation, Expected, World};
use crate::model::compliance::TaggingAnswer;
use crate::model::condition::parse_date;
use crate::model::verdict::{ObligationKind, Outcome, RefusalReason};
use crate::wire::status::CallError;
use crate::wire::v1;

/// What an answer comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// No decision, for this reason.
    Refused(String),
    /// A decision.
    Decided {
        /// What evaluation came to.
        outcome: Outcome,
        /// Whether it is shown as an empty result.
        empty: bool,
        /// What an ALLOW obliges to.
        obligations: Vec<ObligationKind>,
    },
}

impl Shown {
    /// No decision.
    pub fn refused(reason: &str) -> Self {
        Self::Refused(reason.to_owned())
    }
}

/// What the engine answers a case with.
pub fn answer(case: &Case) -> Shown {
    let invalid = || Shown::refused(RefusalReason::InvalidDocument.as_str());
    let World::Ready(bundle) = &case.world else {
        return invalid();
    };
    let Ok(offline) = Offline::new(bundle) else {
        return invalid();
    };
    let now = match case.request.current_time.as_deref() {
        None => Timestamp::now(),
        Some(text) => match parse_date(text) {
            Some(instant) => instant,
            None => return Shown::refused(RefusalReason::ContextValueInvalid.as_str()),
        },
    };
    shown(offline.answer(&(&case.request).into(), now))
}

/// What an answer of the API comes to. It must tell its reason: disclosure level 1 or more.
pub fn shown(answer: Result<v1::AuthorizeResponse, CallError>) -> Shown {
    match answer {
        Err(error) => Shown::refused(error.reason()),
        Ok(response) => decided(&response),
    }
}

/// What a decision of the API comes to.
pub fn decided(response: &v1::AuthorizeResponse) -> Shown {
    let explicit = response.reason() == v1::Reason::ExplicitDeny;
    let outcome = match response.effect() {
        v1::Effect::Allow => Outcome::Allow,
        v1::Effect::Deny | v1::Effect::Unspecified if explicit => Outcome::ExplicitDeny,
        v1::Effect::Deny | v1::Effect::Unspecified => Outcome::ImplicitDeny,
    };
    Shown::Decided {
        outcome,
        empty: response.on_deny() == v1::OnDeny::EmptyResult,
        obligations: response.obligations.iter().filter_map(obligation).collect(),
    }
}

fn obligation(obligation: &v1::Obligation) -> Option<ObligationKind> {
    use v1::obligation::Obligation;
    obligation.obligation.as_ref().map(|kind| match kind {
        Obligation::MustFilterTags(_) => ObligationKind::MustFilterTags,
        Obligation::FilterResults(_) => ObligationKind::FilterResults,
    })
}

/// How an answer differs from what was expected; `None`: it does not.
pub fn complaint(expectation: &Expectation, found: &Shown) -> Option<String> {
    let Expectation {
        expected,
        decision,
        obligations,
    } = expectation;
    let alike = match (expected, found) {
        (Expected::Error(reason), Shown::Refused(found)) => reason.as_str() == found,
        (Expected::Decision(wanted), Shown::Decided { outcome, empty, .. }) => {
            wanted == outcome && !empty
        }
        (Expected::EmptyResult, Shown::Decided { outcome, empty, .. }) => {
            *empty && decision.is_none_or(|wanted| wanted == *outcome)
        }
        (Expected::Error(_), Shown::Decided { .. })
        | (Expected::Decision(_) | Expected::EmptyResult, Shown::Refused(_)) => false,
    };
    let held = match found {
        Shown::Decided {
            obligations: held, ..
        } => obligations.iter().all(|kind| held.contains(kind)),
        Shown::Refused(_) => true,
    };
    (!alike || !held).then(|| format!("expected {}, found {}", told(expectation), tell(found)))
}

fn told(expectation: &Expectation) -> String {
    let Expectation {
        expected,
        decision,
        obligations,
    } = expectation;
    let what = match expected {
        Expected::Decision(outcome) => name(*outcome).to_owned(),
        Expected::EmptyResult => match decision {
            Some(outcome) => format!("EMPTY_RESULT ({})", name(*outcome)),
            None => "EMPTY_RESULT".to_owned(),
        },
        Expected::Error(reason) => format!("ERROR {reason}"),
    };
    what + &with(obligations)
}

fn tell(found: &Shown) -> String {
    match found {
        Shown::Refused(reason) => format!("ERROR {reason}"),
        Shown::Decided {
            outcome,
            empty,
            obligations,
        } => {
            let outcome = name(*outcome);
            let what = if *empty {
                format!("EMPTY_RESULT ({outcome})")
            } else {
                outcome.to_owned()
            };
            what + &with(obligations)
        }
    }
}

fn with(obligations: &[ObligationKind]) -> String {
    obligations
        .iter()
        .flat_map(|kind| [" +", kind.as_str()])
        .collect()
}

/// The name of an outcome in case files.
pub fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "ALLOW",
        Outcome::ImplicitDeny => "IMPLICIT_DENY",
        Outcome::ExplicitDeny => "EXPLICIT_DENY",
    }
}

/// How a verdict on tags differs from what was expected; `None`: it does not.
pub fn tagging_complaint(expected: &TaggingAnswer, found: &TaggingAnswer) -> Option<String> {
    (expected != found).then(|| {
        let (expected, found) = (tagging(expected), tagging(found));
        format!("expected {expected}, found {found}")
    })
}

/// A verdict on tags in one line.
fn tagging(answer: &TaggingAnswer) -> String {
    let TaggingAnswer {
        evaluated,
        violations,
        intercepted,
        corrected,
    } = answer;
    let mut words = vec![
        if *evaluated {
            "evaluated"
        } else {
            "not evaluated"
        }
        .to_owned(),
        if *intercepted {
            "intercepted"
        } else {
            "let through"
        }
        .to_owned(),
    ];
    words.extend(
        violations
            .iter()
            .map(|(code, key)| format!("{code} `{key}`")),
    );
    words.extend(corrected.iter().map(|(key, value)| match value {
        Some(value) => format!("`{key}` becomes `{value}`"),
        None => format!("`{key}` is removed"),
    }));
    words.join(", ")
}
