//! regorus: a rule compiled for its VM, data indexed by principal and action.

use std::collections::BTreeMap;
use std::hint::black_box;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Rc, Value};
use serde_json::json;

use crate::corpus::{Asked, Corpus};
use crate::{Engine, version};

const RULE: &str = r"
package authz

import rego.v1

default allow := false

allow if {
    some grant in data.grants[input.user][input.action]
    grant.service == input.service
    startswith(input.id, grant.id)
    grant.env == input.resource_tags.env
    grant.team == input.request_tags.team
}
";

/// A machine with its program and data.
#[derive(Debug)]
pub struct Rego {
    name: String,
    machine: RegoVM,
    inputs: Vec<Value>,
}

impl Rego {
    /// Compiles the rule and indexes the data.
    ///
    /// # Panics
    ///
    /// When regorus refuses one of them.
    #[must_use]
    pub fn new(corpus: &Corpus) -> Self {
        let entry = "data.authz.allow";
        let mut engine = regorus::Engine::new();
        (engine.add_policy("authz.rego".to_owned(), RULE.to_owned())).expect("a policy");
        let policy = (engine.compile_with_entrypoint(&Rc::from(entry))).expect("compiles");
        let program = Compiler::compile_from_policy(&policy, &[entry]).expect("compiles");
        let mut machine = RegoVM::new();
        machine.load_program(program);
        machine.set_data(data(corpus)).expect("data");
        Self {
            name: format!("regorus {}, its VM", version("regorus")),
            machine,
            inputs: corpus.asked.iter().map(input).collect(),
        }
    }
}

impl Engine for Rego {
    fn name(&self) -> &str {
        &self.name
    }

    fn allows(&mut self, place: usize) -> bool {
        self.machine
            .set_input(black_box(&self.inputs[place]).clone());
        let answer = self.machine.execute().expect("evaluates");
        *answer.as_bool().expect("a boolean")
    }
}

fn data(corpus: &Corpus) -> Value {
    let mut grants: BTreeMap<&str, BTreeMap<&str, Vec<serde_json::Value>>> = BTreeMap::new();
    for grant in &corpus.grants {
        let of_user = grants.entry(&grant.user).or_default();
        for action in &grant.actions {
            of_user.entry(action).or_default().push(json!({
                "service": grant.service,
                "id": grant.id,
                "env": grant.env,
                "team": grant.team,
            }));
        }
    }
    Value::from(json!({ "grants": grants }))
}

fn input(asked: &Asked) -> Value {
    Value::from(json!({
        "user": asked.user,
        "action": asked.action,
        "service": asked.service,
        "id": asked.id,
        "resource_tags": asked.resource_tags,
        "request_tags": asked.request_tags,
    }))
}
