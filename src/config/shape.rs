//! What a document may look like, said once.
//!
//! Each raw struct is declared with [`object!`]. The declaration gives its reader and its
//! [`Shape`]; the checker and the JSON Schema are both made from the shape, so they cannot
//! disagree.

use super::document::Node;
use crate::routing::Param;

/// What one value may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// `true` or `false`.
    Bool,
    /// An integer, both ends included.
    Int { min: u64, max: u64 },
    /// A number, with or without a fraction.
    Number,
    /// A text that follows a rule.
    Text(&'static TextRule),
    /// A number within a range, both ends included.
    Between { min: f64, max: f64 },
    /// One of a few words.
    Words(fn() -> Vec<&'static str>),
    /// One of a few words that stand beside what they choose.
    Choice(&'static [&'static str]),
    /// A policy, or several that break each other's ties.
    Policies,
    /// The parameters of a policy.
    Params(&'static [Param]),
    /// A duration such as `250ms`; the range is in milliseconds.
    Duration { min_ms: u64, max_ms: u64 },
    /// A size such as `64KiB`, or a number of bytes; the range is in bytes.
    Size { min: u64, max: u64 },
    /// A list with so many items.
    List {
        items: &'static Shape,
        min: usize,
        max: usize,
    },
    /// An object whose keys are the user's own names.
    Map {
        keys: &'static TextRule,
        values: &'static Shape,
        min: usize,
    },
    /// An object whose keys are ours.
    Object(&'static Object),
    /// An object with exactly one of its fields, which says where a secret is. What stands
    /// there is never shown.
    Source(&'static Object),
    /// USD for a million tokens, with up to six decimals.
    Quote,
    /// One of these, or a list of them.
    OneOrMore { items: &'static Shape, max: usize },
    /// Anything that JSON can say.
    Any,
}

/// A rule for texts, for people and for both machines.
#[derive(Debug)]
pub(super) struct TextRule {
    /// What is expected, as the end of a sentence.
    pub(super) expected: &'static str,
    /// Whether it may stand; the error is a hint and may be empty.
    pub(super) check: fn(&str) -> Result<(), &'static str>,
    /// Whether it may be a secret, so that it is never shown.
    pub(super) private: bool,
    /// The same rule as a regular expression (ECMA 262), as far as one can say it.
    #[cfg(feature = "cli")]
    pub(super) pattern: &'static str,
}

/// An object whose keys are ours.
#[derive(Debug)]
pub(super) struct Object {
    /// Its name in the JSON Schema.
    #[cfg(feature = "cli")]
    pub(super) name: &'static str,
    #[cfg(feature = "cli")]
    pub(super) description: &'static str,
    pub(super) fields: &'static [Field],
}

/// One field of an object.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) presence: Presence,
    pub(super) shape: &'static Shape,
    #[cfg(feature = "cli")]
    pub(super) description: &'static str,
}

/// Whether a field must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}

/// A type that is read from a node of one shape.
pub(super) trait Shaped: Sized {
    /// What it may be read from.
    const SHAPE: Shape;

    /// Reads it; `None` exactly when the node has another shape. Objects are read
    /// leniently: their fields say themselves what they are.
    fn read(node: &Node) -> Option<Self>;
}

/// A field as the checks find it. What is [`Given::Broken`] has been reported already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Given<T> {
    #[default]
    Absent,
    Broken,
    As(T),
}

impl<T> Given<T> {
    pub(super) fn get(&self) -> Option<&T> {
        match self {
            Given::As(value) => Some(value),
            Given::Absent | Given::Broken => None,
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Given::Absent)
    }
}

impl<T: Shaped> Given<T> {
    /// The field of this name of `node`.
    pub(super) fn field(node: &Node, name: &str) -> Self {
        match node.entry(name).map(|entry| T::read(&entry.node)) {
            None => Given::Absent,
            Some(None) => Given::Broken,
            Some(Some(value)) => Given::As(value),
        }
    }
}

/// Declares a struct that is read from an object, with a doc comment on each field.
///
/// Every field becomes a [`Given`]; `= required` after its type says that it must be there,
/// `#[cfg(…)]` before its name that only some builds read it.
macro_rules! object {
    (
        $( #[doc = $doc:literal] )*
        $vis:vis struct $name:ident {
            $( $( #[doc = $field_doc:literal] )* $( #[cfg($($cfg:tt)*)] )? $field:ident : $ty:ty $(= $required:ident)? ),* $(,)?
        }
    ) => {
        $( #[doc = $doc] )*
        #[derive(Debug, Default)]
        $vis struct $name {
            $( $( #[doc = $field_doc] )* $( #[cfg($($cfg)*)] )? $vis $field: $crate::config::shape::Given<$ty>, )*
        }

        impl $name {
            $vis const OBJECT: $crate::config::shape::Object = $crate::config::shape::Object {
                #[cfg(feature = "cli")]
                name: stringify!($name),
                #[cfg(feature = "cli")]
                description: concat!($( $doc, "\n" ),*),
                fields: &[ $( $( #[cfg($($cfg)*)] )? $crate::config::shape::Field {
                    name: stringify!($field),
                    presence: $crate::config::shape::object!(@presence $($required)?),
                    shape: &<$ty as $crate::config::shape::Shaped>::SHAPE,
                    #[cfg(feature = "cli")]
                    description: concat!($( $field_doc, "\n" ),*),
                } ),* ],
            };

            fn read_fields(node: &$crate::config::document::Node) -> Self {
                $name { $( $( #[cfg($($cfg)*)] )? $field: $crate::config::shape::Given::field(node, stringify!($field)) ),* }
            }
        }

        impl $crate::config::shape::Shaped for $name {
            const SHAPE: $crate::config::shape::Shape =
                $crate::config::shape::object!(@shape $name);

            fn read(node: &$crate::config::document::Node) -> Option<Self> {
                matches!(node.value, $crate::config::document::Value::Map(_))
                    .then(|| $name::read_fields(node))
            }
        }
    };
    (@presence) => { $crate::config::shape::Presence::Optional };
    (@presence required) => { $crate::config::shape::Presence::Required };
    (@shape Key) => { $crate::config::shape::Shape::Source(&Self::OBJECT) };
    (@shape $name:ident) => { $crate::config::shape::Shape::Object(&Self::OBJECT) };
}
pub(super) use object;

/// Declares a text with a rule: what is expected, its pattern, its check.
macro_rules! text {
    ( $( $( #[$meta:meta] )* $name:ident: $expected:literal, $pattern:literal, $check:path $(, $private:ident)?; )* ) => { $(
        $( #[$meta] )*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(super) struct $name(pub(super) String);

        impl $name {
            pub(super) const RULE: $crate::config::shape::TextRule = $crate::config::shape::TextRule {
                expected: $expected,
                check: $check,
                private: $crate::config::shape::text!(@private $($private)?),
                #[cfg(feature = "cli")]
                pattern: $pattern,
            };
        }

        impl $crate::config::shape::Rule for $name {
            const RULE: $crate::config::shape::TextRule = $name::RULE;
        }

        impl $crate::config::shape::Shaped for $name {
            const SHAPE: $crate::config::shape::Shape =
                $crate::config::shape::Shape::Text(&$name::RULE);

            fn read(node: &$crate::config::document::Node) -> Option<Self> {
                match &node.value {
                    $crate::config::document::Value::Text(text) if ($check)(text).is_ok() => {
                        Some($name(text.clone()))
                    }
                    _ => None,
                }
            }
        }
    )* };
    (@private) => { false };
    (@private private) => { true };
}
pub(super) use text;

/// Declares a text that is one of a few words, given by a function.
macro_rules! words {
    ( $( $( #[$meta:meta] )* $name:ident: $words:path; )* ) => { $(
        $( #[$meta] )*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(super) struct $name(pub(super) String);

        impl $crate::config::shape::Shaped for $name {
            const SHAPE: $crate::config::shape::Shape = $crate::config::shape::Shape::Words($words);

            fn read(node: &$crate::config::document::Node) -> Option<Self> {
                match &node.value {
                    $crate::config::document::Value::Text(text) if $words().contains(&text.as_str()) => {
                        Some($name(text.clone()))
                    }
                    _ => None,
                }
            }
        }
    )* };
}
pub(super) use words;

/// A type whose texts follow a rule; keys of maps have one.
pub(super) trait Rule {
    const RULE: TextRule;
}
