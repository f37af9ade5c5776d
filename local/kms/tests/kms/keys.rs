//! The key that a stack's secrets are kept with.

use crate::client::{Answer, Cloud};
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const ARN: &str = "arn:aws:kms:us-east-1:000000000000:key/mrk-0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn what_one_cloud_encrypts_every_cloud_decrypts() -> Result<()> {
    let (one, other) = (Cloud::start().await?, Cloud::start().await?);
    let plaintext = STANDARD.encode("a secret");
    let context = json!({ "stack": "local", "project": "mysfits" });
    let mut seen = Vec::new();
    for key in [
        "alias/pulumi",
        "arn:aws:kms:us-east-1:000000000000:alias/pulumi",
        "mrk-0123456789abcdef0123456789abcdef",
        ARN,
    ] {
        let request = json!({ "KeyId": key, "Plaintext": plaintext, "EncryptionContext": context });
        let encrypted = call(&one, "Encrypt", &request).await?.json(200)?;
        assert_eq!(encrypted["KeyId"], ARN);
        let blob = encrypted["CiphertextBlob"].clone();
        let bytes = STANDARD.decode(blob.as_str().context("no blob")?)?;
        ensure!(!bytes.windows(8).any(|window| window == b"a secret"));
        ensure!(!seen.contains(&blob), "the same text twice");

        let request = json!({ "CiphertextBlob": blob, "EncryptionContext": context });
        let decrypted = call(&other, "Decrypt", &request).await?.json(200)?;
        assert_eq!(decrypted["Plaintext"], plaintext);
        assert_eq!(decrypted["KeyId"], ARN);
        assert_eq!(decrypted["EncryptionAlgorithm"], "SYMMETRIC_DEFAULT");
        seen.push(blob);
    }
    Ok(())
}

#[tokio::test]
async fn a_changed_ciphertext_or_context_is_refused() -> Result<()> {
    let cloud = Cloud::start().await?;
    let request = json!({
        "KeyId": "alias/pulumi",
        "Plaintext": STANDARD.encode("a secret"),
        "EncryptionContext": { "stack": "local" },
    });
    let encrypted = call(&cloud, "Encrypt", &request).await?.json(200)?;
    let blob = STANDARD.decode(encrypted["CiphertextBlob"].as_str().context("no blob")?)?;
    let decrypt = |blob: &[u8], context: Value| {
        let blob = STANDARD.encode(blob);
        json!({ "CiphertextBlob": blob, "EncryptionContext": context })
    };
    for context in [
        json!({}),
        json!({ "stack": "dev" }),
        json!({ "Stack": "local" }),
    ] {
        let answer = call(&cloud, "Decrypt", &decrypt(&blob, context)).await?;
        answer.fails_with("InvalidCiphertextException")?;
    }
    for place in 0..blob.len() {
        let mut changed = blob.clone();
        changed[place] ^= 1;
        let request = decrypt(&changed, json!({ "stack": "local" }));
        let answer = call(&cloud, "Decrypt", &request).await?;
        answer.fails_with("InvalidCiphertextException")?;
        if place > 0 {
            let request = decrypt(&blob[..place], json!({ "stack": "local" }));
            let answer = call(&cloud, "Decrypt", &request).await?;
            answer.fails_with("InvalidCiphertextException")?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_the_key_cannot_do_is_refused() -> Result<()> {
    let cloud = Cloud::start().await?;
    let text = |length: usize| STANDARD.encode(vec![b'x'; length]);
    let largest = json!({ "KeyId": "alias/pulumi", "Plaintext": text(4096) });
    let encrypted = call(&cloud, "Encrypt", &largest).await?.json(200)?;
    let blob = &encrypted["CiphertextBlob"];
    let with_key = |key: &str| json!({ "KeyId": key, "CiphertextBlob": blob });
    call(&cloud, "Decrypt", &with_key(ARN)).await?.json(200)?;

    for (action, request, code) in [
        (
            "Encrypt",
            json!({ "KeyId": "alias/other", "Plaintext": text(1) }),
            "NotFoundException",
        ),
        ("Decrypt", with_key("alias/other"), "NotFoundException"),
        (
            "Encrypt",
            json!({ "KeyId": ARN, "Plaintext": text(0) }),
            "ValidationException",
        ),
        (
            "Encrypt",
            json!({ "KeyId": ARN, "Plaintext": text(4097) }),
            "ValidationException",
        ),
        (
            "Decrypt",
            json!({ "CiphertextBlob": text(6145) }),
            "ValidationException",
        ),
        (
            "Encrypt",
            json!({ "KeyId": ARN, "Plaintext": text(1), "EncryptionAlgorithm": "RSAES_OAEP_SHA_256" }),
            "InvalidKeyUsageException",
        ),
        (
            "Encrypt",
            json!({ "KeyId": ARN, "Plaintext": "no base64" }),
            "SerializationException",
        ),
        (
            "Encrypt",
            json!({ "Plaintext": text(1) }),
            "SerializationException",
        ),
        (
            "Decrypt",
            json!({ "CiphertextBlob": blob, "DryRun": true }),
            "SerializationException",
        ),
        ("CreateKey", json!({}), "UnknownOperationException"),
    ] {
        let answer = call(&cloud, action, &request).await?;
        answer
            .fails_with(code)
            .with_context(|| format!("{action} {code}"))?;
    }
    Ok(())
}

async fn call(cloud: &Cloud, action: &str, body: &Value) -> Result<Answer> {
    request(cloud, action, body).send().await
}

fn request<'a>(cloud: &'a Cloud, action: &str, body: &Value) -> crate::client::Call<'a> {
    cloud
        .post("/")
        .header("x-amz-target", format!("TrentService.{action}"))
        .service("kms")
        .body(body.to_string())
}
