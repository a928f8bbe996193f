//! Lays the control policies of an organization out as one chain for each member (ram 4.2).

use std::sync::Arc;

use super::Compilation;
use super::error::CompileErrorKind;
use crate::model::organization::{ControlAttachment, EffectScope, Member, Node, Organization};
use crate::snapshot::account::{ControlChain, ControlLevel};
use crate::snapshot::symbol::Symbol;

impl Compilation<'_> {
    /// The chains of one organization.
    pub(super) fn organization(&mut self, organization: &Organization) {
        let origin = format!("organization {}", organization.id);
        let management = self.interner.symbol(organization.management.as_str());
        let mut walk = Walk {
            compilation: self,
            origin,
            management,
        };
        walk.node(&organization.root, &[]);
    }
}

struct Walk<'w, 'b> {
    compilation: &'w mut Compilation<'b>,
    origin: String,
    management: Symbol,
}

impl Walk<'_, '_> {
    fn node(&mut self, node: &Node, above: &[Arc<ControlLevel>]) {
        let mut levels = vec![Arc::new(self.level(&node.control))];
        levels.extend_from_slice(above);
        for member in &node.members {
            self.member(member, &levels);
        }
        for folder in &node.folders {
            self.node(folder, &levels);
        }
    }

    fn member(&mut self, member: &Member, above: &[Arc<ControlLevel>]) {
        let account = self.compilation.interner.symbol(member.account.as_str());
        if self.compilation.snapshot.accounts.chain(&account).is_some() {
            let what = format!("member account `{account}`");
            self.compilation
                .fail(self.origin.clone(), CompileErrorKind::Duplicate { what });
            return;
        }
        let mut levels = vec![Arc::new(self.level(&member.control))];
        levels.extend_from_slice(above);
        let chain = ControlChain {
            management: self.management.clone(),
            levels: levels.into(),
        };
        self.compilation
            .snapshot
            .accounts
            .add_member(account, Arc::new(chain));
    }

    fn level(&mut self, attachments: &[ControlAttachment]) -> ControlLevel {
        let (mut policies, mut for_root) = (Vec::new(), Vec::new());
        for ControlAttachment {
            policy,
            effect_scope,
        } in attachments
        {
            let Some(id) = self.compilation.control_policy(policy) else {
                let policy = policy.to_string();
                self.compilation.fail(
                    self.origin.clone(),
                    CompileErrorKind::UnknownPolicy { policy },
                );
                continue;
            };
            policies.push(id);
            match effect_scope {
                EffectScope::Ram => {}
                EffectScope::All => for_root.push(id),
            }
        }
        ControlLevel {
            policies: policies.into(),
            for_root: for_root.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::compiler::compile;
    use crate::document::bundle::{BundleFiles, Strictness, read_bundle};

    /// An identity policy of the bundle must not loosen or tighten what a node has.
    #[test]
    fn a_system_policy_on_a_node_is_a_control_policy_first() {
        let mut files = BundleFiles::default();
        files.insert("bundle.json", r#"{"format": 1}"#);
        files.insert(
            "policies/system/FullAliyunAccess.json",
            r#"{"Version": "1", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}"#,
        );
        files.insert(
            "organizations/rd-1.json",
            r#"{"id": "rd-1", "management": "2", "root": {"name": "r",
              "control": [{"policy": "system:FullAliyunAccess"}], "accounts": [{"account": "1"}]}}"#,
        );
        let bundle = read_bundle(&files, Strictness::Strict).unwrap().bundle;
        let snapshot = compile(&bundle).unwrap();
        let levels = &snapshot.accounts.chain("1").unwrap().levels;
        let root = snapshot.policies.get(levels[1].policies[0]).unwrap();
        assert_eq!(&**root.name(), "custom:FullAliyunAccess");
    }
}
