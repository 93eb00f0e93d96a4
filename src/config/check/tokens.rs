//! Access tokens that Envoy fetches: from Google's metadata server, or by OAuth 2.

use crate::config::path::Path;
use crate::config::problem::{At, Finding, Findings};
use crate::config::raw::RawGcp;
use crate::config::shape::Given;
use crate::provider::Provider;

/// The endpoint of the project and the location that the document names.
pub(super) fn project_endpoint(
    kind: &'static dyn Provider,
    gcp: &Given<RawGcp>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<String> {
    if !gcp.is_absent() && kind.project_endpoint("", "").is_none() {
        let expected = format!("nothing, because {} is not on Vertex AI", kind.kind());
        let finding = Finding::new("a project of Google Cloud", expected);
        findings.error(At::Key, &path.key("gcp"), finding);
    }
    let RawGcp { project, location } = gcp.get()?;
    kind.project_endpoint(&project.get()?.0, &location.get()?.0)
}

#[cfg(feature = "cli")]
pub(super) use oauth::{check_oauth, refuse_oauth_without_files};

#[cfg(feature = "cli")]
mod oauth {
    use std::collections::BTreeMap;

    use crate::config::check::provider::key_source;
    use crate::config::path::Path;
    use crate::config::problem::{At, Finding, Findings};
    use crate::config::raw::{RawOauth, RawProvider};
    use crate::config::shape::Given;
    use crate::config::{EnvoySettings, OauthClient, ProviderConfig, endpoint};
    use crate::provider::{Auth, Provider};

    /// What Azure's models are asked for.
    ///
    /// Source: Microsoft's "Configure keyless authentication with Microsoft Entra ID" for Azure
    /// OpenAI and Foundry Models, read 2026-11-21.
    const AZURE_SCOPE: &str = "https://cognitiveservices.azure.com/.default";

    /// The client that fetches tokens for a provider; `None` when there is none, or a mistake.
    pub(in crate::config::check) fn check_oauth(
        kind: &'static dyn Provider,
        raw: &RawProvider,
        path: &Path,
        findings: &mut Findings<'_>,
    ) -> Option<OauthClient> {
        let path = path.key("oauth");
        let oauth = raw.oauth.get()?;
        let beside = [
            (!raw.key.is_absent(), "a key is said"),
            (!raw.gcp.is_absent(), "Google has tokens of its own"),
            (signs(kind), "Amazon wants signatures or keys"),
        ];
        for (_, why) in beside.into_iter().filter(|(is_so, _)| *is_so) {
            let finding = Finding::new("oauth", format!("nothing, because {why}"));
            findings.error(At::Key, &path, finding);
        }
        let RawOauth {
            tenant,
            token_url,
            client,
            secret,
            scopes,
            ca_file,
        } = oauth;
        let url = match (tenant, token_url) {
            (Given::As(tenant), Given::Absent) => entra(&tenant.0),
            (Given::Absent, Given::As(url)) => url.0.clone(),
            (Given::Broken, _) | (_, Given::Broken) => return None,
            _ => {
                let finding = Finding::new("both or none", "either tenant or token_url");
                findings.error(At::Key, &path, finding);
                return None;
            }
        };
        let mut token_endpoint = endpoint::parse(&url).ok()?;
        token_endpoint.ca_file = ca_file.get().map(|file| file.0.clone());
        let said = scopes.get().map(|list| {
            let named = list.0.iter().flatten();
            named.map(|scope| scope.0.clone()).collect()
        });
        let of_azure = || tenant.get().map(|_| vec![AZURE_SCOPE.to_owned()]);
        Some(OauthClient {
            token_endpoint,
            client: client.get()?.0.clone(),
            secret: secret.get().and_then(key_source)?,
            scopes: said.or_else(of_azure).unwrap_or_default(),
        })
    }

    fn signs(kind: &'static dyn Provider) -> bool {
        matches!(kind.auth(), Auth::AwsSigV4 { .. })
    }

    /// Source: Microsoft's "OAuth 2.0 client credentials flow on the Microsoft identity platform",
    /// read 2026-11-21.
    fn entra(tenant: &str) -> String {
        format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token")
    }

    /// Envoy takes the secret of such a client only from a file of its own form.
    pub(in crate::config::check) fn refuse_oauth_without_files(
        providers: &BTreeMap<String, ProviderConfig>,
        envoy: &EnvoySettings,
        findings: &mut Findings<'_>,
    ) {
        if envoy.secrets.is_some() {
            return;
        }
        for provider in providers.values().filter(|p| p.oauth.is_some()) {
            let path = Path::default().key("providers").key(&provider.name);
            let finding = Finding::new("no folder for secrets", "envoy.secrets, for the client's");
            let hint = "write envoy: {secrets: secrets}, and render with --secrets secrets";
            findings.error(At::Key, &path.key("oauth"), finding.hint(hint));
        }
    }
}
