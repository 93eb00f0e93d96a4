//! What fields hold: numbers, durations, sizes, lists, maps. Each knows its shape.

use super::document::{Node, Value};
use super::shape::{Rule, Shape, Shaped};
use super::units;

/// An integer from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Int<const MIN: u64, const MAX: u64>(pub(super) u64);

/// Milliseconds from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duration<const MIN: u64, const MAX: u64>(pub(super) u64);

/// Bytes from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size<const MIN: u64, const MAX: u64>(pub(super) u64);

/// A number, with or without a fraction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number(pub(super) f64);

/// Anything that JSON can say.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Any(pub(super) serde_json::Value);

/// The items of a list; `None` for those that have been reported.
#[derive(Debug)]
pub(super) struct List<T, const MIN: usize, const MAX: usize>(pub(super) Vec<Option<T>>);

/// The user's own names, each once, in the order written; `None` for values that have
/// been reported.
#[derive(Debug)]
pub(super) struct Map<K, T, const MIN: usize> {
    pub(super) entries: Vec<(String, Option<T>)>,
    keys: std::marker::PhantomData<K>,
}

impl Shaped for bool {
    const SHAPE: Shape = Shape::Bool;

    fn read(node: &Node) -> Option<Self> {
        match node.value {
            Value::Bool(b) => Some(b),
            _ => None,
        }
    }
}

impl<const MIN: u64, const MAX: u64> Shaped for Int<MIN, MAX> {
    const SHAPE: Shape = Shape::Int { min: MIN, max: MAX };

    fn read(node: &Node) -> Option<Self> {
        let Value::Number(n) = &node.value else {
            return None;
        };
        n.as_u64().filter(|n| (MIN..=MAX).contains(n)).map(Int)
    }
}

impl<const MIN: u64, const MAX: u64> Shaped for Duration<MIN, MAX> {
    const SHAPE: Shape = Shape::Duration {
        min_ms: MIN,
        max_ms: MAX,
    };

    fn read(node: &Node) -> Option<Self> {
        let Value::Text(text) = &node.value else {
            return None;
        };
        let ms = units::parse_duration(text)?;
        (MIN..=MAX).contains(&ms).then_some(Duration(ms))
    }
}

impl<const MIN: u64, const MAX: u64> Shaped for Size<MIN, MAX> {
    const SHAPE: Shape = Shape::Size { min: MIN, max: MAX };

    fn read(node: &Node) -> Option<Self> {
        let bytes = match &node.value {
            Value::Text(text) => units::parse_size(text)?,
            Value::Number(n) => n.as_u64()?,
            _ => return None,
        };
        (MIN..=MAX).contains(&bytes).then_some(Size(bytes))
    }
}

impl Shaped for Number {
    const SHAPE: Shape = Shape::Number;

    fn read(node: &Node) -> Option<Self> {
        match &node.value {
            Value::Number(n) => n.as_f64().map(Number),
            _ => None,
        }
    }
}

impl Shaped for Any {
    const SHAPE: Shape = Shape::Any;

    fn read(node: &Node) -> Option<Self> {
        Some(Any(node.to_json()))
    }
}

/// A share or a measure, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ratio(pub(super) f64);

impl Shaped for Ratio {
    const SHAPE: Shape = Shape::Between { min: 0.0, max: 1.0 };

    fn read(node: &Node) -> Option<Self> {
        match &node.value {
            Value::Number(n) => n.as_f64().filter(|n| (0.0..=1.0).contains(n)).map(Ratio),
            _ => None,
        }
    }
}

/// One text, or a list of up to 32.
#[derive(Debug)]
pub(super) struct OneOrMore<T>(pub(super) Vec<T>);

impl<T: Shaped> Shaped for OneOrMore<T> {
    const SHAPE: Shape = Shape::OneOrMore {
        items: &T::SHAPE,
        max: 32,
    };

    fn read(node: &Node) -> Option<Self> {
        let nodes = match &node.value {
            Value::List(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let items: Option<Vec<T>> = nodes.iter().map(T::read).collect();
        items.map(OneOrMore)
    }
}

impl Shaped for crate::catalog::price::Price {
    const SHAPE: Shape = Shape::Quote;

    fn read(node: &Node) -> Option<Self> {
        match &node.value {
            Value::Number(n) => crate::catalog::price::Price::from_number(n),
            _ => None,
        }
    }
}

impl<T: Shaped, const MIN: usize, const MAX: usize> Shaped for List<T, MIN, MAX> {
    const SHAPE: Shape = Shape::List {
        items: &T::SHAPE,
        min: MIN,
        max: MAX,
    };

    fn read(node: &Node) -> Option<Self> {
        match &node.value {
            Value::List(items) => Some(List(items.iter().map(T::read).collect())),
            _ => None,
        }
    }
}

impl<K: Rule, T: Shaped, const MIN: usize> Shaped for Map<K, T, MIN> {
    const SHAPE: Shape = Shape::Map {
        keys: &K::RULE,
        values: &T::SHAPE,
        min: MIN,
    };

    fn read(node: &Node) -> Option<Self> {
        let Value::Map(written) = &node.value else {
            return None;
        };
        let mut entries: Vec<(String, Option<T>)> = Vec::with_capacity(written.len());
        for entry in written {
            if !entries.iter().any(|(key, _)| *key == entry.key) {
                entries.push((entry.key.clone(), T::read(&entry.node)));
            }
        }
        let keys = std::marker::PhantomData;
        Some(Map { entries, keys })
    }
}
