//! Several outputs as one.

use std::collections::HashSet;

use pulumi_gestalt_model::ResolvedOutput;
use pulumi_gestalt_rust::Output;

/// Several outputs, whose values are wanted together.
pub trait All {
    type Values;

    fn all(self) -> Output<Self::Values>;
}

/// The values of several outputs, once all of them are there: of a tuple of references, or of a
/// `Vec`. What comes of them is unknown when one of them is, a secret when one of them is, and
/// depends on all that they depend on.
///
/// ```
/// # use pulumi_program::{Output, all};
/// let bucket = Output::new("orders".to_owned());
/// let days = Output::new(30);
/// let rule = all((&bucket, &days)).map(|(bucket, days)| format!("{bucket}: {days} days"));
///
/// let names = all(vec![bucket.clone(), bucket]).map(|names| names.join(", "));
/// ```
pub fn all<T: All>(outputs: T) -> Output<T::Values> {
    outputs.all()
}

impl<T: Clone + Send + Sync + 'static> All for Vec<Output<T>> {
    type Values = Vec<T>;

    fn all(self) -> Output<Vec<T>> {
        Output::from_resolved_future(async move {
            let mut together = Together::default();
            let mut values = Some(Vec::with_capacity(self.len()));
            for output in self {
                let value = together.add(output).await;
                values = values.zip(value).map(|(mut values, value)| {
                    values.push(value);
                    values
                });
            }
            together.into_resolved(values)
        })
    }
}

macro_rules! all_of_tuples {
    ($(($($type:ident $name:ident),+))*) => {$(
        impl<$($type: Clone + Send + Sync + 'static),+> All for ($(&Output<$type>,)+) {
            type Values = ($($type,)+);

            fn all(self) -> Output<Self::Values> {
                let ($($name,)+) = self;
                $(let $name = $name.clone();)+
                Output::from_resolved_future(async move {
                    let mut together = Together::default();
                    $(let $name = together.add($name).await;)+
                    let values = (|| Some(($($name?,)+)))();
                    together.into_resolved(values)
                })
            }
        }
    )*};
}

all_of_tuples! {
    (A a, B b)
    (A a, B b, C c)
    (A a, B b, C c, D d)
    (A a, B b, C c, D d, E e)
    (A a, B b, C c, D d, E e, F f)
    (A a, B b, C c, D d, E e, F f, G g)
    (A a, B b, C c, D d, E e, F f, G g, H h)
}

#[derive(Default)]
struct Together {
    secret: bool,
    dependencies: HashSet<String>,
}

impl Together {
    async fn add<T: Clone + Send + Sync + 'static>(&mut self, output: Output<T>) -> Option<T> {
        let resolved = output.resolve().await;
        self.secret |= resolved.secret;
        self.dependencies.extend(resolved.dependencies);
        resolved.value
    }

    fn into_resolved<T>(self, value: Option<T>) -> ResolvedOutput<T> {
        ResolvedOutput {
            value,
            secret: self.secret,
            dependencies: self.dependencies,
        }
    }
}
