//! Digests that a request carries: `Content-MD5` and `x-amz-checksum-*`, in a header or in a
//! trailer.
//!
//! Here they are read, and compared where the body is a document. The body of an object is
//! compared while it is taken in. Rules:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>,
//! and texts as seen: <https://github.com/versity/versitygw/issues/1598>.

use crate::checksums::{Algorithm, Hasher, verify};
use crate::errors::{invalid_request, not_implemented};
use crate::wire::checks::unsupported_algorithm;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use cloud_core::error::{AwsError, AwsResult};
use http::HeaderMap;
use s3s::TrailingHeaders;
use s3s::crypto::{Checksum as _, Md5};
use sha2::Sha512;

const PREFIX: &str = "x-amz-checksum-";

/// Headers with the prefix that hold no checksum.
const OTHERS: &[&str] = &["algorithm", "mode", "type"];

/// Reads base64 as S3 does: bits that no byte is made of do not count.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The digests of one request.
#[derive(Clone)]
pub(super) struct Digest {
    /// In hexadecimal digits.
    content_md5: Option<String>,
    checksum: Option<Sent>,
}

#[derive(Clone)]
struct Sent {
    kind: DigestKind,
    /// The value, in base64; absent when it comes after the body.
    value: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum DigestKind {
    Stored(Algorithm),
    /// These are compared, but not stored with an object.
    Sha512,
    Md5,
}

impl Digest {
    /// Reads the digests of a request.
    ///
    /// # Errors
    /// When they are no digests, more than one checksum, or of an algorithm that is not here.
    pub(super) fn of(headers: &HeaderMap) -> AwsResult<Self> {
        let text = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?.trim();
            (!value.is_empty()).then_some(value)
        };
        let content_md5 = match text("content-md5") {
            Some(value) => Some(md5_value(value)?),
            None => None,
        };
        let mut kinds = Vec::new();
        for name in headers.keys() {
            let name = name.as_str();
            if let Some(kind) = DigestKind::of_header(name)? {
                let value = text(name).unwrap_or_default().to_owned();
                kinds.push((kind, Some(value)));
            }
        }
        for name in text("x-amz-trailer").unwrap_or_default().split(',') {
            if let Some(kind) = DigestKind::of_header(&name.trim().to_ascii_lowercase())? {
                kinds.push((kind, None));
            }
        }
        if kinds.len() > 1 {
            return Err(invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not \
                 allowed.",
            ));
        }
        Ok(Self {
            content_md5,
            checksum: kinds.pop().map(|(kind, value)| Sent { kind, value }),
        })
    }

    /// Refuses a body without the checksum that `x-amz-sdk-checksum-algorithm` announces.
    pub(super) fn check_announced(&self, headers: &HeaderMap) -> AwsResult<()> {
        let name = headers.get("x-amz-sdk-checksum-algorithm");
        let Some(name) = name.and_then(|name| name.to_str().ok()) else {
            return Ok(());
        };
        let Some(sent) = &self.checksum else {
            return Err(invalid_request(
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* \
                 or x-amz-trailer headers were found.",
            ));
        };
        match sent.kind.name().eq_ignore_ascii_case(name.trim()) {
            true => Ok(()),
            false => Err(invalid_value("x-amz-sdk-checksum-algorithm")),
        }
    }

    pub(super) fn is_given(&self) -> bool {
        self.content_md5.is_some() || self.checksum.is_some()
    }

    /// Refuses a checksum that cannot be stored with an object.
    pub(super) fn check_stored(&self) -> AwsResult<()> {
        match &self.checksum {
            Some(Sent {
                kind: kind @ (DigestKind::Sha512 | DigestKind::Md5),
                ..
            }) => Err(unsupported_algorithm(kind.name())),
            _ => Ok(()),
        }
    }

    /// Refuses, before its body is read, an object whose checksum cannot be right.
    pub(super) fn check_object(&self) -> AwsResult<()> {
        self.check_stored()?;
        match &self.checksum {
            Some(Sent {
                kind,
                value: Some(value),
            }) => kind.check(value),
            _ => Ok(()),
        }
    }

    /// Refuses a document that is not what the client says it is.
    pub(super) fn verify(
        &self,
        document: &[u8],
        trailers: Option<&TrailingHeaders>,
    ) -> AwsResult<()> {
        if let Some(sent) = &self.content_md5 {
            verify("Content-MD5", sent, &hex::encode(Md5::checksum(document)))?;
        }
        let Some(Sent { kind, value }) = &self.checksum else {
            return Ok(());
        };
        let header = kind.header();
        let from_trailer = || {
            trailers?.read(|trailers| {
                let value = trailers.get(&header)?;
                value.to_str().ok().map(str::to_owned)
            })?
        };
        let value = value.clone().or_else(from_trailer);
        let value = value.ok_or_else(|| missing_trailer(&header))?;
        kind.check(&value)?;
        verify(kind.name(), &value, &kind.checksum(document))
    }
}

/// What a trailer gets that was announced and did not come.
pub(crate) fn missing_trailer(name: &str) -> AwsError {
    AwsError::new(
        400,
        "MalformedTrailerError",
        format!("The request contained trailing data that was not well-formed: {name} is missing."),
    )
}

fn invalid_value(header: &str) -> AwsError {
    invalid_request(format!("Value for {header} header is invalid."))
}

fn md5_value(text: &str) -> AwsResult<String> {
    match LENIENT.decode(text) {
        Ok(digest) if digest.len() == 16 => Ok(hex::encode(digest)),
        _ => Err(AwsError::new(
            400,
            "InvalidDigest",
            "The Content-MD5 you specified was invalid.",
        )),
    }
}

impl DigestKind {
    /// The kind that a header, or trailer, of this name holds a value of.
    fn of_header(name: &str) -> AwsResult<Option<Self>> {
        let Some(name) = name.strip_prefix(PREFIX) else {
            return Ok(None);
        };
        if OTHERS.contains(&name) {
            return Ok(None);
        }
        if let Some(algorithm) = Algorithm::from_name(name) {
            return Ok(Some(Self::Stored(algorithm)));
        }
        match name {
            "sha512" => Ok(Some(Self::Sha512)),
            "md5" => Ok(Some(Self::Md5)),
            "xxhash3" | "xxhash64" | "xxhash128" => Err(not_implemented(&format!(
                "checksum algorithm {}",
                name.to_ascii_uppercase()
            ))),
            other => Err(unsupported_algorithm(other)),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Stored(algorithm) => algorithm.name(),
            Self::Sha512 => "SHA512",
            Self::Md5 => "MD5",
        }
    }

    fn header(self) -> String {
        format!("{PREFIX}{}", self.name().to_ascii_lowercase())
    }

    fn length(self) -> usize {
        match self {
            Self::Stored(algorithm) => algorithm.length(),
            Self::Sha512 => 64,
            Self::Md5 => 16,
        }
    }

    /// Refuses a value that no body has.
    fn check(self, value: &str) -> AwsResult<()> {
        let decoded = LENIENT.decode(value).unwrap_or_default();
        match decoded.len() == self.length() {
            true => Ok(()),
            false => Err(invalid_value(&self.header())),
        }
    }

    /// Of these bytes, in base64.
    fn checksum(self, bytes: &[u8]) -> String {
        match self {
            Self::Stored(algorithm) => {
                let mut hasher = Hasher::new(algorithm);
                hasher.update(bytes);
                hasher.finish()
            }
            Self::Sha512 => STANDARD.encode(<Sha512 as sha2::Digest>::digest(bytes)),
            Self::Md5 => STANDARD.encode(Md5::checksum(bytes)),
        }
    }
}
