//! A reply that should be JSON and nothing else: fences and chatter around the object are taken
//! off as the text comes.

/// The most that is held back while no object has begun, in bytes.
const MAX_LEAD: usize = 1024;

/// Takes text in pieces, gives what the client shall see.
#[derive(Debug, Default)]
pub(super) struct JsonText {
    phase: Phase,
    /// Held back: what may be a fence or chatter before the object.
    lead: String,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

#[derive(Debug, Default, PartialEq)]
enum Phase {
    /// No object yet.
    #[default]
    Before,
    Inside,
    /// The object is whole: what follows is no part of it.
    After,
    /// This is no JSON: everything passes.
    Given,
}

impl JsonText {
    /// What of `text` shall be seen now.
    pub(super) fn push(&mut self, text: &str) -> String {
        match self.phase {
            Phase::Given => text.to_owned(),
            Phase::After => String::new(),
            Phase::Inside => self.inside(text),
            Phase::Before => {
                self.lead.push_str(text);
                if let Some(start) = self.lead.find('{') {
                    let lead = std::mem::take(&mut self.lead);
                    self.phase = Phase::Inside;
                    return self.inside(lead.get(start..).unwrap_or_default());
                }
                if self.lead.len() > MAX_LEAD {
                    self.phase = Phase::Given;
                    return std::mem::take(&mut self.lead);
                }
                String::new()
            }
        }
    }

    /// What was held back to the end.
    pub(super) fn finish(&mut self) -> String {
        std::mem::take(&mut self.lead)
    }

    fn inside(&mut self, text: &str) -> String {
        for (i, b) in text.bytes().enumerate() {
            match b {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            if self.depth == 0 {
                self.phase = Phase::After;
                return text.get(..=i).unwrap_or_default().to_owned();
            }
        }
        text.to_owned()
    }
}
