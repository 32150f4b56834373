//! Loopback addresses, one a pod.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::net::{Ipv4Addr, UdpSocket};

/// First address; they come from 127.64.0.0/10.
const FIRST: u32 = u32::from_be_bytes([127, 64, 0, 1]);
/// Number of addresses.
const COUNT: u32 = 0x3f_fffe;
/// UDP port that marks an address as taken on this machine.
const MARK: u16 = 64_999;
/// Addresses that are tried.
const TRIES: u32 = 4096;

/// An address that no other pod of this machine has, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Address {
    pub ip: Ipv4Addr,
    _mark: UdpSocket,
}

impl Address {
    /// Takes `wanted` if it is free, or else one that follows from `uid`, or the next free one.
    ///
    /// Errors: when none of 4,096 is free.
    pub(crate) fn take(uid: &str, wanted: Option<Ipv4Addr>) -> io::Result<Self> {
        let mut hasher = DefaultHasher::new();
        uid.hash(&mut hasher);
        let start = u32::try_from(hasher.finish() % u64::from(COUNT)).unwrap_or_default();
        let own = wanted.filter(|ip| (FIRST..FIRST + COUNT).contains(&u32::from(*ip)));
        let tried = (0..TRIES).map(|step| Ipv4Addr::from(FIRST + (start + step) % COUNT));
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for ip in own.into_iter().chain(tried) {
            match UdpSocket::bind((ip, MARK)) {
                Ok(mark) => return Ok(Self { ip, _mark: mark }),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_had_once_and_again_after_it_is_free() {
        let first = Address::take("uid-of-the-address-test", None).unwrap();
        let other = Address::take("uid-of-the-address-test", Some(first.ip)).unwrap();
        assert_ne!(first.ip, other.ip);
        let ip = first.ip;
        drop(first);
        assert_eq!(Address::take("another", Some(ip)).unwrap().ip, ip);
    }
}
