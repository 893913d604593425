//! Which addresses are of the public Internet. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The IPv4 address that an IPv6 address only wraps, or the address itself.
pub(super) fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| {
        let [p, q] = high.to_be_bytes();
        let [r, s] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(p, q, r, s))
    };
    match (a, b) {
        // IPv4-mapped (RFC 4291 §2.5.5.2), and translated (RFC 2765 §2.1).
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0xffff) || (c, d, e, f) == (0, 0, 0xffff, 0) => {
            v4(g, h)
        }
        // NAT64's well-known prefix (RFC 6052 §2.1).
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => v4(g, h),
        // 6to4 (RFC 3056 §2).
        (0x2002, _) => v4(b, c),
        _ => address,
    }
}

/// Whether an address is of the public Internet, by the IANA special-purpose registries
/// (RFC 6890 and its updates).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match a {
        // This network, private use, loopback; multicast and reserved.
        0 | 10 | 127 | 224.. => true,
        // Shared by carriers (RFC 6598).
        100 => (64..128).contains(&b),
        // Link-local, where cloud metadata lives.
        169 => b == 254,
        172 => (16..32).contains(&b),
        // Protocol assignments, documentation, 6to4 relays, private use.
        192 => matches!((b, c), (0, 0 | 2) | (88, 99) | (168, _)),
        // Benchmarks and documentation.
        198 => matches!((b, c), (18 | 19, _) | (51, 100)),
        203 => (b, c) == (0, 113),
        _ => false,
    };
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let is_special = match (a, b) {
        // Protocol assignments such as Teredo and ORCHID (2001::/23), documentation.
        (0x2001, 0..0x200 | 0xdb8) | (0x3fff, 0..0x1000) => true,
        // 6to4 of a public address would have been unwrapped.
        (0x2002, _) => true,
        _ => false,
    };
    // Only 2000::/3 is given out.
    a & 0xe000 == 0x2000 && !is_special
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn wrapping_an_address_changes_nothing(bits in any::<u32>()) {
            let v4 = Ipv4Addr::from(bits);
            let [a, b, c, d] = v4.octets().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            for wrapped in [
                v4.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            ] {
                let inner = embedded(IpAddr::V6(wrapped));
                prop_assert_eq!(is_public(inner), is_public(IpAddr::V4(v4)));
            }
        }

        #[test]
        fn nothing_outside_the_global_range_is_public(bits in any::<u128>()) {
            let address = IpAddr::V6(Ipv6Addr::from(bits));
            if embedded(address) == address && is_public(address) {
                prop_assert_eq!(bits >> 125, 1);
            }
        }
    }
}
