//! Tails a small cluster in this process: a few pods write lines, one crashes, one starts late.
//!
//! `cargo run --release --example demo [-- ARGS]`: ARGS are stern-rs's own, such as `-o json` or `-i 'level=error'`.
#![allow(clippy::print_stderr, reason = "the example reports errors on the terminal")]

use std::{env, process, thread, time::Duration};

use apiserver::{ApiServer, Pod};
use stern_rs::Io;

const BEATS: usize = 40;
const BEAT: Duration = Duration::from_millis(250);

fn main() -> process::ExitCode {
    let server = ApiServer::start();
    for name in ["web-7d9c5b8f6-abcde", "web-7d9c5b8f6-fghij"] {
        server.add_pod(Pod::new(name).label("app", "web").container("nginx").container("app"));
    }
    server.add_pod(Pod::new("worker-0").label("app", "worker").init_container("migrate").container("worker"));
    server.log("worker-0/migrate").push("schema is at version 42");

    let kubeconfig = env::temp_dir().join(format!("stern-rs-demo-{}", process::id()));
    if let Err(error) = server.write_kubeconfig(&kubeconfig) {
        eprintln!("cannot write {}: {error}", kubeconfig.display());
        return process::ExitCode::FAILURE;
    }
    let mut args: Vec<_> = vec!["stern-rs".into(), "--kubeconfig".into(), kubeconfig.clone().into()];
    args.extend(env::args_os().skip(1));
    if args.len() == 3 {
        args.push(".".into());
    }

    thread::spawn(move || {
        run_pods(&server);
        // Following would never end.
        let _ = std::fs::remove_file(&kubeconfig);
        process::exit(0);
    });
    stern_rs::run(args, Io::process()).into()
}

/// Lets the pods write, start, restart and go.
fn run_pods(server: &ApiServer) {
    let write = |container: &str, line: String| {
        server.log(container).push(line);
    };
    for beat in 0..BEATS {
        thread::sleep(BEAT);
        let pod = ["web-7d9c5b8f6-abcde", "web-7d9c5b8f6-fghij"][beat % 2];
        write(&format!("{pod}/nginx"), format!("GET /cart/{beat} 200 {}ms", 3 + beat * 7 % 40));
        match beat % 7 {
            2 => write(&format!("{pod}/app"), format!("level=info msg=\"order {beat} placed\"")),
            3 => write(&format!("{pod}/app"), "level=error msg=\"payment declined\"".to_owned()),
            _ => write("worker-0/worker", format!("{{\"level\":\"info\",\"job\":{beat}}}")),
        }
        match beat {
            12 => server.add_pod(Pod::new("web-7d9c5b8f6-klmno").label("app", "web").container("nginx")),
            14 => write("web-7d9c5b8f6-klmno/nginx", "ready".to_owned()),
            20 => write("worker-0/worker", "panic: out of cheese".to_owned()),
            21 => server.restart_container("worker-0/worker"),
            22 => write("worker-0/worker", "restarted".to_owned()),
            34 => server.delete_pod("web-7d9c5b8f6-klmno"),
            _ => {}
        }
    }
    thread::sleep(BEAT * 4);
}
