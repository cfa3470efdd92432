//! Lines of a container: a few numbers in the script, bytes when they are written.

use std::{fmt, iter};

use fastrand::Rng;

/// Lines that are written at once.
#[derive(Debug, Clone)]
pub struct Lines {
    pub count: u32,
    pub texts: Texts,
    pub stamps: Stamps,
    /// Of the texts.
    pub seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Texts {
    /// Each has a number of its own.
    Numbered,
    /// Some are equal, empty, or no UTF-8.
    Odd,
    /// So many bytes, in pieces of 16 KiB as a runtime writes them.
    Long(u32),
    /// JSON with a level, and a line of a stack trace behind each error.
    Records,
    /// The same as text.
    Traces,
    /// The words of a kubelet, written by the container itself.
    LikeKubelet,
    /// The last one is a whole piece without a newline: the rest follows, unless the container ends.
    Unfinished,
}

/// The times that the runtime stamps lines with, from the current one on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamps {
    /// All the same.
    Equal,
    /// So many nanoseconds between two.
    Steps(u32),
    /// From so many nanoseconds before, as standard error may be behind standard output.
    Back(u32),
}

/// The most bytes of a line that a runtime writes as one piece.
pub const PIECE: usize = 16 << 10;

impl Lines {
    pub fn numbered(count: u32) -> Lines {
        Lines { count, texts: Texts::Numbered, stamps: Stamps::Steps(1000), seed: 0 }
    }

    /// The texts without their newlines, of which the first has this number among the lines of its container.
    pub fn texts(&self, first: usize) -> Vec<Vec<u8>> {
        let mut rng = Rng::with_seed(self.seed ^ first as u64);
        (first..).take(self.count as usize).map(|number| self.text(first, number, &mut rng)).collect()
    }

    fn text(&self, first: usize, number: usize, rng: &mut Rng) -> Vec<u8> {
        let plain = || format!("n={number}").into_bytes();
        match self.texts {
            Texts::Numbered => plain(),
            Texts::Unfinished if number + 1 == first + self.count as usize => {
                [plain(), vec![b'.'; PIECE]].concat()[..PIECE].to_vec()
            }
            Texts::Unfinished => plain(),
            Texts::Records | Texts::Traces => match number % 4 {
                3 => format!("\tat com.example.Shop.sell(Shop.java:{number})").into_bytes(),
                level => {
                    let level = ["info", "warn", "error"][level];
                    if self.texts == Texts::Traces {
                        return format!("{} n={number}", level.to_uppercase()).into_bytes();
                    }
                    format!("{{\"level\":\"{level}\",\"msg\":\"n={number}\"}}").into_bytes()
                }
            },
            Texts::Odd => match rng.u32(..8) {
                0 => Vec::new(),
                1 | 2 => b"same".to_vec(),
                3 => format!("n={number} ünïcödé → ✓").into_bytes(),
                4 => [b"n=".to_vec(), number.to_string().into_bytes(), vec![b' ', 0xff, 0xfe, b'.']].concat(),
                5 => format!("n={number} {}", "words ".repeat(rng.usize(1..60))).into_bytes(),
                _ => plain(),
            },
            Texts::Long(bytes) => {
                let head = format!("n={number} ");
                let rest = (bytes as usize).saturating_sub(head.len());
                head.bytes().chain(iter::repeat_n(b'x', rest)).collect()
            }
            Texts::LikeKubelet => {
                let words = [
                    "rpc error: code = Unavailable desc = transport is closing",
                    "unable to retrieve container logs for containerd://0123456789abcdef",
                    "failed to create fsnotify watcher: too many open files",
                    "Unable to retrieve container logs for containerd://fedcba",
                ];
                words[rng.usize(..words.len())].as_bytes().to_vec()
            }
        }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lines { count, texts, stamps, .. } = self;
        match count {
            1 => write!(f, "a line")?,
            count => write!(f, "{count} lines")?,
        }
        match texts {
            Texts::Numbered => {}
            Texts::Odd => write!(f, ", some equal, empty or odd")?,
            Texts::Records => write!(f, " of JSON and stack traces")?,
            Texts::Traces => write!(f, " of text and stack traces")?,
            Texts::Long(bytes) => write!(f, " of {bytes} bytes")?,
            Texts::LikeKubelet => write!(f, " that a kubelet might write")?,
            Texts::Unfinished => write!(f, ", the last without a newline")?,
        }
        match stamps {
            Stamps::Equal if *count > 1 => write!(f, ", all of one instant"),
            Stamps::Back(back) => write!(f, ", stamped {} ms before", f64::from(*back) / 1e6),
            _ => Ok(()),
        }
    }
}
