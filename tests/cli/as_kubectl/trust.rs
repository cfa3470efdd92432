//! Certificates of servers and of users.

use apiserver::ApiServer;

use crate::harness::World;

#[test]
fn an_authority_of_the_kubeconfig_is_trusted() {
    let world = World::of(ApiServer::builder().tls().token("sesame"));
    assert!(world.as_kubectl("").connected);
}

#[test]
fn an_unknown_authority_is_not() {
    let world = World::of(ApiServer::builder().tls().token("sesame"));
    let other = World::of(ApiServer::builder().tls().token("sesame"));
    let ca = world.home.write("other.crt", other.ca_pem().unwrap());
    let decision = world.as_kubectl(&format!("--certificate-authority {ca}"));
    assert!(!decision.connected && decision.authorization.is_empty());
}
