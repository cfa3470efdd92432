//! Keeps the credentials of requests, and renews those that expire or are refused.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex as StdMutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::HeaderValue;
use jiff::Timestamp;
use tokio::{sync::Mutex, time::Instant};

use super::{
    credential::{Credential, bearer},
    exec::Plugin,
};
use crate::{
    cluster::{
        error::{Error, root_cause},
        waits::Waits,
    },
    small_file,
};

/// The origin of the credentials.
#[derive(Debug)]
pub enum Source {
    None,
    /// There are some, and they are not sent, since the server's address is not encrypted.
    Withheld,
    Fixed(HeaderValue),
    /// A file that another program keeps fresh, as the kubelet does for service accounts. The token beside it counts
    /// while the file cannot be read.
    TokenFile {
        path: PathBuf,
        fallback: Option<HeaderValue>,
    },
    Exec(Box<Plugin>),
}

#[derive(Debug)]
pub struct Auth {
    source: Source,
    /// Locked during a renewal, so that a plugin runs once for all waiting requests.
    kept: Mutex<Kept>,
    refusals: StdMutex<Refusals>,
    waits: Waits,
}

#[derive(Debug, Default)]
struct Kept {
    credential: Option<Credential>,
    /// The end of the last renewal, if it failed.
    failed: Option<(Instant, Error)>,
}

/// The same as client-go: the kubelet replaces a service account's token long before it expires.
const TOKEN_FILE_TTL: Duration = Duration::from_secs(60);

impl Auth {
    pub fn new(source: Source, waits: Waits) -> Auth {
        let credential = match &source {
            Source::None | Source::Withheld => Some(Credential::default()),
            Source::Fixed(header) => Some(fixed(header)),
            Source::TokenFile { .. } | Source::Exec(_) => None,
        };
        let kept = Mutex::new(Kept { credential, failed: None });
        Auth { source, kept, refusals: StdMutex::default(), waits }
    }

    /// The current credential, possibly expired; None if there is none yet, or a renewal is running.
    pub fn at_hand(&self) -> Option<Credential> {
        self.kept.try_lock().ok()?.credential.clone()
    }

    /// A credential that has not expired.
    pub async fn credential(&self) -> Result<Credential, Error> {
        let asked = Instant::now();
        let mut kept = self.kept.lock().await;
        match &kept.credential {
            Some(credential) if credential.renew_at.is_none_or(|at| Timestamp::now() < at) => {
                Ok(credential.clone())
            }
            _ => {
                let renewed = self.renew(&mut kept, asked).await;
                self.or_earlier(&mut kept, renewed)
            }
        }
    }

    /// As in client-go, the earlier token of a file counts while the file cannot be read.
    fn or_earlier(&self, kept: &mut Kept, renewed: Result<Credential, Error>) -> Result<Credential, Error> {
        let (Err(error), Source::TokenFile { .. }, Some(earlier)) =
            (&renewed, &self.source, &mut kept.credential)
        else {
            self.waits.trouble(None);
            return renewed;
        };
        self.waits.trouble(Some(format!("{error}; using the earlier token")));
        earlier.renew_at = Some(Timestamp::now() + TOKEN_FILE_TTL);
        Ok(earlier.clone())
    }

    /// A new credential after `refused` was rejected in a request sent at `sent`; None if there is no other, or if it
    /// is not the credential that is wrong.
    pub async fn after_refusal(
        &self,
        refused: &Credential,
        sent: Instant,
    ) -> Result<Option<Credential>, Error> {
        let asked = Instant::now();
        let mut kept = self.kept.lock().await;
        if let Some(credential) = &kept.credential
            && !credential.is_same(refused)
        {
            return Ok(Some(credential.clone()));
        }
        match self.source {
            Source::None | Source::Withheld | Source::Fixed(_) => return Ok(None),
            Source::TokenFile { .. } => {}
            Source::Exec(_) if self.refusals().may_renew(sent) => {}
            Source::Exec(_) => {
                return kept.failed.as_ref().map_or(Ok(None), |(_, error)| Err(error.clone()));
            }
        }
        let renewed = self.renew(&mut kept, asked).await?;
        Ok((!renewed.is_same(refused)).then_some(renewed))
    }

    /// Notes that the server accepted the current credential; `renewed`: after it had refused the one before.
    pub fn accepted(&self, renewed: bool) {
        let mut refusals = self.refusals();
        refusals.accepted = Some(Instant::now());
        if renewed {
            refusals.pause = Refusals::PAUSE;
        }
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether requests carry a secret.
    pub fn sends_any(&self) -> bool {
        !matches!(self.source, Source::None | Source::Withheld)
    }

    /// Advice for the user after the credentials were rejected. `certified`: the user has a client certificate too.
    pub fn advice(&self, certified: bool) -> String {
        match &self.source {
            Source::None if certified => {
                "perhaps the client certificate has expired, or belongs to another cluster".into()
            }
            Source::None => "give --token, or choose a user with --user or --context".into(),
            Source::Withheld => {
                "credentials are not sent to an address that is not encrypted: give it as https://host:port"
                    .into()
            }
            Source::Fixed(_) => "perhaps the token or password has expired".into(),
            Source::TokenFile { path, .. } => format!("perhaps the token in {} has expired", path.display()),
            Source::Exec(plugin) => format!("perhaps {:?} needs a new login", plugin.name()),
        }
    }

    /// `asked`: when the caller began to wait. A renewal that failed since then counts for it too.
    async fn renew(&self, kept: &mut Kept, asked: Instant) -> Result<Credential, Error> {
        if let Some((at, error)) = &kept.failed
            && *at > asked
        {
            return Err(error.clone());
        }
        // A source that worked before may work again, for example after a new login.
        let worked = kept.credential.is_some();
        match self.get().await.map_err(|error| if worked { error.retryable() } else { error }) {
            Ok(credential) => {
                *kept = Kept { credential: Some(credential.clone()), failed: None };
                Ok(credential)
            }
            Err(error) => {
                kept.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn get(&self) -> Result<Credential, Error> {
        match &self.source {
            Source::None | Source::Withheld => Ok(Credential::default()),
            Source::Fixed(header) => Ok(fixed(header)),
            Source::TokenFile { path, fallback } => {
                let _waiting = self.waits.begin(format!("the token file {}", path.display()));
                // Reading may block, for example if the path is a pipe.
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read_token(&path)).await;
                let read = read.unwrap_or_else(|error| Err(Error::credentials(error.to_string())));
                match fallback {
                    Some(token) => Ok(read.unwrap_or_else(|_| from_file(token.clone()))),
                    None => read,
                }
            }
            Source::Exec(plugin) => {
                let _waiting = self.waits.begin(format!("the credential plugin {:?}", plugin.name()));
                plugin.run().await
            }
        }
    }
}

/// Whether a refusal is a reason to renew a credential. A plugin may ask the user to log in, and the refusal may be
/// that of a single node.
#[derive(Debug, Default)]
struct Refusals {
    /// When the current credential was last accepted.
    accepted: Option<Instant>,
    /// When a refusal last was the reason for a renewal.
    renewed: Option<Instant>,
    /// The pause from that renewal to the next. It doubles, until one has helped.
    pause: Duration,
}

impl Refusals {
    const PAUSE: Duration = Duration::from_secs(60);
    const LONGEST: Duration = Duration::from_secs(60 * 60);

    /// `sent`: when the refused request was sent.
    fn may_renew(&mut self, sent: Instant) -> bool {
        let is_accepted = self.accepted.is_some_and(|at| at > sent);
        if is_accepted || self.renewed.is_some_and(|at| at.elapsed() < self.pause) {
            return false;
        }
        self.renewed = Some(Instant::now());
        self.pause = (self.pause * 2).clamp(Refusals::PAUSE, Refusals::LONGEST);
        true
    }
}

fn fixed(header: &HeaderValue) -> Credential {
    Credential { authorization: Some(header.clone()), ..Credential::default() }
}

fn from_file(header: HeaderValue) -> Credential {
    Credential { renew_at: Some(Timestamp::now() + TOKEN_FILE_TTL), ..fixed(&header) }
}

fn read_token(path: &Path) -> Result<Credential, Error> {
    let shown = path.display();
    let text = small_file::read_text(path).map_err(|error| {
        Error::credentials(format!("cannot read token file {shown}: {}", root_cause(&error)))
    })?;
    match text.trim() {
        "" => Err(Error::credentials(format!("token file {shown} is empty"))),
        token => Ok(from_file(bearer(token, &format!("token file {shown}"))?)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::NamedTempFile;

    use super::*;

    fn token_file(file: &NamedTempFile) -> Source {
        Source::TokenFile { path: file.path().into(), fallback: None }
    }

    #[tokio::test]
    async fn a_token_file_is_read_again_when_its_token_is_refused() {
        let file = NamedTempFile::new().unwrap();
        fs::write(file.path(), "old\n").unwrap();
        let auth = Auth::new(token_file(&file), Waits::default());
        let old = auth.credential().await.unwrap();
        assert_eq!(old.authorization.as_ref().unwrap(), "Bearer old");
        assert!(
            auth.after_refusal(&old, Instant::now()).await.unwrap().is_none(),
            "the same token is of no use"
        );
        fs::write(file.path(), "new").unwrap();
        assert_eq!(auth.credential().await.unwrap().authorization.unwrap(), "Bearer old");
        let new = auth.after_refusal(&old, Instant::now()).await.unwrap().unwrap();
        assert_eq!(new.authorization.unwrap(), "Bearer new");
    }

    #[tokio::test]
    async fn a_fixed_token_that_is_refused_stays_refused() {
        let auth = Auth::new(Source::Fixed(bearer("x", "token").unwrap()), Waits::default());
        let credential = auth.credential().await.unwrap();
        assert!(auth.after_refusal(&credential, Instant::now()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_missing_token_file_is_named_and_may_come_back() {
        let file = NamedTempFile::new().unwrap();
        fs::write(file.path(), "token").unwrap();
        let auth = Auth::new(token_file(&file), Waits::default());
        let credential = auth.credential().await.unwrap();
        let path = file.path().display().to_string();
        file.close().unwrap();
        let error = auth.after_refusal(&credential, Instant::now()).await.unwrap_err();
        assert!(error.to_string().contains(&path), "{error}");
        assert!(error.is_retryable());
    }

    #[tokio::test]
    async fn a_token_beside_a_file_counts_while_the_file_cannot_be_read() {
        let file = NamedTempFile::new().unwrap();
        let fallback = Some(bearer("beside", "token").unwrap());
        let auth = Auth::new(Source::TokenFile { path: file.path().into(), fallback }, Waits::default());
        let credential = auth.credential().await.unwrap();
        assert_eq!(credential.authorization.as_ref().unwrap(), "Bearer beside");
        fs::write(file.path(), "of-file").unwrap();
        let credential = auth.after_refusal(&credential, Instant::now()).await.unwrap().unwrap();
        assert_eq!(credential.authorization.unwrap(), "Bearer of-file");
    }

    #[tokio::test(start_paused = true)]
    async fn renewals_that_do_not_help_become_rare() {
        let mut refusals = Refusals::default();
        let mut renewals = Vec::new();
        for minute in 0..=70 {
            if refusals.may_renew(Instant::now()) {
                renewals.push(minute);
            }
            tokio::time::advance(Duration::from_secs(60)).await;
        }
        assert_eq!(renewals, [0, 1, 3, 7, 15, 31, 63]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_credential_that_was_accepted_meanwhile_is_not_renewed() {
        let auth = Auth::new(Source::None, Waits::default());
        let sent = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        auth.accepted(false);
        assert!(!auth.refusals().may_renew(sent));
        assert!(auth.refusals().may_renew(Instant::now()));
        auth.accepted(true);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(
            auth.refusals().may_renew(Instant::now()),
            "a renewal that helped may be repeated after a minute"
        );
    }
}
