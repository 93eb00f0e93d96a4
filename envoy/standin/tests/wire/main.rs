//! Stand-ins seen from the other end of a TCP connection.

mod client;
mod cohere;
mod compatible;
mod control;
mod faults;
mod vendors;
