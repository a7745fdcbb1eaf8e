//! Which addresses an upstream's name may lead to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where clouds hand out credentials to whoever asks; reached only by a route that names the address itself.
const METADATA: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// How far an address reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The public network.
    Public,
    /// This machine or its site.
    Private,
    /// Nobody, everybody, or somebody else than it seems.
    Never,
}

/// Whether a route may connect to `ip`; `named` is the address that the route's upstream names, if it names one.
pub(super) fn allowed(ip: IpAddr, allow_private: bool, named: Option<IpAddr>) -> bool {
    let plain = ip.to_canonical();
    if METADATA.contains(&plain) {
        return allow_private && named.map(|named| named.to_canonical()) == Some(plain);
    }
    match reach(plain) {
        Reach::Public => true,
        Reach::Private => allow_private,
        Reach::Never => false,
    }
}

fn reach(ip: IpAddr) -> Reach {
    match ip {
        IpAddr::V4(ip) => reach_v4(ip),
        IpAddr::V6(ip) => reach_v6(ip),
    }
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        (10 | 127, ..) | (172, 16..=31, _) | (192, 168, _) | (169, 254, _) | (100, 64..=127, _) => {
            Reach::Private
        }
        (0, ..) | (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (198, 18 | 19, _) | (192, 88, 99) => {
            Reach::Never
        }
        (224.., ..) => Reach::Never,
        _ => Reach::Public,
    }
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    let [first, second, ..] = ip.segments();
    match (first, second) {
        _ if ip == Ipv6Addr::LOCALHOST => Reach::Private,
        // unique local and link-local
        (0xfc00..=0xfdff, _) | (0xfe80..=0xfebf, _) => Reach::Private,
        // documentation, Teredo, benchmarks, ORCHID, 6to4
        (0x2001, 0x0000 | 0x0002 | 0x0db8 | 0x0010..=0x002f) | (0x2002, _) | (0x3fff, _) => Reach::Never,
        (0x2000..=0x3fff, _) => Reach::Public,
        // unspecified, compatible and mapped forms, NAT64, discard, site-local, multicast, and what is not assigned
        _ => Reach::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class() {
        use Reach::{Never, Private, Public};
        for (text, expected) in [
            ("1.1.1.1", Public),
            ("140.82.112.5", Public),
            ("2606:4700::1111", Public),
            ("127.0.0.1", Private),
            ("127.9.9.9", Private),
            ("10.0.0.1", Private),
            ("172.16.0.1", Private),
            ("172.32.0.1", Public),
            ("192.168.1.1", Private),
            ("169.254.1.1", Private),
            ("100.64.0.1", Private),
            ("100.128.0.1", Public),
            ("::1", Private),
            ("fe80::1", Private),
            ("fd00::1", Private),
            ("0.0.0.0", Never),
            ("0.1.2.3", Never),
            ("192.0.0.8", Never),
            ("198.18.0.1", Never),
            ("224.0.0.1", Never),
            ("240.0.0.1", Never),
            ("255.255.255.255", Never),
            ("::", Never),
            ("64:ff9b::7f00:1", Never),
            ("64:ff9b:1::1", Never),
            ("2002:7f00:1::", Never),
            ("2001::1", Never),
            ("2001:db8::1", Never),
            ("ff02::1", Never),
            ("fec0::1", Never),
            ("::127.0.0.1", Never),
        ] {
            assert_eq!(reach(text.parse().expect("an address")), expected, "{text}");
        }
    }

    #[test]
    fn private_and_metadata_addresses_need_saying() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(allowed(ip("1.1.1.1"), false, None));
        assert!(!allowed(ip("127.0.0.1"), false, None) && allowed(ip("127.0.0.1"), true, None));
        assert!(!allowed(ip("::ffff:10.0.0.1"), false, None) && allowed(ip("::ffff:10.0.0.1"), true, None));
        let metadata = ip("169.254.169.254");
        assert!(!allowed(metadata, true, None));
        assert!(!allowed(ip("::ffff:169.254.169.254"), true, None));
        assert!(!allowed(metadata, false, Some(metadata)));
        assert!(allowed(metadata, true, Some(metadata)));
    }
}
