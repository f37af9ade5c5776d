//! Lambda: functions, and who may invoke them.

mod function;
mod permission;

pub(crate) use function::Function;
pub(crate) use permission::Permission;
