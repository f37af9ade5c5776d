//! The password of a git client: a signature by the AWS CLI's `codecommit credential-helper`.
//!
//! The helper signs, as version 4 has it, a request whose method is `GIT`, with the host without its
//! port as the only header, and no payload; the password is the time, `Z`, and the signature. The user
//! is the access key, and after a `%` the token of a session:
//! <https://github.com/aws/aws-cli/blob/develop/awscli/customizations/codecommit.py>.

use cloud_core::identity::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

/// For how long a password is one:
/// <https://docs.aws.amazon.com/codecommit/latest/userguide/troubleshooting-ch.html>.
const VALID: Duration = Duration::minutes(15);

/// Characters of the time before the `Z`.
const TIME: usize = 15;

/// What a client says of itself.
#[derive(Debug)]
pub struct Claim<'a> {
    pub user: &'a str,
    pub password: &'a str,
    /// Without the port.
    pub host: &'a str,
    /// The repository's path, without what git asks of it.
    pub path: &'a str,
}

impl Claim<'_> {
    /// Whether it is signed with the account's keys, for a region.
    pub fn is_right(&self, region: &str, now: OffsetDateTime) -> bool {
        let Some((time, signature)) = self.password.split_once('Z') else {
            return false;
        };
        let format = format_description!("[year][month][day]T[hour][minute][second]");
        let Ok(signed_at) = PrimitiveDateTime::parse(time, &format) else {
            return false;
        };
        let age = now - signed_at.assume_utc();
        self.user == ACCESS_KEY_ID
            && time.len() == TIME
            && age.abs() <= VALID
            && self
                .signature(region, time)
                .is_some_and(|right| right == signature)
    }

    fn signature(&self, region: &str, time: &str) -> Option<String> {
        let canonical = format!("GIT\n{}\n\nhost:{}\n\nhost\n", self.path, self.host);
        let date = time.get(..8)?;
        let digest = hex::encode(&Sha256::digest(canonical));
        let scope = format!("{date}/{region}/codecommit/aws4_request");
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        let mut key = format!("AWS4{SECRET_ACCESS_KEY}").into_bytes();
        for part in [date, region, "codecommit", "aws4_request"] {
            key = hmac(&key, part)?;
        }
        Some(hex::encode(&hmac(&key, &to_sign)?))
    }
}

fn hmac(key: &[u8], message: &str) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(message.as_bytes());
    Some(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_password_is_of_one_repository_and_holds_for_a_quarter_of_an_hour() {
        let claim = Claim {
            user: "test",
            // By version 1.45.11 of the helper.
            password: "20261128T094000Zb0b613fd322363b6d87ce99f12d836df7aae8029c2668acc3c2cadc26e6d8a46",
            host: "127.0.0.1",
            path: "/v1/repos/clicks",
        };
        let now = datetime!(2026-11-28 09:40:00 UTC);
        assert!(claim.is_right("us-east-1", now));
        assert!(claim.is_right("us-east-1", now + Duration::minutes(14)));
        assert!(!claim.is_right("us-east-1", now + Duration::minutes(16)));
        assert!(!claim.is_right("eu-west-1", now));
        for other in [
            Claim {
                path: "/v1/repos/other",
                ..claim
            },
            Claim {
                host: "localhost",
                ..claim
            },
            Claim {
                user: "other",
                ..claim
            },
            Claim {
                password: "20261128T094000Z00",
                ..claim
            },
            Claim {
                password: "nonsense",
                ..claim
            },
        ] {
            assert!(!other.is_right("us-east-1", now), "{other:?}");
        }
    }
}
