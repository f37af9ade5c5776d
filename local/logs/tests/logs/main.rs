//! CloudWatch Logs from outside: groups that are declared, and what is asked in its protocol.

mod documented;
mod events;
mod support;
