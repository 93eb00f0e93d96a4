//! The shape of the document as JSON Schema (draft 2020-12), for editors.
//!
//! A schema says less than the checker: no references between parts, no ranges of durations
//! and sizes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::policy;
use super::raw::Document;
use super::shape::{Field, Object, Presence, Shape, Shaped, TextRule};
use crate::routing::{POLICIES, Param};

/// The schema of `pointsman.yaml` version 1.
pub fn json_schema() -> Value {
    let mut definitions = BTreeMap::new();
    let top = schema_of(&Document::SHAPE, &mut definitions);
    let mut schema = definitions.remove(Document::OBJECT.name).unwrap_or(top);
    if let Value::Object(schema) = &mut schema {
        let dialect = "https://json-schema.org/draft/2020-12/schema";
        schema.insert("$schema".to_owned(), json!(dialect));
        schema.insert("title".to_owned(), json!("pointsman.yaml, version 1"));
        schema.insert("$defs".to_owned(), json!(definitions));
    }
    schema
}

type Definitions = BTreeMap<&'static str, Value>;

fn schema_of(shape: &Shape, definitions: &mut Definitions) -> Value {
    match shape {
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Int { min, max } if min == max => json!({"const": min}),
        Shape::Int { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::Number => json!({"type": "number"}),
        Shape::Between { min, max } => json!({"type": "number", "minimum": min, "maximum": max}),
        Shape::Choice(words) => json!({"enum": words}),
        Shape::Policies => policies(definitions),
        Shape::Params(params) => params_schema(params, definitions),
        Shape::Text(rule) => text(rule),
        Shape::Words(words) => json!({"enum": words()}),
        Shape::Duration { .. } => json!({"type": "string", "pattern": "^[0-9]+(?:ms|s|m|h)$"}),
        Shape::Size { min, max } => json!({"anyOf": [
            {"type": "string", "pattern": "^[0-9]+(?:B|KiB|MiB|GiB)$"},
            {"type": "integer", "minimum": min, "maximum": max},
        ]}),
        Shape::List { items, min, max } => json!({
            "type": "array",
            "items": schema_of(items, definitions),
            "minItems": min,
            "maxItems": max,
        }),
        Shape::Map { keys, values, min } => json!({
            "type": "object",
            "propertyNames": {"pattern": keys.pattern},
            "additionalProperties": schema_of(values, definitions),
            "minProperties": min,
        }),
        Shape::Object(object) => reference(object, definitions, json!({})),
        Shape::Source(object) => reference(
            object,
            definitions,
            json!({"minProperties": 1, "maxProperties": 1}),
        ),
        Shape::OneOrMore { items, max } => {
            let one = schema_of(items, definitions);
            let list = json!({"type": "array", "items": one, "minItems": 1, "maxItems": max});
            json!({"anyOf": [one, list]})
        }
        Shape::Quote => json!({"type": "number", "minimum": 0, "maximum": 10_000}),
        Shape::Any => json!({}),
    }
}

/// One policy by its name or with its parameters, or a list of them.
fn policies(definitions: &mut Definitions) -> Value {
    if !definitions.contains_key("Policy") {
        let properties: Map<String, Value> = POLICIES
            .iter()
            .map(|kind| {
                let schema = params_schema(kind.params, definitions);
                (kind.name.to_owned(), described(schema, kind.description))
            })
            .collect();
        let schema = json!({
            "type": "object",
            "description": "One policy with its parameters; without any, its name alone may stand.",
            "properties": properties,
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        });
        definitions.insert("Policy", schema);
    }
    let one = json!([{"enum": policy::names()}, {"$ref": "#/$defs/Policy"}]);
    let list = json!({
        "type": "array",
        "items": {"anyOf": one},
        "minItems": 1,
        "maxItems": policy::MOST,
    });
    let mut any = one;
    if let Some(any) = any.as_array_mut() {
        any.push(list);
    }
    json!({"anyOf": any})
}

fn params_schema(params: &'static [Param], definitions: &mut Definitions) -> Value {
    let mut properties = Map::new();
    for param in params {
        let schema = schema_of(&policy::shape_of(&param.shape), definitions);
        properties.insert(param.name.to_owned(), described(schema, param.description));
    }
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn text(rule: &TextRule) -> Value {
    json!({"type": "string", "pattern": rule.pattern})
}

/// Defines `object`, with the keywords of `more`, and refers to it.
fn reference(object: &Object, definitions: &mut Definitions, more: Value) -> Value {
    let name = object.name.trim_start_matches("Raw");
    if !definitions.contains_key(name) {
        let mut schema = object_schema(object, definitions);
        if let (Some(schema), Value::Object(more)) = (schema.as_object_mut(), more) {
            schema.extend(more);
        }
        definitions.insert(name, schema);
    }
    json!({"$ref": format!("#/$defs/{name}")})
}

fn object_schema(object: &Object, definitions: &mut Definitions) -> Value {
    let mut properties = Map::new();
    for field in object.fields {
        properties.insert(field.name.to_owned(), property(field, definitions));
    }
    let required = object
        .fields
        .iter()
        .filter(|f| f.presence == Presence::Required);
    json!({
        "type": "object",
        "description": prose(object.description),
        "properties": properties,
        "required": required.map(|f| f.name).collect::<Vec<_>>(),
        "additionalProperties": false,
    })
}

fn property(field: &Field, definitions: &mut Definitions) -> Value {
    let schema = schema_of(field.shape, definitions);
    described(schema, field.description)
}

fn described(mut schema: Value, description: &str) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), json!(prose(description)));
    }
    schema
}

/// A doc comment as running text.
fn prose(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}
