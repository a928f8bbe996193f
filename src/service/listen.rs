//! Addresses to listen on, and the sockets bound to them.
//!
//! A socket file that nobody answers on is left from an earlier process and is replaced; one that
//! somebody answers on is an error. A Unix socket has its owner and its mode before it has its
//! name.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use crate::tls::Endpoint;

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

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on `{address}`: {cause}")]
pub struct BindError {
    /// The address.
    pub address: Listen,
    /// What the system says.
    #[source]
    pub cause: io::Error,
}

/// A bound socket.
#[derive(Debug)]
pub(super) enum Bound {
    Tcp(TcpListener),
    Tls(TcpListener, Arc<Endpoint>),
    Unix(UnixListener, SocketFile),
}

/// A socket file that this process made. It is removed with this value, if it is still the same.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    inode: u64,
    mode: u32,
    owner: Owner,
}

impl Bound {
    /// Binds an address. TLS needs endpoint.
    pub(super) fn bind(
        address: &Listen,
        endpoint: Option<&Arc<Endpoint>>,
    ) -> Result<Self, BindError> {
        let bound = match address {
            Listen::Tcp(address) => bind_tcp(*address).map(Self::Tcp),
            Listen::Tls(address) => bind_tls(*address, endpoint),
            Listen::Unix { path, mode, owner } => bind_unix(path, *mode, *owner),
        };
        bound.map_err(|cause| BindError {
            address: address.clone(),
            cause,
        })
    }

    /// The address, with the port that was taken.
    pub(super) fn address(&self) -> io::Result<Listen> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Listen::Tcp),
            Self::Tls(listener, _) => listener.local_addr().map(Listen::Tls),
            Self::Unix(_, file) => Ok(Listen::Unix {
                path: file.path.clone(),
                mode: file.mode,
                owner: file.owner,
            }),
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn bind_tls(address: SocketAddr, endpoint: Option<&Arc<Endpoint>>) -> io::Result<Bound> {
    let Some(endpoint) = endpoint else {
        let said = "TLS needs a certificate";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, said));
    };
    Ok(Bound::Tls(bind_tcp(address)?, Arc::clone(endpoint)))
}

fn bind_unix(path: &Path, mode: u32, owner: Owner) -> io::Result<Bound> {
    check_free(path)?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let listener = UnixListener::bind(&draft)?;
    let named = name_socket(&draft, path, mode, owner);
    if named.is_err() {
        // The draft is of no use to anybody; the first error is the one to tell.
        let _ = std::fs::remove_file(&draft);
    }
    listener.set_nonblocking(true)?;
    Ok(Bound::Unix(
        listener,
        SocketFile {
            path: path.to_owned(),
            inode: named?,
            mode,
            owner,
        },
    ))
}

/// Gives a socket its owner and its mode, and then its name, in place of a dead one.
fn name_socket(draft: &Path, path: &Path, mode: u32, owner: Owner) -> io::Result<u64> {
    let Owner { uid, gid } = owner;
    if uid.is_some() || gid.is_some() {
        chown(draft, uid, gid)?;
    }
    std::fs::set_permissions(draft, std::fs::Permissions::from_mode(mode))?;
    std::fs::rename(draft, path)?;
    std::fs::symlink_metadata(path).map(|file| file.ino())
}

/// Whether a path is free, or holds a socket that nobody answers on.
fn check_free(path: &Path) -> io::Result<()> {
    let file = match std::fs::symlink_metadata(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !file.file_type().is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "the file is no socket",
        ));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another process answers on it",
        )),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error),
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode);
        if ours {
            // Somebody else may have removed it since; either way it is gone.
            let _ = std::fs::remove_file(&self.path);
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

    #[test]
    fn a_socket_file_has_its_owner_and_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let own = std::fs::metadata(folder.path()).unwrap();
        // Only root gives files away; others may keep them.
        let (uid, gid) = match own.uid() {
            0 => (12_345, 23_456),
            uid => (uid, own.gid()),
        };
        let path = folder.path().join("t.sock");
        let listen = format!("unix:{},owner={uid}:{gid},mode=0620", path.display());
        let listen: Listen = listen.parse().unwrap();
        let bound = Bound::bind(&listen, None).unwrap();
        let file = std::fs::metadata(&path).unwrap();
        assert_eq!((file.uid(), file.gid()), (uid, gid));
        assert_eq!(file.permissions().mode() & 0o777, 0o620);
        assert_eq!(bound.address().unwrap(), listen);
        drop(bound);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_dead_socket_is_replaced_and_a_living_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.sock");
        let listen = Listen::Unix {
            path: path.clone(),
            mode: 0o600,
            owner: Owner::default(),
        };
        drop(UnixListener::bind(&path).unwrap());
        let bound = Bound::bind(&listen, None).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let refused = Bound::bind(&listen, None).unwrap_err();
        assert_eq!(refused.cause.kind(), io::ErrorKind::AddrInUse);
        drop(bound);
        assert!(!path.exists());
        std::fs::write(&path, "text").unwrap();
        let refused = Bound::bind(&listen, None).unwrap_err();
        assert_eq!(refused.cause.kind(), io::ErrorKind::AlreadyExists);
        assert!(path.exists());
    }
}
