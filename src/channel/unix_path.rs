//! The files of Unix sockets: replaced when they are abandoned, removed with their socket.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::socket::{Type, refuses};

/// The file of a socket, removed when this is dropped.
pub(crate) struct SocketFile {
    path: PathBuf,
    /// The device and inode, by which another program's file is told apart.
    id: Option<(u64, u64)>,
}

impl SocketFile {
    /// Binds a socket at a path; a socket there that no program listens on is replaced.
    pub(crate) fn bind<S>(
        path: &Path,
        kind: Type,
        bind: impl Fn() -> io::Result<S>,
    ) -> io::Result<(S, Self)> {
        if path.as_os_str().is_empty() {
            // Linux would choose a name of its own, which no peer knows.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path of a Unix socket is empty"));
        }
        let socket = match bind() {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                let is_socket = fs::metadata(path).is_ok_and(|file| file.file_type().is_socket());
                if !is_socket || !refuses(path, kind) {
                    return Err(error);
                }
                fs::remove_file(path)?;
                bind()?
            }
            bound => bound?,
        };
        let id = fs::metadata(path).ok().map(|file| id(&file));
        Ok((socket, Self { path: path.to_owned(), id }))
    }
}

fn id(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another program may have removed it, and bound a socket of its own there.
        if fs::metadata(&self.path).ok().map(|file| id(&file)) == self.id {
            let _ = fs::remove_file(&self.path);
        }
    }
}
