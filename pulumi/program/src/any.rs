//! Values of no particular type, written like JSON.

/// A value of no particular type, written like JSON. In it are `null`, a list, a map, or
/// an expression: a value or an output.
///
/// ```
/// # use pulumi_program::{Output, pulumi_any};
/// # let arn = Output::new("arn:aws:s3:::orders".to_owned());
/// let statement = pulumi_any!({ "Effect": "Allow", "Resource": [arn, "*"], "Condition": null });
/// ```
#[macro_export]
macro_rules! pulumi_any {
    (@list [$($done:expr,)*]) => {
        $crate::__private::pulumi_gestalt_model::__private::pulumi_value_middleware_array(
            ::std::vec![$($done,)*],
        )
    };
    (@list [$($done:expr,)*] null $(, $($rest:tt)*)?) => {
        $crate::pulumi_any!(@list [$($done,)* $crate::pulumi_any!(null),] $($($rest)*)?)
    };
    (@list [$($done:expr,)*] [$($inner:tt)*] $(, $($rest:tt)*)?) => {
        $crate::pulumi_any!(@list [$($done,)* $crate::pulumi_any!([$($inner)*]),] $($($rest)*)?)
    };
    (@list [$($done:expr,)*] {$($inner:tt)*} $(, $($rest:tt)*)?) => {
        $crate::pulumi_any!(@list [$($done,)* $crate::pulumi_any!({$($inner)*}),] $($($rest)*)?)
    };
    (@list [$($done:expr,)*] $value:expr $(, $($rest:tt)*)?) => {
        $crate::pulumi_any!(@list [$($done,)* $crate::pulumi_any!($value),] $($($rest)*)?)
    };

    (@map [$($done:expr,)*]) => {
        $crate::__private::pulumi_gestalt_model::__private::pulumi_value_middleware_object(
            ::std::vec![$($done,)*],
        )
    };
    (@map [$($done:expr,)*] $key:tt: null $(, $($rest:tt)*)?) => {
        $crate::pulumi_any!(@map [$($done,)* ($key.into(), $crate::pulumi_any!(null)),]
            $($($rest)*)?)
    };
    (@map [$($done:expr,)*] $key:tt: [$($inner:tt)*] $(, $($rest:tt)*)?) => {
        $crate::pulumi_any!(@map [$($done,)* ($key.into(), $crate::pulumi_any!([$($inner)*])),]
            $($($rest)*)?)
    };
    (@map [$($done:expr,)*] $key:tt: {$($inner:tt)*} $(, $($rest:tt)*)?) => {
        $crate::pulumi_any!(@map [$($done,)* ($key.into(), $crate::pulumi_any!({$($inner)*})),]
            $($($rest)*)?)
    };
    (@map [$($done:expr,)*] $key:tt: $value:expr $(, $($rest:tt)*)?) => {
        $crate::pulumi_any!(@map [$($done,)* ($key.into(), $crate::pulumi_any!($value)),]
            $($($rest)*)?)
    };

    (null) => {
        $crate::__private::pulumi_gestalt_model::__private::pulumi_value_middleware(
            $crate::__private::pulumi_gestalt_model::PulumiValueContent::None,
        )
    };
    ([$($items:tt)*]) => {
        $crate::pulumi_any!(@list [] $($items)*)
    };
    ({$($entries:tt)*}) => {
        $crate::pulumi_any!(@map [] $($entries)*)
    };
    ($value:expr) => {
        $crate::__private::pulumi_gestalt_model::__private::to_pulumi_value_middleware($value)
    };
}
