//! Request ids: UUIDs of version 7, unique without a system call each.

use std::cell::Cell;

use http::HeaderValue;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::clock::Timestamp;

/// The id of one request, and of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; Hyphenated::LENGTH]);

impl RequestId {
    /// The text of `id`.
    pub fn from_uuid(id: Uuid) -> Self {
        let mut text = [0; Hyphenated::LENGTH];
        id.hyphenated().encode_lower(&mut text);
        Self(text)
    }

    /// As `0192f0c1-…`.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an id is ASCII")
    }

    /// The same as a header's value.
    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).expect("an id is a valid header value")
    }
}

/// Makes the ids of one worker: the time, a counter, and random bits that set this worker apart from all others.
pub struct RequestIds {
    apart: u64,
    count: Cell<u16>,
}

impl RequestIds {
    /// A maker whose ids no other maker gives.
    pub fn new() -> Self {
        let random = Uuid::now_v7().as_u128() as u64;
        Self { apart: random, count: Cell::new(0) }
    }

    /// The next id.
    pub fn next(&self, now: Timestamp) -> RequestId {
        let count = self.count.get();
        self.count.set(count.wrapping_add(1));
        let mut bits = [0; 10];
        bits[..2].copy_from_slice(&count.to_be_bytes());
        bits[2..].copy_from_slice(&self.apart.to_be_bytes());
        // the version's four bits go over the top of the counter, so that its low bits stay
        bits[0] = (count >> 8) as u8 & 0x0f;
        let millis = u64::try_from(now.nanoseconds() / 1_000_000).unwrap_or(0);
        RequestId::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &bits).into_uuid())
    }
}

impl Default for RequestIds {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::clock;

    #[test]
    fn ids_do_not_repeat_within_a_millisecond_nor_between_makers() {
        let now = clock::now();
        let makers = [RequestIds::new(), RequestIds::new()];
        let ids: HashSet<_> = (0..4096).flat_map(|_| makers.iter().map(|ids| ids.next(now))).collect();
        assert_eq!(ids.len(), 8192);
        assert!(ids.iter().all(|id| Uuid::parse_str(id.as_str()).is_ok_and(|id| id.get_version_num() == 7)));
    }
}
