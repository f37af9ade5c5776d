//! CloudWatch Logs: groups and streams of log lines, kept on disk.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `wire` | CloudWatch Logs' JSON protocol |
//! | `resources` | its resource types |
//! | `stored` | a stream as a file |
//! | `reader` | a thread that reads streams, so that nothing else waits for it |
//! | here | groups and their streams, and who may write them |
//!
//! One lock is held while a stream is looked up, and each stream has a lock of its own that is held
//! while it is written. No lock is held while a stream is read.

#![warn(unreachable_pub)]

mod reader;
mod resources;
mod stored;
mod wire;

use anyhow::{Context as _, Result, ensure};
use cloud_core::context::Context;
use cloud_core::context::reset_meanwhile;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::events::{self, excerpt};
use cloud_core::folder;
use cloud_core::identity::arn;
use cloud_iam::{Call, Caller, Iam};
use cloud_resource::resource::{AnyResourceType, bind};
use reader::Reader;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
pub use stored::Event;
use stored::{StoredStream, file_name};

/// The retentions that PutRetentionPolicy takes, in days (its API reference).
pub(crate) const RETENTION_DAYS: &[u32] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// How many files a group holds open: an execution environment of a function has one of its own.
const MAX_OPEN_FILES: usize = 32;

/// The log groups of the account.
pub struct Logs {
    folder: PathBuf,
    context: Context,
    iam: Arc<Iam>,
    /// By region and name. Who takes more than one lock takes this one first, then that of a group's
    /// streams, then that of a stream's file.
    groups: Mutex<BTreeMap<(String, String), Group>>,
    /// Set, with the groups locked, when the folder is about to be deleted.
    closed: Arc<AtomicBool>,
    reader: Reader,
    /// Looks for damage, so that who reads does not wait for that.
    checker: Reader,
}

/// A deployed group, as it was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSettings {
    pub region: String,
    pub name: String,
    /// Events that are older are gone; without it they stay.
    pub retention_days: Option<u32>,
    /// In milliseconds since the Unix epoch.
    pub created: i64,
}

impl GroupSettings {
    /// The group's ARN.
    pub fn arn(&self) -> String {
        group_arn(&self.region, &self.name)
    }
}

/// The ARN of a log group.
pub(crate) fn group_arn(region: &str, name: &str) -> String {
    arn("logs", region, &format!("log-group:{name}"))
}

/// The ARN of a log stream.
pub fn stream_arn(region: &str, group: &str, stream: &str) -> String {
    format!("{}:log-stream:{stream}", group_arn(region, group))
}

/// A group; clones share its streams.
#[derive(Debug, Clone)]
struct Group {
    settings: GroupSettings,
    folder: PathBuf,
    streams: Arc<Mutex<Streams>>,
    /// That of all groups.
    closed: Arc<AtomicBool>,
}

type Streams = BTreeMap<String, Arc<StoredStream>>;

/// A group as it was when it was looked at.
struct View {
    settings: GroupSettings,
    streams: Streams,
}

impl Logs {
    /// Opens the folder that holds a folder a group, with a file a stream.
    pub fn open(folder: &Path, context: &Context, iam: Arc<Iam>) -> Result<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            context: context.clone(),
            iam,
            groups: Mutex::default(),
            closed: Arc::default(),
            reader: Reader::start("log reader", &context.troubles)?,
            checker: Reader::start("checker", &context.troubles)?,
        })
    }

    /// Its resource types.
    pub fn resource_types(self: &Arc<Self>) -> Vec<Box<dyn AnyResourceType>> {
        vec![
            bind(resources::LogGroup, self),
            bind(resources::LogMetricFilter, self),
            bind(resources::LogStream, self),
        ]
    }

    /// Forgets all groups and takes no new ones, before the folder is deleted: what is written
    /// from then on finds no group, and is not acknowledged.
    pub fn close(&self) {
        let mut groups = self.groups();
        self.closed.store(true, Ordering::SeqCst);
        for group in std::mem::take(&mut *groups).into_values() {
            // A writer may hold the group already. So each stream is ended while nobody writes it,
            // and no new one is begun.
            for stream in std::mem::take(&mut *group.streams()).into_values() {
                stream.end();
            }
        }
    }

    /// Reads all streams once, in the background, for what is damaged in them.
    pub fn check(&self) {
        let groups: Vec<Group> = self.groups().values().cloned().collect();
        let streams = groups.into_iter().flat_map(|group| group.view().streams);
        for (_, stream) in streams {
            let troubles = self.context.troubles.clone();
            // Weak, so that a stream that is deleted meanwhile is not read.
            let stream = Arc::downgrade(&stream);
            self.checker.run(move || {
                if let Some(stream) = stream.upgrade() {
                    stream.check(&troubles);
                }
            });
        }
    }

    /// Does something when all streams have been checked, after other work.
    pub fn in_background(&self, job: impl FnOnce() + Send + 'static) {
        self.checker.run(job);
    }

    /// Makes a group live with the streams that are on disk, or changes a live one.
    pub fn deploy_group(&self, settings: GroupSettings) -> Result<()> {
        let key = (settings.region.clone(), settings.name.clone());
        let mut groups = self.groups();
        ensure!(!self.closed.load(Ordering::SeqCst), reset_meanwhile());
        if let Some(group) = groups.get_mut(&key) {
            group.settings = settings;
            return Ok(());
        }
        let folder = self.folder.join(&key.0).join(file_name(&key.1));
        folder::create(&folder)
            .with_context(|| format!("the folder {} cannot be created", folder.display()))?;
        let mut streams = Streams::new();
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            match StoredStream::open(&path, &self.context.troubles) {
                Ok(Some(stream)) => {
                    streams.insert(stream.name().to_owned(), Arc::new(stream));
                }
                Ok(None) => {}
                Err(error) => {
                    let what = format!("a log stream cannot be read, and is not shown: {error:#}");
                    self.context.troubles.keep_file(&path, &what);
                }
            }
        }
        let group = Group {
            settings,
            folder,
            streams: Arc::new(Mutex::new(streams)),
            closed: Arc::clone(&self.closed),
        };
        groups.insert(key, group);
        Ok(())
    }

    /// Deletes a group with all its events.
    pub(crate) fn remove_group(&self, region: &str, name: &str) -> Result<()> {
        // Locked to the end, so that the folder is not that of a new group of the same name.
        let mut groups = self.groups();
        if let Some(group) = groups.remove(&(region.into(), name.into())) {
            std::fs::remove_dir_all(&group.folder)
                .with_context(|| format!("{} cannot be deleted", group.folder.display()))?;
        }
        Ok(())
    }

    /// How a group is set, however it came to be.
    pub fn group(&self, region: &str, name: &str) -> Option<GroupSettings> {
        let groups = self.groups();
        let group = groups.get(&(region.into(), name.into()))?;
        Some(group.settings.clone())
    }

    /// Whether a group is deployed.
    pub(crate) fn has_group(&self, region: &str, name: &str) -> bool {
        self.groups().contains_key(&(region.into(), name.into()))
    }

    /// Creates a stream in a deployed group; one that is there already stays as it is.
    pub(crate) fn deploy_stream(&self, region: &str, group: &str, stream: &str) -> AwsResult<()> {
        let now = self.context.clock.unix_millis();
        let group = self.live(region, group).ok_or_else(no_group)?;
        group
            .stream(stream, now)
            .map(|_| ())
            .map_err(|error| AwsError::internal(format!("{error:#}")))
    }

    /// Whether a stream is there.
    pub(crate) fn has_stream(&self, region: &str, group: &str, stream: &str) -> bool {
        self.live(region, group)
            .is_some_and(|group| group.streams().contains_key(stream))
    }

    /// Deletes a stream with all its events.
    pub(crate) fn remove_stream(&self, region: &str, group: &str, stream: &str) -> Result<()> {
        let Some(group) = self.live(region, group) else {
            return Ok(());
        };
        let stream = group.streams().remove(stream);
        match stream {
            Some(stream) => stream.delete(),
            None => Ok(()),
        }
    }

    /// Appends messages, each with its time, to a stream, which is created when it is missing.
    fn append<'a>(
        &self,
        group: &Group,
        stream: &str,
        now: i64,
        messages: impl IntoIterator<Item = (i64, &'a str)>,
    ) -> Result<()> {
        let source = format!("the log group {}", group.settings.name);
        let appended = group.append(stream, now, messages);
        match &appended {
            Ok(()) => self.context.troubles.ended(&source),
            Err(error) => self.context.troubles.began(&source, format!("{error:#}")),
        }
        appended
    }

    fn live(&self, region: &str, name: &str) -> Option<Group> {
        self.groups().get(&(region.into(), name.into())).cloned()
    }

    fn groups(&self) -> MutexGuard<'_, BTreeMap<(String, String), Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    fn stream(&self, name: &str, now: i64) -> Result<Arc<StoredStream>> {
        let mut streams = self.streams();
        if let Some(stream) = streams.get(name) {
            return Ok(Arc::clone(stream));
        }
        ensure!(!self.closed.load(Ordering::SeqCst), reset_meanwhile());
        let stream = Arc::new(StoredStream::create(&self.folder, name, now)?);
        streams.insert(name.into(), Arc::clone(&stream));
        Ok(stream)
    }

    fn append<'a>(
        &self,
        stream: &str,
        now: i64,
        messages: impl IntoIterator<Item = (i64, &'a str)>,
    ) -> Result<()> {
        let stream = self.stream(stream, now)?;
        if !stream.is_open() {
            let all: Vec<_> = self.streams().values().cloned().collect();
            let open = all.iter().filter(|stream| stream.is_open());
            if open.count() >= MAX_OPEN_FILES {
                all.iter().for_each(|stream| stream.close());
            }
        }
        stream.append(now, messages)
    }

    fn view(&self) -> View {
        View {
            settings: self.settings.clone(),
            streams: self.streams().clone(),
        }
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View {
    /// The time before which events are gone.
    fn horizon(&self, now: i64) -> i64 {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        self.settings
            .retention_days
            .map_or(i64::MIN, |days| now - i64::from(days) * DAY)
    }
}

fn no_group() -> AwsError {
    AwsError::new(
        400,
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
}

impl Logs {
    /// Appends messages for a caller that IAM lets do so: with `logs:PutLogEvents`, and
    /// `logs:CreateLogStream` when the stream is missing.
    pub fn write(
        &self,
        caller: &Caller,
        region: &str,
        group: &str,
        stream: &str,
        messages: &[String],
    ) -> AwsResult<()> {
        let resource = stream_arn(region, group, stream);
        if !self.has_stream(region, group, stream) {
            self.may_log(caller, "logs:CreateLogStream", &resource)?;
            self.deploy_stream(region, group, stream)?;
        }
        self.may_log(caller, "logs:PutLogEvents", &resource)?;
        let now = self.context.clock.unix_millis();
        let live = self.live(region, group).ok_or_else(no_group)?;
        let events = messages.iter().map(|message| (now, message.as_str()));
        self.append(&live, stream, now, events)
            .map_err(|error| AwsError::internal(format!("{error:#}")))?;
        for message in messages {
            self.context.events.push(events::Event::Log {
                group: group.to_owned(),
                stream: stream.to_owned(),
                message: excerpt(message.as_bytes()),
            });
        }
        Ok(())
    }

    fn may_log(&self, caller: &Caller, action: &str, resource: &str) -> AwsResult<()> {
        self.iam.authorize(&Call {
            caller,
            action,
            resource,
            context: &[],
            resource_policy: None,
        })
    }
}
