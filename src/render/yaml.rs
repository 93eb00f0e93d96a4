//! Values to YAML and back, by the YAML library: block style, keys in the order given.

use std::borrow::Cow;

use saphyr::{LoadableYamlNode, Mapping, Scalar, Yaml, YamlEmitter};
use serde_json::Value;

/// `value` as one YAML document that ends with a line feed.
pub fn to_yaml(value: &Value) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = YamlEmitter::new(&mut text).dump(&yaml(value));
    let document = text
        .strip_prefix("---")
        .unwrap_or(&text)
        .trim_start_matches('\n');
    format!("{document}\n")
}

pub(super) fn yaml(value: &Value) -> Yaml<'_> {
    match value {
        Value::Null => Yaml::Value(Scalar::Null),
        Value::Bool(flag) => Yaml::Value(Scalar::Boolean(*flag)),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Yaml::Value(Scalar::Integer(integer)),
            None => Yaml::Value(Scalar::FloatingPoint(
                number.as_f64().unwrap_or_default().into(),
            )),
        },
        Value::String(text) => Yaml::Value(Scalar::String(Cow::Borrowed(text))),
        Value::Array(items) => Yaml::Sequence(items.iter().map(yaml).collect()),
        Value::Object(fields) => Yaml::Mapping(mapping(fields)),
    }
}

fn mapping(fields: &serde_json::Map<String, Value>) -> Mapping<'_> {
    let key = |name| Yaml::Value(Scalar::String(Cow::Borrowed(name)));
    fields
        .iter()
        .map(|(name, value)| (key(name.as_str()), yaml(value)))
        .collect()
}

/// Every document of `text` that is not empty; the error says where the text is no YAML.
pub fn from_yaml(text: &str) -> Result<Vec<Value>, String> {
    let documents = Yaml::load_from_str(text).map_err(|error| {
        let place = error.marker();
        format!(
            "found something that is no YAML at line {}, column {}",
            place.line(),
            place.col() + 1
        )
    })?;
    let values = documents.iter().map(value);
    Ok(values.filter(|value| !value.is_null()).collect())
}

fn value(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Boolean(flag)) => Value::Bool(*flag),
        Yaml::Value(Scalar::Integer(integer)) => Value::from(*integer),
        Yaml::Value(Scalar::FloatingPoint(number)) => Value::from(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => Value::String(text.to_string()),
        Yaml::Sequence(items) => Value::Array(items.iter().map(value).collect()),
        Yaml::Mapping(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, field)| {
                    let name = match value(name) {
                        Value::String(text) => text,
                        other => other.to_string(),
                    };
                    (name, value(field))
                })
                .collect(),
        ),
        Yaml::Tagged(_, inside) => value(inside),
        _ => Value::Null,
    }
}
