//! What a policy may be told. Each policy declares its parameters as data, beside its code; the
//! check of the document, the JSON Schema and the reference are made from them.

/// One parameter of a policy.
#[derive(Debug)]
pub struct Param {
    /// Its key in the document.
    pub name: &'static str,
    /// What may stand there.
    pub shape: ParamShape,
    /// What it means, and what holds when it is not said.
    pub description: &'static str,
}

/// What may stand for a parameter.
#[derive(Debug)]
pub enum ParamShape {
    /// `true` or `false`.
    Bool,
    /// An integer, both ends included.
    Int(u64, u64),
    /// A number, both ends included.
    Number(f64, f64),
    /// One of these words.
    Words(&'static [&'static str]),
    /// Milliseconds, both ends included; written as a duration such as `250ms`.
    Duration(u64, u64),
    /// A short text, such as the name of a header.
    Text,
    /// An object with parameters of its own.
    Object(&'static [Param]),
}

/// The parameters that the document gives, checked against their shapes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Params(Vec<(&'static str, ParamValue)>);

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamValue {
    /// Of [`ParamShape::Bool`].
    Bool(bool),
    /// Of every numeric shape; a duration is in milliseconds.
    Number(f64),
    /// Of [`ParamShape::Words`] and [`ParamShape::Text`].
    Text(String),
    /// Of [`ParamShape::Object`].
    Object(Params),
}

impl Params {
    /// Adds a value; whoever adds it has checked it.
    pub fn push(&mut self, name: &'static str, value: ParamValue) {
        self.0.push((name, value));
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was said of a switch.
    pub fn bool(&self, name: &str) -> Option<bool> {
        match self.value(name)? {
            ParamValue::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// A number, an integer or a duration in milliseconds.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.value(name)? {
            ParamValue::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// A word or a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            ParamValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The parameters of an object.
    pub fn object(&self, name: &str) -> Option<&Params> {
        match self.value(name)? {
            ParamValue::Object(params) => Some(params),
            _ => None,
        }
    }

    fn value(&self, name: &str) -> Option<&ParamValue> {
        let found = self.0.iter().find(|(given, _)| *given == name);
        found.map(|(_, value)| value)
    }
}
