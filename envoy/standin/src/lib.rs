//! Stand-ins for model providers: servers that speak a vendor's wire format,
//! refuse what the vendor would refuse, and fail on command.
//!
//! A stand-in knows nothing of the gateway in front of it and shares no code
//! with it, so that it can judge what the gateway sends.
//!
//! * [`Standin`] starts a listener; [`Control`] scripts and inspects it.
//! * `server`, `connection`: sockets, the accept loop, resets.
//! * `exchange`: one request from head to reply. `reply`: what goes out, and when.
//! * `vendors`: one dialect per vendor: shape, checks, rendering, errors.
//! * `ask`, `answer`: the part of a request and of a reply that all vendors share.
//! * `script`, `faults`: which request fails, and how.
//! * `record`: what arrived and how it ended. `control`: the HTTP side of it.

mod answer;
mod ask;
mod besides;
mod connection;
mod control;
mod exchange;
mod faults;
mod gzip;
mod prompt_cache;
mod record;
mod reply;
mod schema_instance;
mod script;
mod server;
mod shape;
mod vendors;

pub use control::ControlServer;
pub use server::{Control, Options, Standin};
pub use vendors::Vendor;
