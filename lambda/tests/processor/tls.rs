//! The service over HTTPS: it is believed only when its certificate is.

use std::sync::Arc;

use anyhow::{Context, Result};
use lambda::config::BaseUrl;
use lambda::mysfit::MysfitId;
use lambda::upstream::{Answer, Asked, Failure, Patience, Upstream};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::events::id;
use crate::service::{Does, Service};

/// A service behind TLS, with a certificate for `name` from an issuer that it gives as well.
async fn https(service: &Service, name: &str) -> Result<(u16, RootCertStore)> {
    let mut params = CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new([name.to_owned()])?.signed_by(&key, &issuer)?;
    let mut roots = RootCertStore::empty();
    roots.add(issuer.der().clone())?;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain: Vec<CertificateDer> = vec![certificate.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let behind = service
        .url
        .strip_prefix("http://")
        .context("a URL")?
        .to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            tokio::spawn(async move {
                let mut outside = acceptor.accept(stream).await?;
                let mut inside = TcpStream::connect(behind).await?;
                copy_bidirectional(&mut outside, &mut inside).await
            });
        }
    });
    Ok((port, roots))
}

async fn ask(port: u16, roots: Option<RootCertStore>) -> Result<Asked> {
    let base = BaseUrl::parse(&format!("https://localhost:{port}"))?;
    let patience = Patience {
        attempts: 1,
        ..Patience::default()
    };
    let upstream = match roots {
        Some(roots) => Upstream::with_roots(base, patience, 1, roots)?,
        None => Upstream::new(base, patience, 1)?,
    };
    let id = MysfitId::parse(&id(1)).context("an id")?;
    Ok(upstream.ask(id, None).await)
}

fn refusal(asked: Asked) -> Option<String> {
    match asked.answer {
        Err(Failure::Connection(text)) => Some(text.to_string()),
        _ => None,
    }
}

#[tokio::test]
async fn a_certificate_of_a_known_issuer_is_believed() -> Result<()> {
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    let (port, roots) = https(&service, "localhost").await?;
    let asked = ask(port, Some(roots)).await?;
    assert!(matches!(asked.answer, Ok(Answer::Mysfit(_))), "{asked:?}");
    Ok(())
}

#[tokio::test]
async fn a_certificate_of_somebody_is_not() -> Result<()> {
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    let (port, _) = https(&service, "localhost").await?;
    let refusal = refusal(ask(port, None).await?).context("believed")?;
    assert!(refusal.contains("UnknownIssuer"), "{refusal}");
    assert_eq!(service.requests().len(), 0);
    Ok(())
}

#[tokio::test]
async fn nor_is_one_for_somebody_else() -> Result<()> {
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    let (port, roots) = https(&service, "elsewhere.example").await?;
    let refusal = refusal(ask(port, Some(roots)).await?).context("believed")?;
    assert!(refusal.contains("not valid for name"), "{refusal}");
    assert_eq!(service.requests().len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_server_without_tls_is_not_asked() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let talk = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .await?;
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await?;
        std::io::Result::Ok(said)
    });
    assert!(refusal(ask(port, None).await?).is_some());
    let said = talk.await??;
    assert!(!said.windows(9).any(|bytes| bytes == b"/mysfits/"));
    Ok(())
}
