//! The structures of `wasm/src/value.h` in OPA's source, for 32-bit memory, little-endian.

/// The type in a value's first byte.
pub(super) mod kind {
    pub(crate) const NULL: u8 = 1;
    pub(crate) const BOOLEAN: u8 = 2;
    pub(crate) const NUMBER: u8 = 3;
    pub(crate) const STRING: u8 = 4;
    pub(crate) const ARRAY: u8 = 5;
    pub(crate) const OBJECT: u8 = 6;
    pub(crate) const SET: u8 = 7;
    /// Strings and booleans in a module's constant data.
    pub(crate) const STRING_INTERNED: u8 = 8;
    pub(crate) const BOOLEAN_INTERNED: u8 = 9;
}

/// How a number is kept: as a 64-bit integer, or as its text.
pub(super) const NUMBER_AS_INTEGER: u8 = 1;
pub(super) const NUMBER_AS_TEXT: u8 = 2;

/// Everything is laid out at multiples of this.
pub(super) const ALIGNMENT_BYTES: usize = 8;

/// Boolean and null: type and value.
pub(super) const SCALAR_BYTES: usize = 8;
/// Number: type, form, then at 8 the integer, or address (8), length (12) and ownership (16) of the text.
pub(super) const NUMBER_BYTES: usize = 24;
/// String: type, ownership, length (4), address (8). Ours are followed by their text.
pub(super) const STRING_BYTES: usize = 12;
/// Array: type, address of its elements (4), length (8), capacity (12). Object and set: type, address of the buckets
/// (4), their number (8), length (12).
pub(super) const COLLECTION_BYTES: usize = 16;
/// An array's element: its index as a number, its value.
pub(super) const ELEMENT_BYTES: usize = 8;
/// An object's field: key, value, next in the bucket.
pub(super) const FIELD_BYTES: usize = 12;
/// A set's member: value, next in the bucket.
pub(super) const MEMBER_BYTES: usize = 8;
pub(super) const POINTER_BYTES: usize = 4;

/// Small numbers that every array's indices and many values are.
const SMALL_INTEGERS: usize = 64;

/// `opa_eval_ctx_t`: input, data, result, entrypoint.
pub(crate) const CONTEXT_BYTES: usize = 16;

/// The context of an evaluation that has not begun.
pub(crate) fn context(input: u32, data: u32, entrypoint: i32) -> [u8; CONTEXT_BYTES] {
    let mut bytes = [0; CONTEXT_BYTES];
    bytes[0..4].copy_from_slice(&input.to_le_bytes());
    bytes[4..8].copy_from_slice(&data.to_le_bytes());
    bytes[12..16].copy_from_slice(&entrypoint.to_le_bytes());
    bytes
}

/// Buckets of an object or set with this many keys: doubled from 8 whenever it is more than 70 % full.
pub(super) fn buckets_for(keys: usize) -> usize {
    let mut buckets = 8;
    while keys * 10 > buckets * 7 {
        buckets *= 2;
    }
    buckets
}

/// Values that stand in memory once and are pointed at from everywhere: nothing in OPA's runtime changes a value that it
/// was given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Constants(u32);

impl Constants {
    pub(crate) const BYTES: usize = 3 * SCALAR_BYTES + SMALL_INTEGERS * NUMBER_BYTES;

    /// The constants that stand at this address.
    pub(crate) fn at(address: u32) -> Constants {
        Constants(address)
    }

    /// What has to stand there.
    pub(crate) fn bytes() -> Vec<u8> {
        let mut bytes = vec![0; Constants::BYTES];
        bytes[0] = kind::NULL;
        bytes[SCALAR_BYTES] = kind::BOOLEAN;
        bytes[2 * SCALAR_BYTES..][..2].copy_from_slice(&[kind::BOOLEAN, 1]);
        let numbers = bytes[3 * SCALAR_BYTES..].chunks_exact_mut(NUMBER_BYTES);
        for (value, number) in numbers.enumerate() {
            number[..2].copy_from_slice(&[kind::NUMBER, NUMBER_AS_INTEGER]);
            number[8..16].copy_from_slice(&(value as u64).to_le_bytes());
        }
        bytes
    }

    pub(super) fn null(self) -> u32 {
        self.0
    }

    pub(crate) fn boolean(self, value: bool) -> u32 {
        let place = if value { 2 } else { 1 };
        self.0 + place * SCALAR_BYTES as u32
    }

    pub(super) fn small(self, value: usize) -> Option<u32> {
        (value < SMALL_INTEGERS).then(|| self.0 + (3 * SCALAR_BYTES + value * NUMBER_BYTES) as u32)
    }
}
