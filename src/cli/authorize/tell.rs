//! An answer on the command line: a tree for people, or JSON with the names of the API.

use serde_json::{Value, json};

use crate::wire::v1;

/// The answer as a tree.
pub(super) fn text(response: &v1::AuthorizeResponse) -> String {
    let mut lines = vec![headline(response)];
    for statement in &response.statements {
        lines.push(format!("  by {}", name(statement)));
    }
    for obligation in &response.obligations {
        lines.push(format!("  must {}", self::obligation(obligation)));
    }
    for key in &response.missing_keys {
        lines.push(format!("  without the key {key}"));
    }
    if let Some(explanation) = &response.explanation {
        for step in &explanation.steps {
            tree(step, 1, &mut lines);
        }
    }
    lines.join("\n")
}

fn headline(response: &v1::AuthorizeResponse) -> String {
    let effect = short(response.effect().as_str_name(), "EFFECT_");
    let mut line = effect.to_owned();
    if response.effect() == v1::Effect::Deny {
        line = format!(
            "{line} {}",
            short(response.reason().as_str_name(), "REASON_")
        );
    }
    if response.layer() != v1::Layer::Unspecified {
        line = format!(
            "{line} at {}",
            layer(response.layer(), response.control_level)
        );
    }
    if response.on_deny() == v1::OnDeny::EmptyResult {
        line.push_str(", shown as an empty result");
    }
    line
}

fn tree(step: &v1::ExplanationStep, depth: usize, lines: &mut Vec<String>) {
    lines.push(format!(
        "{}{}: {}",
        "  ".repeat(depth),
        step.subject,
        step.outcome
    ));
    for below in &step.steps {
        tree(below, depth + 1, lines);
    }
}

fn name(statement: &v1::StatementRef) -> String {
    let v1::StatementRef { policy, sid, index } = statement;
    let sid = if sid.is_empty() {
        String::new()
    } else {
        format!(" ({sid})")
    };
    format!("{policy} statement {index}{sid}")
}

fn layer(layer: v1::Layer, level: u32) -> String {
    let name = short(layer.as_str_name(), "LAYER_").to_ascii_lowercase();
    if layer == v1::Layer::Control {
        format!("{name} level {level}")
    } else {
        name
    }
}

fn obligation(obligation: &v1::Obligation) -> String {
    use v1::obligation::Obligation;
    match &obligation.obligation {
        Some(Obligation::MustFilterTags(must)) => {
            let tags = must
                .tags
                .iter()
                .map(|tag| format!("{}={}", tag.key, tag.value));
            format!("filter by the tags {}", tags.collect::<Vec<_>>().join(", "))
        }
        Some(Obligation::FilterResults(_)) => "filter the results".to_owned(),
        None => "do something unknown".to_owned(),
    }
}

fn short<'a>(name: &'a str, prefix: &str) -> &'a str {
    name.strip_prefix(prefix).unwrap_or(name)
}

/// The answer as JSON, with the names of the API.
pub(super) fn json(response: &v1::AuthorizeResponse) -> Value {
    json!({
        "effect": response.effect().as_str_name(),
        "on_deny": response.on_deny().as_str_name(),
        "reason": response.reason().as_str_name(),
        "layer": response.layer().as_str_name(),
        "control_level": response.control_level,
        "statements": response.statements.iter().map(statement).collect::<Vec<_>>(),
        "verdicts": response.verdicts.iter().map(verdict).collect::<Vec<_>>(),
        "obligations": response.obligations.iter().map(duty).collect::<Vec<_>>(),
        "missing_keys": response.missing_keys,
        "decision_id": response.decision_id,
        "explanation": response.explanation.as_ref().map(|all| all.steps.iter().map(step).collect::<Vec<_>>()),
    })
}

fn statement(statement: &v1::StatementRef) -> Value {
    let v1::StatementRef { policy, sid, index } = statement;
    json!({"policy": policy, "sid": sid, "index": index})
}

fn verdict(verdict: &v1::ResourceVerdict) -> Value {
    json!({
        "arn": verdict.arn,
        "effect": verdict.effect().as_str_name(),
        "reason": verdict.reason().as_str_name(),
        "layer": verdict.layer().as_str_name(),
        "control_level": verdict.control_level,
        "statement": verdict.statement.as_ref().map(statement),
    })
}

fn duty(obligation: &v1::Obligation) -> Value {
    use v1::obligation::Obligation;
    match &obligation.obligation {
        Some(Obligation::MustFilterTags(must)) => {
            let tag = |tag: &v1::Tag| json!({"key": tag.key, "value": tag.value});
            json!({"must_filter_tags": {"tags": must.tags.iter().map(tag).collect::<Vec<_>>()}})
        }
        Some(Obligation::FilterResults(_)) => json!({"filter_results": {}}),
        None => Value::Null,
    }
}

fn step(taken: &v1::ExplanationStep) -> Value {
    let v1::ExplanationStep {
        subject,
        outcome,
        steps,
    } = taken;
    json!({"subject": subject, "outcome": outcome, "steps": steps.iter().map(step).collect::<Vec<_>>()})
}
