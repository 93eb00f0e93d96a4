//! YAML for people: documents with comments, long texts as blocks.
//!
//! A comment stands in the tree as the first field of an object, under [`COMMENT`], and is
//! written above that object.

use saphyr::YamlEmitter;
use serde_json::Value;

use super::yaml::yaml;

/// The name of the field that becomes a comment.
pub(super) const COMMENT: &str = "#";

/// The widest line of a comment.
const WIDTH: usize = 100;

/// `value` as one YAML document, comments above what they are about.
pub(super) fn to_commented_yaml(value: &Value) -> String {
    let mut text = String::new();
    let mut emitter = YamlEmitter::new(&mut text);
    emitter.multiline(true);
    // Writing to a string cannot fail.
    let _ = emitter.dump(&yaml(value));
    let mut out = String::with_capacity(text.len());
    let mut lines = text.lines().skip_while(|line| matches!(*line, "---" | ""));
    while let Some(line) = lines.next() {
        match comment(line) {
            Some((start, said)) => {
                let indent = start.len() - start.trim_start().len();
                write_comment(&mut out, indent, &said);
                // What the comment is about takes its place, dash and all.
                let first = lines.next().unwrap_or_default();
                out.push_str(start);
                out.push_str(first.get(start.len()..).unwrap_or_default());
            }
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// What stands before a comment's field, indentation and dashes, and what the comment says.
fn comment(line: &str) -> Option<(&str, String)> {
    let at = line.find("\"#\": ")?;
    let start = line.get(..at)?;
    if !start.chars().all(|c| matches!(c, ' ' | '-')) {
        return None;
    }
    let said = line.get(at + "\"#\": ".len()..)?;
    let said = serde_json::from_str(said).unwrap_or_else(|_| said.to_owned());
    Some((start, said))
}

/// `said` as lines of a comment, broken between words.
pub(super) fn write_comment(out: &mut String, indent: usize, said: &str) {
    for paragraph in said.split('\n') {
        let mut line = format!("{:indent$}#", "");
        for word in paragraph.split(' ') {
            if line.len() + 1 + word.len() > WIDTH && !line.ends_with('#') {
                out.push_str(&line);
                out.push('\n');
                line = format!("{:indent$}#", "");
            }
            line.push(' ');
            line.push_str(word);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_comment_stands_above_what_it_is_about() {
        let value = json!({
            COMMENT: "the whole",
            "list": [{ COMMENT: "a part: with \"quotes\"", "a": 1, "b": { COMMENT: "deep", "c": 2 } }],
            "text": "one\ntwo\n",
        });
        let expected = "# the whole\nlist:\n  # a part: with \"quotes\"\n  - a: 1\n    b:\n      # deep\n      \
                        c: 2\ntext: |\n  one\n  two\n";
        assert_eq!(to_commented_yaml(&value), expected);
    }

    #[test]
    fn a_long_comment_is_broken_between_words() {
        let mut out = String::new();
        write_comment(&mut out, 2, &"word ".repeat(40));
        assert!(out.lines().count() > 1);
        assert!(
            out.lines()
                .all(|line| line.len() <= WIDTH && line.starts_with("  # word"))
        );
    }
}
