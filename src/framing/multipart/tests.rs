use super::{Malformed, Parts, boundary};

/// Names and values.
fn read(body: &[u8], boundary: &str) -> Result<Vec<(String, Vec<u8>)>, Malformed> {
    let (mut parts, mut found) = (Parts::new(body, boundary), Vec::new());
    while let Some(part) = parts.next_part()? {
        assert_eq!(&body[part.range.clone()], part.value);
        found.push((part.name.to_owned(), part.value.to_vec()));
    }
    Ok(found)
}

const FORM: &[u8] = b"preamble\r\n--B x\r\nnot ours\r\n--B\r\n\
    Content-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--B \t\r\n\
    content-type: audio/wav\r\ncontent-disposition: form-data; filename=\"a; name=\\\"x\\\".wav\"; name=file\r\n\r\n\
    \r\n--A\x00\xff\r--B\r\n-\r\n--B\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--B--\r\nepilogue";

#[test]
fn parts_are_found_where_they_stand() {
    let body = FORM
        .strip_prefix(b"preamble\r\n--B x\r\nnot ours\r\n")
        .expect("a start");
    let expected = vec![
        ("model".to_owned(), b"whisper-1".to_vec()),
        ("file".to_owned(), b"\r\n--A\x00\xff\r--B\r\n-".to_vec()),
        ("empty".to_owned(), Vec::new()),
    ];
    assert_eq!(read(body, "B"), Ok(expected.clone()));
    let with_preamble = [b"preamble\r\n", body].concat();
    assert_eq!(read(&with_preamble, "B"), Ok(expected));
}

#[test]
fn a_boundary_that_only_begins_like_ours_is_no_form_of_ours() {
    assert_eq!(read(FORM, "B"), Err(Malformed));
}

#[test]
fn a_body_that_breaks_off_is_malformed_wherever_it_is_cut() {
    let body = FORM
        .strip_prefix(b"preamble\r\n--B x\r\nnot ours\r\n")
        .expect("a start");
    let end = body.len() - b"--\r\nepilogue".len();
    for cut in 0..=end {
        assert_eq!(read(&body[..cut], "B"), Err(Malformed), "{cut}");
    }
    assert!(read(&body[..end + 2], "B").is_ok());
}

#[test]
fn a_part_without_a_name_has_an_empty_one() {
    let body = b"--B\r\nx: y\r\n\r\n1\r\n--B\r\n\r\n2\r\n--B--";
    assert_eq!(
        read(body, "B"),
        Ok(vec![
            (String::new(), b"1".to_vec()),
            (String::new(), b"2".to_vec())
        ])
    );
}

#[test]
fn boundaries_are_read_from_media_types() {
    let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
    for (media_type, expected) in [
        ("multipart/form-data; boundary=abc", Some("abc")),
        (
            "multipart/form-data;charset=\"a;b\"; Boundary=\"a b\"",
            Some("a b"),
        ),
        ("multipart/form-data; boundary=abc ; x=y", Some("abc")),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/form-data; boundary=\"abc", None),
        (long.as_str(), None),
    ] {
        assert_eq!(boundary(media_type), expected, "{media_type}");
    }
}
