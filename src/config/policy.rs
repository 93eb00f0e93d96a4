//! Policies as the document writes them: `weighted`, `{weighted: {sticky: {user: true}}}`, or a
//! list of such, of which each breaks the ties of those before it.

use super::document::{Entry, Node, Value};
use super::shape::{Shape, Shaped, TextRule};
use super::units::parse_duration;
use crate::routing::{
    Configured, POLICIES, Param, ParamShape, ParamValue, Params, Policies, PolicyKind,
};

/// The most policies that one list may hold.
pub(super) const MOST: usize = 4;

/// Policies that could be read; what could not has been reported.
#[derive(Debug)]
pub(super) struct RawPolicies(pub(super) Policies);

impl Shaped for RawPolicies {
    const SHAPE: Shape = Shape::Policies;

    fn read(node: &Node) -> Option<Self> {
        let nodes = match &node.value {
            Value::List(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let configured: Option<Vec<Configured>> = nodes.iter().map(read).collect();
        Some(RawPolicies(Policies::new(configured?)))
    }
}

/// The names of all policies.
pub(super) fn names() -> Vec<&'static str> {
    POLICIES.iter().map(|kind| kind.name).collect()
}

fn read(node: &Node) -> Option<Configured> {
    let (kind, params) = match &node.value {
        Value::Text(name) => (PolicyKind::find(name)?, Params::default()),
        Value::Map(entries) => {
            let [entry] = entries.as_slice() else {
                return None;
            };
            let kind = PolicyKind::find(&entry.key)?;
            (kind, read_params(kind.params, &entry.node)?)
        }
        _ => return None,
    };
    kind.configure(&params).ok()
}

/// The parameters; `None` when one of them does not fit its shape.
pub(super) fn read_params(params: &'static [Param], node: &Node) -> Option<Params> {
    let Value::Map(entries) = &node.value else {
        return None;
    };
    let mut read = Params::default();
    for Entry { key, node, .. } in entries {
        let param = params.iter().find(|param| param.name == *key)?;
        read.push(param.name, read_param(&param.shape, node)?);
    }
    Some(read)
}

fn read_param(shape: &'static ParamShape, node: &Node) -> Option<ParamValue> {
    Some(match (shape, &node.value) {
        (ParamShape::Bool, Value::Bool(value)) => ParamValue::Bool(*value),
        (ParamShape::Int(min, max), Value::Number(n)) => {
            let fits = n.as_u64().is_some_and(|n| (*min..=*max).contains(&n));
            ParamValue::Number(n.as_f64().filter(|_| fits)?)
        }
        (ParamShape::Number(min, max), Value::Number(n)) => {
            ParamValue::Number(n.as_f64().filter(|n| (*min..=*max).contains(n))?)
        }
        (ParamShape::Words(words), Value::Text(text)) => {
            let word = words.iter().find(|word| *word == text)?;
            ParamValue::Text((*word).to_owned())
        }
        (ParamShape::Duration(min, max), Value::Text(text)) => {
            let ms = parse_duration(text).filter(|ms| (*min..=*max).contains(ms))?;
            ParamValue::Number(ms as f64)
        }
        (ParamShape::Text, Value::Text(text)) => {
            (TEXT.check)(text).ok()?;
            ParamValue::Text(text.clone())
        }
        (ParamShape::Object(params), Value::Map(_)) => {
            ParamValue::Object(read_params(params, node)?)
        }
        _ => return None,
    })
}

/// The document's shape of a parameter.
pub(super) fn shape_of(shape: &'static ParamShape) -> Shape {
    match shape {
        ParamShape::Bool => Shape::Bool,
        ParamShape::Int(min, max) => Shape::Int {
            min: *min,
            max: *max,
        },
        ParamShape::Number(min, max) => Shape::Between {
            min: *min,
            max: *max,
        },
        ParamShape::Words(words) => Shape::Choice(words),
        ParamShape::Duration(min_ms, max_ms) => Shape::Duration {
            min_ms: *min_ms,
            max_ms: *max_ms,
        },
        ParamShape::Text => Shape::Text(&TEXT),
        ParamShape::Object(params) => Shape::Params(params),
    }
}

static TEXT: TextRule = TextRule {
    expected: "a word of at most 100 characters, without spaces",
    check: short_text,
    private: false,
    #[cfg(feature = "cli")]
    pattern: r"^[!-~]{1,100}$",
};

fn short_text(text: &str) -> Result<(), &'static str> {
    let fits = (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(()) } else { Err("") }
}
