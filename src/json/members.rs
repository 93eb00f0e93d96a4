//! A JSON object as its members, to be copied with a few changes.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::{Extra, Raw, Text};

/// The members of an object in the order they came, values untouched.
#[derive(Debug, Clone, Default)]
pub struct Members<'a>(
    /// Name and value of each.
    pub Extra<'a>,
);

/// Writes one object, member by member.
pub struct ObjectWriter<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some(member) = map.next_entry::<Text<'de>, Raw<'de>>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

// === impl ObjectWriter ===

impl<'o> ObjectWriter<'o> {
    /// Begins an object at the end of `out`.
    pub fn begin(out: &'o mut Vec<u8>) -> ObjectWriter<'o> {
        out.push(b'{');
        ObjectWriter { out, empty: true }
    }

    /// Where the value of `name` is to be written.
    pub fn value(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        super::write(self.out, name);
        self.out.push(b':');
        self.out
    }

    /// A member whose value is JSON text already.
    pub fn raw(&mut self, name: &str, value: &str) {
        self.value(name).extend_from_slice(value.as_bytes());
    }

    /// Ends the object.
    pub fn end(self) {
        self.out.push(b'}');
    }
}
