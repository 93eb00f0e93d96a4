//! The plugin's configuration as people read it.

use serde_json::{Value, json};

/// The plugin's configuration over several lines, so that a change of it can be read.
pub(super) fn readable(configuration: &Value) -> String {
    let text = configuration.as_str().unwrap_or_default();
    let value = serde_json::from_str(text).unwrap_or_default();
    let mut readable = String::new();
    lines(&mut readable, &value, 0);
    readable.push('\n');
    readable
}

/// What is short stands on one line.
const LINE: usize = 80;

fn lines(out: &mut String, value: &Value, indent: usize) {
    let short = value.to_string();
    let (open, close, items): (_, _, Vec<(String, &Value)>) = match value {
        Value::Object(fields) if short.len() + indent > LINE => {
            let named = |(name, value)| (format!("{}: ", json!(name)), value);
            ('{', '}', fields.iter().map(named).collect())
        }
        Value::Array(items) if short.len() + indent > LINE => (
            '[',
            ']',
            items.iter().map(|item| (String::new(), item)).collect(),
        ),
        _ => return out.push_str(&short),
    };
    out.push(open);
    for (i, (name, item)) in items.into_iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        out.push_str(&format!("{comma}\n{:1$}{name}", "", indent + 2));
        lines(out, item, indent + 2);
    }
    out.push_str(&format!("\n{:1$}{close}", "", indent));
}
