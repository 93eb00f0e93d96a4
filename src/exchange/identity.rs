//! Who asks, where a proxy before Envoy tells it in a header.

/// The header that Envoy itself writes, with fields of the client's certificate.
const CLIENT_CERTIFICATE: &str = "x-forwarded-client-cert";

/// The identities that a header tells of: URIs of the certificate that the nearest proxy has seen,
/// or the value of any other header.
pub(super) fn told_by(header: &str, value: &str) -> Vec<String> {
    let mut told = Vec::new();
    if header != CLIENT_CERTIFICATE {
        told.push(value.trim().to_owned());
    } else {
        for (separator, field) in Fields(value) {
            if separator == ',' {
                // Another proxy's word begins; the nearest one's is the last.
                told.clear();
            }
            told.extend(uri(field));
        }
    }
    told.retain(|identity| !identity.is_empty());
    told
}

fn uri(field: &str) -> Option<String> {
    let (name, value) = field.trim().split_once('=')?;
    let value = value
        .strip_prefix('"')
        .map_or(value, |value| value.strip_suffix('"').unwrap_or(value));
    name.eq_ignore_ascii_case("uri").then(|| value.to_owned())
}

/// Fields between commas and semicolons that stand in no quotes, with what stands before each.
struct Fields<'a>(&'a str);

impl<'a> Iterator for Fields<'a> {
    type Item = (char, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let mut separator = ';';
        let mut rest = self.0;
        if let Some(after) = rest.strip_prefix([',', ';']) {
            separator = rest.chars().next().unwrap_or(separator);
            rest = after;
        } else if rest.is_empty() {
            return None;
        }
        let (mut quoted, mut escaped) = (false, false);
        let end = rest.find(|c: char| {
            let is_end = !quoted && matches!(c, ',' | ';');
            quoted ^= c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            is_end
        });
        let (field, after) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        self.0 = after;
        Some((separator, field))
    }
}

#[cfg(test)]
mod tests {
    use super::told_by;

    #[test]
    fn the_nearest_proxy_tells_who_asks() {
        for (value, expected) in [
            (
                "By=spiffe://a/ns/b;Hash=1;URI=spiffe://a/ns/c",
                vec!["spiffe://a/ns/c"],
            ),
            (
                "URI=spiffe://far, By=x;URI=spiffe://near",
                vec!["spiffe://near"],
            ),
            ("URI=spiffe://far,By=x", vec![]),
            (
                r#"Subject="CN=a;URI=spiffe://forged,URI=b";URI="spiffe://a""#,
                vec!["spiffe://a"],
            ),
            (
                r#"Subject="a\";URI=spiffe://forged";uri=spiffe://a;URI=spiffe://b"#,
                vec!["spiffe://a", "spiffe://b"],
            ),
            (r#"Subject="CN=unfinished;URI=spiffe://a"#, vec![]),
            ("URI=;;,", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(
                told_by("x-forwarded-client-cert", value),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn any_other_header_holds_the_identity_alone() {
        assert_eq!(told_by("x-client", " team-a "), ["team-a"]);
        assert!(told_by("x-client", " ").is_empty());
    }
}
