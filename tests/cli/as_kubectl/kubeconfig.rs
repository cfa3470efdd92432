//! What a kubeconfig may look like.

use apiserver::ApiServer;

use crate::harness::World;

/// A server that takes any credentials, and reports them.
fn world() -> World {
    let world = World::of(ApiServer::builder().tls());
    world.home.write("ca.crt", world.ca_pem().unwrap());
    world.home.write("token", "of-file\n");
    world.home.write("empty", "");
    world.home.write("folder/file", "");
    world
}

/// `{}`-style maps for the cluster besides its server and authority, for the user, and further lines.
fn config(world: &World, cluster: &str, user: &str, rest: &str) -> String {
    let server = world.url();
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\n\
         contexts:\n- {{name: x, context: {{cluster: c, user: u}}}}\n\
         clusters:\n- {{name: c, cluster: {{server: '{server}', certificate-authority: ca.crt, {cluster}}}}}\n\
         users:\n- {{name: u, user: {{{user}}}}}\n{rest}"
    )
}

fn with_user(user: &str) -> World {
    let world = world();
    world.home.write("kubeconfig", &config(&world, "", user, ""));
    world
}

/// Expects the same decision for each of these users.
#[track_caller]
fn users_as_kubectl<const N: usize>(users: [&str; N]) {
    let world = world();
    for user in users {
        world.home.write("kubeconfig", &config(&world, "", user, ""));
        world.as_kubectl("");
    }
}

/// Expects the same decision for a kubeconfig that is changed so.
#[track_caller]
fn changed_as_kubectl<const N: usize>(changes: [(&str, &str); N]) {
    let world = world();
    let config = config(&world, "", "token: t", "");
    for (from, to) in changes {
        assert!(config.contains(from), "{from:?} is not in {config}");
        world.home.write("kubeconfig", &config.replace(from, to));
        world.as_kubectl("");
    }
}

#[test]
fn kinds_of_values() {
    users_as_kubectl([
        "token: t",
        "token: 12345",
        "token: 0x10",
        "token: 1_000",
        "token: true",
        "token: 2020-01-01",
        "token: [t]",
        "token: {t: t}",
        "token: !!str 5",
        "token: null, username: me, password: pw",
        "token: ~, username: me, password: 12",
        "token: '', username: me",
        "token: a, token: b",
        "token: t, unknown: {a: [1]}",
        "token: t, as-groups: g",
        "token: t, as: null, as-groups: null, exec: null, auth-provider: null, tokenFile: null",
        "token: t, exec: text",
        "TOKEN: a, token: b",
        "token: 123e45678",
        "token: 1e999",
        "token: -9e9999",
        "token: 0.1e400",
        "token: +.1e999",
        "token: !!float 1e999",
        "token: !!str 1e999",
        "token: 12345678901234567890123",
        "token: 0xfffffffffffffffffffff",
        "token: .nan",
        "token: .inf",
        "token: -.Inf",
        "token: '.inf'",
        "token: yes",
        "token: Off",
        "token: y",
        "token: 'yes'",
        "username: me, password: 1e999",
        "username: me, password: .inf",
        "token: null, username: 1e999, password: pw",
        "token: t, as: 1e999",
    ]);
}

#[test]
fn proofs_of_a_user() {
    users_as_kubectl([
        "token: t, tokenFile: token",
        "tokenFile: token",
        "tokenFile: ./nope/../token",
        "tokenFile: ~/token",
        "tokenFile: nope",
        "tokenFile: folder",
        "tokenFile: nope, token: t",
        "tokenFile: empty, token: t",
        "tokenFile: '', token: t",
        "tokenFile: token, username: me",
        "tokenFile: token, password: pw",
        "token: t, username: me, password: pw",
        "token: t, password: pw",
        "token: t, username: '', password: ''",
        "token: \"t\\n\"",
        "token: ' t'",
        "token: 't  '",
        "token: \"t\\t\"",
        "token: '  '",
        "token: t, as: 'jane '",
        "client-certificate-data: eA==",
        "token: té",
        "username: me",
        "username: 'a:b', password: 'p:w é'",
        "token: t, auth-provider: {}",
        "token: t, auth-provider: {name: null, config: null}",
        "auth-provider: {name: gcp, config: null}",
        "auth-provider: {name: azure}, token: t",
        "auth-provider: {name: unheard-of}, username: me",
        "auth-provider: {name: oidc, config: {id-token: null}}",
        "client-key: nope.key, token: t",
        "client-certificate: '', client-key: '', client-certificate-data: '', token: t",
        "client-certificate: nope.crt, client-key: nope.key, token: t",
        "token: t, as-groups: [g]",
        "token: t, as: jane, as-groups: [g], as-uid: '7', as-user-extra: {k: [v]}",
    ]);
}

#[test]
fn the_token_of_an_auth_provider_for_openid_connect() {
    let token = |expires: u64| {
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", part("{\"alg\":\"none\"}"), part(&format!("{{\"exp\":{expires}}}")))
    };
    for (expires, connects) in [(4_000_000_000, true), (1_000_000_000, false)] {
        let config =
            format!("idp-issuer-url: 'https://id.invalid', client-id: me, id-token: {}", token(expires));
        let world = with_user(&format!("auth-provider: {{name: oidc, config: {{{config}}}}}"));
        assert_eq!(world.as_kubectl("").connected, connects);
    }
}

#[test]
fn lists_and_entries() {
    changed_as_kubectl([
        ("users:\n", "users:\n- null\n"),
        ("users:\n", "users:\n- {user: {token: other}}\n"),
        ("users:\n", "users:\n- {name: u, user: {token: other}}\n"),
        ("contexts:\n", "contexts:\n- {name: x, context: {cluster: c, user: other}}\n"),
        ("{cluster: c, user: u}", "null"),
        ("{cluster: c, user: u}", "{user: u}"),
        ("{cluster: c, user: u}", "{cluster: nope, user: u}"),
        ("{cluster: c, user: u}", "{cluster: c, user: u, namespace: 7}"),
        ("{cluster: c, user: u}", "{cluster: c, user: u, namespace: null}"),
        ("{token: t}", "text"),
        ("current-context: x", "current-context: ''"),
        ("current-context: x", "current-context: nope"),
        ("current-context: x", "current-context: 7"),
        ("current-context: x", "current-context: 1e999"),
        ("current-context: x", "current-context: .inf"),
        ("current-context: x", "current-context: yes"),
        ("current-context: x", ""),
        ("contexts:\n", "contexts: {}\nold:\n"),
        ("contexts:\n", "contexts:\nold:\n"),
        ("server:", "old:"),
        ("certificate-authority:", "insecure-skip-tls-verify: yes, old:"),
        ("certificate-authority:", "insecure-skip-tls-verify: 'true', old:"),
        ("certificate-authority:", "insecure-skip-tls-verify: On, old:"),
        ("certificate-authority:", "insecure-skip-tls-verify: y, old:"),
        ("certificate-authority:", "insecure-skip-tls-verify: no, old:"),
        ("certificate-authority:", "insecure-skip-tls-verify: \"yes\", old:"),
        ("certificate-authority:", "insecure-skip-tls-verify: 'on', old:"),
        ("certificate-authority:", "insecure-skip-tls-verify: !!str yes, old:"),
        ("certificate-authority:", "insecure-skip-tls-verify: .inf, old:"),
        ("certificate-authority:", "tls-server-name: 'a b', certificate-authority:"),
        ("certificate-authority:", "tls-server-name: 1e999, certificate-authority:"),
        ("certificate-authority:", "insecure-skip-tls-verify: 1, old:"),
        ("certificate-authority:", "insecure-skip-tls-verify: true, certificate-authority:"),
        ("certificate-authority:", "insecure-skip-tls-verify: false, certificate-authority:"),
        ("certificate-authority: ca.crt", "certificate-authority: nope/../ca.crt"),
        ("certificate-authority: ca.crt", "certificate-authority: ~/ca.crt"),
        ("certificate-authority: ca.crt", "certificate-authority: ''"),
        ("certificate-authority: ca.crt", "certificate-authority: ca.crt, certificate-authority-data: ''"),
        (
            "certificate-authority: ca.crt",
            "certificate-authority: ca.crt, certificate-authority-data: Z2FyYmFnZQ==",
        ),
        ("certificate-authority: ca.crt", "certificate-authority: ca.crt, proxy-url: ''"),
        ("certificate-authority: ca.crt", "certificate-authority: ca.crt, proxy-url: '127.0.0.1:1'"),
        ("certificate-authority: ca.crt", "certificate-authority: ca.crt, proxy-url: 'ftp://127.0.0.1'"),
    ]);
}

#[test]
fn the_text_of_a_file() {
    let world = world();
    let config = config(&world, "", "token: t", "");
    let json = serde_json::json!({
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": world.url(), "certificate-authority": "ca.crt"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    });
    let texts = [
        format!("\u{feff}{config}"),
        config.replace('\n', "\r\n"),
        format!("---\n{config}...\n"),
        format!("{config}---\nusers: [\n"),
        format!("{config}current-context: nope\n"),
        config.replace("users:", "anchor: &a {token: anchored}\nusers:").replace("{token: t}", "{<<: *a}"),
        config.replace("{token: t}", "{token: *nowhere}"),
        config.replace("apiVersion: v1\nkind: Config\n", ""),
        config.replace("apiVersion: v1", "apiVersion: v2"),
        config.replace("kind: Config", "kind: Pod"),
        config.replace("contexts:", "\tcontexts:"),
        serde_json::to_string_pretty(&json).unwrap(),
        "text".into(),
        "- list".into(),
        "a: [".into(),
        String::new(),
    ];
    for text in texts {
        world.home.write("kubeconfig", &text);
        world.as_kubectl("");
    }
    let utf16: Vec<u8> = format!("\u{feff}{config}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(world.home.path("kubeconfig"), utf16).unwrap();
    assert!(world.as_kubectl("").connected);
}

/// In client-go a merge that stands behind a key replaces it. The parser puts the map's own key first, as YAML has it.
#[test]
fn a_key_goes_before_a_merge() {
    let world = world();
    let merged =
        |user: &str| config(&world, "", user, "").replace("users:", "anchor: &a {token: merged}\nusers:");
    world.home.write("kubeconfig", &merged("<<: *a, token: own"));
    assert!(world.as_kubectl("").connected);
    world.home.write("kubeconfig", &merged("token: own, <<: *a"));
    let decision = world.unlike_kubectl("");
    assert!(decision.authorization.contains(&Some("Bearer own".into())), "{}", decision.err);
}

#[test]
fn names_that_look_like_numbers() {
    changed_as_kubectl([
        ("current-context: x\ncontexts:\n- {name: x,", "current-context: 1e999\ncontexts:\n- {name: 1e999,"),
        ("current-context: x\ncontexts:\n- {name: x,", "current-context: yes\ncontexts:\n- {name: yes,"),
        ("current-context: x\ncontexts:\n- {name: x,", "current-context: 'y'\ncontexts:\n- {name: 'y',"),
    ]);
}

/// kubectl sends it all the same, as no name of TLS is, and some servers refuse it.
#[test]
fn a_name_for_the_server_that_is_none_does_no_harm_if_nothing_is_verified() {
    let world = world();
    let cluster = "certificate-authority: '', insecure-skip-tls-verify: true, tls-server-name: 'a b'";
    world.home.write("kubeconfig", &config(&world, cluster, "token: t", ""));
    assert!(world.ours("").connected);
    world.home.write("kubeconfig", &config(&world, "tls-server-name: 'a b'", "token: t", ""));
    let kubeconfig = world.home.path("kubeconfig").display().to_string();
    let expected =
        format!("tls-server-name of cluster \"c\" of {kubeconfig} is neither a host name nor an IP address");
    assert!(world.as_kubectl("").err.contains(&expected));
    let expected = "--tls-server-name is neither a host name nor an IP address";
    assert!(world.as_kubectl("--tls-server-name a_/b").err.contains(expected));
}

/// kubectl puts some of them into the path of its requests, where they select other resources.
#[test]
fn the_namespace_of_a_context_is_a_name() {
    let world = world();
    for namespace in ["../../..", "a?x=1", "a/../b", "a%2fb", " default", "A B", "a#b"] {
        let config = config(&world, "", "token: t", "");
        let config = config.replace("user: u}", &format!("user: u, namespace: '{namespace}'}}"));
        world.home.write("kubeconfig", &config);
        let decision = world.ours("");
        let expected = format!(
            "context \"x\" of {}: namespace is {namespace:?}, and must be the name of a namespace",
            world.home.path("kubeconfig").display()
        );
        assert!(!decision.connected && decision.err.contains(&expected), "{}", decision.err);
        assert!(decision.authorization.is_empty(), "nothing is sent");
    }
}

#[test]
fn flags_beside_a_kubeconfig() {
    let world = world();
    let other = "- {name: other, user: {token: other}}\n";
    world.home.write("kubeconfig", &config(&world, "", "token: t", other));
    let server =
        format!("--server {} --certificate-authority {}", world.url(), world.home.path("ca.crt").display());
    for flags in [
        "--context x",
        "--context nope",
        "--context ''",
        "--user other",
        "--user nope",
        "--user ''",
        "--cluster c",
        "--cluster nope",
        "--token flag",
        "--token ''",
        "--server ''",
        "--kubeconfig ''",
        "--kubeconfig /dev/null",
        "--kubeconfig nope",
        "--kubeconfig folder",
        "--kubeconfig ~/kubeconfig",
        "--as jane --as-group g --as-uid 7",
        "--as-group g",
        &server,
        &format!("{server} --cluster nope"),
        &format!("{server} --kubeconfig /dev/null --token flag"),
        &format!("--tls-server-name '' {server}"),
    ] {
        world.as_kubectl(flags);
    }
    for (from, to) in [
        ("cluster: c,", "cluster: nope,"),
        ("x, context: {cluster: c, user: u}", "y"),
        ("user: u}", "user: nope}"),
    ] {
        world.home.write("kubeconfig", &config(&world, "", "token: t", other).replace(from, to));
        world.as_kubectl("--cluster c --user other");
        world.as_kubectl(&format!("{server} --token flag"));
    }
}

#[test]
fn several_files() {
    let files = |names: [&str; 2]| world().with_kubeconfigs(names);
    let cases = [
        ("username: me", "token: t", ["first", "second"]),
        ("token: t", "token: other", ["second", "first"]),
        ("token: t", "token: other", ["missing", "second"]),
        ("token: t", "token: other", ["first", "missing"]),
        ("token: t", "token: other", ["folder", "second"]),
        ("token: t", "token: other", ["", "broken"]),
        ("token: t", "token: other", ["second", "broken"]),
        ("token: t", "token: other", ["none", "second"]),
        ("token: t", "token: other", ["elsewhere/config", "second"]),
        ("token: t", "token: other", ["first", "first"]),
    ];
    for (first, second, names) in cases {
        let world = files(names);
        world.home.write("first", &config(&world, "", first, ""));
        world.home.write("second", &config(&world, "", second, ""));
        world.home.write("broken", "a: [");
        world.home.write("none", "current-context: ''\ncontexts: []\n");
        world.home.write("elsewhere/config", &config(&world, "", "tokenFile: token", ""));
        world.home.write("elsewhere/ca.crt", world.ca_pem().unwrap());
        world.home.write("elsewhere/token", "elsewhere");
        world.as_kubectl("");
    }
}

/// kubectl refuses the whole file for one wrong entry: here only what is chosen has to be right.
#[test]
fn an_entry_that_is_not_chosen_does_no_harm() {
    let world = world();
    for (from, to) in [
        ("users:\n", "users:\n- text\n"),
        ("users:\n", "users:\n- {name: 7, user: {token: 7}}\n- {name: z}\n- {name: z}\n"),
        (
            "users:\n",
            "users:\n- {name: z, user: {exec: {args: {}}, as-groups: x, client-certificate-data: '*'}}\n",
        ),
        ("clusters:\n", "clusters:\n- {name: z, cluster: {insecure-skip-tls-verify: 'no', server: 7}}\n"),
        ("contexts:\n", "contexts:\n- {name: z, context: [x]}\n- 7\n"),
        ("users:\n", "preferences: 7\nextensions: 7\nusers:\n"),
    ] {
        let config = config(&world, "", "token: t", "");
        world.home.write("kubeconfig", &config.replace(from, to));
        assert!(world.unlike_kubectl("").connected, "{to}");
    }
}

/// kubectl asks for a user name on standard input, which may be the user's logs, and sends a request before. A user
/// without credentials is anonymous here, as some clusters allow; one that must have some is an error.
#[test]
fn nobody_is_asked_for_a_name() {
    for user in ["", "token: null", "exec: null"] {
        let decision = with_user(user).unlike_kubectl("");
        assert!(decision.connected && decision.authorization.iter().all(Option::is_none), "{user}");
    }
    let decision = with_user("password: pw").unlike_kubectl("");
    assert!(decision.err.contains("has a password, and no username"), "{}", decision.err);
    let decision = with_user("tokenFile: empty").ours("");
    assert!(decision.err.contains("empty is empty"), "{}", decision.err);
    let world = with_user("");
    let config = world.home.read("kubeconfig").replace("user: u}", "user: nope}");
    world.home.write("kubeconfig", &config);
    let decision = world.unlike_kubectl("");
    assert!(decision.err.contains("user \"nope\" does not exist in "), "{}", decision.err);
}

/// client-go forgets that a flag should replace the file (it does so in a pod), and takes the flag for one proof too
/// many beside a password; it does not try the flag where the kubeconfig's plugin has been removed.
#[test]
fn a_token_of_the_flag_replaces_all_proofs_of_the_kubeconfig() {
    for user in ["tokenFile: token", "username: me, password: pw", "auth-provider: {name: gcp}"] {
        let decision = with_user(user).unlike_kubectl("--token flag");
        assert!(decision.authorization.contains(&Some("Bearer flag".into())), "{user}: {}", decision.err);
    }
    with_user("token: t").as_kubectl("--token flag");
    with_user("exec: {apiVersion: v1, command: nope}").ours("--token flag");
}

#[test]
fn an_error_names_file_entry_and_key_and_never_a_secret() {
    let cases = [
        ("token: [secret-1]", "user \"u\" of FILE: token is a list, and must be text"),
        ("token: 12345", "user \"u\" of FILE: token is a number, and must be text: put it in quotes"),
        ("token: \"secret-1\\n\"", "token of user \"u\" of FILE has characters that cannot be sent"),
        ("token: secret-1, username: me", "user \"u\" of FILE has both token and username: remove one"),
        ("exec: {env: [{value: secret-1}]}", "user \"u\" of FILE: exec.command is missing"),
        (
            "exec: {args: [secret-1, 7]}",
            "user \"u\" of FILE: exec.args has a number, and must be a list of texts",
        ),
        ("token: .inf", "user \"u\" of FILE: token is a number, and must be text: put it in quotes"),
        (
            "client-certificate-data: 'secret-1'",
            "client-certificate-data of user \"u\" of FILE is not base64: ",
        ),
        (
            "client-certificate-data: eA==",
            "the client certificate of user \"u\" of FILE has no key: add client-key",
        ),
        (
            "token: secret-1, as-groups: [g]",
            "user \"u\" of FILE has as-groups, as-uid or as-user-extra, and no user for them: add as, or give --as",
        ),
        (
            "token: secret-1, as: \"b\\nX\"",
            "as or a related key of user \"u\" of FILE has characters that cannot be sent",
        ),
        ("exec: secret-1", "exec of user \"u\" of FILE is text, and must be a map"),
    ];
    for (user, expected) in cases {
        let world = with_user(user);
        let expected = expected.replace("FILE", &world.home.path("kubeconfig").display().to_string());
        world.run("web").fails_with(1, &[&expected]).never_reported("secret-1").never_reported("12345");
    }
}
