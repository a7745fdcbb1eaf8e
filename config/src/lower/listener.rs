//! `listeners`: where requests come in.

use super::block::Block;
use crate::model::{Bind, Listener, Mode};
use crate::{Findings, raw};

/// Every listener that is right in itself.
pub(super) fn lower(root: &Block<'_>, findings: &mut Findings) -> Vec<Listener> {
    let Some(section) = root.key("listeners") else { return Vec::new() };
    if section.node.is_empty_mapping() {
        section.error("empty_section", "a configuration has at least one listener", findings);
    }
    let mut listeners: Vec<Listener> = Vec::new();
    for (name, block) in section.named(findings) {
        let Some(raw) = block.decode::<raw::Listener>(findings) else { continue };
        check_bind(&raw, &block, &listeners, findings);
        listeners.push(listener(name, raw, &block));
    }
    listeners
}

fn listener(name: &str, raw: raw::Listener, block: &Block<'_>) -> Listener {
    Listener {
        name: name.to_owned(),
        bind: raw.bind,
        mode: match raw.mode {
            raw::Mode::Reverse => Mode::Reverse,
        },
        callers: raw.callers.map(|callers| callers.uids),
        hosts: raw.hosts.into_iter().map(|host| host.0).collect(),
        location: block.key_at,
    }
}

fn check_bind(raw: &raw::Listener, block: &Block<'_>, others: &[Listener], findings: &mut Findings) {
    let Some(bind) = block.key("bind") else { return };
    if !raw.bind.is_local() && !raw.unsafe_bind {
        let message = "other machines could call through this address; `unsafe_bind: true` allows it";
        bind.error("unsafe_bind", message, findings);
    }
    check_free(&raw.bind, &bind, others, findings);
}

/// Refuses an address that a listener above has.
pub(super) fn check_free(bind: &Bind, block: &Block<'_>, others: &[Listener], findings: &mut Findings) {
    let fixed = match bind {
        Bind::Tcp(address) => address.port() != 0,
        Bind::Unix(_) => true,
    };
    if let Some(other) = others.iter().find(|other| fixed && other.bind == *bind) {
        let line = other.location.line;
        let message = format!("the listener `{}` on line {line} has this address", other.name);
        block.error("address_taken", message, findings);
    }
}
