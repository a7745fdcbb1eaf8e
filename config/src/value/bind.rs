//! `127.0.0.1:8080`, `[::1]:8080`, `unix:/run/claviger/app.sock`.

use std::path::PathBuf;

use super::text_value;
use crate::model::Bind;

/// Bytes that the kernel takes for the path of a socket.
const SOCKET_PATH_BYTES_MAX: usize = 107;

impl Bind {
    /// Whether only this machine can reach it.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some(path) if !path.starts_with('/') => Err("a socket's path is absolute: unix:/path".to_owned()),
            Some(path) if path.len() > SOCKET_PATH_BYTES_MAX || path.contains('\0') => {
                Err(format!("a socket's path has at most {SOCKET_PATH_BYTES_MAX} bytes"))
            }
            Some(path) => Ok(Self::Unix(PathBuf::from(path))),
            None => text
                .parse()
                .map(Self::Tcp)
                .map_err(|_| "expected an address and a port, as 127.0.0.1:8080, or unix:/path".to_owned()),
        }
    }
}

impl std::fmt::Display for Bind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

text_value!(Bind, Bind::parse, "an address and a port, or unix:/path", {
    "type": "string",
    "examples": ["127.0.0.1:8080", "[::1]:8080", "unix:/run/claviger/app.sock"]
});
