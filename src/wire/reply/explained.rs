//! Explanations as messages: resource, unit, statement, condition.

use super::names::{layer_text, outcome_text};
use crate::engine::explain::{
    ExplainedResource, ExplainedStatement, ExplainedUnit, Explanation, StatementResult,
};
use crate::model::statement::Effect;
use crate::wire::v1;

/// Every step, as the engine told it.
pub(super) fn explanation(explanation: &Explanation) -> v1::Explanation {
    let Explanation { resources } = explanation;
    v1::Explanation {
        steps: resources.iter().map(resource).collect(),
    }
}

fn resource(resource: &ExplainedResource) -> v1::ExplanationStep {
    let ExplainedResource {
        arn,
        outcome,
        units,
    } = resource;
    v1::ExplanationStep {
        subject: arn.clone(),
        outcome: outcome_text(*outcome).to_owned(),
        steps: units.iter().map(unit).collect(),
    }
}

fn unit(unit: &ExplainedUnit) -> v1::ExplanationStep {
    let ExplainedUnit {
        layer,
        outcome,
        statements,
    } = unit;
    v1::ExplanationStep {
        subject: layer_text(*layer),
        outcome: outcome_text(*outcome).to_owned(),
        steps: statements.iter().map(statement).collect(),
    }
}

fn statement(statement: &ExplainedStatement) -> v1::ExplanationStep {
    let ExplainedStatement {
        policy,
        index,
        sid,
        effect,
        result,
    } = statement;
    let effect = match effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    let name = sid
        .as_ref()
        .map_or_else(String::new, |sid| format!(" ({sid})"));
    let (outcome, steps) = told(result);
    v1::ExplanationStep {
        subject: format!("{effect} of {policy}, statement {index}{name}"),
        outcome: outcome.to_owned(),
        steps,
    }
}

fn told(result: &StatementResult) -> (&'static str, Vec<v1::ExplanationStep>) {
    match result {
        StatementResult::Applies => ("applies", Vec::new()),
        StatementResult::OtherPrincipal => ("names other principals", Vec::new()),
        StatementResult::OtherResource => ("covers other resources", Vec::new()),
        StatementResult::ConditionFails { condition, found } => {
            let step = v1::ExplanationStep {
                subject: condition.clone(),
                outcome: format!("found {found}"),
                steps: Vec::new(),
            };
            ("a condition does not hold", vec![step])
        }
    }
}
