//! Addresses to listen on, and the sockets bound to them.
//!
//! A socket file that nobody answers on is left from an earlier process and is replaced; one that
//! somebody answers on is an error. A Unix socket has its mode before it has its name.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The mode of a Unix socket where none is given.
const DEFAULT_MODE: u32 = 0o660;

/// An address to listen on: `127.0.0.1:4770` or `unix:/path[,mode=0660]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A TCP address. Port 0 takes any free port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix {
        /// The socket file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

/// Why a text is no address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is neither `<ip>:<port>` nor `unix:/path[,mode=<octal>]`")]
pub struct InvalidListen {
    text: String,
}

impl FromStr for Listen {
    type Err = InvalidListen;

    fn from_str(text: &str) -> Result<Self, InvalidListen> {
        let invalid = || InvalidListen {
            text: text.to_owned(),
        };
        let Some(socket) = text.strip_prefix("unix:") else {
            return text.parse().map(Self::Tcp).map_err(|_| invalid());
        };
        let (path, mode) = match socket.split_once(",mode=") {
            Some((path, mode)) => (path, u32::from_str_radix(mode, 8).map_err(|_| invalid())?),
            None => (socket, DEFAULT_MODE),
        };
        if path.starts_with('/') && mode <= 0o777 {
            Ok(Self::Unix {
                path: PathBuf::from(path),
                mode,
            })
        } else {
            Err(invalid())
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(formatter, "{address}"),
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
    Unix(UnixListener, SocketFile),
}

/// A socket file that this process made. It is removed with this value, if it is still the same.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    inode: u64,
    mode: u32,
}

impl Bound {
    /// Binds an address.
    pub(super) fn bind(address: &Listen) -> Result<Self, BindError> {
        let bound = match address {
            Listen::Tcp(address) => bind_tcp(*address),
            Listen::Unix { path, mode } => bind_unix(path, *mode),
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
            Self::Unix(_, file) => Ok(Listen::Unix {
                path: file.path.clone(),
                mode: file.mode,
            }),
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<Bound> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(Bound::Tcp(listener))
}

fn bind_unix(path: &Path, mode: u32) -> io::Result<Bound> {
    check_free(path)?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let listener = UnixListener::bind(&draft)?;
    let named = name_socket(&draft, path, mode);
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
        },
    ))
}

/// Gives a socket its mode and then its name, in place of a dead one.
fn name_socket(draft: &Path, path: &Path, mode: u32) -> io::Result<u64> {
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
            })
        };
        check(
            "127.0.0.1:4770",
            Some(Listen::Tcp(([127, 0, 0, 1], 4770).into())),
        );
        check("unix:/run/t.sock", unix("/run/t.sock", 0o660));
        check("unix:/run/t.sock,mode=0600", unix("/run/t.sock", 0o600));
        for text in [
            "",
            "localhost:1",
            "unix:",
            "unix:t.sock",
            "unix:/t,mode=9",
            "unix:/t,mode=1777",
        ] {
            check(text, None);
        }
        assert_eq!(
            "unix:/t,mode=0600".parse::<Listen>().unwrap().to_string(),
            "unix:/t"
        );
    }

    #[test]
    fn a_dead_socket_is_replaced_and_a_living_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.sock");
        let listen = Listen::Unix {
            path: path.clone(),
            mode: 0o600,
        };
        drop(UnixListener::bind(&path).unwrap());
        let bound = Bound::bind(&listen).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let refused = Bound::bind(&listen).unwrap_err();
        assert_eq!(refused.cause.kind(), io::ErrorKind::AddrInUse);
        drop(bound);
        assert!(!path.exists());
        std::fs::write(&path, "text").unwrap();
        let refused = Bound::bind(&listen).unwrap_err();
        assert_eq!(refused.cause.kind(), io::ErrorKind::AlreadyExists);
        assert!(path.exists());
    }
}
