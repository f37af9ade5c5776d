//! From Rust's types to values.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};

use crate::value::{PulumiValue, PulumiValueContent as Content};

/// What can be an input.
pub trait ToPulumiValue {
    fn to_pulumi_value(&self) -> impl Future<Output = PulumiValue> + Send;
}

/// A list. What is secret in it stays so by itself; what its items depend on, it depends on.
pub(crate) async fn array<'a, T>(items: impl Iterator<Item = &'a T>) -> PulumiValue
where
    T: ToPulumiValue + 'a,
{
    let mut items = join_all(items.map(T::to_pulumi_value)).await;
    PulumiValue {
        dependencies: dependencies(items.iter_mut()),
        content: Content::Array(items),
        secret: false,
    }
}

/// A map, like [`array`].
pub(crate) async fn object<'a, T>(entries: impl Iterator<Item = (&'a String, &'a T)>) -> PulumiValue
where
    T: ToPulumiValue + 'a,
{
    of_entries(join_all(entries.map(entry)).await)
}

async fn entry<T: ToPulumiValue>((name, value): (&String, &T)) -> (String, PulumiValue) {
    (name.clone(), value.to_pulumi_value().await)
}

fn of_entries(mut entries: Vec<(String, PulumiValue)>) -> PulumiValue {
    PulumiValue {
        dependencies: dependencies(entries.iter_mut().map(|(_, value)| value)),
        content: Content::Object(entries),
        secret: false,
    }
}

fn dependencies<'a>(values: impl Iterator<Item = &'a mut PulumiValue>) -> HashSet<String> {
    values
        .flat_map(|value| value.dependencies.drain())
        .collect()
}

/// A field of a nested type, as generated code gathers it.
pub type ToPulumiObjectFieldFuture<'a> = BoxFuture<'a, (String, PulumiValue)>;

pub fn to_pulumi_object_field<'a, T>(
    name: &'static str,
    value: &'a T,
) -> ToPulumiObjectFieldFuture<'a>
where
    T: ToPulumiValue + Sync + ?Sized + 'a,
{
    async move { (name.to_owned(), value.to_pulumi_value().await) }.boxed()
}

pub async fn to_pulumi_object_concurrent(
    fields: Vec<ToPulumiObjectFieldFuture<'_>>,
) -> PulumiValue {
    of_entries(join_all(fields).await)
}

impl ToPulumiValue for PulumiValue {
    async fn to_pulumi_value(&self) -> PulumiValue {
        self.clone()
    }
}

macro_rules! plain {
    ($($type:ty: $value:ident => $content:expr),+ $(,)?) => {$(
        impl ToPulumiValue for $type {
            async fn to_pulumi_value(&self) -> PulumiValue {
                let $value = self;
                $content.into()
            }
        }
    )+};
}

plain! {
    String: text => Content::String(text.clone()),
    &str: text => Content::String((*text).to_owned()),
    bool: flag => Content::Boolean(*flag),
    f64: number => Content::Number(*number),
    i32: number => Content::Integer(*number),
    u32: number => Content::whole((*number).into()),
    i64: number => Content::whole((*number).into()),
    u64: number => Content::whole((*number).into()),
}

impl<T: ToPulumiValue + Send + Sync + 'static> ToPulumiValue for Option<T> {
    async fn to_pulumi_value(&self) -> PulumiValue {
        match self {
            Some(value) => value.to_pulumi_value().await,
            None => PulumiValue::none(),
        }
    }
}

impl<T: ToPulumiValue + Send + Sync + 'static> ToPulumiValue for Box<T> {
    fn to_pulumi_value(&self) -> impl Future<Output = PulumiValue> + Send {
        self.as_ref().to_pulumi_value()
    }
}

impl<T: ToPulumiValue + Send + Sync + 'static> ToPulumiValue for Vec<T> {
    fn to_pulumi_value(&self) -> impl Future<Output = PulumiValue> + Send {
        array(self.iter())
    }
}

impl<T: ToPulumiValue + Send + Sync + 'static> ToPulumiValue for BTreeMap<String, T> {
    fn to_pulumi_value(&self) -> impl Future<Output = PulumiValue> + Send {
        object(self.iter())
    }
}

impl<T: ToPulumiValue + Send + Sync + 'static> ToPulumiValue for HashMap<String, T> {
    fn to_pulumi_value(&self) -> impl Future<Output = PulumiValue> + Send {
        object(self.iter())
    }
}
