//! Where the operator may connect to at all. Names are compared with a list; addresses that a name leads to must be public,
//! unless the list holds a range that contains them. So nobody makes the operator speak to the cluster, to the node, or to
//! a cloud's metadata service by linking a vault there.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use thiserror::Error;

/// The vaults of Azure's clouds: public, US Government, China.
pub const AZURE_SUFFIXES: [&str; 3] = [".vault.azure.net", ".vault.usgovcloudapi.net", ".vault.azure.cn"];

/// An entry of the list can't be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "the entry {entry:?} of the allowed vaults is neither a host (vault.example.com), a suffix of hosts (.example.com), an address nor a range of addresses (10.1.0.0/16): correct it"
)]
pub struct ReachError {
    entry: String,
}

/// The list: hosts, suffixes of hosts, and ranges of addresses that would else be refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    hosts: Vec<String>,
    suffixes: Vec<String>,
    ranges: Vec<Range>,
}

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    network: u128,
    mask: u128,
    four: bool,
}

impl Reach {
    /// Reads the entries: `vault.example.com`, `.example.com` (or `*.example.com`), `10.1.2.3`, `10.1.0.0/16`. Empty ones
    /// are passed over.
    ///
    /// # Errors
    /// When an entry is none of these.
    pub fn parse<S: AsRef<str>>(entries: impl IntoIterator<Item = S>) -> Result<Self, ReachError> {
        let mut reach = Self::default();
        for entry in entries {
            let entry = entry.as_ref().trim();
            if !entry.is_empty() {
                reach.add(entry)?;
            }
        }
        Ok(reach)
    }

    fn add(&mut self, entry: &str) -> Result<(), ReachError> {
        let wrong = || ReachError {
            entry: entry.chars().take(100).collect(),
        };
        if let Ok(range) = entry.parse() {
            self.ranges.push(range);
            return Ok(());
        }
        let lower = entry.to_ascii_lowercase();
        let suffix = lower
            .strip_prefix('*')
            .unwrap_or(&lower)
            .strip_prefix('.')
            .filter(|rest| is_host_name(rest));
        if let Some(rest) = suffix {
            self.suffixes.push(format!(".{rest}"));
        } else if is_host_name(&lower) {
            self.hosts.push(lower);
        } else {
            return Err(wrong());
        }
        Ok(())
    }

    /// Whether a vault may have this name. What stands before an allowed suffix must be written in ASCII to begin with:
    /// a name that is only encoded (`xn--…`) may look like another.
    #[must_use]
    pub fn allows_host(&self, host: &str) -> bool {
        if self.hosts.iter().any(|allowed| allowed == host) {
            return true;
        }
        self.suffixes.iter().any(|suffix| {
            host.strip_suffix(suffix.as_str()).is_some_and(|front| {
                !front.is_empty() && !front.split('.').any(|label| label.starts_with("xn--"))
            })
        })
    }

    /// Whether an address may be written in place of a name: only if a range lists it.
    #[must_use]
    pub fn lists(&self, address: IpAddr) -> bool {
        self.ranges.iter().any(|range| range.contains(address))
    }

    /// Whether the operator may connect to an address that an allowed name leads to.
    #[must_use]
    pub fn allows_address(&self, address: IpAddr) -> bool {
        is_public(address) || self.lists(address)
    }

    /// The names that are allowed, for messages.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let suffixes = self.suffixes.iter().map(|suffix| format!("*{suffix}"));
        self.hosts.iter().cloned().chain(suffixes).collect()
    }

    /// The ranges of addresses in the list.
    #[must_use]
    pub fn ranges(&self) -> Vec<String> {
        self.ranges.iter().map(ToString::to_string).collect()
    }
}

/// Whether a text is a name of a host: labels of letters, digits and dashes, the last one no number.
pub(super) fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    // Resolvers read `127.1` and `0x7f.1` as addresses.
    let is_number = last.bytes().all(|c| c.is_ascii_digit()) || last.starts_with("0x");
    text.len() <= 253 && text.split('.').all(is_label) && !is_number
}

impl Range {
    fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let bits = bits(address);
        address.is_ipv4() == self.four && bits & self.mask == self.network
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.mask.leading_ones();
        match u32::try_from(self.network) {
            Ok(network) if self.four => write!(
                f,
                "{}/{}",
                Ipv4Addr::from_bits(network),
                length.saturating_sub(96)
            ),
            _ => write!(f, "{}/{length}", Ipv6Addr::from_bits(self.network)),
        }
    }
}

impl FromStr for Range {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(drop)?;
        let width: u8 = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) if digits.bytes().all(|c| c.is_ascii_digit()) => digits.parse().map_err(drop)?,
            Some(_) => return Err(()),
            None => width,
        };
        // Addresses are compared as what they are, so `::ffff:10.0.0.0/104` is 10.0.0.0/8.
        let (address, unused) = (address.to_canonical(), width - prefix.min(width));
        let four = address.is_ipv4();
        if prefix > width || (four && unused > 32) {
            return Err(());
        }
        let length = 128 - u32::from(unused);
        let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
        Ok(Self {
            network: bits(address) & mask,
            mask,
            four,
        })
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => u128::from(u32::from(four)),
        IpAddr::V6(six) => u128::from(six),
    }
}

/// Whether an address belongs to the Internet at large, by IANA's registries of special addresses.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(four) => is_public_v4(four),
        IpAddr::V6(six) => is_public_v6(six),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, d] = address.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    // Azure's own address for what runs on its machines: public by number only.
    let of_azure_hosts = [a, b, c, d] == [168, 63, 129, 16];
    !special && !of_azure_hosts
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    if segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        // An IPv4 address behind a translator.
        let four = u32::from(segments[6]) << 16 | u32::from(segments[7]);
        return is_public_v4(four.into());
    }
    let special = matches!(
        (segments[0], segments[1]),
        (0x2001, 0..=0x01ff | 0xdb8) // protocol assignments and Teredo; documentation
            | (0x2002, _) // 6to4: an IPv4 address inside
            | (0x3fff, 0..=0x0fff) // documentation
    );
    (0x2000..=0x3fff).contains(&segments[0]) && !special
}

#[cfg(test)]
mod tests;
