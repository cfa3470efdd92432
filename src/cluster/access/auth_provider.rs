//! Credentials of plugins that were part of kubectl: only the one for OpenID Connect is left in it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::HeaderValue;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{credential::bearer, entry::Entry};
use crate::cluster::error::Error;

#[derive(Debug)]
pub struct AuthProvider {
    name: String,
    id_token: Option<SecretString>,
}

impl AuthProvider {
    pub fn read(entry: &Entry) -> Result<AuthProvider, Error> {
        let name = entry.text("name")?.unwrap_or_default();
        let config = entry.within("config")?;
        // The others are refused whatever they have.
        let id_token = match config.filter(|_| name == "oidc") {
            Some(config) => config.text("id-token")?.map(SecretString::from),
            None => None,
        };
        Ok(AuthProvider { name, id_token })
    }

    /// The token, while it is valid. kubectl would also renew it, which needs a request to the identity provider.
    pub fn token(&self, user: &str) -> Result<HeaderValue, Error> {
        let renew = "renew it with kubectl, use an exec plugin such as kubelogin instead, or give --token";
        match (self.name.as_str(), &self.id_token) {
            ("oidc", Some(token)) if !has_expired(token.expose_secret()) => {
                bearer(token.expose_secret(), &format!("id-token of {user}"))
            }
            ("oidc", Some(_)) => Err(Error::credentials(format!(
                "the id-token of auth-provider \"oidc\" of {user} has expired: {renew}"
            ))),
            ("oidc", None) => {
                Err(Error::credentials(format!("auth-provider \"oidc\" of {user} has no id-token: {renew}")))
            }
            (name, _) => {
                let plugin = match name {
                    "gcp" => "gke-gcloud-auth-plugin",
                    "azure" => "kubelogin",
                    _ => "one for your cluster",
                };
                Err(Error::invalid(format!(
                    "{user} uses the auth-provider {name:?}, which Kubernetes does not have any more: use an exec \
                     plugin instead ({plugin}), or give --token"
                )))
            }
        }
    }
}

/// Whether a JSON web token has expired. One that cannot be read is left to the apiserver.
fn has_expired(token: &str) -> bool {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    let claims = token.split('.').nth(1).and_then(|claims| BASE64_URL_SAFE_NO_PAD.decode(claims).ok());
    let claims = claims.and_then(|claims| serde_json::from_slice::<Claims>(&claims).ok());
    claims.is_some_and(|claims| claims.exp < Timestamp::now().as_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_expired_by_its_claims() {
        let token = |claims: &str| format!("e30.{}.sig", BASE64_URL_SAFE_NO_PAD.encode(claims));
        assert!(has_expired(&token("{\"exp\":1600000000}")));
        assert!(!has_expired(&token("{\"exp\":16000000000}")));
        assert!(!has_expired(&token("{}")) && !has_expired("opaque"));
    }
}
