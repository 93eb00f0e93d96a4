//! Which Istio, and so which Envoy and which topology.

use std::fmt;
use std::str::FromStr;

use crate::exchange::Topology;
use crate::render::envoy::EnvoyVersion;

/// A minor version of Istio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct IstioVersion {
    minor: u32,
}

/// A version that is not `1.29` or later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsupportedVersion {
    found: String,
}

impl IstioVersion {
    /// Its Envoy is the first in which a reply can be inspected before a retry.
    const FIRST_SUPPORTED: u32 = 29;
    /// The first whose istiod passes `refresh_cluster_on_retry` on, and whose Envoy knows it.
    const FIRST_PER_ATTEMPT: u32 = 31;

    /// How a proxy of this version gets from one candidate to the next.
    pub fn topology(self) -> Topology {
        if self.minor >= IstioVersion::FIRST_PER_ATTEMPT {
            Topology::PerAttempt
        } else {
            Topology::StaticChain
        }
    }

    /// The Envoy that it brings: Istio 1.30 is built on Envoy 1.38.
    pub fn envoy(self) -> Option<EnvoyVersion> {
        format!("1.{}", self.minor + 8).parse().ok()
    }
}

/// For `match.proxy.proxyVersion`: proxies of these versions that have this topology; `None` when
/// there are none.
///
/// A proxy that is newer than any of them takes the way of the newest: it knows what that knows.
/// One that is older than all of them matches nothing, and is left with a dead end.
pub(super) fn gate(versions: &[IstioVersion], topology: Topology) -> Option<String> {
    let of_topology = versions.iter().filter(|v| v.topology() == topology);
    let mut minors: Vec<u32> = of_topology.map(|version| version.minor).collect();
    minors.sort_unstable();
    let oldest = *minors.first()?;
    let known = match topology {
        Topology::PerAttempt => from(oldest),
        Topology::StaticChain => {
            let minors: Vec<String> = minors.iter().map(ToString::to_string).collect();
            minors.join("|")
        }
    };
    Some(format!("^1\\.({known})[.-].*"))
}

/// What they do, and who does it, for people.
pub(super) fn way(versions: &[IstioVersion], topology: Topology) -> String {
    match topology {
        Topology::PerAttempt => {
            let of_topology = versions.iter().filter(|v| v.topology() == topology);
            let oldest = of_topology.min().map(ToString::to_string);
            let oldest = oldest.unwrap_or_default();
            format!("Istio {oldest} and later: each attempt chooses its own cluster.")
        }
        Topology::StaticChain => {
            "Istio 1.30 and earlier: a cluster for each order of candidates.".to_owned()
        }
    }
}

/// A regular expression for all numbers of two digits from this one on.
fn from(minor: u32) -> String {
    let (tens, ones) = (minor / 10, minor % 10);
    let same_tens = format!("{tens}[{ones}-9]");
    match tens {
        9 => same_tens,
        _ => format!("{same_tens}|[{}-9][0-9]", tens + 1),
    }
}

impl FromStr for IstioVersion {
    type Err = UnsupportedVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let minor = text
            .trim_start_matches('v')
            .strip_prefix("1.")
            .and_then(|rest| rest.split(['.', '-']).next())
            .and_then(|minor| minor.parse().ok())
            .filter(|minor| (IstioVersion::FIRST_SUPPORTED..100).contains(minor));
        minor
            .map(|minor| IstioVersion { minor })
            .ok_or_else(|| UnsupportedVersion {
                found: text.to_owned(),
            })
    }
}

impl fmt::Display for IstioVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)
    }
}

impl fmt::Display for UnsupportedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = IstioVersion::FIRST_SUPPORTED;
        write!(
            f,
            "found {:?}, expected Istio 1.{first} or later, such as 1.31",
            self.found
        )
    }
}

impl std::error::Error for UnsupportedVersion {}
