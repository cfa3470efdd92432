//! The picture of the README: a recording of the program on a terminal. `UPDATE=1` writes it.
//!
//! All that the program prints is its own. Only the keys and the pauses are drawn, so that each run gives the same
//! file.

mod screen;
mod svg;

use std::{env, fs};

use apiserver::{Match, Pod};
use jiff::Timestamp;

use crate::{harness::World, terminal::Terminal, terminals};
use svg::Film;

const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/stern-rs.svg");

const CARTS: [&str; 2] = ["cart-7d9c5b8f6-hk2vp", "cart-7d9c5b8f6-x9w4n"];
const PAYMENTS: &str = "pay-5f6d8c7b9-z5b6j";

const CTRL_C: &str = "\x03";

/// A pod and its line, with a part that shows that it is on the terminal; without one it is filtered out.
type Line = (&'static str, &'static str, &'static str);

/// As they come.
const LIVE: [Line; 8] = [
    (CARTS[0], r#"level=info msg="GET /cart/17" status=200 took=3ms"#, "/cart/17"),
    (PAYMENTS, r#"{"ts":"2026-11-26T10:15:02.120Z","level":"info","msg":"paid","order":4711}"#, "4711"),
    (CARTS[1], r#"level=info msg="GET /cart/18" status=200 took=5ms"#, "/cart/18"),
    (
        PAYMENTS,
        r#"{"ts":"2026-11-26T10:15:04.310Z","level":"warn","msg":"slow query","took":"1.9s"}"#,
        "1.9s",
    ),
    (CARTS[0], r#"level=info msg="POST /orders" status=201 took=8ms"#, "/orders"),
    (PAYMENTS, r#"{"ts":"2026-11-26T10:15:05.871Z","level":"info","msg":"paid","order":4712}"#, "4712"),
    (CARTS[1], r#"level=info msg="GET /cart/19" status=200 took=4ms"#, "/cart/19"),
    (PAYMENTS, r#"{"ts":"2026-11-26T10:15:06.002Z","level":"error","msg":"declined","order":4713}"#, "4713"),
];

const BROKEN: [Line; 10] = [
    (CARTS[1], r#"time=2026-11-26T10:15:21.440Z level=info msg="GET /cart/21" status=200"#, ""),
    (
        PAYMENTS,
        r#"{"ts":"2026-11-26T10:15:21.902Z","level":"warn","msg":"retrying","host":"db-0"}"#,
        "retrying",
    ),
    (CARTS[0], r#"time=2026-11-26T10:15:22.015Z level=warn msg="재고 부족" item=A-17 left=3"#, "재고 부족"),
    (PAYMENTS, r#"{"ts":"2026-11-26T10:15:23.377Z","level":"error","msg":"declined","order":4714}"#, "4714"),
    (CARTS[1], r#"time=2026-11-26T10:15:23.391Z level=error msg="POST /orders" status=502"#, "502"),
    (PAYMENTS, "2026-11-26 10:15:24.008 ERROR 1 --- [main] c.e.Ledger : cannot write", "cannot write"),
    (PAYMENTS, "java.lang.IllegalStateException: no connection", "IllegalState"),
    (PAYMENTS, "\tat com.example.Ledger.write(Ledger.java:42)", "Ledger.java:42"),
    (PAYMENTS, r#"{"ts":"2026-11-26T10:15:24.030Z","level":"fatal","msg":"giving up"}"#, "giving up"),
    (CARTS[0], r#"time=2026-11-26T10:15:24.611Z level=info msg="GET /cart/22" status=200"#, ""),
];

const BACK: [Line; 3] = [
    (PAYMENTS, r#"{"ts":"2026-11-26T10:15:36.118Z","level":"info","msg":"listening","port":8080}"#, ""),
    (
        PAYMENTS,
        r#"{"ts":"2026-11-26T10:15:36.240Z","level":"warn","msg":"replica lags","lag":"4s"}"#,
        "replica lags",
    ),
    (CARTS[1], r#"time=2026-11-26T10:15:37.902Z level=info msg="POST /orders" status=201"#, ""),
];

/// The day of the records in the picture.
const DAY: &str = "2026-11-26";

/// Records of another day would have its date.
fn today() -> String {
    Timestamp::now().strftime("%Y-%m-%d").to_string()
}

/// Writes lines, each after the one before it is shown.
fn write(world: &World, terminal: &Terminal, lines: &[Line]) {
    for (pod, line, shown) in lines {
        world.log(&format!("{pod}/app")).push(line.replace(DAY, &today()));
        terminal.shows(shown);
    }
}

/// Runs a command on the terminal until Ctrl-C.
fn command(world: &World, film: &mut Film, command: &str, play: impl FnOnce(&Terminal)) {
    film.types(command);
    // Logs open one after the other, so that the notices always have the same order.
    let pods = CARTS.into_iter().chain([PAYMENTS]);
    world.clear_scripts();
    let gates: Vec<_> = pods.map(|pod| (pod, world.hold(Match::logs().path(pod)))).collect();
    let command = command.replacen("stern-rs", "TZ=UTC \"$STERN_RS\"", 1);
    let mut terminal = terminals::start(world, &command);
    for (pod, gate) in gates {
        gate.release();
        terminal.shows(&format!("+ {pod} › app"));
    }
    play(&terminal);
    terminal.send(CTRL_C);
    let output = String::from_utf8(terminal.output()).unwrap().replace(&today(), DAY);
    for row in screen::rows(&output) {
        film.shows(row);
    }
}

/// Payments crashes and comes back.
fn crash(world: &World, terminal: &Terminal) {
    write(world, terminal, &BROKEN);
    world.update_pod(PAYMENTS, |pod| pod.on("app").terminated(1, "Error").ran(252));
    terminal.shows("(Error, exit 1)");
    world.update_pod(PAYMENTS, |pod| pod.on("app").running().restarts(1));
    terminal.shows("ran 4m12s");
    write(world, terminal, &BACK);
}

fn record() -> String {
    let (world, mut film) = (World::new(), Film::default());
    world.add_pods(CARTS.into_iter().chain([PAYMENTS]).map(|name| Pod::new(name).container("app")));
    command(&world, &mut film, "stern-rs 'cart|pay'", |terminal| write(&world, terminal, &LIVE));
    command(&world, &mut film, "stern-rs 'cart|pay' -o pretty --level warn", |terminal| {
        crash(&world, terminal);
    });
    film.finish()
}

#[test]
fn the_picture_shows_what_the_program_prints() {
    let (picture, found) = (fs::read_to_string(PICTURE).unwrap_or_default(), record());
    if env::var_os("UPDATE").is_some() {
        fs::write(PICTURE, &found).unwrap();
    } else if picture != found {
        let (old, new) = picture.lines().zip(found.lines()).find(|(old, new)| old != new).unwrap_or_default();
        panic!(
            "docs/stern-rs.svg has\n{old}\nand not\n{new}\nUPDATE=1 cargo test --test cli picture writes it"
        );
    }
}
