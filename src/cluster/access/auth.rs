//! Keeps the credentials of requests, and renews those that expire.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use http::HeaderValue;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::{
    credential::{Credential, bearer},
    exec::Plugin,
};
use crate::cluster::{
    error::{Error, root_cause},
    waits::Waits,
};

/// The origin of the credentials.
#[derive(Debug)]
pub enum Source {
    None,
    Fixed(HeaderValue),
    /// A file that another program keeps fresh, as the kubelet does for service accounts.
    TokenFile(PathBuf),
    Exec(Box<Plugin>),
}

#[derive(Debug)]
pub struct Auth {
    source: Source,
    /// Locked during a renewal, so that a plugin runs once for all waiting requests.
    current: Mutex<Option<Credential>>,
    waits: Waits,
}

/// The same as client-go: the kubelet replaces a service account's token long before it expires.
const TOKEN_FILE_TTL: Duration = Duration::from_secs(60);

impl Auth {
    pub fn new(source: Source, waits: Waits) -> Auth {
        let current = match &source {
            Source::None => Some(Credential::default()),
            Source::Fixed(header) => {
                Some(Credential { authorization: Some(header.clone()), ..Credential::default() })
            }
            Source::TokenFile(_) | Source::Exec(_) => None,
        };
        Auth { source, current: Mutex::new(current), waits }
    }

    /// The current credential, possibly expired; None if there is none yet, or a renewal is running.
    pub fn at_hand(&self) -> Option<Credential> {
        self.current.try_lock().ok()?.clone()
    }

    /// A credential that has not expired.
    pub async fn credential(&self) -> Result<Credential, Error> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(credential) if credential.renew_at.is_none_or(|at| Timestamp::now() < at) => {
                Ok(credential.clone())
            }
            _ => self.renew(&mut current).await,
        }
    }

    /// A new credential after `refused` was rejected; None if there is no other.
    pub async fn after_refusal(&self, refused: &Credential) -> Result<Option<Credential>, Error> {
        let mut current = self.current.lock().await;
        if let Some(credential) = &*current
            && !credential.is_same(refused)
        {
            return Ok(Some(credential.clone()));
        }
        if matches!(self.source, Source::None | Source::Fixed(_)) {
            return Ok(None);
        }
        let renewed = self.renew(&mut current).await?;
        Ok((!renewed.is_same(refused)).then_some(renewed))
    }

    /// Advice for the user after the credentials were rejected.
    pub fn advice(&self) -> String {
        match &self.source {
            Source::None => "give --token, or choose a user with --user or --context".into(),
            Source::Fixed(_) => "the token or password may have expired".into(),
            Source::TokenFile(path) => format!("the token in {} may have expired", path.display()),
            Source::Exec(plugin) => format!("{:?} may need a new login", plugin.name()),
        }
    }

    async fn renew(&self, current: &mut Option<Credential>) -> Result<Credential, Error> {
        let got = match &self.source {
            Source::None => Ok(Credential::default()),
            Source::Fixed(header) => {
                Ok(Credential { authorization: Some(header.clone()), ..Credential::default() })
            }
            Source::TokenFile(path) => {
                let _waiting = self.waits.begin(format!("the token file {}", path.display()));
                // Reading may block, for example if the path is a pipe.
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read_token(&path)).await;
                read.unwrap_or_else(|error| Err(Error::credentials(error.to_string())))
            }
            Source::Exec(plugin) => {
                let _waiting = self.waits.begin(format!("the credential plugin {:?}", plugin.name()));
                plugin.run().await
            }
        };
        // A source that worked before may work again, for example after a new login.
        let credential = got.map_err(|error| if current.is_some() { error.retryable() } else { error })?;
        *current = Some(credential.clone());
        Ok(credential)
    }
}

fn read_token(path: &Path) -> Result<Credential, Error> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        Error::credentials(format!("cannot read token file {shown}: {}", root_cause(&error)))
    })?;
    match text.trim() {
        "" => Err(Error::credentials(format!("token file {shown} is empty"))),
        token => Ok(Credential {
            authorization: Some(bearer(token)?),
            renew_at: Some(Timestamp::now() + TOKEN_FILE_TTL),
            identity: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_file_is_read_again_when_its_token_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "old\n").unwrap();
        let auth = Auth::new(Source::TokenFile(file.path().into()), Waits::default());
        let old = auth.credential().await.unwrap();
        assert_eq!(old.authorization.as_ref().unwrap(), "Bearer old");
        assert!(auth.after_refusal(&old).await.unwrap().is_none(), "the same token is of no use");
        fs::write(file.path(), "new").unwrap();
        assert_eq!(auth.credential().await.unwrap().authorization.unwrap(), "Bearer old");
        let new = auth.after_refusal(&old).await.unwrap().unwrap();
        assert_eq!(new.authorization.unwrap(), "Bearer new");
    }

    #[tokio::test]
    async fn a_fixed_token_that_is_refused_stays_refused() {
        let auth = Auth::new(Source::Fixed(bearer("x").unwrap()), Waits::default());
        let credential = auth.credential().await.unwrap();
        assert!(auth.after_refusal(&credential).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_missing_token_file_is_named_and_may_come_back() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "token").unwrap();
        let auth = Auth::new(Source::TokenFile(file.path().into()), Waits::default());
        let credential = auth.credential().await.unwrap();
        fs::remove_file(file.path()).unwrap();
        let error = auth.after_refusal(&credential).await.unwrap_err();
        assert!(error.to_string().contains(&file.path().display().to_string()), "{error}");
        assert!(error.is_retryable());
    }
}
