//! Where a value is about to be read, whoever reads it.
//!
//! serde compiles its readers anew for every type. Here only leaves are read by serde, behind one
//! trait object: a type of ours is a few calls, and a member of an object is one.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::{Raw, Text};

/// The value is no such thing. Whoever handed out the [`Slot`] knows why and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfit;

/// Takes in one value.
///
/// Own traits, not `dyn FnMut`: of that each instance carries code to be called but once.
pub trait Take<'a> {
    /// Takes it in.
    fn take_value(&mut self, slot: &mut dyn Slot<'a>) -> Result<(), Unfit>;
}

/// Takes in an object, member by member.
pub trait TakeMember<'a> {
    /// Takes in the member of this name.
    fn take_member(&mut self, name: Text<'a>, slot: &mut dyn Slot<'a>) -> Result<(), Unfit>;
}

/// A value that is about to be read, once and as one thing.
pub trait Slot<'a> {
    /// Whatever it is, as it stands.
    fn raw(&mut self) -> Result<Raw<'a>, Unfit>;
    /// A string.
    fn text(&mut self) -> Result<Text<'a>, Unfit>;
    /// `true` or `false`.
    fn boolean(&mut self) -> Result<bool, Unfit>;
    /// A whole number of this size, or less.
    fn natural(&mut self, most: u64) -> Result<u64, Unfit>;
    /// A whole number.
    fn integer(&mut self) -> Result<i64, Unfit>;
    /// Any number.
    fn number(&mut self) -> Result<f64, Unfit>;
    /// Whatever it is, unless it is `null`.
    fn unless_null(&mut self, into: &mut dyn Take<'a>) -> Result<(), Unfit>;
    /// An object, member by member; each must be read.
    fn object(&mut self, into: &mut dyn TakeMember<'a>) -> Result<(), Unfit>;
    /// An array, item by item; each must be read.
    fn array(&mut self, into: &mut dyn Take<'a>) -> Result<(), Unfit>;
}

/// What can be read out of a [`Slot`].
pub trait FromJson<'a>: Sized {
    /// Reads it.
    fn from_json(slot: &mut dyn Slot<'a>) -> Result<Self, Unfit>;

    /// Reads it where it is to stay; what is there after an error means nothing.
    fn read_into(place: &mut Option<Self>, slot: &mut dyn Slot<'a>) -> Result<(), Unfit> {
        *place = Some(Self::from_json(slot)?);
        Ok(())
    }
}

/// Reads the member of a wire struct; `null` is as good as none.
pub fn fill<'a, T: FromJson<'a>>(
    field: &mut Option<T>,
    slot: &mut dyn Slot<'a>,
) -> Result<(), Unfit> {
    *field = None;
    slot.unless_null(field)
}

/// Reads a whole JSON text.
pub(super) fn whole<'a>(text: &'a str, into: &mut dyn Take<'a>) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Each(into).deserialize(&mut deserializer)?;
    deserializer.end()
}

/// A serde reader, until it is used; then why it failed.
struct Once<'a, D: Deserializer<'a>> {
    reader: Option<D>,
    error: Option<D::Error>,
}

struct Object<'r, 'a>(&'r mut dyn TakeMember<'a>);

struct Each<'r, 'a>(&'r mut dyn Take<'a>);

/// The member of an object whose name has been read.
struct Member<'r, 'a> {
    name: Text<'a>,
    into: &'r mut dyn TakeMember<'a>,
}

// === impl Once ===

impl<'a, D: Deserializer<'a>> Once<'a, D> {
    fn read<T>(&mut self, read: impl FnOnce(D) -> Result<T, D::Error>) -> Result<T, Unfit> {
        let reader = self.reader.take().ok_or(Unfit)?;
        read(reader).map_err(|error| {
            self.error = Some(error);
            Unfit
        })
    }
}

impl<'a, D: Deserializer<'a>> Slot<'a> for Once<'a, D> {
    fn raw(&mut self) -> Result<Raw<'a>, Unfit> {
        self.read(Raw::deserialize)
    }

    fn text(&mut self) -> Result<Text<'a>, Unfit> {
        self.read(Text::deserialize)
    }

    fn boolean(&mut self) -> Result<bool, Unfit> {
        self.read(bool::deserialize)
    }

    fn natural(&mut self, most: u64) -> Result<u64, Unfit> {
        self.read(|reader| match u64::deserialize(reader)? {
            number if number > most => Err(D::Error::invalid_value(
                Unexpected::Unsigned(number),
                &"a smaller number",
            )),
            number => Ok(number),
        })
    }

    fn integer(&mut self) -> Result<i64, Unfit> {
        self.read(i64::deserialize)
    }

    fn number(&mut self) -> Result<f64, Unfit> {
        self.read(f64::deserialize)
    }

    fn unless_null(&mut self, into: &mut dyn Take<'a>) -> Result<(), Unfit> {
        self.read(|reader| reader.deserialize_option(Each(into)))
    }

    fn object(&mut self, into: &mut dyn TakeMember<'a>) -> Result<(), Unfit> {
        self.read(|reader| reader.deserialize_map(Object(into)))
    }

    fn array(&mut self, into: &mut dyn Take<'a>) -> Result<(), Unfit> {
        self.read(|reader| reader.deserialize_seq(Each(into)))
    }
}

// === impl Object ===

impl<'a> Visitor<'a> for Object<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Text<'a>>()? {
            let mut member = Member {
                name,
                into: &mut *self.0,
            };
            map.next_value_seed(Each(&mut member))?;
        }
        Ok(())
    }
}

// === impl Member ===

impl<'a> Take<'a> for Member<'_, 'a> {
    fn take_value(&mut self, slot: &mut dyn Slot<'a>) -> Result<(), Unfit> {
        self.into.take_member(std::mem::take(&mut self.name), slot)
    }
}

// === impl Each ===

impl<'a> DeserializeSeed<'a> for Each<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut slot = Once {
            reader: Some(deserializer),
            error: None,
        };
        self.0
            .take_value(&mut slot)
            .map_err(|Unfit| match slot.error {
                Some(error) => error,
                None => D::Error::custom("no such value"),
            })
    }
}

impl<'a> Visitor<'a> for Each<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Each(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

// === impl FromJson ===

impl<'a> FromJson<'a> for Raw<'a> {
    fn from_json(slot: &mut dyn Slot<'a>) -> Result<Self, Unfit> {
        slot.raw()
    }
}

impl<'a> FromJson<'a> for Text<'a> {
    fn from_json(slot: &mut dyn Slot<'a>) -> Result<Self, Unfit> {
        slot.text()
    }
}

impl<'a> FromJson<'a> for String {
    fn from_json(slot: &mut dyn Slot<'a>) -> Result<Self, Unfit> {
        Ok(slot.text()?.into_inner().into_owned())
    }
}

impl<'a> FromJson<'a> for bool {
    fn from_json(slot: &mut dyn Slot<'a>) -> Result<Self, Unfit> {
        slot.boolean()
    }
}

impl<'a> FromJson<'a> for i64 {
    fn from_json(slot: &mut dyn Slot<'a>) -> Result<Self, Unfit> {
        slot.integer()
    }
}

impl<'a> FromJson<'a> for f64 {
    fn from_json(slot: &mut dyn Slot<'a>) -> Result<Self, Unfit> {
        slot.number()
    }
}

macro_rules! naturals {
    ($($natural:ty),*) => {$(
        impl<'a> FromJson<'a> for $natural {
            fn from_json(slot: &mut dyn Slot<'a>) -> Result<Self, Unfit> {
                let most = u64::try_from(<$natural>::MAX).unwrap_or(u64::MAX);
                <$natural>::try_from(slot.natural(most)?).map_err(|_| Unfit)
            }
        }
    )*};
}

naturals!(u8, u16, u32, u64, usize);

impl<'a, T: FromJson<'a>> FromJson<'a> for Option<T> {
    fn from_json(slot: &mut dyn Slot<'a>) -> Result<Self, Unfit> {
        let mut value = None;
        slot.unless_null(&mut value)?;
        Ok(value)
    }
}

impl<'a, T: FromJson<'a>> FromJson<'a> for Vec<T> {
    fn from_json(slot: &mut dyn Slot<'a>) -> Result<Self, Unfit> {
        let mut items = Vec::new();
        slot.array(&mut items)?;
        Ok(items)
    }
}

impl<'a, T: FromJson<'a>> FromJson<'a> for BTreeMap<Text<'a>, T> {
    fn from_json(slot: &mut dyn Slot<'a>) -> Result<Self, Unfit> {
        let mut members = BTreeMap::new();
        slot.object(&mut members)?;
        Ok(members)
    }
}

// === impl Take ===

impl<'a, T: FromJson<'a>> Take<'a> for Option<T> {
    fn take_value(&mut self, slot: &mut dyn Slot<'a>) -> Result<(), Unfit> {
        T::read_into(self, slot)
    }
}

impl<'a, T: FromJson<'a>> Take<'a> for Vec<T> {
    fn take_value(&mut self, slot: &mut dyn Slot<'a>) -> Result<(), Unfit> {
        self.push(T::from_json(slot)?);
        Ok(())
    }
}

impl<'a, T: FromJson<'a>> TakeMember<'a> for BTreeMap<Text<'a>, T> {
    fn take_member(&mut self, name: Text<'a>, slot: &mut dyn Slot<'a>) -> Result<(), Unfit> {
        self.insert(name, T::from_json(slot)?);
        Ok(())
    }
}
