//! Handshakes by what came of them.

use std::sync::atomic::{AtomicU64, Ordering};

/// What came of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Handshake {
    /// A connection.
    Done,
    /// The peer showed no certificate, and needs one.
    NoCertificate,
    /// The peer's certificate is refused.
    CertificateRefused,
    /// The peer does not speak TLS.
    NotTls,
    /// The peer does not speak HTTP/2 inside of it.
    NotHttp2,
    /// The peer refused, or broke the protocol.
    Failed,
    /// It took too long, the peer went away, or the server stopped.
    Unfinished,
}

impl Handshake {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Done,
        Self::NoCertificate,
        Self::CertificateRefused,
        Self::NotTls,
        Self::NotHttp2,
        Self::Failed,
        Self::Unfinished,
    ];

    /// The value of the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NoCertificate => "no_certificate",
            Self::CertificateRefused => "certificate_refused",
            Self::NotTls => "not_tls",
            Self::NotHttp2 => "not_http2",
            Self::Failed => "failed",
            Self::Unfinished => "unfinished",
        }
    }
}

/// Handshakes, counted.
#[derive(Debug, Default)]
pub struct Handshakes([AtomicU64; Handshake::ALL.len()]);

impl Handshakes {
    /// Counts one.
    pub fn count(&self, outcome: Handshake) {
        if let Some(counter) = self.0.get(outcome as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often something came of one.
    pub fn counted(&self, outcome: Handshake) -> u64 {
        let counter = self.0.get(outcome as usize);
        counter.map_or(0, |counter| counter.load(Ordering::Relaxed))
    }
}
