//! One pass over a text: runs of characters of one class, tallied.

use super::FEATURES;

/// What tokenizers treat alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Space,
    Newline,
    Punctuation,
    /// Latin letters that are not ASCII.
    Accented,
    Cyrillic,
    /// Other letters of two bytes: Greek, Hebrew, Arabic.
    TwoBytes,
    /// Punctuation and symbols that are not ASCII.
    Symbol,
    Kana,
    Han,
    Hangul,
    /// Other letters of three bytes: Thai, the scripts of India.
    ThreeBytes,
    /// Emoji and what else has four bytes.
    FourBytes,
}

use Class::{
    Accented, Cyrillic, Digit, FourBytes, Han, Hangul, Kana, Lower, Newline, Punctuation, Space,
    Symbol, ThreeBytes, TwoBytes, Upper,
};

// The columns. Words of 1 to 8 letters have one each.
const WORDS: usize = 0;
const WORDS_TO_10: usize = 8;
const WORDS_TO_12: usize = 9;
const WORDS_TO_14: usize = 10;
const LONG_WORDS: usize = 11;
const LETTERS_OVER_14: usize = 12;
const ACCENTS: usize = 13;
const ACCENTED_WORDS: usize = 14;
const CAPITALISED: usize = 15;
const GLUED: usize = 16;
const AFTER_NEWLINE: usize = 17;
const CAMEL: usize = 18;
const UPPER_WORDS: usize = 19;
const UPPER_LETTERS: usize = 20;
const DIGIT_RUNS: usize = 21;
const DIGITS: usize = 22;
const THREES_OF_DIGITS: usize = 23;
const SPACE_RUNS: usize = 24;
const SPACES: usize = 25;
const INDENTS: usize = 26;
const SPACE_BEFORE_DIGIT: usize = 27;
const SPACE_BEFORE_SYMBOL: usize = 28;
const NEWLINE_RUNS: usize = 29;
const NEWLINES: usize = 30;
const PUNCTUATION_RUNS: usize = 31;
const PUNCTUATION: usize = 32;
const REPEATED: usize = 33;
const PUNCTUATION_AFTER_SPACE: usize = 34;
const UNDERSCORED: usize = 35;
const QUOTES: usize = 36;
const BACKSLASHES: usize = 37;
/// Letters, then words of up to 2, 4, 6, 8, 11 and more.
const CYRILLIC: usize = 38;
/// Characters and runs of each.
const TWO_BYTES: usize = 45;
const HANGUL: usize = 47;
const THREE_BYTES: usize = 49;
const HAN: usize = 51;
const KANA: usize = 53;
const FOUR_BYTES: usize = 55;
const SYMBOLS: usize = 57;
/// Accented letters that tell languages apart.
const PORTUGUESE: usize = 59;
const GERMAN: usize = 60;
const TURKISH: usize = 61;
const FRENCH: usize = 62;
const POLISH: usize = 63;

/// What is longer is no word, in letters.
const LONGEST_WORD: u32 = 32;

/// A text on its way.
pub(super) struct Scan {
    counts: [u32; FEATURES],
    escaped: bool,
    run: Run,
}

/// Characters that belong together.
#[derive(Clone, Copy)]
struct Run {
    class: Class,
    /// The class before it.
    before: Class,
    length: u32,
    accents: u32,
    capital: bool,
    has_lower: bool,
    last: u8,
    underscored: bool,
}

const START: Run = Run {
    class: Newline,
    before: Newline,
    length: 0,
    accents: 0,
    capital: false,
    has_lower: false,
    last: 0,
    underscored: false,
};

impl Scan {
    pub(super) fn new(escaped: bool) -> Scan {
        Scan {
            counts: [0; FEATURES],
            escaped,
            run: START,
        }
    }

    pub(super) fn push(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte.is_ascii_lowercase() {
                // Most of most texts: letters of one word, at once.
                let more = rest.iter().take_while(|b| b.is_ascii_lowercase()).count();
                self.take(Lower, byte);
                let length = self.run.length;
                self.run.length = length.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
                rest = rest.get(more..).unwrap_or_default();
            } else if byte == b'\\' && self.escaped {
                rest = self.escape(rest);
            } else if byte < 0x80 {
                self.take(ascii(byte), byte);
            } else if byte >= 0xC0 {
                let (code, length) = wide(byte, after);
                rest = after.get(length..).unwrap_or_default();
                self.take_code(code);
            }
        }
    }

    /// What follows does not follow on what came.
    pub(super) fn gap(&mut self) {
        self.end_run();
        self.run = START;
    }

    pub(super) fn finish(mut self) -> [u32; FEATURES] {
        self.end_run();
        self.counts
    }

    /// Reads what follows a backslash in a JSON string.
    fn escape<'t>(&mut self, rest: &'t [u8]) -> &'t [u8] {
        let Some((&byte, after)) = rest.split_first() else {
            return rest;
        };
        match byte {
            b'n' => self.take(Newline, b'\n'),
            b't' | b'r' | b'b' | b'f' => self.take(Space, b' '),
            b'u' => {
                let hex = after.get(..4).and_then(|hex| std::str::from_utf8(hex).ok());
                let code = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok());
                // A pair of surrogates is one character.
                if let Some(code) = code.filter(|code| !(0xDC00..0xE000).contains(code)) {
                    self.take_code(code);
                }
                return after.get(4..).unwrap_or_default();
            }
            other => self.take(ascii(other), other),
        }
        after
    }

    fn take_code(&mut self, code: u32) {
        let class = of_code(code);
        self.take(class, 0);
        if class == Accented
            && let Some(column) = language(code)
        {
            self.count(column, 1);
        }
    }

    fn take(&mut self, class: Class, byte: u8) {
        let kind = word(class);
        let run = &mut self.run;
        let goes_on = kind == word(run.class) && !(class == Upper && run.has_lower);
        if !goes_on {
            self.end_run();
            let before = self.run.class;
            self.begin_after(before, class);
            self.run = Run {
                class,
                before,
                capital: class == Upper,
                ..START
            };
        }
        let run = &mut self.run;
        run.length = run.length.saturating_add(1);
        match class {
            Lower => run.has_lower = true,
            Accented => {
                run.has_lower = true;
                run.accents += 1;
            }
            Punctuation => {
                run.underscored |= byte == b'_';
                if byte == run.last {
                    self.count(REPEATED, 1);
                }
                self.run.last = byte;
                match byte {
                    b'"' => self.count(QUOTES, 1),
                    b'\\' => self.count(BACKSLASHES, 1),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// A run of `class` begins after one of `before`.
    fn begin_after(&mut self, before: Class, class: Class) {
        if before != Space {
            return;
        }
        match class {
            Digit => self.count(SPACE_BEFORE_DIGIT, 1),
            Symbol | Kana | Han | Hangul | FourBytes => self.count(SPACE_BEFORE_SYMBOL, 1),
            _ => {}
        }
    }

    fn end_run(&mut self) {
        let run = self.run;
        let length = run.length;
        if length == 0 {
            return;
        }
        match run.class {
            Lower | Upper | Accented => self.end_word(run),
            Digit => {
                self.count(DIGIT_RUNS, 1);
                self.count(DIGITS, length);
                self.count(THREES_OF_DIGITS, length.div_ceil(3));
            }
            Space if length > 1 => {
                self.count(SPACE_RUNS, 1);
                self.count(SPACES, length);
                if run.before == Newline {
                    self.count(INDENTS, 1);
                }
            }
            Space => {}
            Newline => {
                self.count(NEWLINE_RUNS, 1);
                self.count(NEWLINES, length);
            }
            Punctuation => {
                self.count(PUNCTUATION_RUNS, 1);
                self.count(PUNCTUATION, length);
                if run.before == Space {
                    self.count(PUNCTUATION_AFTER_SPACE, 1);
                }
                if run.underscored {
                    self.count(UNDERSCORED, 1);
                }
            }
            Cyrillic => {
                self.count(CYRILLIC, length);
                let sizes = [2, 4, 6, 8, 11, u32::MAX];
                let size = sizes.iter().position(|most| length <= *most);
                self.count(CYRILLIC + 1 + size.unwrap_or(0), 1);
            }
            TwoBytes => self.end_other(TWO_BYTES, length),
            Hangul => self.end_other(HANGUL, length),
            ThreeBytes => self.end_other(THREE_BYTES, length),
            Han => self.end_other(HAN, length),
            Kana => self.end_other(KANA, length),
            FourBytes => self.end_other(FOUR_BYTES, length),
            Symbol => self.end_other(SYMBOLS, length),
        }
    }

    fn end_other(&mut self, column: usize, length: u32) {
        self.count(column, length);
        self.count(column + 1, 1);
    }

    fn end_word(&mut self, run: Run) {
        let length = run.length;
        if !run.has_lower && length > 1 {
            self.count(UPPER_WORDS, 1);
            return self.count(UPPER_LETTERS, length);
        }
        if length > LONGEST_WORD {
            // No word, but data: pieces of a few letters.
            return self.count(WORDS + 3, length / 4);
        }
        let column = match length {
            0..=8 => WORDS + length.saturating_sub(1) as usize,
            9..=10 => WORDS_TO_10,
            11..=12 => WORDS_TO_12,
            13..=14 => WORDS_TO_14,
            _ => LONG_WORDS,
        };
        self.count(column, 1);
        self.count(LETTERS_OVER_14, length.saturating_sub(14));
        if run.accents > 0 {
            self.count(ACCENTS, run.accents);
            self.count(ACCENTED_WORDS, 1);
        }
        if run.capital {
            self.count(CAPITALISED, 1);
        }
        match run.before {
            Newline => self.count(AFTER_NEWLINE, 1),
            Space => {}
            Lower => {
                self.count(GLUED, 1);
                self.count(CAMEL, 1);
            }
            _ => self.count(GLUED, 1),
        }
    }

    fn count(&mut self, column: usize, more: u32) {
        if let Some(count) = self.counts.get_mut(column) {
            *count = count.saturating_add(more);
        }
    }
}

/// Letters of one word are of one kind.
fn word(class: Class) -> Class {
    match class {
        Upper | Accented => Lower,
        other => other,
    }
}

fn ascii(byte: u8) -> Class {
    match byte {
        b'a'..=b'z' => Lower,
        b' ' | b'\t' | b'\r' => Space,
        b'A'..=b'Z' => Upper,
        b'0'..=b'9' => Digit,
        b'\n' => Newline,
        _ => Punctuation,
    }
}

/// The character that begins with `lead`, and how many bytes follow.
fn wide(lead: u8, after: &[u8]) -> (u32, usize) {
    let bits = |at: usize| u32::from(after.get(at).copied().unwrap_or(0) & 0x3F);
    match lead {
        0xC0..=0xDF => (u32::from(lead & 0x1F) << 6 | bits(0), 1),
        0xE0..=0xEF => {
            let code = u32::from(lead & 0x0F) << 12 | bits(0) << 6 | bits(1);
            (code, 2)
        }
        _ => (BEYOND, 3),
    }
}

/// Any character of four bytes.
const BEYOND: u32 = 0x1_0000;

/// The column of an accented letter that hints at a language; tokenizers know some better than
/// others.
fn language(code: u32) -> Option<usize> {
    match char::from_u32(code)? {
        'ã' | 'õ' | 'Ã' | 'Õ' => Some(PORTUGUESE),
        'ä' | 'ö' | 'ü' | 'ß' | 'Ä' | 'Ö' | 'Ü' => Some(GERMAN),
        'ı' | 'ğ' | 'ş' | 'İ' | 'Ğ' | 'Ş' => Some(TURKISH),
        'à' | 'è' | 'ì' | 'ò' | 'ù' | 'â' | 'ê' | 'î' | 'ô' | 'û' | 'À' | 'È' | 'Ê' | 'Â' | 'Ô' => {
            Some(FRENCH)
        }
        '\u{100}'..'\u{250}' => Some(POLISH),
        _ => None,
    }
}

fn of_code(code: u32) -> Class {
    match code {
        0..0x80 => ascii(u8::try_from(code).unwrap_or(0)),
        0x80..0xC0 | 0x2000..0x2C00 | 0x3000..0x3040 | 0xFF00..0xFFF0 => Symbol,
        0xC0..0x250 | 0x1E00..0x1F00 => Accented,
        0x400..0x530 => Cyrillic,
        0x250..0x800 => TwoBytes,
        0x3040..0x3100 => Kana,
        0x3400..0xA000 => Han,
        0xAC00..0xD7B0 => Hangul,
        0xD800..0xDC00 | BEYOND.. => FourBytes,
        _ => ThreeBytes,
    }
}
