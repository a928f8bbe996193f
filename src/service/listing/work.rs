//! Whose work of inheritance somebody may see.

use super::Listing;
use super::sight::Viewer;
use crate::model::arn::AccountId;
use crate::model::caller::Rpc;
use crate::wire::listing::invalid;
use crate::wire::status::CallError;

/// The action by which a principal sees the rules of an account, and what they have left to do.
const LIST_RULES: &str = "tag:ListAssociatedResourceRules";

/// Whose work is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// That of every account.
    Everybodys,
    /// That of one account.
    Accounts(AccountId),
    /// None: whoever asks may not see it.
    Nobodys,
}

impl Listing<'_> {
    /// Whose work is told to a principal that asks about an account.
    pub(crate) fn whose_work(&self, principal: &str, account: &str) -> Result<Whose, CallError> {
        let viewer = self.viewer(Rpc::GetInheritanceProgress, principal)?;
        let account = match (viewer, account, viewer.account()) {
            (Viewer::Owner, "", _) => return Ok(Whose::Everybodys),
            (Viewer::Principal(_), "", Some(own)) => own,
            (Viewer::Principal(_), "", None) => {
                return Err(invalid("account", "absent, and the principal has none"));
            }
            (Viewer::Owner | Viewer::Principal(_), named, _) => named,
        };
        let account =
            AccountId::try_from(account).map_err(|error| invalid("account", error.to_string()))?;
        let arn = format!("acs:tag:*:{account}:associatedresourcerule/*");
        Ok(if self.sight(viewer).may_on(LIST_RULES, &arn) {
            Whose::Accounts(account)
        } else {
            Whose::Nobodys
        })
    }
}
