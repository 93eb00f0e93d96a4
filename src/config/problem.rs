//! What is wrong with a document, in words that lead to the right one.

use std::fmt;

use super::document::{Mark, Node};
use super::path::Path;
use crate::sorted::sort_by_key;

/// One thing that is wrong, or worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, such as `models.smart.candidates[1].provider`; empty for the whole document.
    pub path: String,
    /// Where in the text; `None` when the document came as JSON.
    pub mark: Option<Mark>,
    /// What stood there. Never the value of a credential.
    pub found: String,
    /// What may stand there.
    pub expected: String,
    /// A way out.
    pub hint: Option<String>,
    /// Whether it stops us.
    pub severity: Severity,
}

/// Whether a problem stops us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The document is refused.
    Error,
    /// It is served as it stands.
    Warning,
}

impl Severity {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

impl Problem {
    /// The problem with the file's name in front, as compilers write it.
    pub fn in_file<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        InFile {
            problem: self,
            file,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "found {}, expected {}", self.found, self.expected)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

struct InFile<'a> {
    problem: &'a Problem,
    file: &'a str,
}

impl fmt::Display for InFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some(mark) = self.problem.mark {
            write!(f, "{}:{}:", mark.line, mark.column)?;
        }
        if self.problem.severity == Severity::Warning {
            f.write_str(" warning:")?;
        }
        write!(f, " {}", self.problem)
    }
}

/// Problems as they are found, each with its place in the document.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    root: &'a Node,
    problems: Vec<Problem>,
}

/// Whether a problem is with the key at a path, or with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Key,
    Value,
}

/// What is said about one place.
#[derive(Debug, Default)]
pub(super) struct Finding {
    pub(super) found: String,
    pub(super) expected: String,
    pub(super) hint: Option<String>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(root: &'a Node) -> Self {
        Findings {
            root,
            problems: Vec::new(),
        }
    }

    /// Notes an error.
    pub(super) fn error(&mut self, at: At, path: &Path, finding: Finding) {
        self.add(Severity::Error, at, path, finding);
    }

    /// Notes a warning.
    pub(super) fn warning(&mut self, at: At, path: &Path, finding: Finding) {
        self.add(Severity::Warning, at, path, finding);
    }

    /// Notes an error whose place the path does not tell: the second of two equal keys.
    pub(super) fn error_at(&mut self, mark: Option<Mark>, path: &Path, finding: Finding) {
        self.push(Severity::Error, mark, path, finding);
    }

    fn add(&mut self, severity: Severity, at: At, path: &Path, finding: Finding) {
        let mark = match at {
            At::Key => self.root.key_mark(path),
            At::Value => self.root.value_mark(path),
        };
        self.push(severity, mark, path, finding);
    }

    fn push(&mut self, severity: Severity, mark: Option<Mark>, path: &Path, finding: Finding) {
        let Finding {
            found,
            expected,
            hint,
        } = finding;
        self.problems.push(Problem {
            path: path.to_string(),
            mark,
            found,
            expected,
            hint,
            severity,
        });
    }

    pub(super) fn has_errors(&self) -> bool {
        self.problems.iter().any(|p| p.severity == Severity::Error)
    }

    /// All of them, in the order of the text.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        sort_by_key(&mut self.problems, |p| p.mark);
        self.problems
    }
}

impl Finding {
    pub(super) fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Finding {
            found: found.into(),
            expected: expected.into(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into()).filter(|h| !h.is_empty());
        self
    }
}
