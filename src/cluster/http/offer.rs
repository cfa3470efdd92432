//! Asks a server that refuses our handshake which version and cipher it would choose, for the error message.

use std::time::Duration;

use rustls::{CipherSuite, ProtocolVersion, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

/// The answer comes at once or never.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where a server's choice stands in the record of its first message: after the record's head (5 bytes) and the
/// message's (4) comes the version, after 32 random bytes the length of a session, and after the session the cipher.
const VERSION: usize = 9;
const SESSION: usize = 43;

/// The ciphers of TLS 1.2 and before that servers still use, those with the best chances first.
const CIPHERS: [u16; 26] = [
    0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, // ECDHE with GCM or ChaCha20
    0xc023, 0xc027, 0xc024, 0xc028, 0xc009, 0xc013, 0xc00a, 0xc014, // ECDHE with CBC
    0x009e, 0x009f, 0x0067, 0x0033, 0x0039, // DHE
    0x009c, 0x009d, 0x003c, 0x002f, 0x0035, // RSA
    0x000a, 0x0005, // 3DES, RC4
];

/// The choice of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    pub version: ProtocolVersion,
    pub cipher: CipherSuite,
}

/// None: the server makes no choice.
pub async fn offer(mut stream: impl AsyncRead + AsyncWrite + Unpin, name: &ServerName<'_>) -> Option<Offer> {
    let ask = async {
        stream.write_all(&hello(name)).await.ok()?;
        stream.flush().await.ok()?;
        let mut record = [0; 512];
        let mut length = 0;
        loop {
            length += stream.read(&mut record[length..]).await.ok().filter(|&more| more > 0)?;
            if let Some(offer) = chosen(&record[..length]) {
                return Some(offer);
            }
        }
    };
    timeout(PATIENCE, ask).await.ok()?
}

/// The choice in a record so far. Anything but a server's hello is never one, and ends with the connection.
fn chosen(record: &[u8]) -> Option<Offer> {
    let number = |at: usize| Some(u16::from_be_bytes([*record.get(at)?, *record.get(at + 1)?]));
    let is_hello = record.first() == Some(&0x16) && record.get(5) == Some(&0x02);
    let cipher = number(SESSION + 1 + usize::from(*record.get(SESSION)?))?;
    is_hello.then_some(Offer { version: number(VERSION)?.into(), cipher: cipher.into() })
}

/// A client's hello for all versions up to TLS 1.2. Nothing secret comes of it, so that nothing in it is random.
fn hello(name: &ServerName<'_>) -> Vec<u8> {
    let mut extensions = Vec::new();
    if let ServerName::DnsName(host) = name {
        let host = [&[0], &*sized(host.as_ref().as_bytes())].concat();
        extensions.extend(extension(0, &sized(&host)));
    }
    let groups = numbers(&[29, 23, 24, 25]);
    let signatures =
        numbers(&[0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201]);
    extensions.extend(extension(10, &sized(&groups)));
    extensions.extend(extension(11, &[1, 0]));
    extensions.extend(extension(13, &sized(&signatures)));
    let body =
        [&[3, 3][..], &[0x5a; 32], &[0], &sized(&numbers(&CIPHERS)), &[1, 0], &sized(&extensions)].concat();
    let message = [&[1, 0], &*sized(&body)].concat();
    [&[0x16, 3, 1], &*sized(&message)].concat()
}

fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// The bytes behind their length in two bytes, which is enough for all here.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

fn extension(number: u16, bytes: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes(), &*sized(bytes)].concat()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, duplex};

    use super::*;

    async fn answered(answer: &[u8]) -> Option<Offer> {
        let (ours, mut theirs) = duplex(4096);
        let server = async {
            let mut hello = [0; 5];
            theirs.read_exact(&mut hello).await.unwrap();
            let mut rest = vec![0; usize::from(u16::from_be_bytes([hello[3], hello[4]]))];
            theirs.read_exact(&mut rest).await.unwrap();
            theirs.write_all(answer).await.unwrap();
            drop(theirs);
        };
        let name = "k8s.example".try_into().unwrap();
        tokio::join!(offer(ours, &name), server).0
    }

    #[tokio::test]
    async fn the_choice_of_a_server_is_read() {
        let session = [7; 4];
        let message = [&[2, 0, 0, 42, 3, 1][..], &[9; 32], &[4], &session, &[0, 0x2f, 0]].concat();
        let record = [&[0x16, 3, 1, 0, 46][..], &message].concat();
        let choice =
            Offer { version: ProtocolVersion::TLSv1_0, cipher: CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA };
        assert_eq!(answered(&record).await, Some(choice));
        assert_eq!(answered(&record[..40]).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_makes_no_choice_is_not_waited_for() {
        assert_eq!(answered(&[0x15, 3, 1, 0, 2, 2, 40]).await, None);
        assert_eq!(answered(&[b'x'; 600]).await, None);
        let (ours, _theirs) = duplex(4096);
        assert_eq!(offer(ours, &"127.0.0.1".try_into().unwrap()).await, None);
    }
}
