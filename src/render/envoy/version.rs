//! Which Envoy, and so which topology.

use std::fmt;
use std::str::FromStr;

use crate::exchange::Topology;

/// A minor version of Envoy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvoyVersion {
    minor: u32,
    /// Static chains where each attempt could choose its own cluster.
    chains: bool,
}

/// A version that is not `1.37` or later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsupportedVersion {
    found: String,
}

impl EnvoyVersion {
    /// Retries that may inspect a reply's body first do not crash from here on.
    const FIRST_SUPPORTED: u32 = 37;
    /// `refresh_cluster_on_retry` exists from here on.
    const FIRST_PER_ATTEMPT: u32 = 39;
    /// `gcp_authn` fetches access tokens, for no audience, from here on.
    const FIRST_METADATA_TOKENS: u32 = 40;

    /// The rate limit filter gives hits back from here on.
    const FIRST_NEGATIVE_HITS: u32 = 38;

    /// Whether the rate limit filter can give hits back.
    pub(super) fn has_negative_hits(self) -> bool {
        self.minor >= EnvoyVersion::FIRST_NEGATIVE_HITS
    }

    /// Whether Envoy can fetch access tokens from Google's metadata server.
    pub(super) fn has_metadata_tokens(self) -> bool {
        self.minor >= EnvoyVersion::FIRST_METADATA_TOKENS
    }

    /// The same with static chains, whatever it could do.
    pub fn with_chains(self, chains: bool) -> EnvoyVersion {
        EnvoyVersion { chains, ..self }
    }

    /// How this Envoy gets from one candidate to the next.
    pub fn topology(self) -> Topology {
        if self.minor >= EnvoyVersion::FIRST_PER_ATTEMPT && !self.chains {
            Topology::PerAttempt
        } else {
            Topology::StaticChain
        }
    }
}

impl FromStr for EnvoyVersion {
    type Err = UnsupportedVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || UnsupportedVersion {
            found: text.to_owned(),
        };
        let rest = text
            .trim_start_matches('v')
            .strip_prefix("1.")
            .ok_or_else(error)?;
        let minor = rest
            .split('.')
            .next()
            .unwrap_or_default()
            .parse()
            .map_err(|_| error())?;
        if minor < EnvoyVersion::FIRST_SUPPORTED {
            Err(error())
        } else {
            Ok(EnvoyVersion {
                minor,
                chains: false,
            })
        }
    }
}

impl fmt::Display for EnvoyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)
    }
}

impl fmt::Display for UnsupportedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = EnvoyVersion::FIRST_SUPPORTED;
        write!(
            f,
            "found {:?}, expected Envoy 1.{first} or later, such as 1.40",
            self.found
        )
    }
}

impl std::error::Error for UnsupportedVersion {}
