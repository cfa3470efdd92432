//! The address of an apiserver.

use apiserver::ApiServer;

use crate::harness::World;

#[test]
fn addresses() {
    let world = World::of(ApiServer::builder().tls());
    world.home.write("ca.crt", world.ca_pem().unwrap());
    let port = world.address().port();
    let too_high = u32::from(port) + 65536;
    for server in [
        format!("https://127.0.0.1:{port}"),
        format!("HTTPS://localhost:{port}/"),
        format!("https://LOCALHOST:{port}//"),
        format!("https://127.0.0.1:{port}/?a=b"),
        format!("https://127.0.0.1:{too_high}"),
        format!("https://127.0.0.1:+{port}"),
        format!("https://127.0.0.1:0{port}"),
        format!("https://127.0.0.1:{port}/%zz"),
        format!("https://me:p%77@127.0.0.1:{port}"),
        format!("https://me@127.0.0.1:{port}"),
        format!(" https://127.0.0.1:{port}"),
        format!("https://127.0.0.1:{port} "),
        format!("https://:{port}"),
        format!("https:/127.0.0.1:{port}"),
        format!("//127.0.0.1:{port}"),
        format!("ftp://127.0.0.1:{port}"),
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}/base"),
        "https://127.0.0.1:port".into(),
        "https://".into(),
        "unix:///var/run/x".into(),
        "/var/run/x".into(),
    ] {
        world.home.write(
            "kubeconfig",
            &format!(
                "current-context: x\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n\
                 clusters: [{{name: c, cluster: {{server: '{server}', certificate-authority: ca.crt}}}}]\n\
                 users: [{{name: u, user: {{token: t}}}}]\n"
            ),
        );
        world.as_kubectl("");
    }
}

#[test]
fn a_port_that_does_not_exist_is_refused() {
    let world = World::new();
    let ran = world.run("web --server https://127.0.0.1:70600");
    ran.fails_with(1, &["--server has a port that is not in 1 to 65535"]);
}
