//! Lambda: functions, and who may invoke them.

mod function;
mod permission;

pub use function::Function;
pub use permission::Permission;
