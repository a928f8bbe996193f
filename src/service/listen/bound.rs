//! The sockets that are bound to addresses.
//!
//! A socket file that nobody answers on is left from an earlier process and is replaced; one that
//! somebody answers on is an error. A Unix socket has its owner and its mode before it has its
//! name.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Listen, Owner};
use crate::tls::Endpoint;

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
pub(in crate::service) enum Bound {
    Tcp(TcpListener),
    Tls(TcpListener, Arc<Endpoint>),
    Unix(UnixListener, SocketFile),
}

/// A socket file that this process made. It is removed with this value, if it is still the same.
#[derive(Debug)]
pub(in crate::service) struct SocketFile {
    path: PathBuf,
    inode: u64,
    mode: u32,
    owner: Owner,
}

impl Bound {
    /// Binds an address. TLS needs endpoint.
    pub(in crate::service) fn bind(
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
    pub(in crate::service) fn address(&self) -> io::Result<Listen> {
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
