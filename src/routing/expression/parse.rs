//! An expression's text to its parts, types checked on the way.

use super::{Field, MOST_PARTS, Node, Op, WEEKDAYS};
use crate::routing::Script;
use crate::routing::rules::NEEDS;

/// How deep parentheses and negations may nest.
const DEEPEST: usize = 24;

/// Why an expression is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Place in the text, in characters from 1.
    pub at: usize,
    /// What stands there.
    pub found: String,
    /// What may stand there.
    pub expected: &'static str,
}

/// What an operand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Truth,
    Number,
    Text,
    Texts,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Truth => "true or false",
            Kind::Number => "a number",
            Kind::Text => "a text",
            Kind::Texts => "a list of texts",
        }
    }
}

/// A part with what it is and where it begins, in bytes.
struct Part {
    node: Node,
    kind: Kind,
    at: usize,
}

type Parsed<T> = Result<T, Mistake>;

pub(super) fn parse(text: &str) -> Parsed<Node> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        parts: 0,
    };
    let part = parser.binary(0)?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.mistake(parser.at, "an operator such as && or ==, or the end"));
    }
    parser.must_be(part, Kind::Truth)
}

struct Parser<'t> {
    text: &'t str,
    /// Bytes that have been read.
    at: usize,
    depth: usize,
    parts: usize,
}

/// Operators by how tightly they bind, loosest first; longer ones before their beginnings.
const LEVELS: [&[&str]; 5] = [
    &["||"],
    &["&&"],
    &["==", "!=", "<=", ">=", "<", ">", "in"],
    &["+", "-"],
    &["*"],
];

/// Functions of a text.
const METHODS: [(&str, Op); 3] = [
    ("startsWith", Op::StartsWith),
    ("endsWith", Op::EndsWith),
    ("contains", Op::Contains),
];

/// Fields that have no names below them.
const FIELDS: [(&str, Kind, Field); 11] = [
    ("stream", Kind::Truth, Field::Stream),
    ("prompt_tokens", Kind::Number, Field::PromptTokens),
    ("complexity", Kind::Number, Field::Complexity),
    ("hour", Kind::Number, Field::Hour),
    ("minute", Kind::Number, Field::Minute),
    ("model", Kind::Text, Field::Model),
    ("path", Kind::Text, Field::Path),
    ("identity", Kind::Text, Field::Identity),
    ("script", Kind::Text, Field::Script),
    ("intent", Kind::Text, Field::Intent),
    ("weekday", Kind::Text, Field::Weekday),
];

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// What stands at a place, for people; never more than a word of it.
    fn mistake(&self, at: usize, expected: &'static str) -> Mistake {
        let before = self.text.get(..at).unwrap_or(self.text);
        let rest = self.text.get(at..).unwrap_or_default();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let found = rest.get(..end.max(first)).unwrap_or_default();
        Mistake {
            at: before.chars().count() + 1,
            found: found.chars().take(40).collect(),
            expected,
        }
    }

    fn takes(&mut self, token: &str) -> bool {
        self.space();
        let rest = self.rest();
        let Some(after) = rest.strip_prefix(token) else {
            return false;
        };
        let goes_on = |c: char| c.is_alphanumeric() || c == '_';
        if token.ends_with(char::is_alphanumeric) && after.starts_with(goes_on) {
            return false;
        }
        self.at += token.len();
        true
    }

    fn needs(&mut self, token: &str, expected: &'static str) -> Parsed<()> {
        match self.takes(token) {
            true => Ok(()),
            false => Err(self.mistake(self.at, expected)),
        }
    }

    fn must_be(&self, part: Part, kind: Kind) -> Parsed<Node> {
        match part.kind == kind {
            true => Ok(part.node),
            false => Err(self.mistake(part.at, kind.as_str())),
        }
    }

    /// Parts joined by operators of this level and of those that bind tighter.
    fn binary(&mut self, level: usize) -> Parsed<Part> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        loop {
            self.space();
            let at = self.at;
            let Some(operator) = operators.iter().find(|token| self.takes(token)) else {
                return Ok(left);
            };
            let right = self.binary(level + 1)?;
            left = self.join(left, operator, at, right)?;
        }
    }

    fn join(&mut self, left: Part, operator: &str, at: usize, right: Part) -> Parsed<Part> {
        let place = left.at;
        let op = match operator {
            "||" => Op::Or,
            "&&" => Op::And,
            "+" => Op::Add,
            "-" => Op::Subtract,
            "*" => Op::Multiply,
            _ => return self.compare(left, operator, at, right),
        };
        let kind = match op {
            Op::Or | Op::And => Kind::Truth,
            _ => Kind::Number,
        };
        let both = (self.must_be(left, kind)?, self.must_be(right, kind)?);
        let node = Node::Both(op, Box::new(both));
        self.part(node, kind, place)
    }

    fn compare(&mut self, left: Part, operator: &str, at: usize, right: Part) -> Parsed<Part> {
        let place = left.at;
        if operator == "in" {
            let has_several = matches!(right.node, Node::Field(_)) && right.kind == Kind::Text;
            if right.kind != Kind::Texts && !has_several {
                let expected = "a list such as [\"a\", \"b\"], or a field with texts";
                return Err(self.mistake(right.at, expected));
            }
        } else if right.kind != left.kind {
            return Err(self.mistake(right.at, left.kind.as_str()));
        }
        self.knows_words(&left.node, &right)?;
        self.knows_words(&right.node, &left)?;
        let op = match (left.kind, operator) {
            (Kind::Text, "==" | "!=" | "in") => Op::Is,
            (Kind::Truth, "==" | "!=") => Op::Same,
            (Kind::Number, "==" | "!=") => Op::Equal,
            (Kind::Number, "<" | ">=") => Op::Less,
            (Kind::Number, "<=" | ">") => Op::LessOrEqual,
            (Kind::Number | Kind::Truth, _) => {
                return Err(self.mistake(at, "an operator that fits what it compares"));
            }
            _ => return Err(self.mistake(at, "==, != or in: texts have no order")),
        };
        let both = match operator {
            // What is not known is neither more nor less.
            ">" | ">=" => return self.turned(right.node, left.node, operator == ">", place),
            _ => (left.node, right.node),
        };
        let node = Node::Both(op, Box::new(both));
        let node = match operator {
            "!=" => Node::Not(Box::new(node)),
            _ => node,
        };
        self.part(node, Kind::Truth, place)
    }

    fn turned(&mut self, small: Node, large: Node, is_strict: bool, at: usize) -> Parsed<Part> {
        let op = match is_strict {
            true => Op::Less,
            false => Op::LessOrEqual,
        };
        self.part(Node::Both(op, Box::new((small, large))), Kind::Truth, at)
    }

    /// Days and scripts are only what they are called.
    fn knows_words(&self, field: &Node, words: &Part) -> Parsed<()> {
        let (known, expected): (&[&str], _) = match field {
            Node::Field(Field::Weekday) => (&WEEKDAYS, "one of mon, tue, wed, thu, fri, sat, sun"),
            Node::Field(Field::Script) => (&Script::NAMES, "a script such as latin or han"),
            _ => return Ok(()),
        };
        let is_known = |node: &Node| match node {
            Node::Text(text) => known.contains(&text.as_str()),
            _ => true,
        };
        let right = match &words.node {
            Node::List(items) => items.iter().all(is_known),
            node => is_known(node),
        };
        match right {
            true => Ok(()),
            false => Err(self.mistake(words.at, expected)),
        }
    }

    fn part(&mut self, node: Node, kind: Kind, at: usize) -> Parsed<Part> {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Err(self.mistake(at, "a shorter expression"));
        }
        Ok(Part { node, kind, at })
    }

    fn unary(&mut self) -> Parsed<Part> {
        self.space();
        let at = self.at;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.mistake(at, "fewer parentheses within each other"));
        }
        let part = if self.takes("!") {
            let inner = self.unary()?;
            let node = Node::Not(Box::new(self.must_be(inner, Kind::Truth)?));
            self.part(node, Kind::Truth, at)
        } else if self.takes("-") {
            let inner = self.unary()?;
            let both = (Node::Number(0.0), self.must_be(inner, Kind::Number)?);
            self.part(Node::Both(Op::Subtract, Box::new(both)), Kind::Number, at)
        } else {
            self.operand(at)
        };
        self.depth -= 1;
        part
    }

    fn operand(&mut self, at: usize) -> Parsed<Part> {
        let first = self.rest().chars().next().unwrap_or(' ');
        let mut part = match first {
            '(' => {
                self.at += 1;
                let inner = self.binary(0)?;
                self.needs(")", "a closing parenthesis")?;
                inner
            }
            '[' => self.list(at)?,
            '"' | '\'' => {
                let text = Node::Text(self.quoted()?);
                self.part(text, Kind::Text, at)?
            }
            '0'..='9' => self.number(at)?,
            _ => self.named(at)?,
        };
        while self.takes(".") {
            part = self.method(part)?;
        }
        Ok(part)
    }

    fn list(&mut self, at: usize) -> Parsed<Part> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.space();
            if !self.rest().starts_with(['"', '\'']) {
                return Err(self.mistake(self.at, "a text in quotes"));
            }
            items.push(Node::Text(self.quoted()?));
            if self.takes("]") {
                return self.part(Node::List(items), Kind::Texts, at);
            }
            self.needs(",", "a comma or a closing bracket")?;
        }
    }

    /// A text between quotes; nothing in it is escaped.
    fn quoted(&mut self) -> Parsed<String> {
        let rest = self.rest();
        let quote = rest.chars().next().unwrap_or('"');
        let inner = rest.strip_prefix(quote).and_then(|t| t.split_once(quote));
        match inner.map(|(inner, _)| inner.to_owned()) {
            Some(inner) if inner.contains('\\') => {
                let expected = "no backslash; a text may hold the other kind of quotes";
                Err(self.mistake(self.at, expected))
            }
            Some(inner) => {
                self.at += inner.len() + 2;
                self.parts += 1;
                Ok(inner)
            }
            None => Err(self.mistake(self.at, "a text that ends with the quote it begins with")),
        }
    }

    fn number(&mut self, at: usize) -> Parsed<Part> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let digits = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let Some(number) = digits.parse().ok().filter(|_| !digits.ends_with('.')) else {
            return Err(self.mistake(at, "a number such as 1000 or 0.5"));
        };
        self.at += digits.len();
        self.part(Node::Number(number), Kind::Number, at)
    }

    fn word(&mut self) -> String {
        self.space();
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let word = word.to_owned();
        self.at += word.len();
        word
    }

    fn named(&mut self, at: usize) -> Parsed<Part> {
        let word = self.word();
        if let Some((_, kind, field)) = FIELDS.iter().find(|(name, ..)| *name == word) {
            return self.part(Node::Field(field.clone()), *kind, at);
        }
        match word.as_str() {
            "true" | "false" => self.part(Node::Truth(word == "true"), Kind::Truth, at),
            "has" => self.has(at),
            "needs" => {
                let at = self.at;
                let name = self.name()?;
                match NEEDS.iter().position(|(need, _)| *need == name) {
                    Some(place) => self.part(Node::Field(Field::Needs(place)), Kind::Truth, at),
                    None => Err(self.mistake(at, "a need such as needs.tools or needs.vision")),
                }
            }
            "headers" | "claims" | "metadata" => {
                let name = self.name()?;
                let field = match word.as_str() {
                    "headers" => Field::Header(name.to_ascii_lowercase()),
                    "claims" => Field::Claim(name),
                    _ => Field::Metadata(name),
                };
                self.part(Node::Field(field), Kind::Text, at)
            }
            _ => Err(self.mistake(
                at,
                "a text in quotes, a number, or one of model, path, headers, identity, claims, \
                 metadata, prompt_tokens, complexity, needs, stream, script, intent, weekday, \
                 hour, minute",
            )),
        }
    }

    /// `.name` or `["name"]`.
    fn name(&mut self) -> Parsed<String> {
        let expected = "a name such as .tier or [\"x-team\"]";
        let name = if self.takes("[") {
            self.space();
            let name = match self.rest().starts_with(['"', '\'']) {
                true => self.quoted()?,
                false => String::new(),
            };
            self.needs("]", expected)?;
            name
        } else {
            self.needs(".", expected)?;
            self.word()
        };
        match name.is_empty() {
            true => Err(self.mistake(self.at, expected)),
            false => Ok(name),
        }
    }

    fn has(&mut self, at: usize) -> Parsed<Part> {
        self.needs("(", "has(…) around what may be missing")?;
        self.space();
        let inner_at = self.at;
        let inner = self.unary()?;
        self.needs(")", "a closing parenthesis")?;
        match inner.node {
            Node::Field(_) if inner.kind == Kind::Text => {
                let both = (inner.node, Node::Truth(true));
                self.part(Node::Both(Op::IsThere, Box::new(both)), Kind::Truth, at)
            }
            _ => Err(self.mistake(inner_at, "a field that may be missing, such as claims.tier")),
        }
    }

    fn method(&mut self, of: Part) -> Parsed<Part> {
        self.space();
        let (at, place) = (self.at, of.at);
        let name = self.word();
        if let Node::Field(Field::Claim(path)) = &of.node
            && !self.rest().starts_with('(')
        {
            let field = Field::Claim(format!("{path}.{name}"));
            return Ok(Part {
                node: Node::Field(field),
                ..of
            });
        }
        let Some((_, op)) = METHODS.iter().find(|(known, _)| *known == name) else {
            let expected = "startsWith, endsWith or contains; names with dots stand in [\"…\"]";
            return Err(self.mistake(at, expected));
        };
        let of = self.must_be(of, Kind::Text)?;
        self.needs("(", "an opening parenthesis")?;
        let argument = self.binary(0)?;
        self.needs(")", "a closing parenthesis")?;
        let both = (of, self.must_be(argument, Kind::Text)?);
        self.part(Node::Both(*op, Box::new(both)), Kind::Truth, place)
    }
}
