//! Resources that come from a bundle or a store of documents: all of them at once, in place of what
//! is there.

use tokio::sync::oneshot;

use super::Writer;
use crate::management::directory::{Begin, WriteFault};
use crate::model::resource::{LiveResource, Resource, Version};
use crate::source::directory::{note, work};
use crate::source::embedded::StoreError;
use crate::tagging::View as _;

impl Writer {
    /// Puts resources in place of those that are there, unless they were put before.
    pub(super) fn begin(&mut self, begin: Begin, reply: oneshot::Sender<Result<(), WriteFault>>) {
        self.mend();
        let Begin { resources, digest } = begin;
        let digest = digest.map(|digest| digest.to_vec());
        if digest.is_some() && digest == self.begun {
            let _ = reply.send(Ok(()));
            return;
        }
        let version = Version(self.version.0 + 1);
        let live = resources
            .into_iter()
            .map(|one| self.begun_with(one, version));
        let live: Vec<LiveResource> = live.collect();
        let done = self.replace(version, &live, digest.as_ref());
        if let Err(error) = &done {
            self.fail(error);
        } else {
            (self.version, self.begun) = (version, digest);
            self.base.replace(live);
            self.counting.replaced();
        }
        // Whoever asked may have gone.
        let _ = reply.send(done.map_err(|_| WriteFault::Failed));
    }

    /// A resource whose tags somebody wrote down. One that does not change keeps its version.
    fn begun_with(&self, resource: Resource, version: Version) -> LiveResource {
        let mut live = LiveResource::from(resource);
        let was = self.base.find(live.arn.as_str());
        live.version = was.as_ref().map_or(version, |was| was.version);
        if was.is_some_and(|was| was != live) {
            live.version = version;
        }
        live
    }

    fn replace(
        &self,
        version: Version,
        resources: &[LiveResource],
        digest: Option<&Vec<u8>>,
    ) -> Result<(), StoreError> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        let work = self.base.work();
        let mut notes: Vec<_> = work.map(|(id, _)| work::write(id, None)).collect();
        notes.push(note::begun(digest.map(Vec::as_slice)));
        store.replace(version, resources, &notes).map(|_| ())
    }
}
