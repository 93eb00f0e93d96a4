use proptest::prelude::*;

use super::Expression;
use crate::inspect::{Needs, RequestProfile};
use crate::routing::{Facts, Reads, Script};

fn profile() -> RequestProfile {
    RequestProfile {
        streamed: true,
        needs: Needs {
            tools: true,
            ..Needs::default()
        },
        input_tokens: 1000,
        complexity: Some(250),
        ..RequestProfile::of_model("smart")
    }
}

fn facts() -> Facts {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Facts {
        path: "/v1/chat/completions".to_owned(),
        headers: vec![pair("x-team", "search-eu")],
        identities: vec!["spiffe://mesh/ns/search/sa/web".to_owned()],
        claims: vec![
            pair("realm.roles", "reader"),
            pair("realm.roles", "admin"),
            pair("tier", "gold"),
        ],
        metadata: vec![pair("team", "search-eu")],
        script: Some(Script::Latin),
        intent: Some("code".to_owned()),
        weekday: 5,
        minute: 22 * 60 + 30,
        ..Facts::default()
    }
}

fn holds(text: &str) -> bool {
    let expression = Expression::parse(text).unwrap_or_else(|m| panic!("{text}: {m:?}"));
    expression.holds(&profile(), &facts())
}

#[test]
fn every_field_and_operator_means_what_it_says() {
    for (met, unmet) in [
        ("true", "false"),
        ("!false", "!true"),
        ("stream", "!stream"),
        ("stream == true", "stream != true"),
        ("true && stream", "true && !stream"),
        ("false || stream", "false || !stream"),
        // && binds tighter than ||, ! tighter than both.
        ("true || false && false", "(true || false) && false"),
        ("needs.tools && !needs.vision", "needs.vision"),
        ("prompt_tokens == 1000", "prompt_tokens == 999"),
        ("prompt_tokens != 999", "prompt_tokens != 1000"),
        ("prompt_tokens > 999", "prompt_tokens > 1000"),
        ("prompt_tokens >= 1000", "prompt_tokens >= 1001"),
        ("prompt_tokens < 1001", "prompt_tokens < 1000"),
        ("prompt_tokens <= 1000", "prompt_tokens <= 999"),
        ("prompt_tokens - 1 == 999", "prompt_tokens - 1 == 1000"),
        ("2 + 3 * 4 == 14", "(2 + 3) * 4 == 14"),
        ("10 - 4 - 3 == 3", "10 - (4 - 3) == 3"),
        ("-1 < 0", "-(-1) < 0"),
        ("complexity == 0.25", "complexity > 0.25"),
        ("hour >= 22 || hour < 6", "hour >= 6 && hour < 22"),
        ("minute == 30", "minute == 0"),
        ("model == 'smart'", "model == \"fast\""),
        ("model != 'fast'", "model != 'smart'"),
        ("model in ['fast', 'smart']", "model in [\"fast\"]"),
        ("path.endsWith('/completions')", "path.endsWith('/chat')"),
        (
            "identity.startsWith('spiffe://mesh/ns/search/')",
            "identity.startsWith('mesh')",
        ),
        (
            "headers['X-Team'].contains('eu')",
            "headers['x-team'].contains('us')",
        ),
        ("claims.tier == 'gold'", "claims.tier == 'silver'"),
        (
            "claims['realm.roles'] == 'admin'",
            "claims.realm.roles == 'owner'",
        ),
        (
            "claims.realm.roles.startsWith('ad')",
            "claims.realm.startsWith('ad')",
        ),
        (
            "'admin' in claims.realm.roles",
            "'owner' in claims.realm.roles",
        ),
        (
            "metadata.team == headers['x-team']",
            "metadata.team == claims.tier",
        ),
        ("weekday in ['sat', 'sun']", "weekday == 'mon'"),
        ("script == 'latin'", "script == 'han'"),
        ("intent == 'code'", "intent == 'math'"),
        ("has(claims.tier)", "has(claims.level)"),
        ("\n stream\t&& true ", " ! ( stream ) "),
    ] {
        assert!(holds(met), "{met}");
        assert!(!holds(unmet), "{unmet}");
    }
}

#[test]
fn what_is_not_known_is_like_nothing() {
    let unknown = |text: &str| {
        let expression = Expression::parse(text).expect("an expression");
        expression.holds(&RequestProfile::of_model("m"), &Facts::default())
    };
    for text in [
        "complexity < 1",
        "complexity >= 0",
        "complexity == complexity",
        "claims.tier == ''",
        "headers['a'] == headers['a']",
        "script in ['latin', 'other']",
        "identity.contains('')",
        "has(intent)",
    ] {
        assert!(!unknown(text), "{text}");
    }
    assert!(
        unknown("claims.tier != 'gold'"),
        "whoever has no tier is not gold"
    );
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (text, at, found, expected) in [
        ("", 1, "", "a text in quotes, a number, or one of"),
        ("prompt_tokens", 1, "prompt_tokens", "true or false"),
        ("prompt_tokens > 'a'", 17, "'", "a number"),
        ("model > 'a'", 7, ">", "texts have no order"),
        ("stream < true", 8, "<", "an operator that fits"),
        ("1 in ['a']", 3, "in", "an operator that fits"),
        ("model == smart", 10, "smart", "a text in quotes"),
        ("modle == 'a'", 1, "modle", "one of model, path"),
        ("headers == 'a'", 9, "=", "a name such as"),
        ("headers[x] == 'a'", 9, "x", "a name such as"),
        ("needs.images", 6, ".", "needs.tools"),
        ("weekday == 'monday'", 12, "'", "one of mon, tue"),
        ("script in ['latin', 'klingon']", 11, "[", "a script"),
        ("model in 'a'", 10, "'", "a list"),
        ("model in []", 11, "]", "a text in quotes"),
        ("model in ['a' 'b']", 15, "'", "a comma"),
        ("model == 'a", 10, "'", "ends with the quote"),
        (r"model == 'a\'b'", 10, "'", "no backslash"),
        ("stream &&", 10, "", "a text in quotes, a number"),
        ("stream stream", 8, "stream", "an operator such as"),
        ("stream & true", 8, "&", "an operator such as"),
        ("(stream", 8, "", "closing parenthesis"),
        (
            "model.matches('a')",
            7,
            "matches",
            "startsWith, endsWith or contains",
        ),
        ("stream.contains('a')", 1, "stream", "a text"),
        ("has(stream)", 5, "stream", "may be missing"),
        ("1.5.2 == 1", 1, "1", "a number such as"),
        ("'ü' == ü", 8, "ü", "a text in quotes"),
    ] {
        let mistake = Expression::parse(text).expect_err(text);
        assert_eq!((mistake.at, mistake.found.as_str()), (at, found), "{text}");
        assert!(
            mistake.expected.contains(expected),
            "{text}: {}",
            mistake.expected
        );
    }
}

#[test]
fn size_and_depth_are_bounded() {
    let deep = |n: usize| format!("{}true{}", "(".repeat(n), ")".repeat(n));
    assert!(Expression::parse(&deep(20)).is_ok());
    assert!(Expression::parse(&deep(30)).is_err());
    assert!(Expression::parse(&format!("{}true", "!".repeat(30))).is_err());
    let long = |n: usize| vec!["true"; n].join(" && ");
    assert!(Expression::parse(&long(100)).is_ok());
    assert!(Expression::parse(&long(200)).is_err());
    let items = vec!["'a'"; 300].join(",");
    assert!(Expression::parse(&format!("model in [{items}] && true")).is_err());
}

#[test]
fn only_what_an_expression_names_is_read() {
    let reads = |text: &str| {
        let mut reads = Reads::default();
        Expression::parse(text).expect("one").reads(&mut reads);
        reads
    };
    assert_eq!(
        reads("stream && prompt_tokens > 1 || hour < 6"),
        Reads::default()
    );
    let all = reads(
        "!has(identity) && headers.A == claims.b.c && metadata.d == 'e' && script == 'han' \
         && intent in ['code'] && -complexity < 1 && headers['a'].contains(claims['b.c'])",
    );
    let expected = Reads {
        headers: vec!["a".to_owned()],
        claims: vec!["b.c".to_owned()],
        identity: true,
        metadata: true,
        script: true,
        intent: true,
        complexity: true,
        ..Reads::default()
    };
    assert_eq!(all, expected);
}

const WORDS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "!",
    "-",
    "+",
    "*",
    "&&",
    "||",
    "==",
    "!=",
    "<",
    ">=",
    " in ",
    ".",
    ",",
    "'a'",
    "\"sat\"",
    "'",
    "1",
    "0.5",
    "true",
    "stream",
    "prompt_tokens",
    "model",
    "weekday",
    "needs.tools",
    "headers['x']",
    "claims.a.b",
    "has(",
    "startsWith(",
    "ü",
    "\\",
    "\n",
];

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,60}") {
        if let Ok(expression) = Expression::parse(&text) {
            expression.holds(&profile(), &facts());
        }
    }

    #[test]
    fn no_order_of_words_panics(picks in prop::collection::vec(0..WORDS.len(), 0..40)) {
        let text: String = picks.into_iter().map(|i| WORDS[i]).collect();
        match Expression::parse(&text) {
            Ok(expression) => { expression.holds(&profile(), &facts()); }
            Err(mistake) => prop_assert!(mistake.at <= text.chars().count() + 1),
        }
    }
}
