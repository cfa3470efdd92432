//! The cluster that the examples of each page find, and what happens in it while a command runs.

use std::{
    fs,
    time::{Duration, Instant},
};

use apiserver::{Pod, Workload};
use jiff::{SignedDuration, Timestamp};

use crate::harness::{Tail, World};

/// The pages with examples that are run.
pub const PAGES: [&str; 5] =
    ["README.md", "docs/usage.md", "docs/reading.md", "docs/install.md", "docs/ko.md"];

/// The way in which a command ends.
pub enum Then {
    Ends,
    CtrlC,
}

pub type Scene = fn(&World, &Tail) -> Then;

pub fn of(page: &str) -> World {
    let world = World::new();
    // The masks of `--redact` depend on it.
    fs::write(world.home.path("key"), [7; 32]).expect("a file in the home directory");
    match page {
        "README.md" => shop(&world),
        "docs/usage.md" => manual(&world),
        _ => {}
    }
    world
}

/// Whether what the command shows depends on a terminal.
pub fn on_terminal(command: &str) -> bool {
    command.contains("--markers")
}

/// What happens while the command runs; None if nothing does.
pub fn scene(page: &str, command: &str) -> Option<Scene> {
    let is = |name: &str, start: &str| page == name && command.starts_with(start);
    match () {
        () if is("README.md", "stern-rs 'web|worker'") => Some(live),
        () if command.starts_with("stern-rs job/migrate") => Some(job),
        () if is("docs/usage.md", "stern-rs web --with-previous") => Some(crashed),
        () if is("docs/usage.md", "stern-rs web -n shop --output-dir") => Some(files),
        () => None,
    }
}

const ORDERS: [&str; 8] = [
    r#"{"level":"info","ts":"2024-05-31T14:05:00.120Z","msg":"order placed","order":4711,"user":"ann@example.com","ms":12}"#,
    r#"{"level":"info","ts":"2024-05-31T14:05:01.310Z","msg":"order placed","order":4712,"user":"bob@example.com","ms":9}"#,
    r#"{"level":"warn","ts":"2024-05-31T14:05:01.312Z","msg":"stock is low","item":17,"left":3}"#,
    r#"{"level":"error","ts":"2024-05-31T14:05:02.580Z","msg":"payment failed","order":4712,"http":{"status":502},"ms":1250}"#,
    "2024-05-31 14:05:03.400 ERROR 1 --- [main] c.e.Mailer : cannot send the receipt",
    "java.lang.IllegalStateException: no connection",
    "\tat c.e.Mailer.send(Mailer.java:42)",
    r#"{"level":"info","ts":"2024-05-31T14:05:04.002Z","msg":"order placed","order":4713,"user":"ann@example.com","ms":11}"#,
];

fn shop(world: &World) {
    world.add(Workload::deployment("web").selects("app", "web"));
    world.add_pod(Pod::new("web-1").label("app", "web").container("nginx").container("app"));
    world.add_pod(Pod::new("worker-0").container("worker").started(ago(92)));
    world.pod("shop/orders-0", ORDERS);
    world.home.write("orders.log", &ORDERS.join("\n"));
    let cart = Pod::new("cart-0").namespace("shop").container("app").last_terminated(3, "Error").ran(252);
    world.add_pod(cart);
    world.previous_log("shop/cart-0/app").extend(["listening", "panic: out of ideas"]);
    world.log("shop/cart-0/app").extend([
        "listening",
        "GET /cart/1 200",
        "GET /cart/10 500",
        "ERROR cart 10 is locked",
        "GET /cart/11 200",
    ]);
    gates(world);
}

/// Two containers that write by turns.
fn gates(world: &World) {
    for name in ["gate-1", "gate-2"] {
        world.add_pod(Pod::new(name).namespace("night").started(at("2024-05-31T14:00:00Z")));
    }
    for (second, name) in [(1, "gate-1"), (2, "gate-2"), (3, "gate-1"), (400, "gate-2")] {
        let at = at("2024-05-31T14:05:00Z") + SignedDuration::from_secs(second);
        world.log(&format!("night/{name}/app")).push_at(at, format!("car {second} passes"));
    }
}

fn manual(world: &World) {
    let tick = Pod::new("tick").namespace("ranges").started(at("2024-05-31T09:56:22Z"));
    world.add_pod(tick);
    world.log("ranges/tick/app").lines_at(
        "2024-05-31T09:56:23Z",
        1_000_000_000,
        (1..60).map(|n| format!("tick {n}")),
    );

    world.add_pod(Pod::new("web").container("app").last_terminated(3, "Error").ran(4));
    world.previous_log("web/app").extend(["listening", "panic: out of ideas"]);
    world.log("web/app").push("listening");

    let carts = |n: u32| match n % 10 {
        0 if n > 0 => vec![format!("GET /cart/{n} 500"), format!("ERROR cart {n} is locked")],
        _ => vec![format!("GET /cart/{n} 200")],
    };
    world.pod("shop/cart-0", []);
    world.log("shop/cart-0/app").extend((1..25).flat_map(carts));

    world.add_pod(Pod::new("web-0").namespace("shop").started(ago(30)));
    world.log("shop/web-0/app").extend(["listening", "ERROR cart 30 is locked", "cannot reach the database"]);

    world.pod("shop/day", []);
    let times = ["11:03:50", "11:03:52", "11:05:02", "11:05:03"].map(|time| format!("2024-05-31T{time}Z"));
    for (at, line) in times.iter().zip(["started", "first backup", "second backup", "done"]) {
        world.log("shop/day/app").push_at(&**at, line);
    }
    world.terminate_container("shop/day/app", 0, "Completed");

    for name in ["w1", "w2", "w3"] {
        world.add_pod(Pod::new(name).namespace("sorted").started(at("2024-05-31T09:50:16Z")));
    }
    for (millis, name, line) in [(776, "w1", 1), (856, "w2", 1), (908, "w3", 1), (977, "w1", 2)] {
        let at = format!("2024-05-31T09:50:16.{millis}604989Z");
        world.log(&format!("sorted/{name}/app")).push_at(&*at, format!("line {line}"));
    }
}

fn at(time: &str) -> Timestamp {
    time.parse().expect("a time as in RFC 3339")
}

fn ago(seconds: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_secs(seconds)
}

/// Writes the line, and waits until it is shown.
fn say(world: &World, tail: &Tail, container: &str, line: &str) {
    world.log(container).push(line);
    let (pod, container) = container.split_once('/').expect("a pod and a container");
    tail.shown(&format!("\n{pod} {container} {line}\n"), 1);
}

/// Ends the instance of a container and starts another.
fn restart(world: &World, tail: &Tail, (pod, container): (&str, &str), exit_code: i32, seconds: i64) {
    world.update_pod(pod, |pod| pod.on(container).terminated(exit_code, "Error").ran(seconds));
    let name = pod.split_once('/').map_or(pod, |(_, name)| name);
    tail.shown(&format!("- {name} › {container} (Error"), 1);
    world.update_pod(pod, |pod| pod.on(container).running().restarts(1));
}

fn live(world: &World, tail: &Tail) -> Then {
    tail.shown("+ ", 3);
    say(world, tail, "web-1/nginx", "GET /cart/2 200 17ms");
    say(world, tail, "web-1/app", "level=info msg=\"order 2 placed\"");
    say(world, tail, "worker-0/worker", "job 11 done");
    world.add_pod(Pod::new("web-2").label("app", "web").container("nginx"));
    say(world, tail, "web-2/nginx", "ready");
    say(world, tail, "worker-0/worker", "panic: out of cheese");
    restart(world, tail, ("worker-0", "worker"), 2, 92);
    say(world, tail, "worker-0/worker", "listening");
    world.delete_pod("web-2");
    tail.shown("- web-2 › nginx", 1);
    Then::CtrlC
}

fn job(world: &World, tail: &Tail) -> Then {
    tail.shown("waiting for it\n", 1);
    let job = Workload::job("migrate").selects("job-name", "migrate");
    world.add(job.clone());
    world.add_pod(Pod::new("migrate-zvxcb").label("job-name", "migrate"));
    for line in ["migrating 3 tables", "no such table: orders"] {
        say(world, tail, "migrate-zvxcb/app", line);
    }
    world.terminate_container("migrate-zvxcb/app", 3, "Error");
    let reason = "Job has reached the specified backoff limit";
    world.add(job.condition("Failed", "BackoffLimitExceeded", reason));
    Then::Ends
}

fn crashed(_: &World, tail: &Tail) -> Then {
    tail.shown("web app listening\n", 2);
    Then::CtrlC
}

fn files(world: &World, tail: &Tail) -> Then {
    tail.shown("+ web-0 › app", 1);
    let until = |text: &str| {
        let began = Instant::now();
        while !world.home.read("logs/shop/web-0/app.log").contains(text) {
            assert!(began.elapsed() < Duration::from_secs(60), "timeout: the file has no {text:?}");
            std::thread::yield_now();
        }
    };
    until("database");
    restart(world, tail, ("shop/web-0", "app"), 3, 30);
    tail.shown("── web-0 › app restarted", 1);
    world.log("shop/web-0/app").push("starting");
    until("starting");
    Then::CtrlC
}
