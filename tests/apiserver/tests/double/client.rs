//! A client for HTTP/1.1 with one request per connection, which returns each chunk.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use apiserver::ApiServer;

pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    from: BufReader<TcpStream>,
}

/// Sends a request and reads the head of its answer.
pub fn request(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> io::Result<Response> {
    let mut stream = TcpStream::connect(address)?;
    // A test whose answer never comes must fail and not hang.
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let extra: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(stream, "GET {} HTTP/1.1\r\nhost: double\r\n{extra}\r\n", path.replace(' ', "%20"))?;
    let mut from = BufReader::new(stream);
    let head = line(&mut from)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut headers = Vec::new();
    loop {
        let line = line(&mut from)?;
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    Ok(Response { status, headers, from })
}

pub fn open(server: &ApiServer, path: &str) -> Response {
    request(server.address(), path, &[]).expect("an answer")
}

/// Status and body of an answer that is read to its end.
pub fn get(server: &ApiServer, path: &str) -> (u16, String) {
    let mut response = open(server, path);
    (response.status, response.text())
}

pub fn json(server: &ApiServer, path: &str) -> serde_json::Value {
    serde_json::from_str(&get(server, path).1).expect("JSON")
}

/// The names of the objects in a list.
pub fn names(server: &ApiServer, path: &str) -> Vec<String> {
    let list = json(server, path);
    let items = list["items"].as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().map(|item| item["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
}

pub fn message(server: &ApiServer, path: &str) -> (u16, String) {
    let (status, body) = get(server, path);
    let body: serde_json::Value = serde_json::from_str(&body).expect("a Status");
    (status, body["message"].as_str().expect("a message").to_owned())
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The next chunk; None at the proper end of the body.
    pub fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let size = line(&mut self.from)?;
        let size = usize::from_str_radix(&size, 16).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let mut chunk = vec![0; size + 2];
        self.from.read_exact(&mut chunk)?;
        chunk.truncate(size);
        Ok((size > 0).then_some(chunk))
    }

    pub fn next(&mut self) -> String {
        let chunk = self.chunk().expect("a whole chunk").expect("no end yet");
        String::from_utf8_lossy(&chunk).into_owned()
    }

    /// All chunks, and the end of the body.
    pub fn chunks(&mut self) -> (Vec<String>, io::Result<()>) {
        let mut chunks = Vec::new();
        loop {
            match self.chunk() {
                Ok(Some(chunk)) => chunks.push(String::from_utf8_lossy(&chunk).into_owned()),
                Ok(None) => return (chunks, Ok(())),
                Err(error) => return (chunks, Err(error)),
            }
        }
    }

    pub fn text(&mut self) -> String {
        match self.header("content-length").map(|length| length.parse().expect("a length")) {
            Some(length) => {
                let mut body = vec![0; length];
                self.from.read_exact(&mut body).expect("a whole body");
                String::from_utf8_lossy(&body).into_owned()
            }
            None => {
                let (chunks, end) = self.chunks();
                end.expect("a proper end");
                chunks.concat()
            }
        }
    }
}
