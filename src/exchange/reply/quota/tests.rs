use super::*;

/// 2026-11-21T12:40:00Z.
const NOW_MS: u64 = 1_795_264_800_000;

type Headers<'a> = &'a [(&'a str, &'a str)];

fn told(headers: Headers<'_>) -> Vec<(&'static str, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let headers: Vec<_> = headers.iter().map(owned).collect();
    Quota::read(&headers, NOW_MS).take_headers().collect()
}

fn back_in(headers: Headers<'_>) -> u64 {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let headers: Vec<_> = headers.iter().map(owned).collect();
    Quota::read(&headers, NOW_MS).back_in_ms
}

#[test]
fn every_vendor_is_told_in_openais_words() {
    let cases: [(Headers<'_>, Headers<'_>); 5] = [
        (
            &[
                ("x-ratelimit-limit-requests", "60"),
                ("x-ratelimit-reset-requests", "6m0s"),
            ],
            &[
                ("x-ratelimit-limit-requests", "60"),
                ("x-ratelimit-reset-requests", "6m0s"),
            ],
        ),
        (
            &[
                ("anthropic-ratelimit-tokens-remaining", "39000"),
                ("anthropic-ratelimit-tokens-reset", "2026-11-21T12:41:30Z"),
            ],
            &[
                ("x-ratelimit-remaining-tokens", "39000"),
                ("x-ratelimit-reset-tokens", "1m30s"),
            ],
        ),
        (
            &[
                ("x-ratelimit-remaining-req-minute", "717"),
                ("x-ratelimit-remaining-tokens-minute", "4999911"),
            ],
            &[
                ("x-ratelimit-remaining-requests", "717"),
                ("x-ratelimit-remaining-tokens", "4999911"),
            ],
        ),
        (
            &[
                ("x-ratelimit-reset-tokens-minute", "26.5"),
                ("x-tokenlimit-limit", "9000"),
            ],
            &[
                ("x-ratelimit-limit-tokens", "9000"),
                ("x-ratelimit-reset-tokens", "26.5s"),
            ],
        ),
        (
            &[
                ("x-ratelimit-reset", "1795264807500"),
                ("x-ratelimit-limit-tokens", "many"),
            ],
            &[("x-ratelimit-reset-requests", "7.5s")],
        ),
    ];
    for (headers, expected) in cases {
        let expected: Vec<_> = expected
            .iter()
            .map(|(n, v)| (*n, (*v).to_owned()))
            .collect();
        assert_eq!(told(headers), expected, "{headers:?}");
    }
}

#[test]
fn what_is_used_up_comes_back_when_it_is_reset() {
    let both = [
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "12ms"),
        ("x-ratelimit-remaining-tokens", "0"),
        ("x-ratelimit-reset-tokens", "1h2m3.5s"),
    ];
    assert_eq!(back_in(&both), 3_723_500);
    assert_eq!(back_in(&both[..2]), 12);
    assert_eq!(back_in(&[("x-ratelimit-remaining-requests", "0")]), 0);
    assert_eq!(back_in(&[("x-ratelimit-reset-requests", "5s")]), 0);
}

#[test]
fn dates_are_read_and_nonsense_is_not() {
    assert_eq!(date_ms("1970-01-01T00:00:00Z"), Some(0));
    assert_eq!(date_ms("2024-02-29T23:59:59.5Z"), Some(1_709_251_199_500));
    assert_eq!(date_ms("2026-11-21T12:40:00Z"), Some(NOW_MS));
    for nonsense in [
        "",
        "Z",
        "T",
        "2026-13-01T00:00:00Z",
        "2026-11-21T99:00:00Z",
        "soon",
    ] {
        assert_eq!(date_ms(nonsense), None, "{nonsense}");
    }
    for nonsense in ["", "5", "s", "5x", "1.2.3s", "-1s", "m5"] {
        assert_eq!(duration_ms(nonsense), None, "{nonsense}");
    }
}
