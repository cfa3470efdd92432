//! The cost of reading a message: `cargo bench --bench fields`. Allocations are counted; there are none once the reader
//! has its final size.

use divan::{AllocProfiler, Bencher, black_box, counter::BytesCount};
use stern_rs::bench::Reader;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const NEAR: &str = r#"{"ts":"2026-01-31T12:00:00.000Z","level":"info","logger":"checkout.payment","caller":"pay/charge.go:0","msg":"charge accepted for order","order_id":"A-0","amount":56.92,"http":{"status":200,"path":"/cart/items/0","method":"POST"},"duration_ms":0,"trace_id":"c2ce6f447ed4d57b1e2feb89414c343c","pad":""}"#;
const LAST: &str = r#"{"ts":"2026-01-31T12:00:00.000Z","logger":"checkout.payment","caller":"pay/charge.go:0","msg":"charge accepted for order","order_id":"A-0","amount":56.92,"http":{"status":200,"path":"/cart/items/0","method":"POST"},"duration_ms":0,"trace_id":"c2ce6f447ed4d57b1e2feb89414c343c","pad":"","pad2":"","level":"info"}"#;
const LOGFMT: &str = r#"time="2024-11-12T14:39:08+09:00" level=info msg="API request processed" endpoint=/api/products method=PUT request_id=skafc8rpf7msjg0l response_time_ms=316 status=401 user_id=user123"#;
const SPRING: &str = "2026-01-31T12:00:00.123Z  INFO 1 --- [demo] [           main] c.e.d.DemoApplication                    : Starting Demo";
const TEXT: &str = "no head here, only some words about a request that took 12 ms and was answered at once";

#[divan::bench(args = [("json", NEAR), ("json, level last", LAST), ("logfmt", LOGFMT), ("spring", SPRING), ("text", TEXT)])]
fn read(bencher: Bencher<'_, '_>, (_, message): (&str, &str)) {
    let mut reader = Reader::default();
    bencher
        .counter(BytesCount::of_str(message))
        .bench_local(|| black_box(reader.read(black_box(message.as_bytes())).level()));
}

#[divan::bench(args = [("json", NEAR), ("json, level last", LAST), ("logfmt", LOGFMT), ("spring", SPRING), ("text", TEXT)])]
fn level(bencher: Bencher<'_, '_>, (_, message): (&str, &str)) {
    let mut reader = Reader::default();
    bencher
        .counter(BytesCount::of_str(message))
        .bench_local(|| black_box(reader.level(black_box(message.as_bytes()))));
}
