//! Exec plugins that are scripts of a shell, and a token file that is a pipe.

use apiserver::{ApiServer, Match};

use crate::{connection::shown, harness::World};

/// Writes a kubeconfig with an exec plugin that adds a line to `runs` and prints the token in the file `token`.
fn with_plugin(world: &World) {
    let script = "echo run >> runs\nprintf '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\
                  \"kind\":\"ExecCredential\",\"status\":{\"token\":\"%s\"}}' \"$(cat token)\"\n";
    let path = world.home.write("plugin", script);
    let exec = format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, args: [{path}], interactiveMode: Never}}"
    );
    let config = world.kubeconfig();
    let (before, _) = config.split_once("    token:").expect("the server demands a token");
    world.home.write("kubeconfig", &format!("{before}    {exec}\n"));
}

#[test]
fn a_plugin_runs_once_for_all_requests() {
    let world = shown(World::of(ApiServer::builder().tls().token("sesame")));
    world.pod("web-2", ["b"]);
    world.home.write("token", "sesame");
    with_plugin(&world);
    world.run("web --no-follow").lines(["web-1 app a", "web-2 app b"]).exit(0);
    assert_eq!(world.home.read("runs").lines().count(), 1);
}

#[test]
fn a_plugin_runs_again_when_its_token_is_refused() {
    let world = shown(World::of(ApiServer::builder().tls().token("first")));
    world.home.write("token", "first");
    with_plugin(&world);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    world.home.write("token", "second");
    world.set_token(Some("second"));
    world.pod("web-2", ["b"]);
    tail.expect("web-2 app b");
    tail.interrupt().exit(130);
    assert_eq!(world.home.read("runs").lines().count(), 2);
}

#[test]
fn a_plugin_that_fails_is_reported_below_its_own_words() {
    let world = World::of(ApiServer::builder().tls().token("sesame"));
    with_plugin(&world);
    world.home.write("plugin", "echo 'run: login' >&2\nexit 3\n");
    let ran = world.run("web").stdout("").exit(1).reported("failed (exit status: 3)");
    assert!(ran.err().starts_with("run: login\nstern-rs: exec plugin \"sh\" of user "), "{}", ran.err());
}

/// A plugin, an apiserver and a token file that are slow are each reported.
#[test]
fn a_start_that_waits_reports_the_reason() {
    let plugin = shown(World::of(ApiServer::builder().tls().token("sesame")));
    plugin.home.write("token", "sesame");
    with_plugin(&plugin);
    let script = plugin.home.read("plugin");
    plugin.home.write("plugin", &format!("until [ -e go ]; do sleep 0.1; done\n{script}"));
    let (silent, file) = (World::web(["a"]), shown(World::of(ApiServer::builder().tls().token("sesame"))));
    let gate = silent.hold(Match::lists());
    let pipe = file.home.fifo("token");
    let token_file = format!("    tokenFile: {}\n", pipe.display());
    file.home.write("kubeconfig", &file.kubeconfig().replace("    token: sesame\n", &token_file));

    let tails = [&plugin, &silent, &file].map(|world| world.start("web"));
    let [mut by_plugin, mut by_silent, mut by_file] = tails;
    by_plugin.reported("· waiting for the credential plugin \"sh\"\n");
    by_silent.reported(&format!("· waiting for {} to answer\n", silent.url()));
    by_file.reported(&format!("· waiting for the token file {}\n", pipe.display()));
    plugin.home.write("go", "");
    gate.release();
    std::fs::write(&pipe, "sesame").unwrap();
    for tail in [&mut by_plugin, &mut by_silent, &mut by_file] {
        tail.expect("web-1 app a");
    }
    for tail in [by_plugin, by_silent, by_file] {
        tail.interrupt().reported("waiting for").exit(130);
    }
}
