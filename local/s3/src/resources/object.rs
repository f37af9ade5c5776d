//! `aws:s3/bucketObjectv2:BucketObjectv2`.

use super::unless_gone;
use crate::S3;
use crate::checksums::Algorithm;
use crate::names::key_fits;
use crate::version::{Content, Version};
use crate::{DEFAULT_CHECKSUM, ObjectHeaders};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::bucket_arn;
use cloud_resource::resource::{Deployed, New, Properties, Refusal, Resource, ResourceType, Scope};
use pulumi_protocol::SIGNATURE;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The type of an object whose program names none: what AWS's SDK for Go, on which the real
/// provider is built, sends.
const DEFAULT_CONTENT_TYPE: &str = "application/octet-stream";

/// An object.
pub(crate) struct BucketObjectv2;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ObjectInputs {
    bucket: String,
    key: Option<String>,
    /// An asset, or an archive that is a file.
    source: Option<BTreeMap<String, Value>>,
    content: Option<String>,
    content_base64: Option<String>,
    cache_control: Option<String>,
    content_disposition: Option<String>,
    content_encoding: Option<String>,
    content_language: Option<String>,
    content_type: Option<String>,
    checksum_algorithm: Option<String>,
    /// What triggers an update, like `sourceHash`.
    etag: Option<String>,
    source_hash: Option<String>,
    force_destroy: Option<bool>,
    metadata: Option<BTreeMap<String, String>>,
    server_side_encryption: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

impl ObjectInputs {
    fn headers(&self) -> ObjectHeaders {
        let content_type = self.content_type.clone();
        ObjectHeaders {
            content_type: content_type.or_else(|| Some(DEFAULT_CONTENT_TYPE.to_owned())),
            content_encoding: self.content_encoding.clone(),
            content_disposition: self.content_disposition.clone(),
            content_language: self.content_language.clone(),
            cache_control: self.cache_control.clone(),
            metadata: self.metadata.clone().unwrap_or_default(),
            ..ObjectHeaders::default()
        }
    }

    /// Changes each input that differs from the object to what the object has.
    fn refresh(&mut self, content: &Content) {
        let (declared, actual) = (self.headers(), &content.headers);
        for (input, declared, actual) in [
            (
                &mut self.content_type,
                declared.content_type,
                &actual.content_type,
            ),
            (
                &mut self.content_encoding,
                declared.content_encoding,
                &actual.content_encoding,
            ),
            (
                &mut self.content_disposition,
                declared.content_disposition,
                &actual.content_disposition,
            ),
            (
                &mut self.content_language,
                declared.content_language,
                &actual.content_language,
            ),
            (
                &mut self.cache_control,
                declared.cache_control,
                &actual.cache_control,
            ),
        ] {
            if declared != *actual {
                input.clone_from(actual);
            }
        }
        if declared.metadata != actual.metadata {
            self.metadata = Some(actual.metadata.clone());
        }
        if self.tags() != content.tags {
            self.tags = Some(content.tags.clone());
        }
    }

    fn tags(&self) -> BTreeMap<String, String> {
        self.tags.clone().unwrap_or_default()
    }

    /// The bytes. Paths are relative to where the cloud was started: the project's root.
    async fn body(&self) -> AwsResult<Bytes> {
        if let Some(content) = &self.content {
            return Ok(Bytes::from(content.clone()));
        }
        if let Some(content) = &self.content_base64 {
            let content = STANDARD.decode(content);
            return content
                .map(Bytes::from)
                .map_err(|error| invalid(format!("contentBase64 is no base64: {error}")));
        }
        let Some(source) = &self.source else {
            return Ok(Bytes::new());
        };
        if let Some(text) = source.get("text").and_then(Value::as_str) {
            return Ok(Bytes::from(text.to_owned()));
        }
        let Some(path) = source.get("path").and_then(Value::as_str) else {
            return Err(invalid("source must be a file or a text".to_owned()));
        };
        match tokio::fs::read(path).await {
            Ok(body) => Ok(Bytes::from(body)),
            Err(error) => Err(invalid(format!("source: {path} cannot be read: {error}"))),
        }
    }
}

#[async_trait]
impl ResourceType for BucketObjectv2 {
    type Inputs = ObjectInputs;
    type Service = S3;

    const TOKEN: &'static str = "aws:s3/bucketObjectv2:BucketObjectv2";
    const REPLACES_ON: &'static [&'static str] = &["bucket", "key", "region"];
    const CHANGES_ON_UPDATE: &'static [&'static str] = &["etag", "versionId"];
    /// PutObject.
    const OVERWRITES: bool = true;

    fn validate(&self, inputs: &ObjectInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let contents = [
            inputs.source.is_some(),
            inputs.content.is_some(),
            inputs.content_base64.is_some(),
        ];
        if contents.into_iter().filter(|&given| given).count() > 1 {
            refusals.push(Refusal::new(
                "source",
                "give one of source, content and contentBase64",
            ));
        }
        if let Some(source) = &inputs.source
            && !source.contains_key(SIGNATURE)
        {
            refusals.push(Refusal::new("source", "it is no asset"));
        }
        if let Some(key) = &inputs.key
            && !key_fits(key)
        {
            refusals.push(Refusal::new("key", "a key has 1 to 1024 bytes"));
        }
        if let Some(encryption) = &inputs.server_side_encryption
            && encryption != "AES256"
        {
            refusals.push(Refusal::new(
                "serverSideEncryption",
                format!("the embedded cloud's S3 has no encryption by {encryption}, only AES256"),
            ));
        }
        if let Some(name) = &inputs.checksum_algorithm
            && Algorithm::from_name(name).is_none()
        {
            refusals.push(Refusal::new(
                "checksumAlgorithm",
                format!("{name:?} is none of CRC32, CRC32C, CRC64NVME, SHA1, SHA256"),
            ));
        }
        for name in inputs.metadata.iter().flat_map(BTreeMap::keys) {
            if *name != name.to_lowercase() {
                refusals.push(Refusal::new(
                    format!("metadata.{name}"),
                    "the names of metadata must be in lower case",
                ));
            }
        }
        refusals
    }

    async fn create(&self, s3: &Arc<S3>, new: &New, inputs: &ObjectInputs) -> AwsResult<Deployed> {
        let key = inputs.key.as_deref().unwrap_or(&new.name);
        let outputs = put(s3, key, inputs).await?;
        Ok(Deployed::new(format!("{}/{key}", inputs.bucket), outputs))
    }

    async fn activate(&self, _s3: &Arc<S3>, _resource: &Resource<ObjectInputs>) -> AwsResult<()> {
        Ok(())
    }

    async fn update(
        &self,
        s3: &Arc<S3>,
        old: &Resource<ObjectInputs>,
        inputs: &ObjectInputs,
    ) -> AwsResult<Properties> {
        let key = old.output("key");
        let only_tags = ObjectInputs {
            tags: old.inputs.tags.clone(),
            force_destroy: old.inputs.force_destroy,
            ..inputs.clone()
        };
        if only_tags == old.inputs {
            let bucket = s3.buckets.get(&inputs.bucket)?;
            s3.set_tags(&bucket, key, None, inputs.tags()).await?;
            return Ok(old.outputs.clone());
        }
        match put(s3, key, inputs).await? {
            Value::Object(outputs) => Ok(outputs),
            _ => Ok(old.outputs.clone()),
        }
    }

    async fn read(
        &self,
        s3: &Arc<S3>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<ObjectInputs>>,
    ) -> AwsResult<Option<Resource<ObjectInputs>>> {
        let Some(mut known) = known else {
            return Ok(None);
        };
        let key = known.output("key").to_owned();
        let Ok((version, content)) = s3.find(&known.inputs.bucket, &key, None).await else {
            return Ok(None);
        };
        known.inputs.refresh(&content);
        if let Value::Object(outputs) = outputs(s3, &known.inputs.bucket, &key, &version, &content)
        {
            known.outputs.extend(outputs);
        }
        Ok(Some(known))
    }

    /// By `BUCKET/KEY` or `s3://BUCKET/KEY`. What is in the object is no input of it: a program
    /// that declares a source has it written again.
    async fn import(
        &self,
        s3: &Arc<S3>,
        _scope: &Scope<'_>,
        id: &str,
    ) -> AwsResult<Option<Resource<ObjectInputs>>> {
        let path = id.strip_prefix("s3://").unwrap_or(id);
        let Some((bucket, key)) = path.split_once('/') else {
            return Ok(None);
        };
        let Some(state) = super::state(s3, bucket) else {
            return Ok(None);
        };
        let Ok((version, content)) = s3.find(bucket, key, None).await else {
            return Ok(None);
        };
        let mut inputs = ObjectInputs {
            bucket: bucket.to_owned(),
            key: Some(key.to_owned()),
            ..ObjectInputs::default()
        };
        inputs.refresh(&content);
        let outputs = outputs(s3, bucket, key, &version, &content);
        let deployed = Deployed::new(format!("{bucket}/{key}"), outputs);
        let region = &state.settings.region;
        Ok(Some(Resource::undeclared(region, deployed, inputs)))
    }

    async fn delete(&self, s3: &Arc<S3>, resource: &Resource<ObjectInputs>) -> AwsResult<()> {
        let Ok(bucket) = s3.buckets.get(&resource.inputs.bucket) else {
            return Ok(());
        };
        // All its versions, as the real provider does it.
        let erased = s3.erase_object(&bucket, resource.output("key")).await;
        unless_gone(s3, &resource.inputs.bucket, erased)
    }
}

async fn put(s3: &S3, key: &str, inputs: &ObjectInputs) -> AwsResult<Value> {
    let bucket = s3.buckets.get(&inputs.bucket)?;
    let algorithm = inputs.checksum_algorithm.as_deref();
    let algorithm = algorithm
        .and_then(Algorithm::from_name)
        .unwrap_or(DEFAULT_CHECKSUM);
    let body = inputs.body().await?;
    let (headers, tags) = (inputs.headers(), inputs.tags());
    let put = s3.put_bytes(&bucket, key, body, algorithm, headers, tags);
    let version = put.await?;
    let content = version
        .content
        .as_ref()
        .ok_or_else(|| AwsError::internal("an object was stored without content"))?;
    Ok(outputs(s3, &inputs.bucket, key, &version, content))
}

fn outputs(s3: &S3, bucket: &str, key: &str, version: &Version, content: &Content) -> Value {
    let shows_versions = super::state(s3, bucket).is_some_and(|state| state.shows_versions());
    let version_id = shows_versions.then_some(version.id.as_str());
    json!({
        "arn": format!("{}/{key}", bucket_arn(bucket)),
        "contentType": content.headers.content_type,
        "etag": content.etag,
        "key": key,
        "serverSideEncryption": "AES256",
        "storageClass": "STANDARD",
        "versionId": version_id.unwrap_or_default(),
    })
}

fn invalid(reason: String) -> AwsError {
    AwsError::new(400, "InvalidRequest", reason)
}
