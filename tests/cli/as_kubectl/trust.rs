//! Certificates of servers, and who vouches for them.

use std::{fs, path::PathBuf, sync::Mutex, thread};

use apiserver::{ApiServer, Builder};

use crate::harness::{Decision, World};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cli/as_kubectl/certificates")
}

pub fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn server() -> Builder {
    ApiServer::builder().tls().token("sesame")
}

/// A server with this certificate of the folder, whose clients are given the authorities of its bundle.
fn certified(case: &str) -> World {
    World::of(server().certificate(&read(&format!("{case}.crt")), &read(&format!("{case}.ca"))))
}

/// A world whose kubeconfig has these lines about the authority, in place of its own.
fn given(world: World, lines: &str) -> World {
    let config = world.kubeconfig();
    let own = config.lines().find(|line| line.contains("certificate-authority-data")).unwrap();
    world.home.write("kubeconfig", &config.replace(own, lines));
    world
}

#[test]
fn certificates_are_trusted_or_not() {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let cases = files.filter(|path| path.extension().is_some_and(|kind| kind == "crt"));
    // aws-lc knows no RSA key of less than 2048 bits.
    let cases = cases.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    let cases = Mutex::new(cases.filter(|case| case != "rsa1024-sha256").collect::<Vec<_>>());
    let next = || cases.lock().unwrap().pop();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = next() {
                    let name = match case.as_str() {
                        "name-wildcard-alone" => "--tls-server-name localhost",
                        case if case.starts_with("name-wildcard") => "--tls-server-name a.k8s.example",
                        _ => "",
                    };
                    certified(&case).as_kubectl(name);
                }
            });
        }
    });
}

#[test]
fn an_authority_of_the_kubeconfig_is_trusted() {
    assert!(World::of(server()).as_kubectl("").connected);
}

#[test]
fn an_unknown_authority_is_not() {
    let (world, other) = (World::of(server()), World::of(server()));
    let ca = world.home.write("other.crt", other.ca_pem().unwrap());
    let decision = world.as_kubectl(&format!("--certificate-authority {ca}"));
    assert!(!decision.connected && decision.authorization.is_empty());
}

/// The decision for what the kubeconfig and the flags say about trust, the files being those of the server's authority
/// (`own.crt`) and of another (`other.crt`).
fn decided(kubeconfig: &str, flags: &str) -> Decision {
    let (world, other) = (World::of(server()), World::of(server()));
    world.home.write("own.crt", world.ca_pem().unwrap());
    world.home.write("other.crt", other.ca_pem().unwrap());
    world.home.write("empty.crt", "");
    given(world, &format!("    {kubeconfig}")).as_kubectl(flags)
}

#[test]
fn kubeconfig_and_flags_together_say_who_is_trusted() {
    const OWN: &str = "certificate-authority: own.crt";
    const OTHER: &str = "certificate-authority: other.crt";
    const INSECURE: &str = "insecure-skip-tls-verify: true";
    let both = format!("{OWN}\n    {INSECURE}");
    let none = "insecure-skip-tls-verify: false";
    let kubeconfigs = [none, OWN, OTHER, INSECURE, &both, "certificate-authority: empty.crt"];
    let flags = [
        "",
        "--certificate-authority own.crt",
        "--certificate-authority other.crt",
        "--insecure-skip-tls-verify",
        "--insecure-skip-tls-verify=false",
        "--insecure-skip-tls-verify --certificate-authority own.crt",
    ];
    let connected = kubeconfigs.map(|kubeconfig| flags.map(|flags| decided(kubeconfig, flags).connected));
    assert_eq!(
        connected,
        [
            [false, true, false, true, false, false],
            [true, true, false, true, true, false],
            [false, true, false, true, false, false],
            [true, true, false, true, true, false],
            [false, true, false, true, false, false],
            [false, true, false, true, false, false],
        ]
    );
}

#[test]
fn no_verification_by_the_kubeconfig_alone_is_reported() {
    let said = "is not verified, since the kubeconfig says insecure-skip-tls-verify";
    let decision = decided("insecure-skip-tls-verify: true", "");
    assert!(decision.connected && decision.err.matches(said).count() == 1, "{}", decision.err);
    let decision = decided("insecure-skip-tls-verify: true", "--insecure-skip-tls-verify");
    assert!(decision.connected && !decision.err.contains(said), "{}", decision.err);
}

#[test]
fn both_in_one_cluster_are_refused_by_name() {
    let decision = decided("certificate-authority: own.crt\n    insecure-skip-tls-verify: true", "");
    assert!(
        decision.err.contains("both insecure-skip-tls-verify and certificate-authority"),
        "{}",
        decision.err
    );
}

/// The decision for a bundle made of this server's authority.
fn bundled(bundle: impl Fn(&str) -> String) -> Decision {
    let world = World::of(server());
    world.home.write("bundle.crt", &bundle(world.ca_pem().unwrap()));
    given(world, "    certificate-authority: bundle.crt").as_kubectl("")
}

#[test]
fn a_block_that_cannot_be_read_hides_no_other_and_is_named() {
    let broken = [
        ("-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n", "it is not base64"),
        ("-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----\n", "it is no X.509 certificate"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n", "it has no end"),
        (
            "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
            "it is not a CERTIFICATE but \"PRIVATE KEY\"",
        ),
        ("-----BEGIN CERTIFICATE-----\na: b\n\nMIIB\n-----END CERTIFICATE-----\n", "it has headers"),
    ];
    for (broken, problem) in broken {
        let said = format!("bundle.crt: the block at line 2 is skipped: {problem}");
        let decision = bundled(|own| format!("# Kubernetes\n{broken}{own}the end"));
        assert!(decision.connected && decision.err.contains(&said), "{said}\n{}", decision.err);
        let decision = bundled(|own| format!("{own}{broken}"));
        assert!(decision.connected && decision.err.contains(problem), "{problem}\n{}", decision.err);
        let decision = bundled(|_| broken.to_owned());
        assert!(!decision.connected && decision.err.contains(problem), "{problem}\n{}", decision.err);
    }
}

#[test]
fn a_bundle_may_be_written_in_many_ways() {
    for bundle in [
        |own: &str| own.replace('\n', "\r\n"),
        |own: &str| own.trim_end().to_owned(),
        |own: &str| own.replace("-----\n", "-----  \n"),
        |own: &str| format!("{own}{own}"),
    ] {
        let decision = bundled(bundle);
        assert!(decision.connected && !decision.err.contains("skipped"), "{}", decision.err);
    }
    for bundle in [
        |own: &str| own.replace('\n', "\n  "),
        |own: &str| format!("  {own}"),
        |own: &str| format!("\u{feff}{own}"),
        |own: &str| format!("{}{own}", own.trim_end()),
        |own: &str| own.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
    ] {
        assert!(!bundled(bundle).connected);
    }
}

// Elsewhere the system decides by its own authorities.
#[cfg(target_os = "linux")]
#[test]
fn tls_is_set_up_only_where_it_is_needed() {
    let bare = |world: &World, flags: &str| {
        let command = world.stern_rs(&format!(". --no-follow {flags}"));
        command.env("SSL_CERT_FILE", "/nonexistent").env("SSL_CERT_DIR", "/nonexistent").run()
    };
    assert!(bare(&World::web(["a"]), "").succeeded());
    let world = given(World::of(server()), "    tls-server-name: ''");
    assert!(bare(&world, "--insecure-skip-tls-verify").succeeded());
    bare(&world, "").fails_with(1, &["is not in the authorities of this machine, which has none"]);
}

#[cfg(target_os = "linux")]
#[test]
fn the_machine_may_trust_a_server_as_it_is() {
    let world = given(certified("own-authority"), "    tls-server-name: ''");
    let file = world.home.write("machine.pem", &read("own-authority.ca"));
    let run = |variable| world.stern_rs(". --no-follow").env(variable, &file).run();
    assert!(run("SSL_CERT_FILE").succeeded());
    run("UNRELATED").fails_with(1, &["it is signed by itself, and not in the authorities of this machine"]);
}

#[test]
fn authorities_of_a_server_without_tls_are_only_read() {
    let world = World::of(ApiServer::builder());
    world.home.write("broken.crt", "broken");
    for (authority, connects) in [
        ("certificate-authority: broken.crt", true),
        ("certificate-authority: missing.crt", false),
        ("certificate-authority-data: '?'", false),
        ("tls-server-name: 'not a name'", true),
    ] {
        let config = world.kubeconfig().replace("    server:", &format!("    {authority}\n    server:"));
        world.home.write("kubeconfig", &config);
        // Without credentials kubectl would ask for a name.
        let decision = world.as_kubectl("--token x");
        assert_eq!(decision.connected, connects, "{authority}: {}", decision.err);
    }
}
