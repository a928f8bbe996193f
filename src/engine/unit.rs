//! One unit of evaluation: the policies of one layer, judged together (ram 4.1, security 4).
//!
//! 1. a Deny that holds: EXPLICIT_DENY; 2. else an Allow that holds: ALLOW; 3. else IMPLICIT_DENY.
//!
//! Where the call writes tags, an ALLOW needs `old_ok` and `new_ok` in the place of 2. Nothing is
//! pooled across units.

use arrayvec::ArrayVec;

use super::check::Faults;
use super::condition;
use super::decision::{Obligations, Subject};
use super::observe::{Observer, Step};
use super::request::{KnownGroup, KnownTags};
use super::statement::{covers_action, covers_below, covers_resource, names_asker};
use super::subcheck::{Image, Images, Standing, SubCheck};
use super::tags::Tags;
use crate::model::catalog::OperationKind;
use crate::model::condition::TagFamily;
use crate::model::settings::{MissingRequired, TagKeyCase, UpdateExtraTags};
use crate::model::statement::Effect;
use crate::model::text::eq_fold;
use crate::model::verdict::{Layer, Outcome, RefusalReason};
use crate::snapshot::condition::{Condition, Key};
use crate::snapshot::{Policy, PolicyId, Statement, StatementId};

/// What a unit came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnitVerdict {
    pub(super) outcome: Outcome,
    pub(super) statement: Option<StatementId>,
    pub(super) obligations: Obligations,
}

/// How the statements of a unit are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binding {
    /// As written.
    Full,
    /// For the owner of the account: only a Deny with a Condition binds (security 2.5).
    ConditionalDenies,
}

impl Binding {
    /// Whether a Deny binds whoever asks.
    pub(super) fn binds(self, deny: &Statement) -> bool {
        match self {
            Self::Full => true,
            Self::ConditionalDenies => !deny.conditions.is_empty(),
        }
    }
}

/// Statements of the action that nobody has looked at yet.
type Found<'s> = ArrayVec<(StatementId, &'s Statement), 16>;

/// The first condition of a statement that does not hold, on each image.
#[derive(Debug, Default)]
struct Failing<'s> {
    first: Option<&'s Condition>,
    second: Option<&'s Condition>,
}

/// One unit in the making.
pub(super) struct Unit<'u, 'a, O> {
    pub(super) check: &'u SubCheck<'a>,
    pub(super) faults: &'u mut Faults,
    pub(super) observer: &'u mut O,
    pub(super) layer: Layer,
    /// The account that the policies speak for.
    pub(super) account: &'u str,
    pub(super) binding: Binding,
    tally: Tally,
}

/// What the statements so far came to.
#[derive(Debug, Default)]
struct Tally {
    deny: Option<StatementId>,
    allow: Option<(StatementId, Obligations)>,
    /// An Allow of class N, R or RQ that holds on (current, new).
    old: Option<StatementId>,
    /// An Allow of class N, R or RQ that holds on (post, new).
    post: bool,
    /// Which of the new keys a Q condition names, in an Allow that holds on (current, new).
    named: u32,
}

impl<'u, 'a, O: Observer> Unit<'u, 'a, O> {
    pub(super) fn new(
        check: &'u SubCheck<'a>,
        faults: &'u mut Faults,
        observer: &'u mut O,
        layer: Layer,
        account: &'u str,
    ) -> Self {
        let binding = Binding::Full;
        Self {
            check,
            faults,
            observer,
            layer,
            account,
            binding,
            tally: Tally::default(),
        }
    }

    /// Judges the policies of the unit by their ids. Statements of the action are found first and
    /// looked at then: memory is asked for many policies before anybody waits for one.
    pub(super) fn judge(mut self, ids: impl IntoIterator<Item = PolicyId>) -> UnitVerdict {
        let SubCheck {
            snapshot, action, ..
        } = *self.check;
        let mut found = Found::new();
        for id in ids {
            let Some(policy) = snapshot.policies.covering(id, action.found.asked) else {
                continue;
            };
            for (id, statement) in statements(id, policy) {
                if covers_action(statement, action) {
                    if found.is_full() {
                        self.statements(&mut found);
                    }
                    // INVARIANT: there is a place.
                    let _ = found.try_push((id, statement));
                }
            }
        }
        self.statements(&mut found);
        self.verdict()
    }

    /// Judges the policy of a session.
    pub(super) fn judge_session(mut self, policy: &Policy) -> UnitVerdict {
        let check = self.check;
        for (id, statement) in statements(PolicyId::SESSION, policy) {
            if covers_action(statement, check.action) {
                self.statement(id, statement);
            }
        }
        self.verdict()
    }

    fn statements(&mut self, found: &mut Found<'_>) {
        for (id, statement) in found.drain(..) {
            self.statement(id, statement);
        }
    }

    /// Most statements are of other actions: what follows stays out of the way of those who look.
    #[inline(never)]
    fn statement(&mut self, id: StatementId, statement: &Statement) {
        if !names_asker(statement, self.check) {
            return self
                .observer
                .statement(self.check, id, Step::OtherPrincipal);
        }
        if !covers_resource(statement, self.check, self.account) {
            return self.observer.statement(self.check, id, Step::OtherResource);
        }
        self.needs(id, statement);
        match statement.effect {
            Effect::Deny => self.deny(id, statement),
            Effect::Allow => self.allow(id, statement),
        }
    }

    fn deny(&mut self, id: StatementId, statement: &Statement) {
        if self.binding.binds(statement) && self.denies(id, statement) {
            self.observer.statement(self.check, id, Step::Applies);
            self.tally.deny = self.tally.deny.or(Some(id));
        }
    }

    fn denies(&mut self, id: StatementId, statement: &Statement) -> bool {
        if statement.conditions.is_empty() {
            return true;
        }
        let images = self.check.deny_images();
        let failing = self.failing(statement, images);
        self.holds(id, images.first, failing.first)
            || images
                .second()
                .is_some_and(|second| self.holds(id, second, failing.second))
    }

    /// Whether an Allow holds on its first image, and on its second if there is one.
    fn allows(&mut self, id: StatementId, statement: &Statement) -> (bool, bool) {
        if statement.conditions.is_empty() {
            return (true, true);
        }
        let images = self.check.allow_images();
        let failing = self.failing(statement, images);
        let held = self.holds(id, images.first, failing.first);
        let post = images
            .second()
            .is_some_and(|second| self.holds(id, second, failing.second));
        (held, post)
    }

    fn allow(&mut self, id: StatementId, statement: &Statement) {
        let (held, post) = self.allows(id, statement);
        if held || post {
            self.observer.statement(self.check, id, Step::Applies);
        }
        match self.check.standing {
            Standing::Written(_) => self.written(id, statement, held, post),
            Standing::Making | Standing::Existing | Standing::Open if held => {
                let obligations = self.obligations(statement);
                let better = self
                    .tally
                    .allow
                    .is_none_or(|(_, kept)| obligations.weight() < kept.weight());
                if better {
                    self.tally.allow = Some((id, obligations));
                }
            }
            Standing::Making | Standing::Existing | Standing::Open => {}
        }
    }

    /// security 4: what an Allow gives to `old_ok` and `new_ok`, by its class.
    fn written(&mut self, id: StatementId, statement: &Statement, held: bool, post: bool) {
        let class = statement.class;
        let request_only = class.request && !class.reads_resource();
        if !request_only {
            self.tally.post |= post;
            if held {
                self.tally.old = self.tally.old.or(Some(id));
            }
        }
        if class.request && held {
            self.tally.named |= self.named(statement);
        }
    }

    /// Which of the request's tags the Q conditions of a statement test.
    fn named(&self, statement: &Statement) -> u32 {
        let fold = self.check.snapshot.settings.tag_key_case == TagKeyCase::Fold;
        let tags = self.check.request.tags.set.unwrap_or_default();
        let open = self.check.either_is_request();
        let mut mask = 0;
        for key in statement
            .conditions
            .iter()
            .filter_map(|condition| request_key(condition, open))
        {
            for (place, tag) in tags.iter().enumerate() {
                if tag.key == key || (fold && eq_fold(tag.key, key)) {
                    mask |= 1 << place;
                }
            }
        }
        mask
    }

    /// security 3.6: what an ALLOW through this statement would oblige to.
    fn obligations(&self, statement: &Statement) -> Obligations {
        let check = self.check;
        let class = statement.class;
        let by_request = class.request || (class.either && check.either_is_request());
        let filters = check.action.kind == OperationKind::Query && by_request;
        let lists = check.action.list && check.standing == Standing::Open;
        Obligations {
            filter_tags: filters.then(|| self.named(statement)),
            filter_results: lists
                && (narrows(statement)
                    || self.layer == Layer::ResourceGroup
                    || !covers_below(statement, check, self.account)),
        }
    }

    /// The first condition that does not hold, on either image. What reads alike on both is read once.
    fn failing<'s>(&self, statement: &'s Statement, images: Images) -> Failing<'s> {
        let (check, effect) = (self.check, statement.effect);
        let fails = |condition, image| !condition::holds(check, effect, condition, image);
        let Some(second) = images.second() else {
            let mut conditions = statement.conditions.iter();
            let first = conditions.find(|condition| fails(condition, images.first));
            return Failing {
                first,
                second: None,
            };
        };
        let mut found = Failing::default();
        for condition in statement.conditions.iter() {
            let (on_first, on_second) = if condition::reads_alike(check, condition, images) {
                let on_both = fails(condition, images.first);
                (on_both, on_both)
            } else {
                let on_first = found.first.is_none() && fails(condition, images.first);
                let on_second = found.second.is_none() && fails(condition, second);
                (on_first, on_second)
            };
            found.first = found.first.or(on_first.then_some(condition));
            found.second = found.second.or(on_second.then_some(condition));
            if found.first.is_some() && found.second.is_some() {
                break;
            }
        }
        found
    }

    /// Whether all conditions hold on an image: whether none of them fails.
    fn holds(&mut self, id: StatementId, image: Image, failed: Option<&Condition>) -> bool {
        if let Some(condition) = failed {
            self.observer
                .statement(self.check, id, Step::Fails(condition, image));
        }
        failed.is_none()
    }

    /// What a statement that matches needs of the request, whatever else decides (security 2).
    fn needs(&mut self, id: StatementId, statement: &Statement) {
        let check = self.check;
        if check.exists() {
            let tags = matches!(check.resource.tags, KnownTags::Unknown);
            let group = check.resource.group == KnownGroup::Unknown;
            let by_group = statement.reads.group || self.layer == Layer::ResourceGroup;
            if (tags && statement.class.reads_resource()) || (group && by_group) {
                self.faults.note(RefusalReason::ResourceUnknown, None);
            }
        }
        if statement.reads.context
            && check.snapshot.settings.missing_required == MissingRequired::Refuse
        {
            self.required(id, statement);
        }
        if statement.reads.values {
            self.readable(id, statement);
        }
    }

    fn required(&mut self, id: StatementId, statement: &Statement) {
        for (place, condition) in (0_u16..).zip(statement.conditions.iter()) {
            if is_missing(self.check, condition) {
                let subject = Subject::Condition {
                    statement: id,
                    place,
                };
                self.faults
                    .note(RefusalReason::ContextKeyMissing, Some(subject));
            }
        }
    }

    fn readable(&mut self, id: StatementId, statement: &Statement) {
        let images = match statement.effect {
            Effect::Allow => self.check.allow_images(),
            Effect::Deny => self.check.deny_images(),
        };
        let (first, second) = (images.first, images.second());
        for (place, condition) in (0_u16..).zip(statement.conditions.iter()) {
            let read = |image| condition::is_readable(self.check, condition, image);
            if !read(first) || second.is_some_and(|second| !read(second)) {
                let subject = Subject::Condition {
                    statement: id,
                    place,
                };
                self.faults
                    .note(RefusalReason::ContextValueInvalid, Some(subject));
            }
        }
    }

    /// What the policies so far came to.
    pub(super) fn verdict(self) -> UnitVerdict {
        let none = Obligations::default();
        let (outcome, statement, obligations) = match (self.tally.deny, self.check.standing) {
            (Some(deny), _) => (Outcome::ExplicitDeny, Some(deny), none),
            (None, Standing::Written(_)) => match self.tally.old {
                Some(old) if self.new_ok() => (Outcome::Allow, Some(old), none),
                Some(_) | None => (Outcome::ImplicitDeny, None, none),
            },
            (None, Standing::Making | Standing::Existing | Standing::Open) => {
                match self.tally.allow {
                    Some((allow, obligations)) => (Outcome::Allow, Some(allow), obligations),
                    None => (Outcome::ImplicitDeny, None, none),
                }
            }
        };
        self.observer.unit(self.layer, outcome);
        UnitVerdict {
            outcome,
            statement,
            obligations,
        }
    }

    /// security 4: an Allow that holds on (post, new), "**or** every touched key is a key of `new`
    /// and is named by a Q condition of some Allow of class Q or RQ that holds on (current, new)".
    fn new_ok(&self) -> bool {
        let check = self.check;
        let write = &check.request.tags;
        let new = write.set.unwrap_or_default();
        let current = Tags::Current(check.resource.tags);
        let replaces = check.standing == Standing::Written(super::tags::Overlay::Replace);
        let emptied = replaces || write.remove_all;
        let removed = !write.remove_keys.is_empty()
            || (emptied && current.any(|tag| !new.iter().any(|kept| kept.key == tag.key)));
        let named = |place: usize| self.tally.named & (1 << place) != 0;
        match check.snapshot.settings.update_extra_tags {
            UpdateExtraTags::Class => self.tally.post || (!removed && (0..new.len()).all(named)),
            UpdateExtraTags::Named => {
                let known = |key: &str| self.tally.post && current.has(key);
                (!removed || self.tally.post)
                    && new
                        .iter()
                        .enumerate()
                        .all(|(place, tag)| named(place) || known(tag.key))
            }
        }
    }
}

/// The statements of a policy, each with its id.
#[inline]
fn statements(policy: PolicyId, of: &Policy) -> impl Iterator<Item = (StatementId, &Statement)> {
    let numbered = (0_u16..).zip(of.statements());
    numbered.map(move |(index, statement)| (StatementId { policy, index }, statement))
}

/// security 2.2: always-present keys.
fn is_missing(check: &SubCheck<'_>, condition: &Condition) -> bool {
    let context = &check.request.context;
    match &condition.key {
        Key::SourceIp => context.source_ip.is_none(),
        Key::SecureTransport => context.secure_transport.is_none(),
        Key::MfaPresent => is_required(check, "acs:mfapresent") && context.mfa_present.is_none(),
        Key::Context(name) => {
            let sent = |entry: &super::request::ContextEntry<'_>| {
                entry.key.eq_ignore_ascii_case(name) && !entry.values.is_empty()
            };
            is_required(check, name) && !context.entries.iter().any(sent)
        }
        Key::CurrentTime
        | Key::PrincipalArn
        | Key::ResourceGroupId
        | Key::Action
        | Key::Resource
        | Key::Tag(_) => false,
    }
}

fn is_required(check: &SubCheck<'_>, name: &str) -> bool {
    check.action.required_keys.iter().any(|key| **key == *name)
}

fn request_key(condition: &Condition, either: bool) -> Option<&str> {
    let Key::Tag(tag) = &condition.key else {
        return None;
    };
    match tag.family {
        TagFamily::Request => Some(&tag.key),
        TagFamily::Either if either => Some(&tag.key),
        TagFamily::Either | TagFamily::Resource => None,
    }
}

/// Whether a statement narrows a list (security 3.6: "reads tags, group, type or id").
pub(super) fn narrows(statement: &Statement) -> bool {
    statement.class.reads_resource() || statement.reads.group
}
