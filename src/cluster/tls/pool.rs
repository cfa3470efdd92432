//! The certificates that are trusted, as they stand in a file, a kubeconfig or the operating system.

use rustls::pki_types::CertificateDer;

use super::{
    certificate::Certificate,
    pem::{self, Unreadable},
};

#[derive(Debug)]
pub struct Pool {
    /// The place where they stand, for messages.
    pub origin: String,
    certificates: Vec<Trusted>,
}

#[derive(Debug)]
struct Trusted {
    subject: Vec<u8>,
    der: CertificateDer<'static>,
}

impl Pool {
    pub fn new(origin: &str) -> Pool {
        Pool { origin: origin.to_owned(), certificates: Vec::new() }
    }

    /// The certificates in PEM, and the blocks that were skipped: those that Go skips.
    pub fn read(origin: &str, text: &[u8]) -> (Pool, Vec<String>) {
        let (mut pool, mut skipped) = (Pool::new(origin), Vec::new());
        let mut skip = |line: usize, problem: &str| {
            skipped.push(format!("the block at line {line} is skipped: {problem}"));
        };
        for block in pem::blocks(text) {
            match block {
                Err(Unreadable { line, problem }) => skip(line, &format!("it {problem}")),
                Ok(block) if block.label != "CERTIFICATE" => {
                    skip(block.line, &format!("it is not a CERTIFICATE but {:?}", block.label));
                }
                Ok(block) if block.headers => skip(block.line, "it has headers"),
                Ok(block) => match pool.add(block.der.into()) {
                    Ok(()) => {}
                    Err(problem) => skip(block.line, &problem),
                },
            }
        }
        (pool, skipped)
    }

    pub fn add(&mut self, der: CertificateDer<'static>) -> Result<(), String> {
        let subject = Certificate::parse(&der)?.subject().to_vec();
        self.certificates.push(Trusted { subject, der });
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    pub fn contains(&self, certificate: &Certificate<'_>) -> bool {
        self.certificates.iter().any(|one| certificate.is(&one.der))
    }

    /// Those with this subject.
    pub fn named(&self, subject: &[u8]) -> Vec<Certificate<'_>> {
        let named = self.certificates.iter().filter(|one| one.subject == subject);
        named.filter_map(|one| Certificate::parse(&one.der).ok()).collect()
    }
}
