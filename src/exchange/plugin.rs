//! The plugin configuration: which role this instance plays, and the user's document.

use serde::{Deserialize, Serialize};

use crate::config::Timeouts;
use crate::json::{self, RawValue};

/// Where the module stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// In the connection manager.
    Downstream,
    /// In a provider cluster.
    Upstream,
    /// On the inner listener, through which classifiers' questions go to models.
    Inner,
    /// On a listener of its own, which tells what has been observed.
    State,
}

/// How Envoy gets from one candidate to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topology {
    /// The matcher chooses a cluster for each attempt (Envoy 1.39 and later).
    PerAttempt,
    /// An aggregate cluster for each order (Envoy 1.37 and later).
    StaticChain,
}

/// The most candidates of a model whose static chains hold an order for each of those that may
/// have to come last: of more there would be too many.
const MOST_MOVED: usize = 3;

impl Topology {
    /// Whether candidates that are to be left alone can be asked last, where there are so many of
    /// them in all, and the policy keeps the declared order or not.
    pub fn can_move_last(self, candidates: usize, keeps_order: bool) -> bool {
        match self {
            Topology::PerAttempt => true,
            // Where the policy reorders, every order is there.
            Topology::StaticChain => !keeps_order || candidates <= MOST_MOVED,
        }
    }
}

impl Topology {
    /// The longest `Retry-After` that is waited for, in milliseconds; 0 for none. A static chain
    /// needs a member more for it, so it must be asked for there.
    pub fn wait_up_to_ms(self, timeouts: &Timeouts) -> u64 {
        let unsaid = match self {
            Topology::PerAttempt => 2_000,
            Topology::StaticChain => 0,
        };
        timeouts.wait_up_to_ms.unwrap_or(unsaid)
    }
}

/// What `render` writes and the module reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// Where the module stands.
    pub role: Role,
    /// How Envoy gets from one candidate to the next.
    pub topology: Topology,
    /// `pointsman.yaml`, as JSON.
    pub document: Box<RawValue>,
}

impl Plugin {
    /// Reads a plugin configuration; the error says what is wrong, without quoting values.
    pub fn parse(bytes: &[u8]) -> Result<Plugin, String> {
        json::deserialize(bytes).map_err(|error| {
            format!(
                "the plugin configuration is not {{role, topology, document}} (line {}, column {}); \
                 `pointsman render` writes it",
                error.line(),
                error.column()
            )
        })
    }
}
