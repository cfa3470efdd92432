use futures::FutureExt;
use kube::api::WatchParams;
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    task::yield_now,
    time::{pause, resume},
};

use super::{
    super::{
        Cluster, Event,
        testing::{Authority, Canned, Machine, NO_PODS, Server, list_pods, log_request, ok, pods, status},
    },
    *,
};

fn cluster_at(url: &str) -> Cluster {
    Machine::with(&format!("server: '{url}'"), "").plain_cluster()
}

#[tokio::test]
async fn a_request_goes_below_the_servers_path_with_token_and_agent() {
    let server = Server::start_secure(vec![ok(NO_PODS)]).await;
    let below = server.section().replace(&server.address, &format!("{}/k8s/clusters/x/", server.address));
    list_pods(&Machine::with(&below, "token: sesame").plain_cluster()).await.unwrap();
    let head = &server.heads()[0];
    assert!(head.starts_with("get /k8s/clusters/x/api/v1/namespaces/shop/pods http"), "{head}");
    assert!(head.contains("authorization: bearer sesame\r\n"), "{head}");
    assert!(head.contains("user-agent: stern-rs/"), "{head}");
}

#[tokio::test]
async fn the_impersonated_user_is_named_in_headers() {
    let server = Server::start(vec![ok(NO_PODS)]).await;
    let connect = Connect {
        as_user: Some("jane".into()),
        as_uid: Some("7".into()),
        as_groups: vec!["a".into(), "b".into()],
        as_user_extra: vec![("Acme.com/Team".into(), "x".into()), ("Acme.com/Team".into(), "y".into())],
        ..Connect::default()
    };
    let machine = Machine::with(&format!("server: '{}'", server.url()), "as: kubeconfig, token: t");
    list_pods(&machine.cluster(&connect, None)).await.unwrap();
    let head = &server.heads()[0];
    for line in ["user: jane", "uid: 7", "group: a", "group: b"] {
        assert!(head.contains(&format!("\r\nimpersonate-{line}\r\n")), "{head}");
    }
    assert_eq!(head.matches("impersonate-extra-acme.com%2fteam: ").count(), 2, "{head}");
}

#[tokio::test]
async fn a_401_names_the_user_and_its_kubeconfig() {
    let server = Server::start_secure(vec![status("401 Unauthorized", "{}")]).await;
    let error =
        list_pods(&Machine::with(&server.section(), "token: sesame").plain_cluster()).await.unwrap_err();
    assert!(error.is_unauthorized() && !error.is_retryable());
    let text = error.to_string();
    assert!(text.contains("user \"u-ctx\" of ") && text.contains(".kube"), "{text}");
    assert_eq!(server.heads().len(), 1, "the same token is not tried twice");
}

#[tokio::test]
async fn a_403_names_the_missing_right() {
    let body = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,
        "message":"pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group"}"#;
    let server = Server::start(vec![status("403 Forbidden", body)]).await;
    let error = list_pods(&cluster_at(&server.url())).await.unwrap_err();
    assert!(error.is_forbidden());
    assert_eq!(
        error.to_string(),
        "not allowed to list pods in namespace \"shop\": the apiserver answered 403 Forbidden: “pods is forbidden: User \
         \"jane\" cannot list resource \"pods\" in API group”; perhaps user \"jane\" needs verb \"list\" on resource \
         \"pods\", from a Role or ClusterRole bound there"
    );
}

#[tokio::test]
async fn retry_after_holds_back_all_requests() {
    let server = Server::start(vec![status("429 Too Many Requests\r\nretry-after: 60", "slow down")]).await;
    let cluster = cluster_at(&server.url());
    let held = async {
        while cluster.transport.limiter.acquire(Purpose::List).now_or_never().is_some() {
            yield_now().await;
        }
    };
    // It waits for a minute, like all other requests.
    tokio::select! {
        _ = list_pods(&cluster) => panic!("it does not wait"),
        () = held => {}
    }
}

#[tokio::test]
async fn a_request_that_came_too_early_is_made_again() {
    let early = || status("429 Too Many Requests\r\nretry-after: 0", "slow down");
    let server = Server::start(vec![early(), early(), ok(NO_PODS)]).await;
    assert!(list_pods(&cluster_at(&server.url())).await.is_ok());
}

/// A log may be gone by then.
#[tokio::test]
async fn an_answer_shows_that_its_request_was_put_off() {
    let early = || status("503 Service Unavailable\r\nretry-after: 0", "shutting down");
    for (answers, expected) in
        [(vec![ok("line\n")], Turn::Soon), (vec![early(), early(), ok("line\n")], Turn::PutOff)]
    {
        let server = Server::start(answers).await;
        let log = cluster_at(&server.url()).open_log(&log_request()).await.expect("a log");
        assert_eq!(log.turn(), expected);
    }
    let gone = || status("404 Not Found", "{}");
    for (answers, expected) in [(vec![gone()], Turn::Soon), (vec![early(), gone()], Turn::PutOff)] {
        let server = Server::start(answers).await;
        let refusal = cluster_at(&server.url()).open_log(&log_request()).await.err().expect("a refusal");
        assert_eq!(refusal.turn(), expected);
    }
}

#[test]
fn retry_after_may_be_a_date_and_counts_only_where_it_is_meant() {
    let now = "2026-01-31T10:00:00Z".parse().unwrap();
    let asked = |status: u16, value: &str| {
        let response = Response::builder().status(status).header("retry-after", value).body(()).unwrap();
        retry_after(&response, now)
    };
    assert_eq!(asked(503, "7"), Some(Duration::from_secs(7)));
    assert_eq!(asked(500, "7"), None);
    assert_eq!(asked(429, "soon"), None);
    assert_eq!(asked(429, "Wed, 21 Oct 2015 07:28:00 GMT"), None);
    assert_eq!(asked(429, "-7"), None);
    assert_eq!(asked(429, "+7"), None);
    assert_eq!(asked(429, "Sat, 31 Jan 2026 10:01:40 GMT"), Some(Duration::from_secs(100)));
    assert_eq!(asked(429, "18446744073709551616"), Some(Duration::MAX));
}

#[test]
fn a_date_to_wait_for_is_by_the_clock_of_the_server() {
    let now = "2026-01-31T10:00:00Z".parse().unwrap();
    let response = Response::builder()
        .status(503)
        .header("date", "Sat, 31 Jan 2026 10:05:00 GMT")
        .header("retry-after", "Sat, 31 Jan 2026 10:05:07 GMT")
        .body(())
        .unwrap();
    assert_eq!(retry_after(&response, now), Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn the_request_timeout_bounds_all_of_a_list() {
    let partial = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
    let server = Server::start(vec![Canned::Hang(partial.into())]).await;
    let machine = Machine::with(&format!("server: '{}'", server.url()), "");
    let connect = Connect { request_timeout: Some(Duration::from_millis(50)), ..Connect::default() };
    let error = list_pods(&machine.cluster(&connect, None)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[tokio::test]
async fn an_answer_that_is_late_is_awaited_with_words() {
    const TICK: Duration = Duration::from_millis(2);
    let hang = || Canned::Hang(String::new());
    let server = Server::start(vec![ok(NO_PODS), hang(), hang(), hang()]).await;
    let cluster = cluster_at(&server.url());
    list_pods(&cluster).await.unwrap();
    let watch = WatchParams::default();
    let (objects, log) = (pods(), log_request());
    let list = async { list_pods(&cluster).await.is_ok() }.boxed_local();
    let watch = async { cluster.watch(&objects, &watch, "0").await.is_ok() }.boxed_local();
    let log = async { cluster.open_log(&log).await.is_ok() }.boxed_local();
    for (count, (what, request)) in [("list", list), ("watch", watch), ("log", log)].into_iter().enumerate() {
        let mut waits = cluster.waits();
        let before = Instant::now();
        let shown = async {
            while server.heads().len() < count + 2 {
                yield_now().await;
            }
            pause();
            let behind = Instant::now();
            let shown = waits.wait_for(Option::is_some).await.unwrap().clone();
            // The request began between both, and timers count milliseconds.
            let (least, most) = (behind.elapsed(), before.elapsed() + TICK);
            assert!((least..=most).contains(&(UNUSUAL + TICK)), "{least:?} to {most:?}");
            shown
        };
        let shown = tokio::select! {
            _ = request => panic!("it is never answered"),
            shown = shown => shown,
        };
        assert_eq!(shown, Some(format!("{} to answer a request for a {what}", server.url())));
        assert_eq!(*cluster.waits().borrow(), None);
        resume();
    }
}

#[tokio::test]
async fn a_watch_is_handed_on_as_it_comes() {
    let event = r#"{"type":"ADDED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-1"}}}"#;
    let running = format!("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{event}\n");
    let server = Server::start(vec![Canned::Hang(running)]).await;
    let machine = Machine::with(&format!("server: '{}'", server.url()), "token: t");
    let connect = Connect { request_timeout: Some(Duration::from_secs(20)), ..Connect::default() };
    let cluster = machine.cluster(&connect, None);
    let mut watch = cluster.watch(&pods(), &Default::default(), "0").await.unwrap();
    let event = watch.next::<serde_json::Value>().await.unwrap();
    assert!(matches!(event, Some(Event::Applied(pod)) if pod["metadata"]["name"] == "web-1"));
}

#[tokio::test]
async fn an_unreachable_server_is_named() {
    let server = Server::start(vec![]).await;
    let url = server.url();
    drop(server);
    yield_now().await;
    let error = list_pods(&cluster_at(&url)).await.unwrap_err();
    assert!(error.is_retryable());
    let text = error.to_string();
    assert!(text.starts_with(&format!("cannot reach the apiserver {url}: ")), "{text}");
    assert!(text.ends_with("; is it running there?"), "{text}");
}

#[tokio::test]
async fn a_server_without_http_is_no_apiserver() {
    let server = Server::start(vec![Canned::Close("SSH-2.0-OpenSSH\r\n\r\n".into())]).await;
    let error = list_pods(&cluster_at(&server.url())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
}

/// The cluster section for a TLS server with this authority.
fn tls_section(server: &Server, authority: &Authority, machine: &Machine) -> String {
    let ca = machine.write("ca.crt", &authority.pem());
    format!("server: 'https://{}', certificate-authority: {}", server.address, ca.display())
}

async fn list_over_tls(server_name: &str, expected: &str) -> Result<usize, Error> {
    let authority = Authority::new();
    let server = Server::start_tls(vec![ok(NO_PODS)], authority.server(server_name, false)).await;
    let files = Machine::new();
    let section = tls_section(&server, &authority, &files);
    list_pods(&Machine::with(&format!("{section}, {expected}"), "token: t").plain_cluster()).await
}

#[tokio::test]
async fn a_server_of_the_named_authority_is_trusted() {
    assert_eq!(list_over_tls("127.0.0.1", "").await.unwrap(), 0);
}

#[tokio::test]
async fn the_tls_server_name_is_what_the_certificate_is_checked_for() {
    assert_eq!(list_over_tls("k8s.internal", "tls-server-name: k8s.internal").await.unwrap(), 0);
    let error = list_over_tls("k8s.internal", "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate);
    assert!(error.to_string().contains("--tls-server-name"), "{error}");
}

#[tokio::test]
async fn a_server_of_another_authority_is_not_trusted_and_the_remedy_is_reported() {
    let server = Server::start_tls(vec![ok(NO_PODS)], Authority::new().server("127.0.0.1", false)).await;
    let files = Machine::new();
    let section = tls_section(&server, &Authority::new(), &files);
    let error = list_pods(&Machine::with(&section, "token: t").plain_cluster()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate);
    let text = error.to_string();
    assert!(
        text.contains("--certificate-authority") && text.contains("--insecure-skip-tls-verify"),
        "{text}"
    );
    let connect = Connect { insecure_skip_tls_verify: true, ..Connect::default() };
    let insecure = Machine::with(&section, "token: t").cluster(&connect, None);
    assert_eq!(list_pods(&insecure).await.unwrap(), 0);
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_server_that_wants_one() {
    let authority = Authority::new();
    let server = Server::start_tls(vec![ok(NO_PODS)], authority.server("127.0.0.1", true)).await;
    let files = Machine::new();
    let section = tls_section(&server, &authority, &files);
    let (certificate, key) = authority.issue("admin");
    let (certificate, key) = (files.write("admin.crt", &certificate), files.write("admin.key", &key));
    let user = format!("client-certificate: {}, client-key: {}", certificate.display(), key.display());
    assert_eq!(list_pods(&Machine::with(&section, &user).plain_cluster()).await.unwrap(), 0);

    let error = list_pods(&Machine::with(&section, "token: t").plain_cluster()).await.unwrap_err();
    assert!(error.to_string().contains("client certificate"), "{error}");
}

#[tokio::test]
async fn a_missing_client_certificate_is_reported_over_http2_too() {
    let authority = Authority::new();
    let mut tls = authority.server("127.0.0.1", true);
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let server = Server::start_tls(vec![], tls).await;
    let files = Machine::new();
    let section = tls_section(&server, &authority, &files);
    let error = list_pods(&Machine::with(&section, "token: t").plain_cluster()).await.unwrap_err();
    assert!(error.to_string().contains("client certificate"), "{error}");
}

#[tokio::test]
async fn a_proxy_gets_the_requests_for_a_server_without_tls() {
    let proxy = Server::start(vec![ok(NO_PODS)]).await;
    let section =
        format!("server: 'http://k8s.internal:8080', proxy-url: 'http://me:p%40ss@{}'", proxy.address);
    list_pods(&Machine::with(&section, "token: t").plain_cluster()).await.unwrap();
    let head = &proxy.heads()[0];
    assert!(head.starts_with("get http://k8s.internal:8080/api/v1/"), "{head}");
    assert!(head.contains("\r\nhost: k8s.internal:8080\r\n"), "{head}");
    assert!(head.contains("\r\nproxy-authorization: basic bwu6cebzcw==\r\n"), "{head}");
    assert!(!head.contains("\r\nauthorization:"), "{head}");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_without_its_password() {
    let proxy = Server::start(vec![status("407 Proxy Authentication Required", "")]).await;
    let mut machine = Machine::with("server: 'https://k8s.internal'", "token: t");
    machine.set("HTTPS_PROXY", format!("http://me:secret@{}", proxy.address));
    let error = list_pods(&machine.plain_cluster()).await.unwrap_err().to_string();
    assert!(
        error.contains(&format!("the proxy http://{} does not connect to k8s.internal:443", proxy.address)),
        "{error}"
    );
    assert!(error.contains("407 Proxy Authentication Required") && !error.contains("secret"), "{error}");
}

#[tokio::test]
async fn a_socks_proxy_is_given_the_name_to_resolve() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let section =
        format!("server: 'http://k8s.internal:80', proxy-url: 'socks5://{}'", listener.local_addr().unwrap());
    let proxy = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut greeting = [0; 3];
        stream.read_exact(&mut greeting).await.unwrap();
        stream.write_all(&[5, 0]).await.unwrap();
        let mut request = [0; 7 + "k8s.internal".len()];
        stream.read_exact(&mut request).await.unwrap();
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{NO_PODS}", NO_PODS.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        // Closing with unread data would reset the connection.
        let mut rest = [0; 4];
        stream.read_exact(&mut rest).await.unwrap();
        (request, rest)
    };
    let cluster = Machine::with(&section, "token: t").plain_cluster();
    let (listed, (request, rest)) = futures::join!(list_pods(&cluster), proxy);
    listed.unwrap();
    assert_eq!(&request[5..5 + "k8s.internal".len()], b"k8s.internal");
    assert_eq!(&rest, b"GET ");
}

/// The error of a request through a SOCKS proxy whose URL has a user, and which gives these answers.
async fn socks_error(answers: &'static [&'static [u8]]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let section = format!("server: 'https://k8s.internal', proxy-url: 'socks5://me:secret@{address}'");
    let proxy = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        for answer in answers {
            assert!(stream.read(&mut [0; 300]).await.unwrap() > 0);
            stream.write_all(answer).await.unwrap();
        }
        let _ = stream.read(&mut [0; 300]).await;
    };
    let cluster = Machine::with(&section, "token: t").plain_cluster();
    let (listed, ()) = futures::join!(list_pods(&cluster), proxy);
    let error = listed.unwrap_err().to_string();
    assert!(error.contains(&format!("the proxy socks5://{address}")) && !error.contains("secret"), "{error}");
    error
}

#[tokio::test]
async fn a_socks_proxy_that_refuses_is_named_with_its_reason() {
    // It may take a user without a password being asked for.
    let error = socks_error(&[&[5, 0], &[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]]).await;
    assert!(
        error.ends_with("does not connect to k8s.internal:443: Connection not allowed by ruleset"),
        "{error}"
    );
    let error = socks_error(&[&[5, 2], &[1, 1]]).await;
    assert!(error.contains("its URL needs a valid user and password"), "{error}");
    let error = socks_error(&[b"HTTP/1.1 400 Bad Request\r\n\r\n"]).await;
    assert!(error.contains("it does not speak SOCKS5"), "{error}");
}

#[tokio::test]
async fn a_trace_has_each_request_and_no_secret() {
    let server = Server::start_secure(vec![ok(NO_PODS)]).await;
    let reported = Arc::new(Mutex::new(Vec::new()));
    let sink = reported.clone();
    let trace = Trace::new(8, Arc::new(move |line| sink.lock().unwrap().push(line)));
    let machine = Machine::with(&server.section(), "token: sesame");
    list_pods(&machine.cluster(&Connect::default(), trace)).await.unwrap();
    let reported = reported.lock().unwrap().join("\n").to_lowercase();
    assert!(reported.contains("/api/v1/namespaces/shop/pods 200 ok in "), "{reported}");
    assert!(
        reported.contains("authorization: <masked>") && reported.contains("< content-length"),
        "{reported}"
    );
    assert!(!reported.contains("sesame"), "{reported}");
}

#[tokio::test]
async fn a_proxy_that_never_answers_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let machine =
        Machine::with(&format!("server: 'https://k8s.test:6443', proxy-url: '{proxy}'"), "token: t");
    let cluster = machine.plain_cluster();
    let waits = cluster.waits();
    let silent = async {
        let (mut client, _) = listener.accept().await.unwrap();
        let _ = client.read(&mut [0; 1024]).await.unwrap();
        let waiting = format!("https://k8s.test:6443 to answer through the proxy {proxy}");
        assert_eq!(*waits.borrow(), Some(waiting));
        pause();
        pending().await
    };
    let error = tokio::select! {
        listed = list_pods(&cluster) => listed.unwrap_err(),
        never = silent => never,
    };
    assert_eq!(
        error.to_string(),
        format!("the proxy {proxy} does not connect to k8s.test:6443: no answer within 30s")
    );
}
