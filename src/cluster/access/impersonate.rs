//! Whom a user impersonates: the headers of `--as` and related flags, and of the kubeconfig.

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::entry::Entry;
use crate::{cluster::error::Error, plan::Connect};

#[derive(Debug, Default)]
pub struct Impersonate {
    /// The user's entry; None: a flag has a say too.
    entry: Option<String>,
    user: Option<String>,
    uid: Option<String>,
    groups: Vec<String>,
    extra: Vec<(String, Vec<String>)>,
}

/// Bytes that must be escaped in a header name; the apiserver decodes them.
const EXTRA_KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl Impersonate {
    pub fn read(user: &Entry) -> Result<Impersonate, Error> {
        let extra = match user.within("as-user-extra")? {
            Some(extra) => {
                extra.keys().map(|key| Ok((key.clone(), extra.texts(key)?))).collect::<Result<_, Error>>()?
            }
            None => Vec::new(),
        };
        Ok(Impersonate {
            entry: Some(user.described.clone()),
            user: user.text("as")?,
            uid: user.text("as-uid")?,
            groups: user.texts("as-groups")?,
            extra,
        })
    }

    pub fn overridden(&mut self, connect: &Connect) {
        let flags = [&connect.as_user, &connect.as_uid];
        if flags.iter().any(|flag| flag.is_some())
            || !connect.as_groups.is_empty()
            || !connect.as_user_extra.is_empty()
        {
            self.entry = None;
        }
        if connect.as_user.is_some() {
            self.user = connect.as_user.clone();
        }
        if connect.as_uid.is_some() {
            self.uid = connect.as_uid.clone();
        }
        if !connect.as_groups.is_empty() {
            self.groups = connect.as_groups.clone();
        }
        for (key, value) in &connect.as_user_extra {
            self.extra.push((key.clone(), vec![value.clone()]));
        }
    }

    pub fn headers(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        let mut add = |name: &str, value: &str| {
            let invalid = || {
                Error::invalid(match &self.entry {
                    Some(entry) => {
                        format!("as or a related key of {entry} has characters that cannot be sent")
                    }
                    None => "--as or a related flag has characters that cannot be sent".into(),
                })
            };
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| invalid())?);
            Ok::<(), Error>(())
        };
        if let Some(name) = &self.user {
            add("impersonate-user", name)?;
        }
        if let Some(uid) = &self.uid {
            add("impersonate-uid", uid)?;
        }
        for group in &self.groups {
            add("impersonate-group", group)?;
        }
        for (key, values) in &self.extra {
            let key = utf8_percent_encode(&key.to_lowercase(), EXTRA_KEY).to_string();
            for value in values {
                add(&format!("impersonate-extra-{key}"), value)?;
            }
        }
        match headers.is_empty() || self.user.is_some() {
            true => Ok(headers),
            false => Err(Error::invalid(match &self.entry {
                Some(entry) => format!(
                    "{entry} has as-groups, as-uid or as-user-extra, and no user for them: add as, or give --as"
                ),
                None => "--as-group, --as-uid and --as-user-extra need a user: give one with --as".into(),
            })),
        }
    }
}
