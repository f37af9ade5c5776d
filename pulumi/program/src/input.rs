//! An input of a resource: a value, an output, or a list or map with outputs in it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::marker::PhantomData;

use pulumi_gestalt_model::{Output, PulumiValue, ToPulumiValue};
use pulumi_gestalt_rust::PulumiAny;

use crate::context::{Context, Field};

/// An input of a resource, or an argument of a function, where a `T` is wanted.
///
/// A list or a map of outputs stays what it is: what is secret or unknown in it is so by itself.
/// So does a list or a map of these, and what [`Input::any`] is given.
///
/// ```
/// # use std::collections::HashMap;
/// # use pulumi_program::{Input, Output};
/// let password = Output::new_secret("hunter2".to_owned());
/// let user = Output::new("ann".to_owned());
/// let list: Input<Vec<String>> = [user.clone(), password.clone()].into();
/// let map = HashMap::from([("user".to_owned(), user), ("password".to_owned(), password)]);
/// let map: Input<Option<HashMap<String, String>>> = map.into();
/// ```
pub struct Input<T> {
    value: Output<PulumiValue>,
    wanted: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Input<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Input").finish_non_exhaustive()
    }
}

impl<T> Input<T> {
    pub(crate) fn of(value: impl ToPulumiValue + Send + Sync + 'static) -> Self {
        Self {
            value: Output::new(value).value(),
            wanted: PhantomData,
        }
    }

    /// A value that is not checked against `T`: for a nested type with outputs in its fields, and
    /// for a property of any type, which a binding has as a text.
    ///
    /// ```
    /// # use pulumi_program::{Input, Output, pulumi_any};
    /// # struct Environment;
    /// # let password = Output::new_secret("hunter2".to_owned());
    /// let environment: Input<Option<Environment>> =
    ///     Input::any(pulumi_any!({ "variables": { "USER": "ann", "PASSWORD": password } }));
    /// ```
    pub fn any(value: PulumiAny) -> Self {
        Self::of(value)
    }

    pub(crate) fn into_value(self) -> Output<PulumiValue> {
        self.value
    }

    /// Generated code asks for it, with the context that Gestalt needs for it.
    #[doc(hidden)]
    pub fn get_output(self, _: &Context) -> Output<PulumiValue> {
        self.value
    }
}

impl<T: Default + ToPulumiValue + Send + Sync + 'static> Default for Input<T> {
    fn default() -> Self {
        Self::of(T::default())
    }
}

impl<T: ToPulumiValue + Send + Sync + 'static> From<T> for Input<T> {
    fn from(value: T) -> Self {
        Self::of(value)
    }
}

impl<T: ToPulumiValue + Send + Sync + 'static> From<T> for Input<Option<T>> {
    fn from(value: T) -> Self {
        Self::of(value)
    }
}

/// What can be given where a required input is wanted, and where an optional one is.
macro_rules! inputs {
    ($([$($generic:tt)*] $from:ty => $wanted:ty: $value:ident => $input:expr;)+) => {$(
        impl<$($generic)*> From<$from> for Input<$wanted> {
            fn from($value: $from) -> Self {
                Self::of($input)
            }
        }

        impl<$($generic)*> From<$from> for Input<Option<$wanted>> {
            fn from($value: $from) -> Self {
                Self::of($input)
            }
        }
    )+};
}

pub(crate) use inputs;

inputs! {
    [] &str => String: text => text.to_owned();
    [] Vec<&str> => Vec<String>: texts => owned(texts);
    [const N: usize] [&str; N] => Vec<String>: texts => owned(texts);
    [T: ToPulumiValue + Send + Sync + 'static, const N: usize] [T; N] => Vec<T>:
        items => Vec::from(items);
    [T: ToPulumiValue + Send + Sync + 'static] Output<T> => T: output => output;
    [T: ToPulumiValue + Send + Sync + 'static] Vec<Output<T>> => Vec<T>: items => items;
    [T: ToPulumiValue + Send + Sync + 'static, const N: usize] [Output<T>; N] => Vec<T>:
        items => Vec::from(items);
    [T: ToPulumiValue + Send + Sync + 'static] HashMap<String, Output<T>> => HashMap<String, T>:
        entries => entries;
    [T: ToPulumiValue + Send + Sync + 'static] BTreeMap<String, Output<T>> => HashMap<String, T>:
        entries => entries;
    [T: ToPulumiValue + Send + Sync + 'static] Vec<Vec<Output<T>>> => Vec<Vec<T>>: items => items;
    [T: ToPulumiValue + Send + Sync + 'static] Vec<HashMap<String, Output<T>>> =>
        Vec<HashMap<String, T>>: items => items;
    [T: ToPulumiValue + Send + Sync + 'static] HashMap<String, Vec<Output<T>>> =>
        HashMap<String, Vec<T>>: entries => entries;
    [T: ToPulumiValue + Send + Sync + 'static] HashMap<String, HashMap<String, Output<T>>> =>
        HashMap<String, HashMap<String, T>>: entries => entries;
}

fn owned<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}
