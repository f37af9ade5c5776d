//! Texts made of outputs.

use pulumi_gestalt_model::{Output, ResolvedOutput};

use crate::resource::Urn;

/// Like [`format!`], with outputs where it takes values: an output of a text that is unknown when one
/// of them is, a secret when one is, and depends on all that they depend on.
///
/// ```
/// # use pulumi_program::{Output, format_output};
/// # let arn = Output::new("arn:aws:s3:::orders".to_owned());
/// # let days = Output::new(30);
/// let objects: Output<String> = format_output!("{}/*", arn);
/// let rule = format_output!("{arn}: {days:>4} days, of {}", "orders", arn = arn, days = days);
/// ```
///
/// Outputs are borrowed, other values are taken. A name in the text has to be the name of an
/// argument: variables in scope are not found.
#[macro_export]
macro_rules! format_output {
    (@ $format:literal, $outputs:expr, $pattern:pat, [$($arguments:tt)*] $(,)?) => {
        $outputs.map(move |$pattern| ::std::format!($format, $($arguments)*))
    };
    (@ $format:literal, $outputs:expr, $pattern:pat, [$($arguments:tt)*],
        $name:ident = $value:expr $(, $($rest:tt)*)?) => {
        $crate::format_output!(
            @ $format, $crate::__both($outputs, &$value), ($pattern, $name),
            [$($arguments)* $name = $name,], $($($rest)*)?
        )
    };
    (@ $format:literal, $outputs:expr, $pattern:pat, [$($arguments:tt)*],
        $value:expr $(, $($rest:tt)*)?) => {
        $crate::format_output!(
            @ $format, $crate::__both($outputs, &$value), ($pattern, value),
            [$($arguments)* value,], $($($rest)*)?
        )
    };
    ($format:literal $(, $($rest:tt)*)?) => {
        $crate::format_output!(@ $format, $crate::Output::new(()), (), [], $($($rest)*)?)
    };
}

/// What can be in a text that is made of outputs.
pub trait ToOutput {
    type Value: Clone + Send + Sync + 'static;

    fn to_output(&self) -> Output<Self::Value>;
}

impl<T: Clone + Send + Sync + 'static> ToOutput for Output<T> {
    type Value = T;

    fn to_output(&self) -> Output<T> {
        self.clone()
    }
}

impl<T: ToOutput + ?Sized> ToOutput for &T {
    type Value = T::Value;

    fn to_output(&self) -> Output<T::Value> {
        (**self).to_output()
    }
}

impl ToOutput for Urn {
    type Value = String;

    fn to_output(&self) -> Output<String> {
        (**self).clone()
    }
}

impl ToOutput for str {
    type Value = String;

    fn to_output(&self) -> Output<String> {
        Output::new(self.to_owned())
    }
}

macro_rules! values {
    ($($type:ty)+) => {$(
        impl ToOutput for $type {
            type Value = Self;

            fn to_output(&self) -> Output<Self> {
                Output::new(self.clone())
            }
        }
    )+};
}

values! { String char bool i32 u32 i64 u64 usize f64 }

/// Both as one.
#[doc(hidden)]
pub fn __both<A, B: ToOutput>(one: Output<A>, other: B) -> Output<(A, B::Value)>
where
    A: Clone + Send + Sync + 'static,
{
    let other = other.to_output();
    Output::from_resolved_future(async move {
        let (one, other) = (one.resolve().await, other.resolve().await);
        ResolvedOutput {
            value: one.value.zip(other.value),
            secret: one.secret || other.secret,
            dependencies: one
                .dependencies
                .into_iter()
                .chain(other.dependencies)
                .collect(),
        }
    })
}
