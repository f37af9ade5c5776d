//! The buckets of the account and their settings, in memory and in the store.

use super::errors::{bucket_already_owned, bucket_not_empty, invalid_argument, no_such_bucket};
use super::lifecycle::Rule;
use super::names::check_bucket;
use super::uploads::forget_all;
use super::version::{VERSIONS, objects_prefix};
use super::versioning::Versioning;
use anyhow::Result;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::{Batch, Store};
use cloud_iam::document::{Document, PolicyKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

const BUCKETS: &str = "s3.bucket";

/// The one kind of ownership here: no access control lists.
pub(crate) const BUCKET_OWNER_ENFORCED: &str = "BucketOwnerEnforced";

/// The settings of a bucket, as they are stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BucketSettings {
    pub name: String,
    pub region: String,
    /// Milliseconds since the Unix epoch.
    pub created: i64,
    /// The URN of the resource it was declared as; absent when a client made it.
    pub declared_as: Option<String>,
    #[serde(default)]
    pub versioning: Versioning,
    pub policy: Option<String>,
    pub public_access_block: Option<PublicAccessBlock>,
    /// Who owns objects; absent once the controls were deleted.
    pub ownership: Option<String>,
    #[serde(default)]
    pub bucket_key_enabled: bool,
    #[serde(default)]
    pub lifecycle: Vec<Rule>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PublicAccessBlock {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    pub const ALL: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

/// A bucket, with its settings in memory.
pub struct Bucket {
    /// A std lock, since it is held for no longer than a pointer is copied: a request has the
    /// settings as they were when it began.
    state: RwLock<Arc<BucketState>>,
    /// Held for reading by all who write objects, and for writing by the one who deletes the
    /// bucket. A lock of tokio's, since it is held over commits.
    gate: tokio::sync::RwLock<Existence>,
}

/// The settings, and the policy parsed.
#[derive(Debug)]
pub struct BucketState {
    pub settings: BucketSettings,
    pub policy: Option<Document>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existence {
    There,
    Gone,
}

/// A promise that the bucket stays as long as it is held.
pub struct Open<'a> {
    _existence: tokio::sync::RwLockReadGuard<'a, Existence>,
}

/// Why a bucket is not created.
pub enum NotCreated {
    /// The account has one of this name.
    Exists(Arc<Bucket>),
    Refused(AwsError),
}

/// All buckets of the account.
pub struct Buckets {
    store: Store,
    all: RwLock<BTreeMap<String, Arc<Bucket>>>,
    /// One change of settings at a time. A lock of tokio's, since it is held over a commit.
    changing: tokio::sync::Mutex<()>,
}

impl BucketSettings {
    /// A new bucket, with the settings that AWS gives one since April 2023 and encrypts since
    /// January 2023:
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html>.
    pub fn new(name: &str, region: &str, created: i64, declared_as: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            region: region.to_owned(),
            created,
            declared_as: declared_as.map(str::to_owned),
            versioning: Versioning::Never,
            policy: None,
            public_access_block: Some(PublicAccessBlock::ALL),
            ownership: Some(BUCKET_OWNER_ENFORCED.to_owned()),
            bucket_key_enabled: false,
            lifecycle: Vec::new(),
            tags: BTreeMap::new(),
        }
    }
}

impl BucketState {
    fn new(settings: BucketSettings) -> Result<Self, String> {
        let policy = settings
            .policy
            .as_deref()
            .map(|text| Document::parse(text, PolicyKind::Resource))
            .transpose()?;
        Ok(Self { settings, policy })
    }

    /// Whether objects have version ids that a client sees.
    pub(crate) fn shows_versions(&self) -> bool {
        self.settings.versioning != Versioning::Never
    }
}

impl Bucket {
    fn new(state: BucketState) -> Self {
        Self {
            state: RwLock::new(Arc::new(state)),
            gate: tokio::sync::RwLock::new(Existence::There),
        }
    }

    pub fn state(&self) -> Arc<BucketState> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps the bucket from being deleted while something is written to it.
    pub async fn open(&self) -> AwsResult<Open<'_>> {
        let existence = self.gate.read().await;
        match *existence {
            Existence::There => Ok(Open {
                _existence: existence,
            }),
            Existence::Gone => Err(no_such_bucket()),
        }
    }
}

impl From<AwsError> for NotCreated {
    fn from(error: AwsError) -> Self {
        Self::Refused(error)
    }
}

impl From<NotCreated> for AwsError {
    fn from(not_created: NotCreated) -> Self {
        match not_created {
            NotCreated::Exists(_) => bucket_already_owned(),
            NotCreated::Refused(error) => error,
        }
    }
}

impl Buckets {
    pub async fn open(store: Store) -> Result<Self> {
        let mut all = BTreeMap::new();
        for (name, json) in store.scan(BUCKETS, "").await? {
            let settings = serde_json::from_slice(&json).map_err(|error| error.to_string());
            let state = match settings.and_then(BucketState::new) {
                Ok(state) => state,
                Err(reason) => {
                    store.unreadable(BUCKETS, &name, &reason);
                    continue;
                }
            };
            all.insert(name, Arc::new(Bucket::new(state)));
        }
        Ok(Self {
            store,
            all: RwLock::new(all),
            changing: tokio::sync::Mutex::new(()),
        })
    }

    pub fn get(&self, name: &str) -> AwsResult<Arc<Bucket>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.get(name).cloned().ok_or_else(no_such_bucket)
    }

    /// All buckets, by name.
    pub fn list(&self) -> Vec<Arc<Bucket>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.values().cloned().collect()
    }

    /// Creates a bucket. One that the same resource has created already, before a crash say, is
    /// that bucket.
    pub async fn create(&self, settings: BucketSettings) -> Result<(), NotCreated> {
        check_bucket(&settings.name).map_err(|reason| {
            AwsError::new(
                400,
                "InvalidBucketName",
                format!("The specified bucket is not valid: {reason}"),
            )
        })?;
        let _changing = self.changing.lock().await;
        if let Ok(existing) = self.get(&settings.name) {
            let declared_as = &existing.state().settings.declared_as;
            if settings.declared_as.is_some() && *declared_as == settings.declared_as {
                return Ok(());
            }
            return Err(NotCreated::Exists(existing));
        }
        self.save(&settings).await?;
        let name = settings.name.clone();
        let state = BucketState::new(settings).map_err(invalid_argument)?;
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(name, Arc::new(Bucket::new(state)));
        Ok(())
    }

    /// Changes a bucket's settings, durably.
    pub async fn change(
        &self,
        name: &str,
        change: impl FnOnce(&mut BucketSettings) + Send,
    ) -> AwsResult<()> {
        let _changing = self.changing.lock().await;
        let bucket = self.get(name)?;
        let mut settings = bucket.state().settings.clone();
        change(&mut settings);
        let state = BucketState::new(settings)
            .map_err(|reason| AwsError::new(400, "MalformedPolicy", reason))?;
        self.save(&state.settings).await?;
        *bucket.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
        Ok(())
    }

    /// Deletes a bucket that holds nothing, not even old versions.
    pub async fn delete(&self, name: &str) -> AwsResult<()> {
        let _changing = self.changing.lock().await;
        let bucket = self.get(name)?;
        let mut existence = bucket.gate.write().await;
        let (of, shows_versions) = (name.to_owned(), bucket.state().shows_versions());
        let batch = self.store.read(move |records| {
            let first = records.range(VERSIONS, &objects_prefix(&of, ""), "", 1);
            if !first.map_err(AwsError::internal)?.is_empty() {
                return Err(bucket_not_empty(shows_versions));
            }
            forget_all(records, &of, Batch::new().delete(BUCKETS, &of))
        });
        let batch = batch.await.map_err(AwsError::internal)??;
        self.store.commit(batch).await.map_err(AwsError::internal)?;
        *existence = Existence::Gone;
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(name);
        Ok(())
    }

    async fn save(&self, settings: &BucketSettings) -> AwsResult<()> {
        let json = serde_json::to_vec(settings).map_err(AwsError::internal)?;
        let batch = Batch::new().put(BUCKETS, &settings.name, json);
        self.store.commit(batch).await.map_err(AwsError::internal)
    }
}
