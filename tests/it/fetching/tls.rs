//! https, with real handshakes.

use std::io::{Read as _, Write as _};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use wireroom::fetch::{Fetcher, Settings};
use wireroom::model::ErrorKind;

use crate::support::certificate::{CERTIFICATE, KEY};

use super::{document, failure, feed, fetcher, quick};

/// A server that answers `n` TLS connections with `answer`. Returns its port.
fn tls_site(n: usize, answer: &'static str) -> u16 {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = std::sync::Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(n) {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            // A client that does not trust us hangs up here, which is what it should do.
            if stream.read(&mut [0; 4096]).is_ok() {
                let _ = stream.write_all(answer.as_bytes());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    port
}

fn trusting(certificates: &str) -> Fetcher {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), certificates).unwrap();
    let ca_file = Some(file.path().into());
    Fetcher::new(Settings { ca_file, ..quick() }).unwrap()
}

#[tokio::test]
async fn https_works_with_certificates_of_our_own_choice_and_no_others() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<rss/>";
    let port = tls_site(2, answer);
    let url = format!("https://127.0.0.1:{port}/feed");

    let trusted = feed(&trusting(CERTIFICATE), &url).await;
    let unknown = failure(feed(&fetcher(), &url).await);

    assert_eq!(document(trusted).body, "<rss/>");
    assert_eq!(unknown.kind, ErrorKind::Tls, "{unknown}");
}

#[tokio::test]
async fn a_redirect_never_leads_from_https_to_http() {
    let answer = "HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\
                  Location: http://127.0.0.1:9999/feed\r\n\r\n";
    let url = format!("https://127.0.0.1:{}/feed", tls_site(1, answer));

    let failure = failure(feed(&trusting(CERTIFICATE), &url).await);

    assert_eq!(failure.kind, ErrorKind::SchemeBlocked, "{failure}");
}
