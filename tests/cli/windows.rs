//! What is of Windows alone: its names of files, its programs, its keys.

use std::{env, fs};

use apiserver::{ApiServer, Pod};

use crate::{
    connection::shown,
    harness::{World, list},
};

const V1: &str = "client.authentication.k8s.io/v1";

/// A world whose kubeconfig has an exec plugin with these fields, and `bin` in `PATH`.
fn with_plugin(exec: &str) -> World {
    let mut world = shown(World::of(ApiServer::builder().tls().token("sesame")));
    let config = world.kubeconfig();
    let (before, _) = config.split_once("    token:").expect("the server demands a token");
    let exec = format!("exec: {{apiVersion: {V1}, interactiveMode: Never, {exec}}}");
    world.home.write("kubeconfig", &format!("{before}    {exec}\n"));
    let credential =
        format!(r#"{{"apiVersion":"{V1}","kind":"ExecCredential","status":{{"token":"sesame"}}}}"#);
    world.home.write("bin/plug.cmd", &format!("@echo {credential}\r\n"));
    let bin = world.home.path("bin");
    let rest = env::var_os("PATH").unwrap_or_default();
    world.path = Some(list([bin].into_iter().chain(env::split_paths(&rest))));
    world
}

#[test]
fn a_plugin_has_the_ending_that_its_name_leaves_out() {
    for exec in ["command: plug", "command: plug.cmd", "command: bin/plug", r"command: bin\plug"] {
        with_plugin(exec).run("web --no-follow").stdout("web-1 app a\n").exit(0);
    }
    let world = with_plugin("command: cmd, args: [/C, plug]");
    world.run("web --no-follow").stdout("web-1 app a\n").exit(0);
}

#[test]
fn the_kubeconfig_is_in_the_profile_of_the_user() {
    let world = World::web(["a"]);
    world.home.write(".kube/config", &world.kubeconfig());
    world.stern_rs("web --no-follow").env("KUBECONFIG", "").run().stdout("web-1 app a\n").exit(0);
}

#[test]
fn ctrl_break_ends_it_at_once() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.ctrl_break().exit(131);
}

#[test]
fn containers_with_names_of_devices_have_files() {
    let world = World::new();
    world.add_pod(Pod::new("web-1").container("con").container("aux"));
    for name in ["con", "aux"] {
        world.log(&format!("web-1/{name}")).push(name);
    }
    world.run("web --no-follow -o raw --output-dir logs").lines(["con", "aux"]).exit(0);
    assert_eq!(world.home.read("logs/default/web-1/con_.log"), "con\n");
    assert_eq!(world.home.read("logs/default/web-1/aux_.log"), "aux\n");
}

#[test]
fn a_path_may_be_longer_than_old_programs_allow() {
    let world = World::new();
    let pod = format!("web-{}", "x".repeat(200));
    world.pod(&pod, ["a"]);
    world.run("web --no-follow -o raw --output-dir logs/of/the/day").exit(0);
    let path = world.home.path(&format!("logs/of/the/day/default/{pod}/app.log"));
    assert!(path.as_os_str().len() > 260);
    assert_eq!(fs::read_to_string(path).unwrap(), "a\n");
}
