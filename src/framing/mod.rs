//! Bytes to frames and back; what a frame means is a schema's business.

pub mod base64;
pub mod event_stream;
pub mod multipart;
pub mod sse;
