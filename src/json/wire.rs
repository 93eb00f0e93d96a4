//! The `wire!` macro: a struct as it stands on the wire, with nothing lost.

/// Declares a struct read from a JSON object.
///
/// Every field is optional (absent and `null` are the same), and whatever the struct
/// does not name is kept in `extra`. Destructure it without `..`, so that a field
/// added here stops the compiler until every translation has decided its fate.
#[macro_export]
macro_rules! wire {
    (
        $(#[$meta:meta])*
        pub struct $name:ident<$lt:lifetime> {
            $( $(#[$field_meta:meta])* $field:ident $(= $key:literal)? : $ty:ty ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default)]
        pub struct $name<$lt> {
            $( $(#[$field_meta])* pub $field: Option<$ty>, )*
            /// Fields that this struct does not name.
            pub extra: $crate::Extra<$lt>,
        }

        impl<$lt> $crate::FromJson<$lt> for $name<$lt> {
            fn from_json(
                slot: &mut dyn $crate::Slot<$lt>,
            ) -> Result<Self, $crate::Unfit> {
                let mut wire = None;
                Self::read_into(&mut wire, slot)?;
                wire.ok_or($crate::Unfit)
            }

            fn read_into(
                place: &mut Option<Self>,
                slot: &mut dyn $crate::Slot<$lt>,
            ) -> Result<(), $crate::Unfit> {
                slot.object(place.insert($name::default()))
            }
        }

        impl<$lt> $crate::TakeMember<$lt> for $name<$lt> {
            fn take_member(
                &mut self,
                name: $crate::Text<$lt>,
                slot: &mut dyn $crate::Slot<$lt>,
            ) -> Result<(), $crate::Unfit> {
                match name.as_str() {
                    $( $crate::wire!(@key $field $($key)?) => {
                        $crate::fill(&mut self.$field, slot)
                    } )*
                    _ => $crate::TakeMember::take_member(&mut self.extra, name, slot),
                }
            }
        }
    };
    (@key $field:ident $key:literal) => { $key };
    (@key $field:ident) => { stringify!($field) };
}
