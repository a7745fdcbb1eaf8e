//! Secrets that we are given: by the operator in files and variables, and by issuers in their answers.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use claviger_config::SecretRef;
use rustix::io::Errno;
use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize, Zeroizing};

use super::secret::{NotASecret, SECRET_BYTES_MAX, Secret};
use super::source::IssueError;

/// Key files are longer than tokens, but not by much.
const FILE_BYTES_MAX: usize = 2 * SECRET_BYTES_MAX;

/// The secret that `reference` points at, as it is now. One newline at the end does not count.
pub(crate) fn secret(reference: &SecretRef) -> Result<Secret, IssueError> {
    let mut bytes = bytes(reference)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    text(bytes).map_err(|error| {
        tracing::warn!(place = place(reference), %error, "this is not a usable secret");
        IssueError::Refused("a configured secret cannot be used")
    })
}

/// The bytes that `reference` points at, as a key in PEM.
pub(crate) fn bytes(reference: &SecretRef) -> Result<Zeroizing<Vec<u8>>, IssueError> {
    let read = match reference {
        SecretRef::File(path) => file(path).map_err(|error| unread(&error)),
        SecretRef::Env(name) => variable(name).ok_or(IssueError::Refused("a secret's variable is not set")),
    };
    read.inspect_err(|error| tracing::warn!(place = place(reference), %error, "there is no secret to read"))
}

/// A file that cannot be read is a no, but where the system lacks something that it may have a moment later.
fn unread(error: &io::Error) -> IssueError {
    match Errno::from_io_error(error) {
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::IO) => {
            IssueError::Unavailable("the system cannot read a secret's file now")
        }
        Some(_) | None => IssueError::Refused("a secret's file cannot be read"),
    }
}

/// Takes the secret out of an issuer's answer.
pub(super) fn answered(text: Wiped) -> Result<Secret, IssueError> {
    Secret::new(text.take()).map_err(|error| match error {
        NotASecret::Empty => IssueError::Invalid("the secret is empty"),
        NotASecret::TooLong => IssueError::Invalid("the secret is too long"),
        NotASecret::Unprintable => IssueError::Invalid("the secret is not printable ASCII"),
    })
}

/// Text of an issuer's answer that is wiped when dropped.
pub(super) struct Wiped(Zeroizing<String>);

impl Wiped {
    pub(super) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    fn take(mut self) -> String {
        std::mem::take(&mut *self.0)
    }
}

impl<'de> Deserialize<'de> for Wiped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// A tree of an issuer's answer whose texts are wiped when dropped.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct WipedTree(pub(super) serde_json::Value);

impl Drop for WipedTree {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => text.zeroize(),
        serde_json::Value::Array(items) => items.iter_mut().for_each(wipe),
        serde_json::Value::Object(entries) => entries.values_mut().for_each(wipe),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => (),
    }
}

fn text(mut bytes: Zeroizing<Vec<u8>>) -> Result<Secret, NotASecret> {
    if !bytes.is_ascii() {
        return Err(NotASecret::Unprintable);
    }
    Secret::new(String::from_utf8(std::mem::take(&mut *bytes)).expect("ASCII is UTF-8"))
}

/// A regular file within the bound. Anything else could block or never end.
fn file(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let file = File::open(path)?;
    // one allocation, so that growing leaves no copy behind
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX + 1));
    let bound = u64::try_from(FILE_BYTES_MAX).expect("64 KiB fit") + 1;
    file.take(bound).read_to_end(&mut bytes)?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

fn variable(name: &str) -> Option<Zeroizing<Vec<u8>>> {
    std::env::var_os(name).map(|value| Zeroizing::new(value.into_encoded_bytes()))
}

fn place(reference: &SecretRef) -> String {
    match reference {
        SecretRef::File(path) => path.display().to_string(),
        SecretRef::Env(name) => format!("${name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test compares the bytes")]
    fn reads_what_a_header_can_carry() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        let check = |content: &[u8], expected: Option<&str>| {
            std::fs::write(&path, content).expect("written");
            let read = secret(&SecretRef::File(path.clone())).ok();
            assert_eq!(read.as_ref().map(Secret::expose), expected, "{content:?}");
        };
        check(b"token", Some("token"));
        check(b"token\n", Some("token"));
        check(b" token ", Some(" token "));
        for bad in
            [&b""[..], b"\n", b"token\n\n", b"token\r\n", b"to\nken", b"to\0ken", b"tok\xc3\xa9n", b"\xff"]
        {
            check(bad, None);
        }
        check(&vec![b'x'; SECRET_BYTES_MAX + 1], None);
        check(&vec![b'x'; FILE_BYTES_MAX + 1], None);
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let check = |reference| {
            assert!(matches!(secret(&reference), Err(IssueError::Refused(_))), "{reference:?}");
        };
        check(SecretRef::File("/nowhere/secret".into()));
        check(SecretRef::File("/etc".into()));
        check(SecretRef::File("/dev/zero".into()));
        check(SecretRef::Env("CLAVIGER_TEST_UNSET".into()));
    }

    #[test]
    fn what_the_system_lacks_now_it_may_have_later() {
        let check = |errno: Errno, later: bool| {
            let error = unread(&errno.into());
            assert_eq!(matches!(error, IssueError::Unavailable(_)), later, "{errno}: {error}");
        };
        for lacking in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::IO] {
            check(lacking, true);
        }
        for no in [Errno::NOENT, Errno::ACCESS, Errno::PERM, Errno::LOOP, Errno::NOTDIR] {
            check(no, false);
        }
    }

    #[test]
    fn an_answer_holds_a_secret_or_is_invalid() {
        let check = |text: &str, expected: bool| {
            let read = answered(Wiped::new(text.into()));
            assert_eq!(matches!(read, Err(IssueError::Invalid(_))), !expected, "{text:?}");
        };
        check("token", true);
        for bad in ["", "a\r\nX-Smuggled: yes", "caf\u{e9}", "a\0"] {
            check(bad, false);
        }
    }
}
