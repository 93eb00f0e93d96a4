//! Answers that are kept and given again to equal requests: what makes two requests equal, which
//! answers are worth keeping, where they lie, and how one becomes a stream or a whole reply again.
//!
//! No host calls and no clock. An answer lies in the shared bytes of a [`Store`], together with the
//! whole request that it is to: it is given only to a request that is equal byte for byte in its
//! [`canonical`] form, so no hash decides what anybody gets.
//!
//! [`Store`]: crate::observed::Store

mod assembly;
mod canonical;
mod directives;
mod directory;
mod entry;
mod replay;
mod shelf;
mod worth;

pub use assembly::Assembly;
pub use canonical::{canonical, put_text};
pub use directives::Directives;
pub use entry::Entry;
pub use replay::replay;
pub use shelf::{Bounds, Kept, SETS, Shelf};
pub use worth::{Unfit, judge};

#[cfg(test)]
mod tests;
