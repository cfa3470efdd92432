//! Proxies on the way to the apiserver: whom they have to be trusted by, and what is said when they fail.

use apiserver::{ApiServer, Proxy};

use super::trust::read;
use crate::harness::World;

/// A world whose server has this certificate of the folder, behind a proxy.
fn behind(proxy: &Proxy, case: &str) -> World {
    let server = ApiServer::builder().token("sesame");
    let server = server.certificate(&read(&format!("{case}.crt")), &read(&format!("{case}.ca")));
    let world = World::of(server);
    lead_through(&world, &proxy.url());
    world
}

fn lead_through(world: &World, proxy: &str) {
    let config = world.kubeconfig();
    world
        .home
        .write("kubeconfig", &config.replace("    server:", &format!("    proxy-url: {proxy}\n    server:")));
}

fn https(case: &str) -> Proxy {
    Proxy::https(&read(&format!("{case}.crt")))
}

#[test]
fn a_proxy_is_trusted_by_the_authority_of_the_cluster() {
    let (of_cluster, of_another) = (https("plain"), https("own-leaf"));
    assert!(behind(&of_cluster, "plain").as_kubectl("").connected);
    assert!(!of_cluster.targets().is_empty());

    let world = behind(&of_another, "plain");
    let decision = world.as_kubectl("");
    let said = format!("the certificate of the proxy {} is not trusted", of_another.url());
    assert!(!decision.connected && decision.err.contains(&said), "{}", decision.err);

    let both = world.home.write("both.ca", &format!("{}{}", read("plain.ca"), read("own-leaf.ca")));
    assert!(world.as_kubectl(&format!("--certificate-authority {both}")).connected);
    assert!(world.as_kubectl("--insecure-skip-tls-verify").connected);
}

#[test]
fn the_name_for_the_server_is_expected_of_its_proxy_as_well() {
    let named = "--tls-server-name k8s.example";
    assert!(behind(&https("name-another"), "name-another").as_kubectl(named).connected);
    let decision = behind(&https("plain"), "name-another").as_kubectl(named);
    assert!(decision.err.contains("the certificate of the proxy"), "{}", decision.err);
    let decision = behind(&https("name-another"), "plain").as_kubectl("");
    assert!(decision.err.contains("the certificate of the proxy"), "{}", decision.err);
}

#[test]
fn the_server_is_blamed_for_its_own_certificate() {
    let proxy = https("own-leaf");
    let world = behind(&proxy, "plain");
    let own = world.home.write("own.ca", &read("own-leaf.ca"));
    let decision = world.as_kubectl(&format!("--certificate-authority {own}"));
    let said = format!("the certificate of {} is not trusted", world.url());
    assert!(decision.err.contains(&said), "{}", decision.err);
}

#[test]
fn a_server_without_tls_has_no_say_in_the_trust_in_its_proxy() {
    let (world, proxy) = (World::of(ApiServer::builder()), https("own-leaf"));
    lead_through(&world, &proxy.url());
    let ca = world.home.write("own.ca", &read("own-leaf.ca"));
    // Without credentials kubectl would ask for a name.
    for trust in ["", "--insecure-skip-tls-verify", &format!("--certificate-authority {ca}")] {
        let decision = world.as_kubectl(&format!("{trust} --token x"));
        let said = format!("the certificate of the proxy {} is not trusted", proxy.url());
        assert!(!decision.connected && decision.err.contains(&said), "{}", decision.err);
    }
}

#[test]
fn a_proxy_that_does_not_connect_is_named_with_its_words() {
    for (answer, said) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 9\r\n\r\nuse NTLM\n",
            "407 Proxy Authentication Required: “use NTLM”; its URL needs a valid user and password",
        ),
        ("HTTP/1.1 403 Forbidden\r\n\r\n<html><title>No!</title></html>", "403 Forbidden: “No!”"),
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "502 Bad Gateway"),
        ("HTTP/1.1 302 Found\r\nLocation: http://login/\r\n\r\n", "302 Found"),
        ("HTTP/1.0 503\r\n\r\n", "503"),
    ] {
        let proxy = Proxy::start();
        proxy.answer(answer);
        let world = behind(&proxy, "plain");
        let decision = world.as_kubectl("");
        let said = format!("the proxy {} does not connect to {}: {said}", proxy.url(), world.address());
        assert!(!decision.connected && decision.err.contains(&said), "{said}\n{}", decision.err);
    }
}

#[test]
fn a_proxy_that_cannot_be_understood_is_named() {
    for (answer, said) in [
        ("", "it closed the connection without an answer"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "it does not speak HTTP"),
        ("HTTP/1.1 200 OK\r\n\r\nhello", "it sent more than an answer"),
    ] {
        let proxy = Proxy::start();
        proxy.answer(answer);
        let decision = behind(&proxy, "plain").as_kubectl("");
        let said = format!("cannot reach the proxy {}: {said}", proxy.url());
        assert!(!decision.connected && decision.err.contains(&said), "{said}\n{}", decision.err);
    }
}

#[test]
fn a_proxy_without_tls_is_named_if_its_url_says_https() {
    let (proxy, world) = (Proxy::start(), World::of(ApiServer::builder().tls().token("sesame")));
    proxy.answer("HTTP/1.1 400 Bad Request\r\n\r\n");
    let url = proxy.url().replace("http:", "https:");
    lead_through(&world, &url);
    let decision = world.as_kubectl("");
    let said = format!("cannot reach the proxy {url}: it does not speak TLS");
    assert!(!decision.connected && decision.err.contains(&said), "{}", decision.err);
}

/// Many proxies connect to no port but those of TLS.
#[test]
fn a_server_without_tls_is_asked_through_its_proxy_and_not_behind_it() {
    let (world, proxy) = (World::of(ApiServer::builder()), Proxy::start());
    world.pod("web-1", ["a"]);
    proxy.require("Basic dTpw");
    lead_through(&world, &proxy.url().replace("http://", "http://u:p@"));
    assert!(world.as_kubectl("--token x").connected);
    world.run(". --no-follow").succeeded();
    let (targets, server) = (proxy.targets(), format!("{}/", world.url()));
    assert!(targets.len() > 2 && targets.iter().all(|target| target.starts_with(&server)), "{targets:?}");
}

#[test]
fn a_proxy_of_a_server_without_tls_is_named_for_its_own_refusal() {
    let (world, proxy) = (World::of(ApiServer::builder()), Proxy::start());
    proxy.require("Basic dTpw");
    lead_through(&world, &proxy.url());
    let decision = world.as_kubectl("--token x");
    let said = format!(
        "the proxy {} does not connect to {}: 407 Proxy Authentication Required; its URL needs a valid user",
        proxy.url(),
        world.address()
    );
    assert!(!decision.connected && decision.err.contains(&said), "{}", decision.err);
}

#[test]
fn the_address_to_correct_for_a_proxy_is_its_own() {
    let proxy = https("name-another");
    let decision = behind(&proxy, "name-another").as_kubectl("");
    let said = "give one of its names with --tls-server-name, or correct proxy-url or $HTTPS_PROXY";
    assert!(!decision.connected && decision.err.contains(said), "{}", decision.err);
}
