//! `compile(&Bundle) -> Result<Snapshot, CompileErrors>`: all that can be decided before a request.
//!
//! Deterministic but for hash seeds: the same bundle gives a snapshot that answers alike. Every
//! document was checked before; what can fail here is only how they fit together, and all faults
//! are told at once.
//!
//! Not here: reading documents (`document`), and stamping a revision (`publish`).

pub mod change;
mod condition;
mod control;
pub mod effective;
pub mod error;
mod intern;
mod matcher;
mod principals;
mod statement;
mod tags;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::effective::Regexes;
use self::error::{CompileError, CompileErrorKind, CompileErrors};
use self::intern::Interner;
use self::statement::{Lowering, named};
use self::tags::Known;
use crate::model::account::{Account, Name, PolicyRef};
use crate::model::arn::Arn;
use crate::model::bundle::Bundle;
use crate::model::settings::Settings;
use crate::model::statement as written;
use crate::snapshot::action::Facts;
use crate::snapshot::attached::{Attached, MAX_DEPTH};
use crate::snapshot::caller::CallerTable;
use crate::snapshot::principal::PrincipalChanges;
use crate::snapshot::route::RouteTable;
use crate::snapshot::{Policy, PolicyId, Snapshot};

/// Compiles a bundle.
///
/// # Errors
///
/// Every place where the documents do not fit together.
pub fn compile(bundle: &Bundle) -> Result<Snapshot, CompileErrors> {
    let mut compilation = Compilation {
        snapshot: Snapshot {
            settings: bundle.settings.clone(),
            catalog: Arc::new(bundle.catalog.clone()),
            callers: CallerTable::new(&bundle.callers),
            inheritance: Arc::clone(&bundle.inheritance),
            routes: RouteTable::new(&bundle.routes),
            ..Snapshot::default()
        },
        interner: Interner::default(),
        principals: PrincipalChanges::default(),
        system: BTreeMap::new(),
        errors: Vec::new(),
    };
    compilation.catalog(bundle);
    compilation.system = compilation.shared(&bundle.system_policies, PolicyRef::System);
    for account in &bundle.accounts {
        compilation.account(account);
        compilation.trust(account);
    }
    compilation.organizations(bundle);
    let mut regexes = Regexes::default();
    for organization in &bundle.organizations {
        let known = Known::default();
        compilation.tag_nodes(organization, &bundle.tag_policies, &known, &mut regexes);
    }
    for attached in &bundle.resource_policies {
        let name = format!("resource:{}", attached.name);
        compilation.attach(&name, &attached.resource, &attached.policy);
    }
    compilation.finish()
}

/// Compiles the policy of a session. It fits any snapshot with these settings.
pub fn compile_session(policy: &written::Policy, settings: &Settings) -> Policy {
    let mut interner = Interner::default();
    Lowering {
        settings,
        interner: &mut interner,
        actions: None,
    }
    .policy("session", policy)
}

/// A snapshot in the making.
struct Compilation<'b> {
    snapshot: Snapshot,
    interner: Interner<'b>,
    principals: PrincipalChanges,
    system: BTreeMap<PolicyRef, PolicyId>,
    errors: Vec<CompileError>,
}

impl<'b> Compilation<'b> {
    fn finish(self) -> Result<Snapshot, CompileErrors> {
        if self.errors.is_empty() {
            let mut snapshot = self.snapshot;
            snapshot.principals.apply(&self.principals);
            snapshot.actions.sweep(&named(&snapshot.policies));
            Ok(snapshot)
        } else {
            Err(CompileErrors(self.errors))
        }
    }

    fn fail(&mut self, origin: String, kind: CompileErrorKind) {
        self.errors.push(CompileError { origin, kind });
    }

    fn catalog(&mut self, bundle: &Bundle) {
        for (action, facts) in &bundle.catalog.actions {
            let facts = Facts::from(facts);
            self.snapshot
                .actions
                .set_facts(action.as_str(), action.service(), facts);
        }
    }

    /// Lowers a policy and puts it into the table: in the place that it has, if it has one. Its name
    /// is its own in the account, or among those of no account.
    fn policy(
        &mut self,
        name: &str,
        account: &str,
        policy: &'b written::Policy,
    ) -> Option<PolicyId> {
        let lowered = self.lower(name, account, policy)?;
        let snapshot = &mut self.snapshot;
        if let Some(known) = snapshot.place(account, name) {
            snapshot.policies.replace(known, lowered);
            return Some(known);
        }
        let id = snapshot.policies.push(lowered);
        let account = self.interner.symbol(account);
        snapshot.names.insert(&snapshot.policies, account, id);
        Some(id)
    }

    fn lower(&mut self, name: &str, account: &str, policy: &'b written::Policy) -> Option<Policy> {
        if policy.statements.len() > usize::from(u16::MAX) {
            let policy = name.to_owned();
            self.fail(
                format!("account {account}"),
                CompileErrorKind::TooManyStatements { policy },
            );
            return None;
        }
        let mut lowering = Lowering {
            settings: &self.snapshot.settings,
            interner: &mut self.interner,
            actions: Some(&mut self.snapshot.actions),
        };
        Some(lowering.policy(name, policy))
    }

    fn shared(
        &mut self,
        policies: &'b BTreeMap<Name, written::Policy>,
        reference: impl Fn(Name) -> PolicyRef,
    ) -> BTreeMap<PolicyRef, PolicyId> {
        let mut ids = BTreeMap::new();
        for (name, policy) in policies {
            let reference = reference(name.clone());
            if let Some(id) = self.policy(&reference.to_string(), "", policy) {
                ids.insert(reference, id);
            }
        }
        ids
    }

    fn organizations(&mut self, bundle: &'b Bundle) {
        self.shared(&bundle.control_policies, PolicyRef::Custom);
        for organization in &bundle.organizations {
            self.organization(organization);
        }
    }

    /// A control policy may also be named as a system policy, wherever it is kept.
    fn control_policy(&self, policy: &PolicyRef) -> Option<PolicyId> {
        let snapshot = &self.snapshot;
        match policy {
            PolicyRef::Custom(_) => snapshot.place("", &policy.to_string()),
            PolicyRef::System(name) => snapshot
                .place("", &format!("custom:{name}"))
                .or_else(|| snapshot.place("", &policy.to_string())),
        }
    }

    fn trust(&mut self, account: &'b Account) {
        for role in &account.roles {
            let Some(trust) = &role.trust else { continue };
            let name = format!("trust:{}", role.name);
            let Some(policy) = self.policy(&name, account.id.as_str(), trust) else {
                continue;
            };
            let id = self.interner.symbol(&format!("role/{}", role.name));
            let account = self.interner.symbol(account.id.as_str());
            let attached = Attached {
                account,
                region: self.interner.symbol("*"),
                name: self.interner.symbol(&name),
                policy,
            };
            let service = self.interner.symbol("ram");
            self.snapshot.attached.insert(&service, id, attached);
        }
    }

    fn attach(&mut self, name: &str, resource: &Arn, policy: &'b written::Policy) {
        let arn = resource.fields();
        if !arn.is_concrete() || arn.id().split('/').count() > MAX_DEPTH {
            let resource = resource.to_string();
            let kind = if arn.is_concrete() {
                CompileErrorKind::AttachedTooDeep {
                    resource,
                    limit: MAX_DEPTH,
                }
            } else {
                CompileErrorKind::AttachedOpen { resource }
            };
            self.fail(name.to_owned(), kind);
            return;
        }
        let owner = arn.owner().unwrap_or_default();
        // Its name is its own among those of all accounts.
        let Some(policy) = self.policy(name, "", policy) else {
            return;
        };
        let account = self.interner.symbol(owner);
        let region = self.interner.symbol(arn.region());
        let name = self.interner.symbol(name);
        let (service, id) = (
            self.interner.symbol(arn.service()),
            self.interner.symbol(arn.id()),
        );
        self.snapshot.attached.insert(
            &service,
            id,
            Attached {
                account,
                region,
                name,
                policy,
            },
        );
    }
}
