//! Address blocks. Names are never looked up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Family, Fault, Outcome, Scope, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[
    ("net.cidr_contains_matches", contains_matches),
    ("net.cidr_expand", expand),
    ("net.cidr_is_valid", is_valid),
    ("net.cidr_merge", merge),
];

const EXPANDED_MAX: u128 = 65_536;
const MATCHES_MAX: usize = 100_000;
const NO_CIDR: Fault = Fault::Undefined("an operand is no address block");

/// A block of addresses, first to last, of one kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    bits: u32,
    first: u128,
    last: u128,
}

impl Block {
    fn parse(text: &str) -> Result<Block, Fault> {
        let (address, prefix) = text.split_once('/').ok_or(NO_CIDR)?;
        let (bits, number) = number_of(address.parse().map_err(|_| NO_CIDR)?);
        let plain = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix: u32 = prefix.parse().ok().filter(|&prefix| plain && prefix <= bits).ok_or(NO_CIDR)?;
        Ok(Block::around(bits, number, bits - prefix))
    }

    fn around(bits: u32, number: u128, host_bits: u32) -> Block {
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        let whole = u128::MAX >> (u128::BITS - bits);
        Block { bits, first: number & mask, last: (number | !mask) & whole }
    }

    fn parse_address_or_block(text: &str) -> Result<Block, Fault> {
        match text.parse::<IpAddr>() {
            Ok(address) => {
                let (bits, number) = number_of(address);
                Ok(Block { bits, first: number, last: number })
            }
            Err(_) => Block::parse(text),
        }
    }

    fn contains(&self, other: &Block) -> bool {
        self.bits == other.bits && self.first <= other.first && other.last <= self.last
    }
}

fn is_valid(_: &mut Scope, operands: &[Value]) -> Outcome {
    Ok(operand::any(operands, 0)?.as_str().is_some_and(|text| Block::parse(text).is_ok()).into())
}

fn expand(_: &mut Scope, operands: &[Value]) -> Outcome {
    let block = Block::parse(operand::string(operands, 0)?)?;
    if block.last - block.first >= EXPANDED_MAX {
        return Err(Fault::Halt("the block is too large to be expanded"));
    }
    Ok(operand::set_of(
        (block.first..=block.last).map(|number| address(block.bits, number).to_string().into()),
    ))
}

/// All pairs of a block that contains another, told by their places in the operands.
fn contains_matches(_: &mut Scope, operands: &[Value]) -> Outcome {
    let outer = placed(operand::any(operands, 0)?, Block::parse)?;
    let inner = placed(operand::any(operands, 1)?, Block::parse_address_or_block)?;
    if outer.len().saturating_mul(inner.len()) > MATCHES_MAX {
        return Err(Fault::Halt("there are too many blocks to compare"));
    }
    let pairs = outer.iter().flat_map(|outer| inner.iter().map(move |inner| (outer, inner)));
    let matching = pairs.filter(|((_, outer), (_, inner))| outer.contains(inner));
    Ok(operand::set_of(
        matching.map(|((outer, _), (inner, _))| Value::Array(vec![outer.clone(), inner.clone()])),
    ))
}

/// Blocks with what stands for them: a string itself, an index, an element of a set, a key.
fn placed(operand: &Value, parse: fn(&str) -> Result<Block, Fault>) -> Result<Vec<(Value, Block)>, Fault> {
    let read = |place: Value, value: &Value| {
        let text = match value.as_array() {
            Some(tuple) => tuple.first().ok_or(NO_CIDR)?,
            None => value,
        };
        Ok((place, parse(operand::as_string(text)?)?))
    };
    if operand.as_str().is_some() {
        return Ok(vec![read(operand.clone(), operand)?]);
    }
    if let Some(elements) = operand.as_array() {
        let index = |index: usize| Value::from(i64::try_from(index).unwrap_or(i64::MAX));
        return elements.iter().enumerate().map(|(at, value)| read(index(at), value)).collect();
    }
    if let Some(elements) = operand.as_set() {
        return elements.iter().map(|value| read(value.clone(), value)).collect();
    }
    let fields = operand.as_object().ok_or(NO_CIDR)?;
    fields.iter().map(|(key, value)| read(key.clone(), value)).collect()
}

/// The fewest blocks that cover the same addresses. An address stands for its network of old, by class, and shows
/// itself where nothing was merged into that.
fn merge(_: &mut Scope, operands: &[Value]) -> Outcome {
    let texts = operand::collection(operand::any(operands, 0)?)?;
    let blocks = texts.into_iter().map(|text| to_merge(operand::as_string(text)?));
    let mut blocks = blocks.collect::<Result<Vec<_>, _>>()?;
    blocks.sort();
    let mut merged: Vec<(Block, Option<Ipv4Addr>)> = Vec::new();
    for (block, address) in blocks {
        match merged.last_mut() {
            Some((last, shown)) if last.bits == block.bits && block.first <= last.last.saturating_add(1) => {
                last.last = last.last.max(block.last);
                *shown = None;
            }
            Some(_) | None => merged.push((block, address)),
        }
    }
    Ok(operand::set_of(merged.iter().flat_map(|(block, shown)| match shown {
        Some(address) => vec![format!("{address}/{}", class_of(*address)).into()],
        None => cover(block),
    })))
}

fn to_merge(text: &str) -> Result<(Block, Option<Ipv4Addr>), Fault> {
    match text.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) if class_of(address) > 0 => {
            let host_bits = u32::BITS - class_of(address);
            Ok((Block::around(u32::BITS, address.to_bits().into(), host_bits), Some(address)))
        }
        Ok(IpAddr::V4(_) | IpAddr::V6(_)) => Err(Fault::Undefined("the address says no prefix length")),
        Err(_) => Ok((Block::parse(text)?, None)),
    }
}

/// The prefix length of an address's class; none for those that belong to no network.
fn class_of(address: Ipv4Addr) -> u32 {
    match address.octets()[0] {
        0..128 => 8,
        128..192 => 16,
        192..224 => 24,
        224.. => 0,
    }
}

/// A range of addresses as blocks, each as large as its first address allows.
fn cover(range: &Block) -> Vec<Value> {
    let mut blocks = Vec::new();
    let mut first = Some(range.first);
    while let Some(begin) = first.filter(|&begin| begin <= range.last) {
        let mut host_bits = begin.trailing_zeros().min(range.bits);
        while Block::around(range.bits, begin, host_bits).last > range.last {
            host_bits -= 1;
        }
        blocks.push(format!("{}/{}", address(range.bits, begin), range.bits - host_bits).into());
        first = Block::around(range.bits, begin, host_bits).last.checked_add(1);
    }
    blocks
}

fn number_of(address: IpAddr) -> (u32, u128) {
    match address {
        IpAddr::V4(address) => (u32::BITS, u128::from(address.to_bits())),
        IpAddr::V6(address) => (u128::BITS, address.to_bits()),
    }
}

fn address(bits: u32, number: u128) -> IpAddr {
    match u32::try_from(number) {
        Ok(number) if bits == u32::BITS => Ipv4Addr::from_bits(number).into(),
        Ok(_) | Err(_) => Ipv6Addr::from_bits(number).into(),
    }
}
