//! What is tallied, and the sizes of images.

use super::{Family, ImageSize, MOST_SCANNED, Media, Tally, image_size};

fn tally(text: &str, escaped: bool) -> Tally {
    let mut tally = Tally::default();
    tally.add_text(text.as_bytes(), escaped, MOST_SCANNED);
    tally
}

#[test]
fn a_json_string_is_read_as_what_it_stands_for() {
    let plain = "Grüße an \"Zoë\"\n\tund Ёж, 日本 🎉 C:\\x";
    let escaped = serde_json::to_string(plain).unwrap();
    let escaped = escaped.trim_matches('"');
    assert_eq!(tally(plain, false), tally(escaped, true));
    let ascii =
        r#"Gr\u00fc\u00dfe an \"Zo\u00eb\"\n\tund \u0401\u0436, \u65e5\u672c \ud83c\udf89 C:\\x"#;
    assert_eq!(tally(plain, false), tally(ascii, true));
}

#[test]
fn a_long_text_is_sampled_and_costs_what_it_costs_whole() {
    let page = "The quick brown fox, aged 12, jumps over the lazy dog.\n".repeat(9);
    let long = page.repeat(400);
    for family in Family::ALL {
        let one = tally(&page, false).tokens(family) * 400;
        let all = tally(&long, false).tokens(family);
        let off = one.abs_diff(all) * 100 / one;
        assert!(off < 4, "{family:?}: {one} {all}");
    }
}

#[test]
fn the_least_of_the_words_are_not_lost_between_texts() {
    let mut apart = Tally::default();
    apart.add_text(b"hello", true, MOST_SCANNED);
    apart.add_text(b"world", true, MOST_SCANNED);
    assert!(apart.tokens(Family::O200k) >= 2);
}

fn data_url(media_type: &str, bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut bits = 0_u32;
        for i in 0..3 {
            bits = bits << 8 | u32::from(group.get(i).copied().unwrap_or(0));
        }
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i > group.len() { '=' } else { digit as char });
        }
    }
    format!("data:{media_type};base64,{text}")
}

#[test]
fn images_say_their_size_in_their_first_bytes() {
    let size = ImageSize {
        width: 640,
        height: 480,
    };
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06";
    let gif = b"GIF89a\x80\x02\xe0\x01\0\0";
    let webp = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x80\x02\xe0\x01";
    let lossless = [
        b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f".as_slice(),
        &(639_u32 | 479 << 14).to_le_bytes(),
    ]
    .concat();
    let extended = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x7f\x02\0\xdf\x01\0";
    let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc4\0\x03x\xff\xc2\0\x11\x08\x01\xe0\x02\x80\x03";
    for (media_type, bytes) in [
        ("image/png", png.as_slice()),
        ("image/gif", gif),
        ("image/webp", webp),
        ("image/webp", &lossless),
        ("image/webp", extended),
        ("image/jpeg", jpeg),
    ] {
        assert_eq!(
            image_size(&data_url(media_type, bytes)),
            Some(size),
            "{media_type}"
        );
        for cut in 0..10 {
            assert_eq!(image_size(&data_url(media_type, &bytes[..cut])), None);
        }
    }
    assert_eq!(image_size("https://example.com/a.png"), None);
    assert_eq!(
        image_size(&data_url("image/png", b"no image at all, but long")),
        None
    );
}

#[test]
fn images_cost_what_the_vendors_examples_say() {
    let cost = |family, width, height| {
        let mut tally = Tally::default();
        tally.add_media(Media::Image(Some(ImageSize { width, height }), false));
        tally.tokens(family)
    };
    // OpenAI: 1024 x 1024 is 765, 2048 x 4096 is 1105.
    assert_eq!(cost(Family::O200k, 1024, 1024), 765);
    assert_eq!(cost(Family::O200k, 2048, 4096), 1105);
    // Anthropic: 200 x 200 is some 54, 1000 x 1000 some 1334, 1092 x 1092 some 1590.
    assert_eq!(cost(Family::Claude, 200, 200), 53);
    assert_eq!(cost(Family::Claude, 1000, 1000), 1333);
    assert_eq!(cost(Family::Claude, 1092, 1092), 1589);
    // Google: 258 up to 384 pixels; 960 x 540 makes six tiles.
    assert_eq!(cost(Family::Gemini, 384, 384), 258);
    assert_eq!(cost(Family::Gemini, 960, 540), 6 * 258);
}
