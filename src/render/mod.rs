//! A checked configuration to the mesh's own YAML.
#![allow(
    clippy::indexing_slicing,
    reason = "native, and only into objects built just above"
)]

mod commented;
pub mod envoy;
pub mod istio;
mod limits;
mod yaml;

pub use limits::{LimitsFormat, limits};
pub use yaml::{from_yaml, to_yaml};
