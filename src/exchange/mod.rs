//! One HTTP exchange, sans-IO: the only room that the filter calls per request.
//!
//! [`Downstream`] lives once per client request, [`Attempt`] once per upstream try. They
//! share nothing but the [`handoff`]. Both take facts and bytes, and return a [`Mutation`].

pub mod handoff;
pub mod keep_warm;

mod addressing;
mod answer;
mod attempt;
mod caching;
mod claims;
mod counting;
mod credentials;
mod downstream;
mod ending;
mod explanation;
mod final_error;
mod fleet;
mod holding;
mod identity;
mod listing;
mod load;
mod misfit;
mod mutation;
mod plugin;
mod reply;
mod sieve;
mod state_page;
mod trail;
mod wishes;

pub use attempt::{Attempt, AttemptFacts, Refusal};
#[cfg(feature = "cli")]
pub use counting::readable;
pub use downstream::{Downstream, RequestFacts, RequestHead, Verdict, relay};
pub use final_error::FinalFacts;
pub use fleet::{Fleet, Told};
pub use holding::{Holding, Used};
#[cfg(feature = "cli")]
pub use load::set_downgraded;
pub use misfit::Misfit;
pub use mutation::{Flow, HeaderEdit, ImmediateResponse, Mutation, StateEdit};
pub use plugin::{Plugin, Role, Topology};
pub use reply::{ResponseHead, tells_limit};
pub use state_page::{STATE_PATH, state_page};

#[cfg(test)]
mod tests;
