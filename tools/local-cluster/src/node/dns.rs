//! CoreDNS, which answers the names of services.

use crate::Error;
use crate::programs::COREDNS;

/// Where pods ask.
pub const ADDRESS: &str = "10.96.0.10";

/// The objects that make it run, with the image under this name.
///
/// # Errors
/// When its version isn't pinned.
pub fn manifest(image: &str) -> Result<String, Error> {
    let text = include_str!("dns.yaml");
    Ok(text
        .replace("IMAGE", image)
        .replace("ADDRESS", ADDRESS)
        .replace("VERSION", &COREDNS.version()?))
}
