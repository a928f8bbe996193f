//! Addresses to listen on: what they are, and how they are written.

mod bound;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

pub use self::bound::BindError;
pub(super) use self::bound::{Bound, SocketFile};

/// The mode of a Unix socket where none is given.
const DEFAULT_MODE: u32 = 0o660;

/// An address to listen on: `127.0.0.1:4770`, `0.0.0.0:4770,tls` or
/// `unix:/path[,mode=0660][,owner=UID:GID]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A TCP address. Port 0 takes any free port.
    Tcp(SocketAddr),
    /// A TCP address for TLS alone.
    Tls(SocketAddr),
    /// A Unix socket.
    Unix {
        /// The socket file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// Whose it is.
        owner: Owner,
    },
}

/// Whose a socket file is. What is not said is as the system makes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner {
    /// The number of the user.
    pub uid: Option<u32>,
    /// The number of the group.
    pub gid: Option<u32>,
}

/// Why a text is no address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is neither `<ip>:<port>[,tls]` nor `unix:/path[,mode=<octal>][,owner=<uid>:<gid>]`"
)]
pub struct InvalidListen {
    text: String,
}

impl FromStr for Listen {
    type Err = InvalidListen;

    fn from_str(text: &str) -> Result<Self, InvalidListen> {
        let invalid = || InvalidListen {
            text: text.to_owned(),
        };
        let (address, options) = match text.split_once(',') {
            Some((address, options)) => (address, options.split(',').collect()),
            None => (text, Vec::new()),
        };
        let read = match address.strip_prefix("unix:") {
            Some(path) => unix(path, &options),
            None => tcp(address, &options),
        };
        read.ok_or_else(invalid)
    }
}

fn tcp(address: &str, options: &[&str]) -> Option<Listen> {
    let address = address.parse().ok()?;
    match options {
        [] => Some(Listen::Tcp(address)),
        ["tls"] => Some(Listen::Tls(address)),
        [..] => None,
    }
}

fn unix(path: &str, options: &[&str]) -> Option<Listen> {
    let (mut mode, mut owner) = (None, None);
    for option in options {
        // Each at most once.
        let former = match option.split_once('=')? {
            ("mode", octal) => mode.replace(permissions(octal)?).map(|_| ()),
            ("owner", of) => owner.replace(owner_of(of)?).map(|_| ()),
            _ => return None,
        };
        if former.is_some() {
            return None;
        }
    }
    path.starts_with('/').then(|| Listen::Unix {
        path: PathBuf::from(path),
        mode: mode.unwrap_or(DEFAULT_MODE),
        owner: owner.unwrap_or_default(),
    })
}

fn permissions(octal: &str) -> Option<u32> {
    let mode = u32::from_str_radix(octal, 8).ok()?;
    (mode <= 0o777).then_some(mode)
}

/// `UID:GID`, `UID` or `:GID`. Names would need the system's directory of users, which a container
/// may not have.
fn owner_of(text: &str) -> Option<Owner> {
    let (uid, gid) = match text.split_once(':') {
        Some((uid, gid)) => (uid, Some(id(gid)?)),
        None => (text, None),
    };
    let uid = match (uid, gid) {
        ("", Some(_)) => None,
        (uid, _) => Some(id(uid)?),
    };
    Some(Owner { uid, gid })
}

/// A number of a user or a group; the last one means "as it is" to the system.
fn id(text: &str) -> Option<u32> {
    text.parse().ok().filter(|id| *id != u32::MAX)
}

impl Listen {
    /// Whether both cannot be listened on at once: one port of one address, or of all addresses.
    pub fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tcp(one) | Self::Tls(one), Self::Tcp(other) | Self::Tls(other)) => {
                let (same, any) = (
                    one.ip() == other.ip(),
                    one.ip().is_unspecified() || other.ip().is_unspecified(),
                );
                one.port() == other.port() && one.port() != 0 && (same || any)
            }
            (Self::Unix { path: one, .. }, Self::Unix { path: other, .. }) => one == other,
            (Self::Unix { .. }, Self::Tcp(_) | Self::Tls(_))
            | (Self::Tcp(_) | Self::Tls(_), Self::Unix { .. }) => false,
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(formatter, "{address}"),
            Self::Tls(address) => write!(formatter, "{address},tls"),
            Self::Unix { path, .. } => write!(formatter, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown() {
        let check = |text: &str, expected: Option<Listen>| {
            assert_eq!(text.parse::<Listen>().ok(), expected, "{text}");
        };
        let unix = |path: &str, mode| {
            Some(Listen::Unix {
                path: path.into(),
                mode,
                owner: Owner::default(),
            })
        };
        check(
            "127.0.0.1:4770",
            Some(Listen::Tcp(([127, 0, 0, 1], 4770).into())),
        );
        let tls = ([0, 0, 0, 0], 4770).into();
        check("0.0.0.0:4770,tls", Some(Listen::Tls(tls)));
        for (text, uid, gid) in [
            ("unix:/t,owner=1:2", Some(1), Some(2)),
            ("unix:/t,owner=1,mode=0660", Some(1), None),
            ("unix:/t,mode=0660,owner=:2", None, Some(2)),
        ] {
            let owner = Owner { uid, gid };
            let (path, mode) = ("/t".into(), 0o660);
            check(text, Some(Listen::Unix { path, mode, owner }));
        }
        check("unix:/run/t.sock", unix("/run/t.sock", 0o660));
        check("unix:/run/t.sock,mode=0600", unix("/run/t.sock", 0o600));
        for text in [
            "",
            "localhost:1",
            "unix:",
            "unix:t.sock",
            "unix:/t,mode=9",
            "unix:/t,mode=1777",
            "unix:/t,mode=",
            "unix:/t,mode=0600,mode=0600",
            "unix:/t,owner=",
            "unix:/t,owner=:",
            "unix:/t,owner=root:root",
            "unix:/t,owner=1:4294967295",
            "unix:/t,tls",
            "unix:/t,",
            "127.0.0.1:1,",
            "127.0.0.1:1,tls,tls",
            "127.0.0.1:1,mode=0600",
        ] {
            check(text, None);
        }
        assert_eq!(
            "unix:/t,mode=0600".parse::<Listen>().unwrap().to_string(),
            "unix:/t"
        );
    }
}
