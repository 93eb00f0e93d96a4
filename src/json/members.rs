//! A JSON object as its members, to be copied with a few changes.

use super::{Extra, FromJson, Slot, TakeMember, Text, Unfit};

/// The members of an object in the order they came, values untouched.
#[derive(Debug, Clone, Default)]
pub struct Members<'a>(
    /// Name and value of each.
    pub Extra<'a>,
);

/// Appends an array, item by item.
pub fn write_list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    out.push(b'[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

/// Writes one object, member by member.
pub struct ObjectWriter<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'a> FromJson<'a> for Members<'a> {
    fn from_json(slot: &mut dyn Slot<'a>) -> Result<Self, Unfit> {
        let mut members = Vec::with_capacity(8);
        slot.object(&mut members)?;
        Ok(Members(members))
    }
}

impl<'a> TakeMember<'a> for Extra<'a> {
    fn take_member(&mut self, name: Text<'a>, slot: &mut dyn Slot<'a>) -> Result<(), Unfit> {
        self.push((name, slot.raw()?));
        Ok(())
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
