//! Changes, and bundles that are checked: read, made by the management task, told.

use super::{From, Handlers};
use crate::management::ApplyMode;
use crate::management::change::{Change, What};
use crate::wire::change::{self, Options, Outcome};
use crate::wire::management::checked;
use crate::wire::status::CallError;
use crate::wire::v1;

impl Handlers {
    /// Has a change made; it is told with the revision that is in force then.
    pub(super) async fn change(
        &self,
        from: &From,
        what: What,
        options: Options,
    ) -> Result<Outcome, CallError> {
        self.known(from)?;
        let Options {
            mode,
            expected,
            key,
            message,
            lock_out,
        } = options;
        let change = Change {
            what,
            mode,
            origin: from.origin.clone(),
            peer: from.peer.clone(),
            expected,
            key,
            message,
            lock_out,
        };
        let management = &self.config.management;
        let made = management.change(change).await;
        let live = management.status().borrow().live.clone();
        let live = live.map(|live| live.revision);
        Outcome::new(made.map_err(|_| CallError::Stopping)?, live)
    }

    /// Makes the state that of a bundle, or says what would come of it.
    pub(super) async fn apply_files(
        &self,
        from: &From,
        message: v1::ApplyBundleRequest,
    ) -> Result<v1::ApplyBundleResponse, CallError> {
        let v1::ApplyBundleRequest {
            files,
            dry_run,
            options,
        } = message;
        self.known(from)?;
        let options = change::options(options, dry_run)?;
        let files = change::files(files)?;
        if self.config.management.keeps_changes() {
            let outcome = self.change(from, What::Bundle(files), options).await?;
            return Ok(outcome.into());
        }
        if options.mode == ApplyMode::Commit {
            return Err(CallError::ManagementReadOnly);
        }
        let management = &self.config.management;
        let result = management.check(files).await;
        let result = result.map_err(|_| CallError::Stopping)?;
        let live = management.status().borrow().live.clone();
        Ok(checked(result, live.as_ref()))
    }
}
