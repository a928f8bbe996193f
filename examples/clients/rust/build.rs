//! Makes the client out of the protos, without a system protoc.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let protos = "../../../proto";
    println!("cargo::rerun-if-changed={protos}");
    let files = [
        "tagwarden/v1/authorization.proto",
        "tagwarden/v1/tagging.proto",
    ];
    let descriptors = protox::compile(files, [protos, &format!("{protos}/vendor")])?;
    tonic_prost_build::configure()
        .build_server(false)
        .extern_path(".google.rpc", "::tonic_types::pb")
        .compile_fds(descriptors)?;
    Ok(())
}
