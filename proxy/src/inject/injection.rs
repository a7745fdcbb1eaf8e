//! What every injection does, apart from the kinds that do it.

use http::header::{HeaderMap, HeaderName};
use zeroize::Zeroizing;

use crate::credential::secret::{Secret, Written};

/// How a secret is put on a request. An injection owns its header or query name: no workload and no policy writes it.
pub trait Injection: Send + Sync {
    /// Writes `secret` onto the request; an error names what cannot be written, never the secret. `written` is kept with
    /// the secret, for what is the same in every request.
    fn inject(&self, secret: &Secret, written: &Written, wire: &mut Wire) -> Result<(), &'static str>;

    /// The header that it writes.
    fn owned_header(&self) -> Option<&HeaderName> {
        None
    }

    /// What it encodes as a whole, where that is more than the secret: an answer must not tell that either.
    fn composed(&self, _secret: &Secret) -> Option<Zeroizing<String>> {
        None
    }

    /// The query parameter that it writes.
    fn owned_query(&self) -> Option<&str> {
        None
    }
}

/// The parts of a request that an injection may write.
pub struct Wire {
    /// All headers of the upstream request.
    pub headers: HeaderMap,
    /// The path and query of the upstream request.
    pub target: String,
}
