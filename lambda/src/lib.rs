//! The processor of the click stream: Firehose gives it batches of clicks, it gives back
//! records enriched with the clicked mysfit's attributes.
//!
//! - `event`, `reply`: what Firehose sends, and what it gets back
//! - `click`, `click_id`, `mysfit`, `enrich`, `refusal`: a record's way, pure
//! - `processor`: a batch's way, and the rule for what becomes of its records
//! - `catalogue`, `cache`, `upstream`: mysfits looked up; the one place of I/O
//! - `log`: what is seen from outside
//! - `config`, `json`: what the others need

pub mod cache;
pub mod catalogue;
pub mod click;
pub mod click_id;
pub mod config;
pub mod enrich;
pub mod event;
pub mod json;
pub mod log;
pub mod mysfit;
pub mod processor;
pub mod refusal;
pub mod reply;
pub mod upstream;
