//! `Condition`: an object of operators, each an object of keys and values (ram 2, security 7.1).

use smallvec::SmallVec;

use crate::document::cursor::{Cursor, Sink, Told, all};
use crate::document::error::ShapeErrorKind;
use crate::document::lint::LintKind;
use crate::model::condition::{Condition, ConditionKey, ValueType};
use crate::model::settings::{Operators, UnknownKeys};
use crate::model::statement::Effect;

use super::key::{self, ReadKey, Standing};
use super::operator::{Base, Operator};
use super::{CONDITIONS, PolicyErrorKind, PolicyOptions, operand};

/// Reads a `Condition` element, in the order written. An empty object is no constraint (ram 2.2).
pub(super) fn read(
    at: &Cursor<'_, '_>,
    options: &PolicyOptions<'_>,
    effect: Effect,
    sink: &mut Sink<'_>,
) -> Result<Vec<Condition>, Told> {
    let operators = at.entries(sink)?;
    let mut rest = CONDITIONS.most;
    let mut read = Vec::new();
    all(&operators, |(name, at)| {
        let keys = at.entries(sink)?;
        if keys.is_empty() {
            return Err(at.refuse(ShapeErrorKind::Empty, sink));
        }
        rest = rest
            .checked_sub(keys.len())
            .ok_or_else(|| at.refuse(ShapeErrorKind::TooMany(CONDITIONS), sink))?;
        let operator = read_operator(name, at, options, sink)?;
        read.reserve_exact(keys.len());
        // There are few keys: each is compared with those before it.
        let mut written: SmallVec<[Spelling<'_>; 4]> = SmallVec::new();
        all(&keys, |(key, at)| {
            let reader = Reader {
                options,
                effect,
                operator,
                operator_name: name,
            };
            let condition = reader.read(key, at, sink)?;
            let spelling = Spelling::of(key, &condition.key);
            if written.iter().any(|before| before.is_same(spelling)) {
                let key = (*key).into();
                return Err(at.refuse_key(PolicyErrorKind::DuplicateKey { key }, sink));
            }
            written.push(spelling);
            read.push(condition);
            Ok(())
        })
    })?;
    Ok(read)
}

/// A key as written: the case of the fixed part does not count, and that of a tag key does.
#[derive(Clone, Copy)]
struct Spelling<'a> {
    fixed: &'a str,
    tag_key: &'a str,
}

impl<'a> Spelling<'a> {
    fn of(written: &'a str, key: &ConditionKey) -> Self {
        let tag_key = key.tag().map_or(0, |tag| tag.key.len());
        // INVARIANT: a tag key is the end of the text that it was read from.
        let split = written.split_at_checked(written.len().saturating_sub(tag_key));
        let (fixed, tag_key) = split.unwrap_or((written, ""));
        Self { fixed, tag_key }
    }

    fn is_same(self, other: Self) -> bool {
        self.tag_key == other.tag_key && self.fixed.eq_ignore_ascii_case(other.fixed)
    }
}

fn read_operator(
    name: &str,
    at: &Cursor<'_, '_>,
    options: &PolicyOptions<'_>,
    sink: &mut Sink<'_>,
) -> Result<Operator, Told> {
    let written = || name.into();
    let Some(operator) = Operator::parse(name) else {
        return Err(at.refuse_key(PolicyErrorKind::UnknownOperator { name: written() }, sink));
    };
    if !operator.is_documented() {
        // Ram 2.3: `operators = documented` refuses what the platform refuses.
        if options.settings.operators == Operators::Documented {
            let name = written();
            return Err(at.refuse_key(PolicyErrorKind::OperatorNotDocumented { name }, sink));
        }
        sink.warn(&at.key_spot(), LintKind::ExtendedOperator);
    }
    if operator.base == Base::Null && operator.is_qualified() {
        return Err(at.refuse_key(PolicyErrorKind::NullQualified, sink));
    }
    Ok(operator)
}

/// Reads the conditions of one operator.
struct Reader<'a> {
    options: &'a PolicyOptions<'a>,
    effect: Effect,
    operator: Operator,
    operator_name: &'a str,
}

impl Reader<'_> {
    fn read(
        &self,
        name: &str,
        at: &Cursor<'_, '_>,
        sink: &mut Sink<'_>,
    ) -> Result<Condition, Told> {
        let key = key::parse(name, self.options.catalog).map_err(|kind| at.refuse_key(kind, sink));
        let test = operand::read_test(self.operator.base, at, sink);
        let ReadKey { key, standing } = key?;
        let condition = Condition {
            key,
            quantifier: self.operator.quantifier,
            if_exists: self.operator.if_exists,
            test: test?,
        };
        if !fits(&condition) {
            let operator = self.operator_name.into();
            let key = name.into();
            return Err(at.refuse_key(PolicyErrorKind::OperatorUnfit { operator, key }, sink));
        }
        self.check_standing(&condition, standing, name, at, sink)?;
        Ok(condition)
    }

    /// Security 7.1: an unknown `acs:` key is refused; under `unknown_keys = warn` only where its
    /// absence fails open.
    fn check_standing(
        &self,
        condition: &Condition,
        standing: Standing,
        name: &str,
        at: &Cursor<'_, '_>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Told> {
        let key = || name.into();
        match (standing, self.options.settings.unknown_keys) {
            (Standing::Plain, _) => {}
            (Standing::Bare, _) => {
                sink.warn(&at.key_spot(), LintKind::BareKey { key: key() });
            }
            (Standing::UnknownAcs, UnknownKeys::Refuse) => {
                return Err(at.refuse_key(PolicyErrorKind::UnknownKey { key: key() }, sink));
            }
            (Standing::UnknownAcs, UnknownKeys::Warn) => {
                if absence_opens(condition, self.effect) {
                    let kind = PolicyErrorKind::UnknownKeyOpens { key: key() };
                    return Err(at.refuse_key(kind, sink));
                }
                sink.warn(&at.key_spot(), LintKind::UnknownKey { key: key() });
            }
        }
        Ok(())
    }
}

/// Whether a request without the key gets more than it should: negated, `IfExists`, `Null: true`
/// and `ForAllValues` in an Allow; positive, `ForAnyValue` and `Null: false` in a Deny.
fn absence_opens(condition: &Condition, effect: Effect) -> bool {
    match effect {
        Effect::Allow => condition.holds_when_absent() || condition.test.is_negated(),
        Effect::Deny => !condition.holds_when_absent(),
    }
}

/// Whether some value of the key can be read as the type that the test asks for. Text always can.
fn fits(condition: &Condition) -> bool {
    let only = match &condition.key {
        ConditionKey::CurrentTime => ValueType::Date,
        ConditionKey::SourceIp => ValueType::Ip,
        ConditionKey::SecureTransport | ConditionKey::MfaPresent => ValueType::Bool,
        ConditionKey::PrincipalArn
        | ConditionKey::ResourceGroupId
        | ConditionKey::Action
        | ConditionKey::Resource => ValueType::Text,
        ConditionKey::Tag(_) | ConditionKey::Context(_) => return true,
    };
    let asked = condition.test.value_type();
    asked == ValueType::Text || asked == only
}
