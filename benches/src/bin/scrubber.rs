//! What it costs to search an answer for a secret: GiB/s of one core over pieces of 16 KiB, and the time to make a
//! secret's forms. Compare runs of one machine at one time, never with another's.

use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use bytes::Bytes;
use claviger_proxy::credential::secret::Secret;
use claviger_proxy::upstream::scrub::Trial;

const PIECE_BYTES: usize = 16 << 10;
const ROUND: Duration = Duration::from_millis(400);
const ROUNDS: usize = 5;

type Byte = fn(usize, u8) -> u8;

/// Bodies by what their bytes are made of: the place, and a random byte.
const BODIES: [(&str, Byte); 5] = [
    ("zeros", |_, _| 0),
    ("random bytes", |_, random| random),
    ("base64", |_, random| {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[usize::from(random & 63)]
    }),
    ("JSON", |place, _| {
        b"{\"id\": 81723, \"name\": \"a line \\\"of\\\" text\", \"url\": \"https://a.example/b?c=d%20e\"},\n"
            [place % 83]
    }),
    ("only escapes", |place, _| b"%63%61\\u006e\\u0061"[place % 18]),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for length in [40, 1_500] {
        let secret = || Secret::new(letters(length)).map_err(|error| error.to_string());
        let begun = Instant::now();
        for _ in 0..20 {
            Trial::new(&secret()?);
        }
        writeln!(out, "secret of {length} bytes: forms made in {:.0?}", begun.elapsed() / 20)?;
        for (name, byte) in BODIES {
            let mut trial = Trial::new(&secret()?);
            let best = (0..ROUNDS).map(|_| gib_per_second(&mut trial, &piece(byte))).fold(0.0, f64::max);
            writeln!(out, "  {name}: {best:.2} GiB/s")?;
        }
    }
    Ok(())
}

fn gib_per_second(trial: &mut Trial, piece: &Bytes) -> f64 {
    let (begun, mut bytes) = (Instant::now(), 0u64);
    while begun.elapsed() < ROUND {
        for _ in 0..16 {
            bytes += std::hint::black_box(trial.push(piece.clone())).len() as u64;
        }
    }
    bytes as f64 / begun.elapsed().as_secs_f64() / f64::from(1 << 30)
}

fn piece(byte: Byte) -> Bytes {
    let mut random = random();
    (0..PIECE_BYTES).map(|place| byte(place, random())).collect()
}

fn letters(length: usize) -> String {
    let mut random = random();
    (0..length).map(|_| char::from(b'a' + random() % 26)).collect()
}

/// The same bytes in every run.
fn random() -> impl FnMut() -> u8 {
    let mut state = 1u32;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    }
}
