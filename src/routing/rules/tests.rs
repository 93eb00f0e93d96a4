use super::super::facts::{Facts, Script};
use super::{Match, NEEDS, Pattern, Range};
use crate::inspect::{Needs, RequestProfile};
use crate::operation::Operation;

fn profile() -> RequestProfile {
    RequestProfile {
        operation: Operation::Chat,
        model: "smart".to_owned(),
        streamed: true,
        include_usage: false,
        needs: Needs {
            tools: true,
            vision: true,
            ..Needs::default()
        },
        input_tokens: 1000,
        tally: None,
        output_limit: None,
        complexity: Some(500),
        prefix: None,
        plain: true,
        stored: false,
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn facts() -> Facts {
    Facts {
        path: "/v1/chat/completions".to_owned(),
        headers: owned(&[("x-team", "search-eu"), ("x-empty", "")]),
        identities: vec!["spiffe://mesh/ns/search/sa/web".to_owned()],
        claims: owned(&[("roles", "reader"), ("roles", "admin"), ("tier", "gold")]),
        metadata: owned(&[("project", "p-1")]),
        user: None,
        script: Some(Script::Latin),
        intent: Some("code".to_owned()),
        classes: vec![("risk".to_owned(), Some("high".to_owned()))],
        weekday: 5,
        minute: 23 * 60,
    }
}

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|t| Pattern((*t).to_owned())).collect()
}

fn named(name: &str, texts: &[&str]) -> Vec<(String, Vec<Pattern>)> {
    vec![(name.to_owned(), patterns(texts))]
}

fn range(over: Option<u64>, up_to: Option<u64>) -> Range {
    Range { over, up_to }
}

/// One condition of every kind, each met by [`profile`] and [`facts`], and a twin that is not.
fn conditions() -> Vec<(&'static str, Match, Match)> {
    let none = Match::default;
    macro_rules! twins {
        ($field:ident, $met:expr, $unmet:expr) => {
            (
                stringify!($field),
                Match {
                    $field: $met,
                    ..none()
                },
                Match {
                    $field: $unmet,
                    ..none()
                },
            )
        };
    }
    vec![
        twins!(models, patterns(&["fast", "sm*"]), patterns(&["quick"])),
        twins!(
            headers,
            named("x-team", &["search*"]),
            named("x-team", &["team*"])
        ),
        twins!(headers, named("x-empty", &["*"]), named("x-absent", &["*"])),
        twins!(
            identities,
            patterns(&["spiffe://mesh/ns/search/*"]),
            patterns(&["spiffe://mesh/ns/*/sa/api"])
        ),
        twins!(
            claims,
            named("roles", &["admin"]),
            named("roles", &["owner"])
        ),
        twins!(
            paths,
            patterns(&["/v1/chat/*"]),
            patterns(&["/v1/messages"])
        ),
        twins!(
            prompt_tokens,
            range(Some(999), Some(1000)),
            range(Some(1000), None)
        ),
        twins!(complexity, range(Some(499), None), range(None, Some(499))),
        twins!(needs, vec!["tools", "vision"], vec!["tools", "audio"]),
        twins!(streamed, Some(true), Some(false)),
        twins!(
            metadata,
            named("project", &["p-*"]),
            named("project", &["q"])
        ),
        twins!(
            scripts,
            vec![Script::Greek, Script::Latin],
            vec![Script::Han]
        ),
        twins!(
            intents,
            vec!["math".to_owned(), "code".to_owned()],
            vec!["chat".to_owned()]
        ),
        twins!(
            classes,
            vec![("risk".to_owned(), vec!["low".to_owned(), "high".to_owned()])],
            vec![("risk".to_owned(), vec!["none".to_owned()])]
        ),
        twins!(weekdays, vec![5, 6], vec![0, 1]),
        twins!(hours, Some((22 * 60, 6 * 60)), Some((6 * 60, 22 * 60))),
    ]
}

#[test]
fn every_condition_is_met_by_what_it_asks_for_and_by_nothing_else() {
    let (profile, facts) = (profile(), facts());
    assert!(Match::default().is_met(&profile, &facts), "no condition");
    for (field, met, unmet) in conditions() {
        assert!(met.is_met(&profile, &facts), "{field}: {met:?}");
        assert!(!unmet.is_met(&profile, &facts), "{field}: {unmet:?}");
    }
}

#[test]
fn what_is_not_known_meets_no_condition() {
    let mut profile = profile();
    profile.complexity = None;
    profile.needs = Needs::default();
    let unset = ["models", "prompt_tokens", "streamed", "weekdays", "hours"];
    for (field, met, _) in conditions() {
        let is_met = met.is_met(
            &profile,
            &Facts {
                weekday: 5,
                minute: 23 * 60,
                ..Facts::default()
            },
        );
        assert_eq!(is_met, unset.contains(&field), "{field}");
    }
}

#[test]
fn every_need_is_told_by_its_own_word() {
    for (word, is_needed) in NEEDS {
        assert!(!is_needed(&Needs::default()), "{word}");
    }
    let all = Needs {
        tools: true,
        parallel_tools: true,
        json_schema: true,
        json_mode: true,
        vision: true,
        audio: true,
        files: true,
        thinking: true,
    };
    assert!(NEEDS.iter().all(|(_, is_needed)| is_needed(&all)));
}

#[test]
fn hours_begin_and_end_on_the_minute() {
    for (hours, minute, inside) in [
        ((540, 1020), 539, false),
        ((540, 1020), 540, true),
        ((540, 1020), 1019, true),
        ((540, 1020), 1020, false),
        ((1320, 360), 1320, true),
        ((1320, 360), 0, true),
        ((1320, 360), 359, true),
        ((1320, 360), 360, false),
    ] {
        assert_eq!(super::within(hours, minute), inside, "{hours:?} {minute}");
    }
}

#[test]
fn stars_stand_for_anything() {
    for (pattern, text, fits) in [
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("*", "é", true),
        ("a*", "abc", true),
        ("a*", "ba", false),
        ("*c", "abc", true),
        ("*b*", "abc", true),
        ("a*c", "ac", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
        // The same letters are not used twice.
        ("ab*ba", "aba", false),
        ("**", "x", true),
        ("*é*", "caféx", true),
    ] {
        assert_eq!(
            Pattern(pattern.to_owned()).fits(text),
            fits,
            "{pattern} {text}"
        );
    }
}

#[test]
fn a_wider_condition_covers_a_narrower_one() {
    let wide = |texts: &[&str]| Match {
        models: patterns(texts),
        ..Match::default()
    };
    for (wider, narrower, covers) in [
        (wide(&["sm*"]), wide(&["smart", "small*"]), true),
        (wide(&["smart"]), wide(&["sm*"]), false),
        (wide(&["*art"]), wide(&["s*art"]), true),
        (wide(&["a*b*c"]), wide(&["a*c"]), false),
        (wide(&["smart"]), Match::default(), false),
        (Match::default(), wide(&["smart"]), true),
    ] {
        assert_eq!(wider.covers(&narrower), covers, "{wider:?} {narrower:?}");
    }
    for (field, met, unmet) in conditions() {
        assert!(met.covers(&met), "{field}");
        assert!(Match::default().covers(&met), "{field}");
        assert!(!met.covers(&Match::default()), "{field}");
        assert!(!met.covers(&unmet), "{field}");
    }
}
