//! Events packed into uploads: a JSON array in gzip, no longer than the bound. How much that is before it is compressed is
//! learnt from the uploads before.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// The share of the bound that is aimed at.
const AIM: f64 = 0.9;
/// Nothing is packed denser than this in one go, whatever was learnt.
const RATIO_MAX: f64 = 32.0;
/// A server may refuse what it finds too long; below this it is not halved again.
const PACKED_BYTES_MIN: usize = 1 << 10;

/// Learns as it packs.
pub(super) struct Packer {
    packed_bytes_max: usize,
    /// Bytes of JSON for one of gzip.
    ratio: f64,
}

/// What became of some events.
#[derive(Debug)]
pub(super) enum Packed {
    /// All of them, compressed.
    Whole(Bytes),
    /// They take too much room together; fewer may fit.
    TooMany,
    /// The only one is too large by itself.
    TooLarge,
}

impl Packer {
    pub(super) fn new(packed_bytes_max: usize) -> Self {
        Self { packed_bytes_max, ratio: 1.0 }
    }

    /// How many bytes of events are worth a try.
    pub(super) fn plain_bytes_max(&self) -> usize {
        // the cast takes a float within the bounds of the bound
        (self.packed_bytes_max as f64 * AIM * self.ratio) as usize
    }

    /// Packs all of `events`, or tells why not.
    pub(super) fn pack(&mut self, events: &[Bytes]) -> io::Result<Packed> {
        let packed = gzip(events)?;
        let plain: usize = events.iter().map(Bytes::len).sum();
        let found = plain as f64 / packed.len().max(1) as f64;
        if packed.len() <= self.packed_bytes_max {
            // a small upload compresses badly and teaches little
            if packed.len() * 2 > self.packed_bytes_max || found > self.ratio {
                self.ratio = found.clamp(1.0, RATIO_MAX);
            }
            return Ok(Packed::Whole(packed));
        }
        self.ratio = found.min(self.ratio / 2.0).max(0.1);
        Ok(if events.len() > 1 { Packed::TooMany } else { Packed::TooLarge })
    }

    /// The server finds uploads too long. Whether they can be shorter.
    pub(super) fn shorten(&mut self) -> bool {
        let shorter = (self.packed_bytes_max / 2).max(PACKED_BYTES_MIN);
        let can = shorter < self.packed_bytes_max;
        self.packed_bytes_max = shorter;
        can
    }
}

fn gzip(events: &[Bytes]) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for (index, event) in events.iter().enumerate() {
        encoder.write_all(if index == 0 { b"[" } else { b"," })?;
        encoder.write_all(event)?;
    }
    encoder.write_all(b"]")?;
    encoder.finish().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn event(number: usize) -> Bytes {
        let noise = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &number.to_ne_bytes());
        let text =
            format!(r#"{{"n":{number},"same":"{}","noise":"{}"}}"#, "x".repeat(400), hex::encode(noise));
        text.into()
    }

    fn unpacked(packed: &Bytes) -> Vec<serde_json::Value> {
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("gzip");
        serde_json::from_str(&text).expect("an array")
    }

    /// As the courier does: what is too much is tried again with less.
    fn pack_all(packer: &mut Packer, mut events: &[Bytes]) -> Vec<Bytes> {
        let mut chunks = Vec::new();
        while !events.is_empty() {
            let mut bytes = 0;
            let fitting = events.iter().take_while(|event| {
                bytes += event.len();
                bytes <= packer.plain_bytes_max()
            });
            let count = fitting.count().max(1);
            match packer.pack(&events[..count]).expect("memory does not fail") {
                Packed::Whole(chunk) => {
                    events = &events[count..];
                    chunks.push(chunk);
                }
                Packed::TooMany => {}
                Packed::TooLarge => events = &events[1..],
            }
        }
        chunks
    }

    #[test]
    fn uploads_fill_their_bound_and_stay_within_it() {
        let mut packer = Packer::new(4096);
        let events: Vec<_> = (0..1000).map(event).collect();
        let chunks = pack_all(&mut packer, &events);
        assert!(chunks.iter().all(|chunk| chunk.len() <= 4096), "{:?}", chunks.iter().map(Bytes::len).max());
        let numbers: Vec<_> = chunks.iter().flat_map(unpacked).map(|event| event["n"].clone()).collect();
        assert_eq!(numbers, (0..1000).map(serde_json::Value::from).collect::<Vec<_>>());
        let whole = gzip(&events).expect("memory does not fail").len();
        assert!(chunks.len() <= 3 * (whole / 4096 + 1), "{} uploads of {whole} bytes", chunks.len());
    }

    #[test]
    fn one_event_alone_can_be_too_large_and_the_next_is_not() {
        let mut packer = Packer::new(1024);
        let noise: String =
            (0..100).map(|number| String::from_utf8_lossy(&event(number)).into_owned()).collect();
        let large = Bytes::from(serde_json::to_vec(&noise).expect("JSON"));
        assert!(matches!(packer.pack(std::slice::from_ref(&large)), Ok(Packed::TooLarge)));
        assert_eq!(pack_all(&mut packer, &[event(1), large, event(2)]).iter().flat_map(unpacked).count(), 2);
    }

    #[test]
    fn a_server_can_ask_for_less_but_not_for_nothing() {
        let mut packer = Packer::new(3000);
        assert_eq!([packer.shorten(), packer.shorten(), packer.shorten()], [true, true, false]);
        assert_eq!(packer.packed_bytes_max, PACKED_BYTES_MIN);
    }
}
