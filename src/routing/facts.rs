//! What routing may know of a request besides its profile, and what of it a configuration reads:
//! nothing is asked of the host that no rule and no policy needs.

/// What is known of a request: only what [`Reads`] asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Path that the client asked for, without its query.
    pub path: String,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// URIs of the client's certificate, such as SPIFFE ids.
    pub identities: Vec<String>,
    /// Claims of the client's token by their path, such as `realm.role`; lists are several.
    pub claims: Vec<(String, String)>,
    /// Fields of the body's `metadata` that are texts.
    pub metadata: Vec<(String, String)>,
    /// The body's `safety_identifier`, or its `user`.
    pub user: Option<String>,
    /// In what script the last user message is written.
    pub script: Option<Script>,
    /// What it is meant to do: one of the configured intents.
    pub intent: Option<String>,
    /// Classes by the names of their classifiers, as far as these were asked; `None` for one that
    /// told nothing.
    pub classes: Vec<(String, Option<String>)>,
    /// Days since Monday, at the configured offset.
    pub weekday: u8,
    /// Minutes since midnight, at the configured offset.
    pub minute: u16,
}

/// What of a request a configuration reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Names of headers, in lower case.
    pub headers: Vec<String>,
    /// The client's certificate.
    pub identity: bool,
    /// Claims, by their paths.
    pub claims: Vec<String>,
    /// The body's `metadata`.
    pub metadata: bool,
    /// The body's `safety_identifier` or `user`.
    pub user: bool,
    /// The script of the last user message.
    pub script: bool,
    /// How complex the request is.
    pub complexity: bool,
    /// What it is meant to do.
    pub intent: bool,
}

/// Scripts, as coarse as routing needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// Latin letters.
    Latin,
    /// Cyrillic letters.
    Cyrillic,
    /// Greek letters.
    Greek,
    /// Arabic letters.
    Arabic,
    /// Hebrew letters.
    Hebrew,
    /// Scripts of India.
    Indic,
    /// Thai, Lao, Khmer, Burmese.
    SoutheastAsian,
    /// Han characters without kana.
    Han,
    /// Hiragana and katakana, with or without Han characters.
    Japanese,
    /// Hangul.
    Korean,
    /// Everything else, and nothing.
    Other,
}

impl Facts {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The values of a header that came several times, as one list.
    pub fn all_of_header(&self, name: &str) -> Option<String> {
        let given = self.headers.iter().filter(|(given, _)| given == name);
        let values: Vec<&str> = given.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    /// The value of a field of the body's `metadata`.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        find(&self.metadata, name)
    }

    /// Notes weekday and minute of a moment, in Unix seconds, at an offset from UTC.
    pub fn set_time(&mut self, now_s: u64, utc_offset_minutes: i64) {
        const DAY: i64 = 24 * 60;
        let minutes = i64::try_from(now_s / 60).unwrap_or(0) + utc_offset_minutes;
        // The first of January 1970 was a Thursday.
        let weekday = (minutes.div_euclid(DAY) + 3).rem_euclid(7);
        self.weekday = u8::try_from(weekday).unwrap_or(0);
        self.minute = u16::try_from(minutes.rem_euclid(DAY)).unwrap_or(0);
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(given, _)| given == name);
    found.map(|(_, value)| value.as_str())
}

impl Reads {
    /// Whether what the user says last is read.
    pub fn of_text(&self) -> bool {
        self.script || self.complexity || self.intent
    }

    /// Notes a header.
    pub fn header(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        if !self.headers.contains(&name) {
            self.headers.push(name);
        }
    }

    /// Notes a claim.
    pub fn claim(&mut self, path: &str) {
        if !self.claims.iter().any(|known| known == path) {
            self.claims.push(path.to_owned());
        }
    }
}

impl Script {
    /// All of them with their names in the document.
    pub const NAMES: [&'static str; 11] = [
        "latin",
        "cyrillic",
        "greek",
        "arabic",
        "hebrew",
        "indic",
        "southeast_asian",
        "han",
        "japanese",
        "korean",
        "other",
    ];

    /// Its name in the document.
    pub fn as_str(self) -> &'static str {
        Script::NAMES.get(self as usize).copied().unwrap_or("other")
    }

    /// The script of this name.
    pub fn find(name: &str) -> Option<Script> {
        let mut all = LETTERS.into_iter().chain([Script::Other]);
        all.find(|script| script.as_str() == name)
    }

    /// The script in which most letters of a text are written, by its first 2000 characters;
    /// text with kana among Han characters is Japanese.
    pub fn of(text: &str) -> Script {
        let mut counts = [0_u32; Script::NAMES.len()];
        for c in text.chars().take(2000) {
            let script = Script::of_letter(c);
            if let Some(count) = counts.get_mut(script as usize) {
                *count += 1;
            }
        }
        let count = |script: Script| counts.get(script as usize).copied().unwrap_or(0);
        let (han, kana) = (count(Script::Han), count(Script::Japanese));
        let asian = if kana * 10 >= han {
            Script::Japanese
        } else {
            Script::Han
        };
        let mut most = (Script::Other, 0);
        for script in LETTERS {
            let letters = match script {
                Script::Han => han + kana,
                Script::Japanese => 0,
                script => count(script),
            };
            if letters > most.1 {
                most = (if script == Script::Han { asian } else { script }, letters);
            }
        }
        most.0
    }

    fn of_letter(c: char) -> Script {
        match u32::from(c) {
            0x41..=0x5A | 0x61..=0x7A | 0xC0..=0x24F | 0x1E00..=0x1EFF => Script::Latin,
            0x370..=0x3FF | 0x1F00..=0x1FFF => Script::Greek,
            0x400..=0x52F => Script::Cyrillic,
            0x590..=0x5FF => Script::Hebrew,
            0x600..=0x77F | 0x8A0..=0x8FF | 0xFB50..=0xFDFF | 0xFE70..=0xFEFF => Script::Arabic,
            0x900..=0xDFF => Script::Indic,
            0xE00..=0xEFF | 0x1000..=0x109F | 0x1780..=0x17FF => Script::SoutheastAsian,
            0x3040..=0x30FF | 0x31F0..=0x31FF => Script::Japanese,
            0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x2FFFF => Script::Han,
            0x1100..=0x11FF | 0x3130..=0x318F | 0xAC00..=0xD7AF => Script::Korean,
            _ => Script::Other,
        }
    }
}

/// Scripts that letters can be of.
const LETTERS: [Script; 10] = [
    Script::Latin,
    Script::Cyrillic,
    Script::Greek,
    Script::Arabic,
    Script::Hebrew,
    Script::Indic,
    Script::SoutheastAsian,
    Script::Han,
    Script::Japanese,
    Script::Korean,
];
