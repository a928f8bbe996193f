//! What the statements of a sub-check see of tags: one image, or two where the rules ask twice.

use crate::model::catalog::{OperationKind, TagEffect};
use crate::model::statement::Effect;

use super::subcheck::{Part, Question, SubCheck, Tags, Write};

/// The tags in view, by family. `None`: the whole family is absent.
#[derive(Debug, Clone)]
pub(super) struct Image {
    /// R.
    pub(super) resource: Option<Tags>,
    /// Q.
    pub(super) request: Option<Tags>,
    /// T: a condition must hold on each of them.
    pub(super) either: Vec<Option<Tags>>,
    /// The families of this service are there.
    pub(super) service: String,
}

/// The images on which a statement of this effect is evaluated. Two for a tag write (current, then
/// resulting tags), and for a Deny on the resource being made.
pub(super) fn images(question: &Question<'_>, sub: &SubCheck<'_>, effect: Effect) -> Vec<Image> {
    let request = request_tags(question, sub, effect);
    let image = |resource: Option<Tags>, either: Vec<Option<Tags>>| Image {
        resource,
        request: request.clone(),
        either,
        service: sub.service(question.action),
    };
    match (sub.part, &sub.write, effect) {
        // Decision 13: in an Allow T must hold on the current and on the resulting tags.
        (Part::Existing, Some(write), Effect::Allow) => {
            let both = vec![Some(write.current.clone()), Some(write.post.clone())];
            vec![
                image(Some(write.current.clone()), both.clone()),
                image(Some(write.post.clone()), both),
            ]
        }
        // security 4: a Deny on (current, new) or on (post, new). Decision 13: T is R.
        (Part::Existing, Some(write), Effect::Deny) => vec![
            image(
                Some(write.current.clone()),
                vec![Some(write.current.clone())],
            ),
            image(Some(write.post.clone()), vec![Some(write.post.clone())]),
        ],
        // Decision 13: on any other existing resource T is R. Unknown tags: nobody reads them.
        (Part::Existing, None, _) => {
            let tags = Some(sub.tags.clone().unwrap_or_default());
            vec![image(tags.clone(), vec![tags])]
        }
        // security 3.3, decision 12: R of a resource being made is absent; T is Q there.
        (Part::Made, _, Effect::Allow) => vec![image(None, vec![request.clone()])],
        // security 3.4: a Deny holds with R absent or with R = the request tags.
        (Part::Made, _, Effect::Deny) => vec![
            image(None, vec![request.clone()]),
            image(request.clone(), vec![request.clone()]),
        ],
        // Decision 13: on a list without an id T is Q if the Q family is seen, else absent.
        (Part::Open, _, _) => vec![image(None, vec![request.clone()])],
    }
}

/// The Q family, where a statement of this effect sees it (decision 11).
fn request_tags(question: &Question<'_>, sub: &SubCheck<'_>, effect: Effect) -> Option<Tags> {
    let sent = question.request.tags.set.clone()?;
    match effect {
        // A Deny sees them everywhere.
        Effect::Deny => Some(sent),
        Effect::Allow => allow_sees_request_tags(question, sub).then_some(sent),
    }
}

fn allow_sees_request_tags(question: &Question<'_>, sub: &SubCheck<'_>) -> bool {
    let facts = &question.facts;
    // On a tag write by the rule of section 4.
    let writes = sub.write.is_some();
    // By the resource being made, unless the action's `tags` is `none`.
    let makes = sub.part == Part::Made && facts.tags != TagEffect::None;
    // On query by every sub-check if `filterable`.
    let filters = facts.kind == OperationKind::Query && facts.filterable;
    writes || makes || filters
}

/// The keys that a write touches, in two parts: those that it adds, and all others.
pub(super) fn added_and_changed(write: &Write) -> (Vec<&String>, Vec<&String>) {
    let has = |key: &String| write.current.iter().any(|(other, _)| other == key);
    write
        .touched
        .iter()
        .partition(|key| write.new.contains(key) && !has(key))
}
