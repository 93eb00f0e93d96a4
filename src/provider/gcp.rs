//! Addresses of Vertex AI.

/// Where the models of a project are served from a location.
///
/// Source: Vertex AI reference, "Service endpoint", and the client of Anthropic's SDK 2.11,
/// read 2026-11-21.
pub(super) fn endpoint(project: &str, location: &str) -> String {
    let host = match location {
        "global" => "aiplatform.googleapis.com".to_owned(),
        "us" | "eu" => format!("aiplatform.{location}.rep.googleapis.com"),
        region => format!("{region}-aiplatform.googleapis.com"),
    };
    format!("https://{host}/v1/projects/{project}/locations/{location}")
}

#[cfg(test)]
mod tests {
    use super::endpoint;

    #[test]
    fn every_kind_of_location_has_its_host() {
        let cases = [
            ("global", "aiplatform.googleapis.com"),
            ("eu", "aiplatform.eu.rep.googleapis.com"),
            ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
        ];
        for (location, host) in cases {
            let expected = format!("https://{host}/v1/projects/p/locations/{location}");
            assert_eq!(endpoint("p", location), expected);
        }
    }
}
