//! Bytes to a request on the wire, decided against the example organization: never a panic.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use tagwarden::document::bundle::{Strictness, read_bundle};
use tagwarden::offline::Offline;
use tagwarden::source::files::read_directory;
use tagwarden::wire::v1::AuthorizeRequest;

static OFFLINE: LazyLock<Offline> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/organization");
    let files = read_directory(folder.as_ref()).unwrap();
    let loaded = read_bundle(&files, Strictness::Strict).unwrap();
    Offline::new(&loaded.bundle).unwrap()
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = AuthorizeRequest::decode(bytes) {
        let _told = OFFLINE.answer(&message, jiff::Timestamp::UNIX_EPOCH);
    }
});
