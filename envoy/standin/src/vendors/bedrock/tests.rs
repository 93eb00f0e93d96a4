use hyper::{HeaderMap, Method};

use super::super::Head;
use super::frame::{crc32, exception};
use super::sha256::{hex, hmac, sha256};
use super::signature::verify;
use super::{Operation, operation, percent_decoded};

/// Written by the official SDK's signer (botocore 1.44) for this path and body.
const SIGNED: [(&str, &str); 4] = [
    ("host", "bedrock-runtime.us-east-1.amazonaws.com"),
    ("x-amz-date", "20261121T111645Z"),
    (
        "x-amz-content-sha256",
        "45e583fed2564dc00e823303d7609f8587af7f685b993cb0f998afc0d480b01d",
    ),
    (
        "authorization",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=06b8abfbb55caf84c9c41c330d8c63ff200a0acf94201a779eb96beabb548d06",
    ),
];
const BODY: &[u8] = br#"{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}"#;
const PATH: &str = "/model/anthropic.claude-3-7-sonnet-20250219-v1%3A0/converse";

fn head<'a>(headers: &'a HeaderMap, path: &'a str) -> Head<'a> {
    Head {
        method: &Method::POST,
        path,
        query: "",
        headers,
        key: None,
    }
}

fn signed() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in SIGNED {
        headers.insert(name, value.parse().unwrap());
    }
    headers
}

#[test]
fn hashes_are_those_of_the_standards() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(hex(&sha256(b"")), empty);
    let long = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    assert_eq!(hex(&sha256(&[b'a'; 1_000_000])), long);
    let mac = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
    let words = b"The quick brown fox jumps over the lazy dog";
    assert_eq!(hex(&hmac(b"key", words)), mac);
    let of_long_key = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
    let words = b"Test Using Larger Than Block-Size Key - Hash Key First";
    assert_eq!(hex(&hmac(&[0xaa; 131], words)), of_long_key);
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
}

#[test]
fn the_signature_of_the_official_sdk_is_accepted() {
    let headers = signed();
    let found = verify(&head(&headers, PATH), BODY, "AKIDEXAMPLE", "secret");
    assert_eq!(found, Ok(()));
}

#[test]
fn a_change_of_anything_signed_is_noticed() {
    let headers = signed();
    let of = |path: &str, body: &[u8], access: &str, secret: &str| {
        verify(&head(&headers, path), body, access, secret).is_err()
    };
    assert!(of(PATH, b"{}", "AKIDEXAMPLE", "secret"));
    assert!(of(PATH, BODY, "AKIDEXAMPLE", "other"));
    assert!(of(PATH, BODY, "OTHER", "secret"));
    assert!(of("/model/x/converse", BODY, "AKIDEXAMPLE", "secret"));
    let mut moved = signed();
    moved.insert("host", "elsewhere".parse().unwrap());
    assert!(verify(&head(&moved, PATH), BODY, "AKIDEXAMPLE", "secret").is_err());
    moved.remove("authorization");
    assert!(verify(&head(&moved, PATH), BODY, "AKIDEXAMPLE", "secret").is_err());
}

#[test]
fn the_path_names_model_and_operation() {
    let headers = HeaderMap::new();
    let of = |path: &str| operation(&head(&headers, path)).ok();
    assert_eq!(
        of("/model/a%3A0/converse"),
        Some(("a:0".to_owned(), Operation::Converse, false))
    );
    let arn = "/model/arn%3Aaws%3Ax%2Fy/converse-stream";
    assert_eq!(
        of(arn),
        Some(("arn:aws:x/y".to_owned(), Operation::Converse, true))
    );
    for path in [
        "/model/a%253A0/converse",
        "/model//converse",
        "/model/a/invoked",
        "/x",
    ] {
        assert_eq!(of(path), None, "{path}");
    }
    assert_eq!(percent_decoded("%4"), None);
}

#[test]
fn frames_hold_their_lengths_and_checksums() {
    let frame = exception("throttlingException", &serde_json::json!({"message": "x"}));
    let number = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
    assert_eq!(number(0) as usize, frame.len());
    assert_eq!(number(8), crc32(&frame[..8]));
    assert_eq!(number(frame.len() - 4), crc32(&frame[..frame.len() - 4]));
}
