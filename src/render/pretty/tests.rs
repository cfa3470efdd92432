use crate::{
    plan::{Display, Format, PrettyPlan},
    render::testing::{display, origin, rendered},
};

fn pretty() -> Display {
    Display { format: Format::Pretty, ..display() }
}

const CHARGE: &str = r#"{"level":"error","ts":"2026-01-31T12:00:00.123Z","logger":"checkout","caller":"pay/charge.go:88","msg":"charge failed","order_id":"A-17","amount":12.50,"http":{"status":502,"path":"/pay now"},"tags":["eu","retry"],"err":"upstream: reset","stack":"main.charge\n\t/src/pay/charge.go:88"}"#;

#[test]
fn a_record_is_laid_out_as_specified() {
    let terminal = Display { pretty: PrettyPlan { on_terminal: true, ..PrettyPlan::default() }, ..pretty() };
    let expected = "web-0 app 12:00:00.123 ERR checkout: charge failed order_id=A-17 amount=12.50 http.status=502 \
                    http.path=\"/pay now\" tags=[eu,retry] err=\"upstream: reset\" ‹pay/charge.go:88›\n    main.charge\n        \
                    /src/pay/charge.go:88\n";
    let web = origin("default", "web-0", "app");
    assert_eq!(rendered(&terminal, &[], Some(&web), &[CHARGE.as_bytes()]), expected);
    let line = "web-0 app 12:00:00.123 ERR checkout: charge failed order_id=A-17 amount=12.50 http.status=502 \
                http.path=\"/pay now\" tags=[eu,retry] err=\"upstream: reset\" \
                stack=\"main.charge\\n\\t/src/pay/charge.go:88\" ‹pay/charge.go:88›\n";
    assert_eq!(rendered(&pretty(), &[], Some(&web), &[CHARGE.as_bytes()]), line);
}
