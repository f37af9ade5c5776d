//! KMS, as far as the secrets of a stack need it: Pulumi's secrets provider `awskms://` keeps the
//! key to them encrypted in the stack file, and has it decrypted at every command.
//!
//! One symmetric key is the same in every embedded cloud: a stack file in a repository has to be
//! readable wherever it is checked out. Everybody who reaches a cloud can use it. Keys that a stack
//! deploys exist beside it.

#![warn(unreachable_pub)]

mod resources;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::arn;
use cloud_core::json_protocol::{answer, parse, unknown_operation};
use cloud_iam::{Call, Caller, Iam};
use cloud_resource::deployments::Deployments;
use cloud_resource::resource::{AnyResourceType, ResourceType, bind};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A multi-Region key: what is encrypted in one region can be decrypted in another
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html>).
const KEY_ID: &str = "mrk-0123456789abcdef0123456789abcdef";

/// The name that it goes by.
const ALIAS: &str = "alias/pulumi";

const MATERIAL: [u8; 32] = *b"the key of every embedded cloud.";

/// A symmetric key's algorithm, and what a request that names none means.
const ALGORITHM: &str = "SYMMETRIC_DEFAULT";

/// Lengths in bytes: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html>.
const MAX_PLAINTEXT: usize = 4096;
const MAX_CIPHERTEXT: usize = 6144;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Encrypt {
    key_id: String,
    plaintext: Blob,
    #[serde(default)]
    encryption_context: BTreeMap<String, String>,
    encryption_algorithm: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Decrypt {
    key_id: Option<String>,
    ciphertext_blob: Blob,
    #[serde(default)]
    encryption_context: BTreeMap<String, String>,
    encryption_algorithm: Option<String>,
}

/// Bytes, which JSON has in base64.
struct Blob(Vec<u8>);

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(D::Error::custom)
    }
}

/// The keys of the account, and who may use them.
pub struct Kms {
    iam: Arc<Iam>,
    deployments: Arc<Deployments>,
}

impl Kms {
    /// A KMS whose requests are decided by `iam`, with the keys among what is deployed.
    pub fn new(iam: Arc<Iam>, deployments: Arc<Deployments>) -> Self {
        Self { iam, deployments }
    }

    /// Its resource types.
    pub fn resource_types(self: &Arc<Self>) -> Vec<Box<dyn AnyResourceType>> {
        vec![bind(resources::Key, self), bind(resources::Alias, self)]
    }

    /// One request of KMS' JSON protocol: `action` is the part of `X-Amz-Target` after the dot,
    /// `region` that of the request's signature. Gives the body of the 200 answer.
    pub fn call(
        &self,
        caller: &Caller,
        region: &str,
        action: &str,
        body: &[u8],
    ) -> AwsResult<Bytes> {
        let used = |key: &str| self.may_use_key(caller, &key_arn(region, key), action);
        let output = match action {
            "Encrypt" => {
                let input: Encrypt = parse(body)?;
                let key = self.key_id(region, &input.key_id)?;
                used(&key)?;
                encrypt(region, &key, input)
            }
            "Decrypt" => {
                let input: Decrypt = parse(body)?;
                check_length("ciphertextBlob", &input.ciphertext_blob, MAX_CIPHERTEXT)?;
                // The ciphertext says itself which key it is of.
                let blob = input.ciphertext_blob.0.get(..KEY_ID.len());
                let of = blob.and_then(|id| std::str::from_utf8(id).ok());
                let key = of.and_then(|id| self.key_id(region, id).ok());
                let key = key.ok_or_else(invalid_ciphertext)?;
                if let Some(id) = &input.key_id
                    && self.key_id(region, id)? != key
                {
                    return Err(AwsError::new(
                        400,
                        "IncorrectKeyException",
                        "The key ID in the request does not identify a CMK that can perform this \
                         operation.",
                    ));
                }
                used(&key)?;
                decrypt(region, &key, input)
            }
            _ => return Err(unknown_operation("KMS", action)),
        };
        answer(&output?)
    }

    /// The id of a key, which is named by its id, its ARN, an alias of it, or the ARN of that.
    fn key_id(&self, region: &str, named: &str) -> AwsResult<String> {
        let local = |name: &str| arn("kms", region, name);
        if [KEY_ID, ALIAS].contains(&named)
            || [local(ALIAS), key_arn(region, KEY_ID)].contains(&named.to_owned())
        {
            return Ok(KEY_ID.to_owned());
        }
        let records = self.deployments.all().into_iter();
        let mut ours = records.filter(|record| record.resource.region == region);
        let found = ours.find_map(|record| {
            let resource = &record.resource;
            let is_named = named == resource.id || named == resource.output("arn");
            match record.token.as_str() {
                resources::Key::TOKEN if is_named => Some(resource.id.clone()),
                resources::Alias::TOKEN if is_named => {
                    let target = resource.output("targetKeyArn");
                    target.rsplit('/').next().map(str::to_owned)
                }
                _ => None,
            }
        });
        found.ok_or_else(|| {
            AwsError::new(
                400,
                "NotFoundException",
                format!(
                    "{named} is not found: the embedded cloud has the key {ALIAS}, and those that \
                     are deployed"
                ),
            )
        })
    }

    /// The key's policy leaves it to IAM, as that of a new key does
    /// (<https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>).
    fn may_use_key(&self, caller: &Caller, key_arn: &str, action: &str) -> AwsResult<()> {
        self.iam
            .authorize(&Call {
                caller,
                action: &format!("kms:{action}"),
                resource: key_arn,
                context: &[],
                resource_policy: None,
            })
            .map_err(|error| AwsError::new(400, "AccessDeniedException", error.message))
    }
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html>
fn encrypt(region: &str, id: &str, input: Encrypt) -> AwsResult<Value> {
    check_length("plaintext", &input.plaintext, MAX_PLAINTEXT)?;
    check_algorithm(input.encryption_algorithm.as_deref())?;
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new()
        .fill(&mut nonce)
        .map_err(AwsError::internal)?;
    let mut sealed = input.plaintext.0;
    key(id)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            authenticated(&input.encryption_context)?,
            &mut sealed,
        )
        .map_err(AwsError::internal)?;
    let blob = [id.as_bytes(), nonce.as_slice(), sealed.as_slice()].concat();
    Ok(json!({
        "CiphertextBlob": STANDARD.encode(blob),
        "EncryptionAlgorithm": ALGORITHM,
        "KeyId": key_arn(region, id),
    }))
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>
fn decrypt(region: &str, id: &str, input: Decrypt) -> AwsResult<Value> {
    check_algorithm(input.encryption_algorithm.as_deref())?;
    let blob = input.ciphertext_blob.0;
    let sealed = blob.strip_prefix(id.as_bytes());
    let (nonce, sealed) = sealed
        .and_then(<[u8]>::split_first_chunk::<NONCE_LEN>)
        .ok_or_else(invalid_ciphertext)?;
    let mut sealed = sealed.to_vec();
    let plaintext = key(id)?
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            authenticated(&input.encryption_context)?,
            &mut sealed,
        )
        .map_err(|_| invalid_ciphertext())?;
    Ok(json!({
        "EncryptionAlgorithm": ALGORITHM,
        "KeyId": key_arn(region, id),
        "Plaintext": STANDARD.encode(plaintext),
    }))
}

/// The material of a key is derived from its id, so that a deployed key has the same material after
/// a restart, and no two keys have the same.
fn key(id: &str) -> AwsResult<LessSafeKey> {
    let material: [u8; 32] = match id {
        KEY_ID => MATERIAL,
        id => Sha256::new_with_prefix(MATERIAL)
            .chain_update(id)
            .finalize()
            .into(),
    };
    UnboundKey::new(&AES_256_GCM, &material)
        .map(LessSafeKey::new)
        .map_err(AwsError::internal)
}

fn key_arn(region: &str, id: &str) -> String {
    arn("kms", region, &format!("key/{id}"))
}

/// The context is no secret, and has to be the same at both ends, in any order
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html>).
fn authenticated(context: &BTreeMap<String, String>) -> AwsResult<Aad<Vec<u8>>> {
    serde_json::to_vec(context)
        .map(Aad::from)
        .map_err(AwsError::internal)
}

fn check_algorithm(algorithm: Option<&str>) -> AwsResult<()> {
    match algorithm {
        None | Some(ALGORITHM) => Ok(()),
        Some(other) => Err(AwsError::new(
            400,
            "InvalidKeyUsageException",
            format!("The key {ALIAS} is a symmetric one: {other} is not for it"),
        )),
    }
}

fn check_length(member: &str, blob: &Blob, longest: usize) -> AwsResult<()> {
    let bound = match blob.0.len() {
        0 => "greater than or equal to 1".to_owned(),
        length if length > longest => format!("less than or equal to {longest}"),
        _ => return Ok(()),
    };
    Err(AwsError::new(
        400,
        "ValidationException",
        format!(
            "Value at '{member}' failed to satisfy constraint: Member must have length {bound}"
        ),
    ))
}

fn invalid_ciphertext() -> AwsError {
    AwsError::new(
        400,
        "InvalidCiphertextException",
        format!(
            "The ciphertext is not what the key {ALIAS} of an embedded cloud has made of something \
             in this encryption context"
        ),
    )
}
