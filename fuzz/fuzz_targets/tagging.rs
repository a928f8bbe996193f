//! Bytes to a `ValidateTagging` call, judged against the example of tag governance: never a panic.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use tagwarden::compiler::compile;
use tagwarden::directory::Directory;
use tagwarden::document::bundle::{Strictness, read_bundle};
use tagwarden::model::caller::Origin;
use tagwarden::publish::{Publisher, publication};
use tagwarden::service::pdp::{Clock, Config, Pdp};
use tagwarden::source::files::read_directory;
use tagwarden::wire::v1::ValidateTaggingResponse;

static SERVED: LazyLock<(Pdp, std::sync::Mutex<Publisher>)> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/tag-governance");
    let files = read_directory(folder.as_ref()).unwrap();
    let bundle = read_bundle(&files, Strictness::Strict).unwrap().bundle;
    let directory = Arc::new(Directory::default());
    directory.replace(bundle.resources.iter().cloned());
    let (mut publisher, reader) = publication().unwrap();
    publisher.publish(compile(&bundle).unwrap());
    let clock = Clock::default();
    (
        Pdp::new(Config {
            reader,
            directory,
            clock,
            pages: tagwarden::wire::page::PageKey::new([7; 64]),
        }),
        publisher.into(),
    )
});

fuzz_target!(|bytes: &[u8]| {
    let mut answer = Vec::new();
    if SERVED.0.validate(&Origin::Loopback, bytes, &mut answer) == Ok(()) {
        ValidateTaggingResponse::decode(&*answer).unwrap();
    }
});
