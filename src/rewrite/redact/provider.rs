//! Keys of providers: a prefix that nothing else has, and how what follows is written.

use std::ops::Range;

pub struct Provider {
    /// What the first pass looks for. The key begins `before` bytes earlier.
    pub signs: &'static [&'static str],
    before: usize,
    /// The key's own beginnings.
    prefixes: &'static [&'static str],
    rest: Rest,
    /// How many bytes follow the beginning.
    length: (usize, usize),
}

/// The bytes of a key behind its prefix.
enum Rest {
    Upper,
    Alphanumeric,
    /// Letters, digits, `_` and `-`.
    Word,
    Hex,
    /// The path of a web hook.
    Path,
    Azure,
    Telegram,
}

const fn provider(
    signs: &'static [&'static str],
    before: usize,
    prefixes: &'static [&'static str],
    rest: Rest,
    length: (usize, usize),
) -> Provider {
    Provider { signs, before, prefixes, rest, length }
}

const LONG: usize = 1000;

pub static PROVIDERS: [Provider; 22] = [
    // Amazon
    provider(&["AKIA", "ASIA", "ABIA", "ACCA"], 0, &["AKIA", "ASIA", "ABIA", "ACCA"], Rest::Upper, (16, 16)),
    provider(&["A3T"], 0, &["A3T"], Rest::Upper, (17, 17)),
    // Google
    provider(&["AIza"], 0, &["AIza"], Rest::Word, (35, 35)),
    provider(&["GOCSPX-"], 0, &["GOCSPX-"], Rest::Word, (20, 60)),
    // GitHub
    provider(
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        0,
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        Rest::Alphanumeric,
        (36, 255),
    ),
    provider(&["github_pat_"], 0, &["github_pat_"], Rest::Word, (36, 255)),
    // GitLab
    provider(&["glpat-"], 0, &["glpat-"], Rest::Word, (20, 300)),
    // Slack
    provider(
        &["xox"],
        0,
        &["xoxb-", "xoxp-", "xoxe-", "xoxa-", "xoxs-", "xoxr-", "xoxe."],
        Rest::Word,
        (10, 255),
    ),
    provider(
        &["ks.slack.com"],
        3,
        &["hooks.slack.com/services/", "hooks.slack.com/workflows/"],
        Rest::Path,
        (20, 255),
    ),
    // Stripe
    provider(
        &["k_live_", "k_test_", "k_prod_"],
        1,
        &["sk_live_", "sk_test_", "sk_prod_", "rk_live_", "rk_test_", "rk_prod_"],
        Rest::Word,
        (10, 255),
    ),
    // npm, Hugging Face, SendGrid, DigitalOcean
    provider(&["npm_"], 0, &["npm_"], Rest::Alphanumeric, (36, 36)),
    provider(&["hf_"], 0, &["hf_"], Rest::Alphanumeric, (34, 40)),
    provider(&["SG."], 0, &["SG."], Rest::Path, (50, 80)),
    provider(&["p_v1_"], 2, &["dop_v1_", "doo_v1_", "dor_v1_"], Rest::Hex, (64, 64)),
    // Vault, PyPI, Shopify, Databricks
    provider(&["hvs.", "hvb."], 0, &["hvs.", "hvb."], Rest::Word, (24, 300)),
    provider(&["pypi-AgEI"], 0, &["pypi-AgEI"], Rest::Word, (50, LONG)),
    provider(&["shpat_", "shpss_", "shpca_"], 0, &["shpat_", "shpss_", "shpca_"], Rest::Hex, (32, 32)),
    provider(&["dapi"], 0, &["dapi"], Rest::Hex, (32, 32)),
    // Anthropic, OpenAI
    provider(
        &["sk-ant-", "sk-proj-", "sk-svcacct-"],
        0,
        &["sk-ant-", "sk-proj-", "sk-svcacct-"],
        Rest::Word,
        (20, 300),
    ),
    // Docker, Telegram
    provider(&["dckr_"], 0, &["dckr_pat_", "dckr_oat_"], Rest::Word, (20, 60)),
    provider(&[":AA"], 0, &[], Rest::Telegram, (33, 36)),
    // Azure
    provider(&["7Q~", "8Q~", "9Q~", "6Q~"], 3, &[], Rest::Azure, (31, 34)),
];

/// The key with the sign at `at`.
pub fn find(text: &[u8], at: usize, provider: u8) -> Option<Range<usize>> {
    let provider = PROVIDERS.get(usize::from(provider))?;
    let start = at.checked_sub(provider.before)?;
    match provider.rest {
        Rest::Azure => return azure(text, start),
        Rest::Telegram => return telegram(text, start, provider.length),
        _ => {}
    }
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if start > 0 && is_name(&text[start - 1]) {
        return None;
    }
    let key = &text[start..];
    let prefix = provider.prefixes.iter().find(|prefix| key.starts_with(prefix.as_bytes()))?;
    let (least, most) = provider.length;
    let is_part = |byte: &u8| provider.rest.takes(*byte);
    let length = key[prefix.len()..].iter().take(most + 1).take_while(|byte| is_part(byte)).count();
    let is_key = (least..=most).contains(&length);
    // Of a web hook, the part that is secret.
    let from = if matches!(provider.rest, Rest::Path) && prefix.contains('/') { prefix.len() } else { 0 };
    is_key.then_some(start + from..start + prefix.len() + length)
}

impl Rest {
    fn takes(&self, byte: u8) -> bool {
        match self {
            Rest::Upper => byte.is_ascii_uppercase() || matches!(byte, b'2'..=b'9'),
            Rest::Alphanumeric => byte.is_ascii_alphanumeric(),
            Rest::Word | Rest::Azure | Rest::Telegram => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
            }
            Rest::Hex => byte.is_ascii_hexdigit(),
            Rest::Path => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/'),
        }
    }
}

/// The number of a bot before the colon at `at`, and its secret behind it.
fn telegram(text: &[u8], at: usize, (least, most): (usize, usize)) -> Option<Range<usize>> {
    let secret = &text[at + 1..];
    let length = secret.iter().take(most + 1).take_while(|byte| Rest::Telegram.takes(**byte)).count();
    let digits = text[..at].iter().rev().take(12).take_while(|byte| byte.is_ascii_digit()).count();
    let is_token = (8..=10).contains(&digits) && (least..=most).contains(&length);
    is_token.then_some(at + 1..at + 1 + length)
}

/// Three bytes, a digit, `Q~` and 31 to 34 more.
fn azure(text: &[u8], start: usize) -> Option<Range<usize>> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'~' | b'.' | b'-');
    let length = text[start..].iter().take(64).take_while(|byte| is_part(byte)).count();
    let is_bounded = start == 0 || !is_part(&text[start - 1]);
    (is_bounded && (37..=40).contains(&length)).then_some(start..start + length)
}
