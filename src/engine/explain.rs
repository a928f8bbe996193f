//! The same decision, with every step that led to it. It allocates; it is asked for by people.
//!
//! What is told holds values of requests and policies: whom it is shown to is the caller's affair
//! (security 8, level 3).

use super::condition;
use super::decision::{Decision, Refused, Verdicts};
use super::observe::{Observer, Step};
use super::request::Request;
use super::subcheck::SubCheck;
use crate::model::statement::Effect;
use crate::model::verdict::{Layer, Outcome};
use crate::snapshot::{Snapshot, StatementId};

/// Every step of a decision: resources, their units, the statements whose action matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explanation {
    /// One for each resource that was judged.
    pub resources: Vec<ExplainedResource>,
}

/// How one resource was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedResource {
    /// The ARN.
    pub arn: String,
    /// What it came to.
    pub outcome: Outcome,
    /// The units, in the order judged.
    pub units: Vec<ExplainedUnit>,
}

/// What one unit came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedUnit {
    /// Its layer.
    pub layer: Layer,
    /// What it came to.
    pub outcome: Outcome,
    /// The statements whose action matches.
    pub statements: Vec<ExplainedStatement>,
}

/// What became of one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedStatement {
    /// Its policy: `custom:NAME`.
    pub policy: String,
    /// Its place in the policy, from 0.
    pub index: u16,
    /// Its name, if it has one.
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// Whether it applies, and why not.
    pub result: StatementResult,
}

/// Whether a statement applies. A statement that looks at two sets of tags is told for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementResult {
    /// It applies.
    Applies,
    /// It names other principals.
    OtherPrincipal,
    /// It covers other resources.
    OtherResource,
    /// A condition does not hold.
    ConditionFails {
        /// The condition: `StringEquals acs:ResourceTag/env ["test"]`.
        condition: String,
        /// What was found: `"prod"`, `absent`.
        found: String,
    },
}

/// Decides as [`super::decide_each`], and tells every step.
///
/// # Errors
///
/// As [`super::decide`]; the steps told are then those up to the refusal.
pub fn explain(
    snapshot: &Snapshot,
    request: &Request<'_>,
    verdicts: &mut Verdicts,
) -> (Result<Decision, Refused>, Explanation) {
    let mut record = Record::default();
    let decision = super::decide_observed(snapshot, request, verdicts, &mut record);
    (decision, record.explanation)
}

#[derive(Debug, Default)]
struct Record {
    statements: Vec<ExplainedStatement>,
    units: Vec<ExplainedUnit>,
    explanation: Explanation,
}

impl Observer for Record {
    fn statement(&mut self, check: &SubCheck<'_>, id: StatementId, step: Step<'_>) {
        let result = match step {
            Step::OtherPrincipal => StatementResult::OtherPrincipal,
            Step::OtherResource => StatementResult::OtherResource,
            Step::Applies => StatementResult::Applies,
            Step::Fails(failed, image) => StatementResult::ConditionFails {
                condition: failed.to_string(),
                found: condition::found(check, failed, image),
            },
        };
        let (policy, statement) = super::statement::of(check, id).unzip();
        self.statements.push(ExplainedStatement {
            policy: policy.map_or_else(String::new, |policy| policy.name().to_string()),
            index: id.index,
            sid: statement.and_then(|statement| statement.sid().map(ToString::to_string)),
            effect: statement.map_or(Effect::Deny, |statement| statement.effect),
            result,
        });
    }

    fn unit(&mut self, layer: Layer, outcome: Outcome) {
        let statements = std::mem::take(&mut self.statements);
        self.units.push(ExplainedUnit {
            layer,
            outcome,
            statements,
        });
    }

    fn resource(&mut self, check: &SubCheck<'_>, outcome: Outcome) {
        let units = std::mem::take(&mut self.units);
        let arn = check.resource.name.as_str().to_owned();
        self.explanation.resources.push(ExplainedResource {
            arn,
            outcome,
            units,
        });
    }
}
