//! A decision point over the ECI example.

use std::path::Path;
use std::sync::Arc;

use tagwarden::compiler::compile;
use tagwarden::directory::Directory;
use tagwarden::document::bundle::{Strictness, read_bundle};
use tagwarden::publish::{Publisher, publication};
use tagwarden::service::pdp::{Clock, Config, Pdp};
use tagwarden::source::files::read_directory;

/// The decision point, and what its snapshot came from, which is kept as long.
pub(crate) fn decision_point() -> (Pdp, Publisher) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/eci");
    let files = read_directory(&folder).unwrap();
    let bundle = read_bundle(&files, Strictness::Strict).unwrap().bundle;
    let (mut publisher, reader) = publication().unwrap();
    publisher.publish(compile(&bundle).unwrap());
    let directory = Directory::default();
    directory.replace(bundle.resources);
    let pdp = Pdp::new(Config {
        reader,
        directory: Arc::new(directory),
        clock: Clock::default(),
        pages: tagwarden::wire::page::PageKey::new([7; 64]),
    });
    (pdp, publisher)
}
