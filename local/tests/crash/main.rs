//! Nothing that was acknowledged is lost: the cloud is killed under load, with what is around it
//! in trouble, and every acknowledged record is looked for.

mod daemon;
mod damage;
mod kills;
mod load;
#[path = "../shared/objects.rs"]
mod objects;
mod trouble;
