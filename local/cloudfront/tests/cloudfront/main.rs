//! Distributions as they are declared, and CloudFront's protocol. What a distribution answers is
//! tested in the app, in front of a real bucket.

mod documented;
mod inputs;
mod invalidations;
mod refusals;
mod site;
