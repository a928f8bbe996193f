//! Compiles the protos without a system protoc, and keeps their descriptors for reflection.

use std::error::Error;
use std::path::PathBuf;

use prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(
        [
            "tagwarden/v1/authorization.proto",
            "tagwarden/v1/listing.proto",
            "tagwarden/v1/tagging.proto",
            "tagwarden/v1/directory.proto",
            "tagwarden/v1/management.proto",
            "envoy/service/auth/v3/external_auth.proto",
            // The details of errors, which are told in JSON too.
            "google/rpc/error_details.proto",
        ],
        ["proto", "proto/vendor"],
    )?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .codec_path("crate::wire::codec::Codec")
        .extern_path(".google.rpc", "::tonic_types::pb")
        .compile_fds(descriptors)?;
    Ok(())
}
