//! Where in the client's body something stands.

use std::borrow::Cow;
use std::fmt;

use crate::inspect::InvalidRequest;
use crate::json::{self, Raw};

/// A place in the body, written only when there is something to say of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Field(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    /// A field of the body.
    pub fn root(field: &'p str) -> Path<'p> {
        Path {
            parent: None,
            step: Step::Field(field),
        }
    }

    /// A field of what stands here.
    pub fn field(&'p self, name: &'p str) -> Path<'p> {
        Path {
            parent: Some(self),
            step: Step::Field(name),
        }
    }

    /// An element of what stands here.
    pub fn index(&'p self, index: usize) -> Path<'p> {
        Path {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    /// The request is wrong here.
    pub fn wrong(&self, message: impl Into<Cow<'static, str>>) -> InvalidRequest {
        InvalidRequest::new(self.to_string(), message)
    }

    /// Reads what stands here.
    pub fn read<'a, T: json::FromJson<'a>>(
        &self,
        raw: Raw<'a>,
        expected: &'static str,
    ) -> Result<T, InvalidRequest> {
        json::parse(raw).ok_or_else(|| self.wrong(format!("must be {expected}")))
    }

    /// What stands here must be present.
    pub fn need<T>(&self, value: Option<T>, expected: &'static str) -> Result<T, InvalidRequest> {
        value.ok_or_else(|| self.wrong(format!("is missing; it must be {expected}")))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Field(name) if self.parent.is_none() => f.write_str(name),
            Step::Field(name) => write!(f, ".{name}"),
        }
    }
}
