//! The reference of pointsman.yaml as Markdown, from the same JSON Schema that editors use.

use std::fmt::Write;

use serde_json::Value;

const HEAD: &str = "\
# pointsman.yaml

Written by `pointsman schema --format markdown` from the types that check the document; every key
that is not listed here is a mistake. Durations are written `250ms`, `2s`, `1m`, sizes `64KiB`,
`32MiB`.
";

/// The reference; one section for each object.
pub(super) fn markdown(schema: &Value) -> String {
    let mut text = HEAD.to_owned();
    section("The document", schema, &mut text);
    for (name, object) in schema["$defs"].as_object().into_iter().flatten() {
        section(name, object, &mut text);
    }
    text
}

fn section(title: &str, object: &Value, text: &mut String) {
    let description = object["description"].as_str().unwrap_or_default();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "\n## {title}\n\n{description}\n\n| key | value | meaning |\n|---|---|---|\n"
    );
    let required = object["required"].as_array();
    for (name, field) in object["properties"].as_object().into_iter().flatten() {
        let must = required.is_some_and(|list| list.iter().any(|item| item == name));
        let mark = if must { " (required)" } else { "" };
        let description = field["description"].as_str().unwrap_or_default();
        let _ = writeln!(
            text,
            "| `{name}`{mark} | {} | {} |",
            value(field),
            cell(description)
        );
    }
}

/// What may stand there, in a few words.
fn value(field: &Value) -> String {
    if let Some(target) = field["$ref"].as_str() {
        let name = target.rsplit('/').next().unwrap_or_default();
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(words) = field["enum"].as_array() {
        let words: Vec<String> = words
            .iter()
            .map(|word| format!("`{}`", bare(word)))
            .collect();
        return words.join(", ");
    }
    if let Some(ways) = field["anyOf"].as_array() {
        let ways: Vec<String> = ways.iter().map(value).collect();
        return ways.join(", or ");
    }
    if !field["const"].is_null() {
        return format!("`{}`", field["const"]);
    }
    match field["type"].as_str() {
        Some("array") => format!("list of {}", value(&field["items"])),
        Some("object") if field["properties"].is_object() => parameters(field),
        Some("object") => match field["additionalProperties"]["$ref"].is_string() {
            true => format!("map of {}", value(&field["additionalProperties"])),
            false => "map".to_owned(),
        },
        Some(kind @ ("integer" | "number")) => match (&field["minimum"], &field["maximum"]) {
            (Value::Number(min), Value::Number(max)) => format!("{kind}, {min} to {max}"),
            _ => kind.to_owned(),
        },
        Some(kind) => kind.to_owned(),
        None => "any".to_owned(),
    }
}

/// The parameters of a policy: `sticky` {`header` string: …}.
fn parameters(field: &Value) -> String {
    let properties = field["properties"].as_object();
    let each = properties.into_iter().flatten().map(|(name, param)| {
        let description = param["description"].as_str().unwrap_or_default();
        format!("`{name}` ({}): {description}", value(param))
    });
    let each: Vec<String> = each.collect();
    match each.is_empty() {
        true => "{}".to_owned(),
        false => format!("object; {}", each.join(" ")),
    }
}

fn bare(word: &Value) -> String {
    word.as_str()
        .map_or_else(|| word.to_string(), str::to_owned)
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
