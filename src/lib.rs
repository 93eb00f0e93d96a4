//! Pointsman's core: bytes and facts in, mutations out. No sockets, no clock, no host calls.
//!
//! The map, one line per room. `tests/architecture.rs` holds who may import whom.
//!
//! * [`json`]: borrowed JSON, without building a tree of it.
//! * [`sorted`]: things in order.
//! * [`usage`]: tokens that a reply cost.
//! * [`tokens`]: tokens of a prompt, estimated before anybody counts them.
//! * [`budget`]: so many tokens, or so much money, in so much time.
//! * [`operation`]: what a client asks a model to do: chat, embeddings and the like.
//! * [`fidelity`]: what a translation dropped, rewrote, defaulted or downgraded.
//! * [`failure`]: why an attempt failed, and what may follow.
//! * [`framing`]: bytes to frames, no meaning.
//! * [`catalog`]: checked facts about providers and models.
//! * [`schema`]: API shapes as on the wire, and their maps to and from OpenAI's.
//! * [`provider`]: who speaks which schema: path, headers, auth.
//! * [`inspect`]: a client's body to a request profile.
//! * [`observed`]: how targets did lately: recorded by attempts, asked for by routing.
//! * [`classify`]: what kind of request it is: complexity and intents.
//! * [`quality`]: how good an answer looks, told without asking a model.
//! * [`surface`]: what clients may speak besides Chat Completions.
//! * [`adapt`]: a request reshaped for one candidate, and its reply shaped back.
//! * [`metrics`]: what is counted, under which names.
//! * [`routing`]: a request profile to a plan.
//! * [`config`]: `pointsman.yaml` to a checked configuration, with every problem listed.
//! * [`cache`]: answers that are kept and given again to equal requests.
//! * [`callout`]: asking a classifier outside, and who waits for its answer.
//! * [`exchange`]: one HTTP exchange; the only room that the filter calls per request.
//! * `render`, `lint`, `cli`: manifests, mistakes in them, the command line (native only).

pub mod adapt;
pub mod budget;
pub mod cache;
pub mod callout;
pub mod catalog;
pub mod classify;
pub mod config;
pub mod exchange;
pub mod failure;
pub mod fidelity;
pub mod framing;
pub mod inspect;
pub mod metrics;
pub mod observed;
pub mod operation;
pub mod provider;
pub mod quality;
pub mod routing;
pub mod schema;
pub mod sorted;
pub mod surface;
pub mod tokens;
pub mod usage;

// A crate of its own, to be compiled for speed: every byte of a body passes through it.
pub use pointsman_json as json;
pub use pointsman_json::wire;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod lint;
#[cfg(feature = "cli")]
pub mod render;
