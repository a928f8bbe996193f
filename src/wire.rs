//! Messages of the API: the generated types, and their conversions from and to the engine's.
//!
//! The only place that includes generated code. A message becomes an `engine::Request` or is
//! refused with the field that is wrong; a decision becomes a message that tells as much as the
//! caller may see; an error becomes a status.

mod ask;
pub mod change;
pub mod codec;
pub(crate) mod encode;
pub mod management;
pub mod mesh;
pub mod message;
pub mod page;
pub mod reply;
pub(crate) mod request;
pub mod status;

#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::pedantic,
    missing_docs,
    reason = "generated from the protos, which carry the documentation"
)]
pub mod v1 {
    tonic::include_proto!("tagwarden.v1");
}

#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::pedantic,
    clippy::doc_markdown,
    missing_docs,
    reason = "generated from the protos, which carry the documentation"
)]
pub mod envoy {
    pub mod config {
        pub mod core {
            pub mod v3 {
                tonic::include_proto!("envoy.config.core.v3");
            }
        }
    }
    pub mod service {
        pub mod auth {
            pub mod v3 {
                tonic::include_proto!("envoy.service.auth.v3");
            }
        }
    }
    pub mod r#type {
        pub mod v3 {
            tonic::include_proto!("envoy.r#type.v3");
        }
    }
}

/// The descriptors of the API with everything they import, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
