//! Requests of a proxy: the messages of Envoy by themselves, and a real Envoy in front of upstreams.

mod answers;
mod cases;
mod eci;
mod traffic;
