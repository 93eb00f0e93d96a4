//! How much a request asks of a model's skill with tools.

use crate::catalog::ComplexTools;
use crate::schema::openai::{ChatCompletionRequest, Tool};

/// Whether the tool work of a request is beyond these bounds.
pub fn is_complex(request: &ChatCompletionRequest<'_>, bounds: &ComplexTools) -> bool {
    let ComplexTools {
        over_tools,
        over_depth,
        parallel,
    } = *bounds;
    let tools = request.tools();
    let wants_parallel = request
        .parallel_tool_calls
        .is_some_and(|raw| raw.get() == "true");
    tools.len() > over_tools
        || (parallel && wants_parallel && !tools.is_empty())
        || tools.iter().any(|tool| depth_of(tool) > over_depth)
}

fn depth_of(tool: &Tool<'_>) -> usize {
    let function = tool.function.as_ref();
    let schema = function.and_then(|f| f.parameters);
    schema.map_or(0, |schema| depth(schema.get()))
}

/// Levels of objects and lists that a JSON Schema describes: `{a: {b: 1}}` has two.
///
/// Counts how deep `properties` and `items` are nested, without building a tree.
fn depth(schema: &str) -> usize {
    let (mut open, mut deepest): (Vec<bool>, usize) = (Vec::new(), 0);
    // Whether the value that comes next is the value of `properties` or `items`.
    let mut is_level = false;
    let mut rest = schema;
    while let Some(c) = rest.chars().next() {
        let mut next = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '"' => {
                let end = string_end(next);
                let text = next.get(..end).unwrap_or_default();
                is_level = matches!(text, "properties" | "items");
                next = next.get(end + 1..).unwrap_or_default();
            }
            '{' | '[' => {
                open.push(std::mem::take(&mut is_level));
                deepest = deepest.max(open.iter().filter(|level| **level).count());
            }
            '}' | ']' => {
                open.pop();
                is_level = false;
            }
            ',' => is_level = false,
            _ => {}
        }
        rest = next;
    }
    deepest
}

/// Where the quote stands that ends a string, whose first one has been read.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (i, b) in text.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return i,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::depth;

    #[test]
    fn levels_of_arguments_are_counted() {
        let flat = r#"{"type":"object","properties":{"a":{"type":"string"}}}"#;
        let list = r#"{"properties":{"a":{"type":"array","items":{"type":"object","properties":{"b":{}}}}}}"#;
        let tricky = r#"{"properties":{"a":{"description":"a \"{[ items","enum":["items","x"]}}}"#;
        assert_eq!(
            [flat, list, tricky, "{}", "{\"a"].map(depth),
            [1, 3, 1, 0, 0]
        );
    }
}
