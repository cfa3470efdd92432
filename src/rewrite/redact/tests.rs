mod corpus;

use aws_lc_rs::hmac::{HMAC_SHA256, Key};

use super::*;
use crate::plan::redact::Kinds;

fn redactor(kinds: Kinds) -> Redactor {
    let key = Key::new(HMAC_SHA256, &[7; 32]);
    Redactor::new(&RedactPlan { kinds, patterns: Vec::new(), key })
}

fn redacted(line: &str) -> String {
    let mut out = Vec::new();
    match redactor(Kinds::usual()).message(line.as_bytes(), &mut out) {
        true => String::from_utf8(out).unwrap(),
        false => line.to_owned(),
    }
}

/// The line with `#` for the digits of pseudonyms.
fn shape(line: &str) -> String {
    let line = redacted(line);
    let mut shape = String::new();
    let mut done = 0;
    for place in mask::masks(line.as_bytes()) {
        shape.push_str(&line[done..place.start]);
        let name = line[place.clone()].split(':').next().unwrap();
        shape.push_str(name);
        shape.push_str(if name.ends_with('›') { "" } else { "›" });
        done = place.end;
    }
    shape + &line[done..]
}

#[test]
fn golden_cases() {
    for (line, expected) in [
        ("card 4111 1111 1111 1111", "card ‹card›"),
        ("960121-1021413 960121-1234567", "‹rrn› ‹rrn›"),
        (r#"{"rrn":"9601211234567"}"#, r#"{"rrn":"‹rrn›"}"#),
        ("911124-5678906", "‹rrn›"),
        ("postgres://u:p@h/db", "postgres://u:‹secret›@h/db"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ‹secret›"),
        ("DE44500105175407324931", "‹iban›"),
        ("mail from alice@example.com to bob@example.com", "mail from ‹email› to ‹email›"),
        (r#"{"card":4111111111111111,"n":1}"#, r#"{"card":"‹card›","n":1}"#),
        (r#"{"password":"hun\"ter2","n":1}"#, r#"{"password":"‹secret›","n":1}"#),
        (r#"{"password":12345678,"n":1}"#, r#"{"password":"‹secret›","n":1}"#),
        (r#"{"password":"abc\\","n":1}"#, r#"{"password":"‹secret›","n":1}"#),
        (r#"{"m":"{\"password\":\"hunter2\",\"n\":1}"}"#, r#"{"m":"{\"password\":\"‹secret›\",\"n\":1}"}"#),
        (r#"{"m":"{\"card\":4111111111111111}"}"#, r#"{"m":"{\"card\":\"‹card›\"}"}"#),
        (
            r#"{"Authorization":["Bearer abc.def-123"],"x":1}"#,
            r#"{"Authorization":["Bearer ‹secret›"],"x":1}"#,
        ),
        ("Cookie: a=b; sid=c9 status=200", "Cookie: ‹secret› status=200"),
        ("GET /?token=abc123&x=1 HTTP/1.1", "GET /?token=‹secret›&x=1 HTTP/1.1"),
        ("password=hunter2 user=x", "password=‹secret› user=x"),
        ("User(password=hunter2, name=x)", "User(password=‹secret›, name=x)"),
        ("run --password hunter2 --x", "run --password ‹secret› --x"),
        ("<password>hunter2</password>", "<password>‹secret›</password>"),
        ("CREATE USER x IDENTIFIED BY 'hunter2'", "CREATE USER x IDENTIFIED BY '‹secret›'"),
        ("passport=M12345678 M12345678", "passport=‹passport› M12345678"),
        (r#"{"passportNo":"M123A4567"}"#, r#"{"passportNo":"‹passport›"}"#),
        ("면허: 11-26-123456-78", "면허: ‹licence›"),
        (r#"{"phone":"06 12 34 56 78"}"#, r#"{"phone":"‹phone›"}"#),
        ("비밀번호=hunter2", "비밀번호=‹secret›"),
        ("al\u{1b}[31mice@exam\u{1b}[0mple.com x", "‹email›\u{1b}[31m\u{1b}[0m x"),
        (r"a\nalice@example.com\n", r"a\n‹email›\n"),
        (
            r#"{"key":"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n","n":1}"#,
            r#"{"key":"‹secret›\n","n":1}"#,
        ),
        ("see -----BEGIN RSA PRIVATE KEY----- MIIE -----END RSA PRIVATE KEY----- x", "see ‹secret› x"),
    ] {
        assert_eq!(shape(line), expected, "{line}");
    }
}

#[test]
fn a_name_hides_the_value_beside_it() {
    for (line, expected) in [
        (
            r#"{"name":"DB_PASSWORD","value":"hunter2"},{"name":"X","value":"y"}"#,
            r#"{"name":"DB_PASSWORD","value":"‹secret›"},{"name":"X","value":"y"}"#,
        ),
        (r#"{"name": "DB_PASSWORD", "value": "hunter2"}"#, r#"{"name": "DB_PASSWORD", "value": "‹secret›"}"#),
        (
            r#"{"m":"{\"name\":\"DB_PASSWORD\",\"value\":\"hun\\\"ter2\"}"}"#,
            r#"{"m":"{\"name\":\"DB_PASSWORD\",\"value\":\"‹secret›\"}"}"#,
        ),
        (r#"{"value":"hun{ter2","name":"DB_PASSWORD"}"#, r#"{"value":"‹secret›","name":"DB_PASSWORD"}"#),
        (
            r#"{"Key":"api_key","Type":"s","Value":12345678}"#,
            r#"{"Key":"api_key","Type":"s","Value":"‹secret›"}"#,
        ),
        (
            r#"{"name":"Authorization","value":"Bearer abc"}"#,
            r#"{"name":"Authorization","value":"Bearer ‹secret›"}"#,
        ),
        ("{Name:DB_PASSWORD Value:hunter2 ValueFrom:nil}", "{Name:DB_PASSWORD Value:‹secret› ValueFrom:nil}"),
        (
            r"- name: DB_PASSWORD\n  value: hunter2\n- name: X",
            r"- name: DB_PASSWORD\n  value: ‹secret›\n- name: X",
        ),
        ("{'name': 'DB_PASSWORD', 'value': 'hunter2'}", "{'name': 'DB_PASSWORD', 'value': '‹secret›'}"),
        ("name=DB_PASSWORD value=hunter2 x=1", "name=DB_PASSWORD value=‹secret› x=1"),
        (r#"{"args":["--password","hunter2","--x"]}"#, r#"{"args":["--password","‹secret›","--x"]}"#),
        ("['-password', 'hunter2']", "['-password', '‹secret›']"),
    ] {
        assert_eq!(shape(line), expected, "{line}");
    }
}

#[test]
fn secrets_in_other_forms() {
    for (line, expected) in [
        ("dsn=user:hunter2@tcp(127.0.0.1:3306)/db", "dsn=user:‹secret›@tcp(127.0.0.1:3306)/db"),
        (r#"{"dsn":"root:p@ss@unix(/x.sock)/db"}"#, r#"{"dsn":"root:‹secret›@unix(/x.sock)/db"}"#),
        ("jdbc:oracle:thin:scott/tiger@//h:1521/x", "jdbc:oracle:thin:scott/‹secret›@//h:1521/x"),
        (
            r#"Authorization: Digest username="x", realm="r", response="6629fae4" status=200"#,
            "Authorization: Digest ‹secret› status=200",
        ),
        (
            r#"{"Authorization":"Digest username=\"x\", response=\"6629\"","n":1}"#,
            r#"{"Authorization":"Digest ‹secret›","n":1}"#,
        ),
        ("SECRET_KEY_BASE=abc123", "SECRET_KEY_BASE=‹secret›"),
        ("DB_PASSWORD_PROD=abc123", "DB_PASSWORD_PROD=‹secret›"),
        (r#"{"password":{"value":"hunter2","n":1}}"#, r#"{"password":{"value":"‹secret›","n":1}}"#),
        (r#"{"password":{"type":"x","value":12345678}}"#, r#"{"password":{"type":"x","value":"‹secret›"}}"#),
        (
            r#"<ns:Password type="x">hun ter2</ns:Password>"#,
            r#"<ns:Password type="x">‹secret›</ns:Password>"#,
        ),
        ("PWD={hunter2};x=1", "PWD={‹secret›};x=1"),
        ("password=<hunter2> x", "password=<‹secret›> x"),
        ("[password]=hunter2 x", "[password]=‹secret› x"),
        ("user[password]=hunter2&x=1", "user[password]=‹secret›&x=1"),
        ("user%5Bpassword%5D=hunter2&x=1", "user%5Bpassword%5D=‹secret›&x=1"),
        ("[password] => hunter2", "[password] => ‹secret›"),
        ("params['password'] = 'hunter2'", "params['password'] = '‹secret›'"),
        ("password[0]=hunter2", "password[0]=‹secret›"),
        ("password=hun\"ter2 x", "password=‹secret› x"),
        ("password=don't x", "password=‹secret› x"),
        ("pin=1234 otp=123456 CVV: 123", "pin=‹secret› otp=‹secret› CVV: ‹secret›"),
        (r#"{"pin":1234,"cvc":"123"}"#, r#"{"pin":"‹secret›","cvc":"‹secret›"}"#),
        (r#"{"ssn":"219099999"}"#, r#"{"ssn":"‹ssn›"}"#),
        ("<rrn>9601211234567</rrn>", "<rrn>‹rrn›</rrn>"),
        (r#"{"rrns":["9601211234567","9601211234568"]}"#, r#"{"rrns":["‹rrn›","‹rrn›"]}"#),
        ("rrn\t9601211234567", "rrn\t‹rrn›"),
        ("(010) 2345-6789, 0082-10-2345-6789, 82-10-2345-6789", "‹phone›, ‹phone›, ‹phone›"),
        ("(02)345-6789 00821023456789", "‹phone› ‹phone›"),
        ("김민수@example.com a1@예제.한국", "‹email› ‹email›"),
        (r"010.1234.5678", "‹phone›"),
    ] {
        assert_eq!(shape(line), expected, "{line}");
    }
}

#[test]
fn keys_of_providers_that_have_no_name() {
    let bot = ["/bot123456789:A", &"Ab3dE".repeat(6), "_x-Z/send"].concat().replacen("A", "AA", 1);
    assert_eq!(redacted(&bot).matches("‹secret›").count(), 1, "{bot}");
    let docker = ["dckr", "_pat_", &"Ab3dE".repeat(5), "zz"].concat();
    assert_eq!(redacted(&docker), "‹secret›");
}

#[test]
fn numbers_written_in_escapes_are_found() {
    for (key, number) in [
        ("n", "4111111111111111"),
        ("rrn", "9601211234567"),
        ("n", "536-22-1234"),
        ("n", "DE44500105175407324931"),
    ] {
        let escaped: String = number.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
        assert!(redacted(&format!(r#"{{"{key}":"{escaped}"}}"#)).contains('‹'), "{number}");
    }
}

#[test]
fn lines_that_stay() {
    for line in [
        r#"{"name":"DB_HOST","value":"db"},{"name":"DB_PASSWORD","valueFrom":{"secretKeyRef":{"name":"db","key":"password"}}},{"name":"Y","value":"z"}"#,
        r#"{"value":"x"},{"name":"DB_PASSWORD"},{"value":"y"}"#,
        r#"["--show-password","--value","x"]"#,
        "pin_count=1234 pinned=1234 pin=GPIO4 spin=1234",
        "010.1234.5678.9",
        "pod(010) 2345 of 82-10-12",
        "password={password} token=<token> secret={{ .Values.x }} password=<nil>",
        r#"{"token":{"type":"jwt","ttl":3600}}"#,
        "ssn=12 otp: sent",
        "map[0]=1 cache[3]: x pass[0]: ok",
        "user@tcp(x) time:a@b",
        "{\"ids\":[4111111111111111,4111111111111111]}",
        "4111111111111112",
        "1548138160707",
        "47223179-9330-4259-b66c-f2db26efb20c",
        "2018678836144587",
        "translate(-0.5309136012499991%)",
        "9601211234567",
        "001332-1234567",
        "v1.2.3.4",
        "git@github.com:a/b",
        r#""password":null"#,
        "token_length=12",
        "commit 3f2504e04f8964b4a1d2c3e4f5a6b7c8d9e0f1a2",
        "DE45500105175407324931",
        "password=***",
        "password=${DB_PASSWORD}",
        "unexpected token: }",
        "invalid token: expired",
        "PWD=/app OLDPWD=/",
        "password: must be longer than 8",
        "tokens=512 max_tokens=4096",
        "token: 12",
        r#"klog secret="default/db-credentials""#,
        "rewrite rules passed: 12",
        "Authorization: required",
        r#"{"csrf_token":"x9"}"#,
        "x-request-id: abc",
        "key=value",
        "cache key: user:12",
        "secretName: web-tls",
        "password=‹secret› ‹email:12345678›",
    ] {
        assert_eq!(redacted(line), line);
    }
}

#[test]
fn a_value_has_one_pseudonym_however_it_is_written() {
    let mask = redacted("alice@example.com");
    for line in [
        "Alice@Example.COM",
        r"alice\u0040example.com",
        "alice%40example.com",
        "al\u{1b}[1mice@example.com",
        "alice%2540example.com",
    ] {
        let masked = redacted(line);
        assert!(masked.starts_with(&mask), "{line}: {masked}");
    }
    let mask = redacted("010-1234-5678");
    for line in [
        "+82 10-1234-5678",
        "+821012345678",
        "01012345678",
        "%2B82-10-1234-5678",
        "+82+10+1234+5678",
        "010.1234.5678",
    ] {
        assert_eq!(redacted(line), mask, "{line}");
    }
    let mask = redacted("4111111111111111");
    for line in ["4111-1111-1111-1111", "4111+1111+1111+1111", "4111%201111%201111%201111"] {
        assert_eq!(redacted(line), mask, "{line}");
    }
}

#[test]
fn redacted_lines_stay_as_they_are() {
    let line = "alice@example.com password=hunter2 +82 10-1234-5678 960121-1021413 postgres://u:p@h/db \
                Authorization: Bearer abc.def-123";
    let once = redacted(line);
    assert_eq!(redacted(&once), once);
}

#[test]
fn a_line_may_be_cut_within_a_value() {
    let line = r#"{"name":"password","value":[{"name":"password","value":"hunter2"}]} password=[a,"b"]"#;
    for end in 0..=line.len() {
        redacted(&line[..end]);
    }
}
