use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::*;

/// What the vectors below hold, as `brotli` and `zstd` encoded it.
fn text() -> Vec<u8> {
    let line = format!(
        "{{\"before\":\"{}\",\"token\":\"canary-0123456789abcdef+/token\"}}\n",
        "lorem ipsum ".repeat(20)
    );
    line.repeat(3).into_bytes()
}

const BROTLI: &str = "G3QDkI3THbNZwcmlyWuku2mWWf1TdooopIFDTkS+S6AasAZKgUNufpMbhyEl8Qo8D4y6cWl68LTuPSCwJc7oA6huwoVU2ljnQ8qlNi1iDsFfAw==";
/// With a checksum.
const ZSTD: &str = "KLUv/WR1AmUCANQDeyJiZWZvcmUiOiJsb3JlbSBpcHN1bSAiLCJ0b2tlbiI6ImNhbmFyeS0wMTIzNDU2Nzg5YWJjZGVmKy99CgMAS1RWxSRqeMOnShOKm9Hz";
const ZSTD_PLAIN: &str = "KLUv/WB1AmUCANQDeyJiZWZvcmUiOiJsb3JlbSBpcHN1bSAiLCJ0b2tlbiI6ImNhbmFyeS0wMTIzNDU2Nzg5YWJjZGVmKy99CgMAS1RWxSRqeMOnShM=";
/// 64 MiB of zeros.
const BROTLI_BOMB: &str = "y///P/gnAOKxQCD3/o///3/wTwDEYRGA7v0f////4J8AiMMCAN37P/7//8E/ARCHBQC693/8//+DfwIgDgsAdO//+P//B/8EQBwWAOje//H//w/+CYA4LADQvf/L//8//BMAcVgAoHv/Bw==";

fn bytes(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).expect("the test's base64 is valid")
}

macro_rules! encoded {
    ($encoder:ident, $text:expr) => {{
        let mut encoder = $encoder::new(Vec::new(), Compression::best());
        encoder.write_all($text).expect("to memory");
        encoder.finish().expect("to memory")
    }};
}

/// Decodes what comes in pieces; also how much was given out at most at once.
fn decoded(coding: Coding, pieces: &[&[u8]]) -> Result<(Vec<u8>, usize), &'static str> {
    let mut decoder = Decoder::new(coding);
    let (mut out, mut most) = (Vec::new(), 0);
    for piece in pieces {
        decoder.push(Bytes::copy_from_slice(piece));
        while let Some(made) = decoder.next()? {
            most = most.max(made.len());
            out.extend(made);
        }
    }
    decoder.finish()?;
    Ok((out, most))
}

fn every() -> Vec<(Coding, Vec<u8>)> {
    let text = text();
    vec![
        (Coding::Gzip, encoded!(GzEncoder, &text)),
        (Coding::Deflate, encoded!(ZlibEncoder, &text)),
        (Coding::Deflate, encoded!(DeflateEncoder, &text)),
        (Coding::Brotli, bytes(BROTLI)),
        (Coding::Zstd, bytes(ZSTD)),
        (Coding::Zstd, bytes(ZSTD_PLAIN)),
    ]
}

#[test]
fn whole_at_every_boundary_and_never_in_part() {
    for (coding, encoded) in every() {
        for at in 0..encoded.len() {
            let (one, two) = encoded.split_at(at);
            let whole = decoded(coding, &[one, two]).map(|(out, _)| out);
            assert_eq!(whole, Ok(text()), "{coding:?} split at {at}");
            if at > 0 {
                assert!(decoded(coding, &[one]).is_err(), "{coding:?} cut at {at}");
            }
        }
        let bytewise: Vec<&[u8]> = encoded.chunks(1).collect();
        assert_eq!(decoded(coding, &bytewise).map(|(out, _)| out), Ok(text()), "{coding:?}");
        assert_eq!(decoded(coding, &[]).map(|(out, _)| out), Ok(Vec::new()), "{coding:?} without a body");
        for after in [&b"x"[..], b"and more", &[0; 600]] {
            assert!(decoded(coding, &[&encoded, after]).is_err(), "{coding:?} with more after it");
            assert!(
                decoded(coding, &[&[&encoded, after].concat()]).is_err(),
                "{coding:?} with more after it"
            );
        }
        assert!(
            decoded(coding, &[b"this is not encoded at all, whatever its head says"]).is_err(),
            "{coding:?}"
        );
    }
}

#[test]
fn a_byte_that_was_changed_is_not_passed_over() {
    let encoded = encoded!(GzEncoder, &text());
    for at in [0, 1, 2, 3, encoded.len() - 8, encoded.len() - 1] {
        let mut changed = encoded.clone();
        changed[at] ^= 0xff;
        assert!(decoded(Coding::Gzip, &[&changed]).is_err(), "changed at {at}");
    }
}

#[test]
fn several_members_and_frames_are_one_body() {
    let twice = [text(), text()].concat();
    let gzip = encoded!(GzEncoder, &text());
    let named =
        [&[0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3, 2, 0, 9, 9][..], b"name\0about\0", &[7, 7], &gzip[10..]]
            .concat();
    let skipped = [&0x184d_2a53u32.to_le_bytes()[..], &3u32.to_le_bytes(), b"...", &bytes(ZSTD)].concat();
    for (coding, one, other) in
        [(Coding::Gzip, gzip.clone(), named), (Coding::Zstd, bytes(ZSTD_PLAIN), skipped)]
    {
        let whole = [one, other].concat();
        for at in 0..whole.len() {
            let (one, two) = whole.split_at(at);
            assert_eq!(
                decoded(coding, &[one, two]).map(|(out, _)| out).as_ref(),
                Ok(&twice),
                "{coding:?} {at}"
            );
        }
    }
}

#[test]
fn bombs_do_not_go_off() {
    const TOO_MUCH: Result<(Vec<u8>, usize), &str> = Err("too much comes of its encoded content");
    let zeros = vec![0; 16 << 20];
    assert_eq!(decoded(Coding::Gzip, &[&encoded!(GzEncoder, &zeros)]), TOO_MUCH);
    assert_eq!(decoded(Coding::Deflate, &[&encoded!(ZlibEncoder, &zeros)]), TOO_MUCH);
    assert_eq!(decoded(Coding::Brotli, &[&bytes(BROTLI_BOMB)]), TOO_MUCH);
    // blocks of one repeated byte, 128 KiB each
    let frame = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0x48][..], &[0x02, 0, 0x10, 0].repeat(4_000)].concat();
    assert_eq!(decoded(Coding::Zstd, &[&frame]), TOO_MUCH);

    // what is only long comes through, in pieces of a bounded size
    let long: Vec<u8> =
        (0..400_000u32).flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
    let (out, most) = decoded(Coding::Gzip, &[&encoded!(GzEncoder, &long)]).expect("no bomb");
    assert!(out == long && most <= STEP_BYTES_MAX);
}

#[test]
fn large_windows_and_endless_parts_are_refused() {
    let check = |coding, encoded: &[u8], expected: &'static str| {
        assert_eq!(decoded(coding, &[encoded]).err(), Some(expected), "{coding:?}");
    };
    let window = "its encoded content needs a window that is too large";
    check(Coding::Brotli, &[0x0f, 0, 0], window);
    check(Coding::Zstd, &[0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x88], window);
    check(Coding::Zstd, &[0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x10, 0, 0], window);
    check(Coding::Zstd, &[0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x48, 7], "its content needs a dictionary");
    check(Coding::Zstd, &[0x28, 0xb5, 0x2f, 0xfd, 0, 0x48, 0xff, 0xff, 0xff], "its content is not zstd");
    let name = [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3][..], &[b'n'; UNREAD_BYTES_MAX]].concat();
    check(Coding::Gzip, &name, "a part of its encoded content is too long");
}
