//! What a caller may do by its own permissions, beside the rights that `callers.json` gives it.
//!
//! The engine is asked in the snapshot that answers the call. Nothing of the call's context counts:
//! it tells the circumstances of the principal that is asked about, not of the caller. What cannot
//! be decided is no permission.

use super::desk::Desk;
use crate::engine;
use crate::engine::request::{KnownGroup, KnownTags, Request, Resource};
use crate::model::action::ActionRef;
use crate::model::arn::{PrincipalRef, ResourceName};
use crate::model::caller::OwnPrincipal;
use crate::snapshot::caller::CallerId;
use crate::wire::request::Resources;
use crate::wire::status::{CallError, Forbidden};

/// What whoever wants an explanation must be allowed to do.
const EXPLAIN: &str = "tagwarden:Explain";

impl Desk<'_> {
    /// semantics 46: an explanation shows policies of the principal and of the resources' owners,
    /// and tags of the resources, so that it is for whoever may explain each of them.
    pub(super) fn check_explain(
        &self,
        of: PrincipalRef<'_>,
        resources: &Resources<'_>,
    ) -> Result<(), CallError> {
        let own = self
            .caller
            .principal
            .as_ref()
            .and_then(OwnPrincipal::principal);
        let allowed = match (self.caller.id, own) {
            // The server's own user reads the policies as it pleases.
            (CallerId::Owner, _) => true,
            (CallerId::Named(_) | CallerId::Anonymous, None) => false,
            (CallerId::Named(_) | CallerId::Anonymous, Some(own)) => {
                self.explains_principal(own, of) && self.explains_resources(own, of, resources)
            }
        };
        if allowed {
            Ok(())
        } else {
            Err(CallError::CallerNotAllowed {
                caller: self.caller.name.clone(),
                what: Forbidden::Explain,
            })
        }
    }

    fn explains_principal(&self, own: PrincipalRef<'_>, of: PrincipalRef<'_>) -> bool {
        // A service has no policies of its own.
        let Some(arn) = identity(of) else {
            return true;
        };
        ResourceName::parse(&arn).is_ok_and(|name| {
            let identity = Resource {
                name,
                tags: KnownTags::Unknown,
                group: KnownGroup::Unknown,
                owner: None,
            };
            self.explains(own, &[identity])
        })
    }

    fn explains_resources(
        &self,
        own: PrincipalRef<'_>,
        of: PrincipalRef<'_>,
        resources: &Resources<'_>,
    ) -> bool {
        // Where the ARN names no account, the question is about the principal's own.
        let owned = resources.iter().map(|resource| Resource {
            owner: resource.owner.or(of.account()),
            ..*resource
        });
        self.explains(own, &owned.collect::<Resources<'_>>())
    }

    fn explains(&self, own: PrincipalRef<'_>, resources: &[Resource<'_>]) -> bool {
        let Ok(action) = ActionRef::parse(EXPLAIN) else {
            return false;
        };
        let request = Request::bare(own, action, resources, self.now);
        let decided = engine::decide(self.snapshot, &request);
        decided.is_ok_and(|decision| decision.is_allow())
    }
}

/// The ARN of an identity; a session is its role's (security 2.1).
fn identity(principal: PrincipalRef<'_>) -> Option<String> {
    let (account, id) = match principal {
        PrincipalRef::Root { account } => (account, "root".to_owned()),
        PrincipalRef::User { account, name } => (account, format!("user/{name}")),
        PrincipalRef::Role { account, name, .. } => (account, format!("role/{name}")),
        PrincipalRef::Federated { arn, .. } => return Some(arn.to_owned()),
        PrincipalRef::Service { .. } => return None,
    };
    Some(format!("acs:ram::{account}:{id}"))
}
