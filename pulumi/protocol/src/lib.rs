//! What Pulumi's protocol says outside of its messages: signatures, well-known texts, URNs, and how
//! a program, its language host and the engine understand each other.
//!
//! The mock engine repeats all of it, as a second opinion.

pub mod urn;

/// The key under which a map says that it is no plain map: a secret, an asset, an archive.
pub const SIGNATURE: &str = "4dabf18193072939515e22adb298388d";
/// The signature of a secret; what it hides is under the key `value`.
pub const SECRET: &str = "1b47061264138c4ac30d75fd1eb44270";
/// The signature of an asset, which has a `path`, a `text` or a `uri`.
pub const ASSET: &str = "c44067f5952c0a294b673a41bacd8c17";
/// The signature of an archive, which has a `path`, a `uri` or `assets`.
pub const ARCHIVE: &str = "0def7320c3a5731c473e5ecbe6d01bc7";

/// The signature of a reference to a resource, which has a `urn`, and an `id` once there is one.
pub const RESOURCE: &str = "5cf8f73096256a8f31e491e813e4eb8e";
/// The signature of an output, which has a `value` once that is known, and may be `secret`.
pub const OUTPUT: &str = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/// What is in the place of a value that is not known before the update has run.
pub const UNKNOWN: &str = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/// The same for each kind of value: string, boolean, number, array, asset, archive, object.
pub const UNKNOWNS: [&str; 7] = [
    UNKNOWN,
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
];

/// The type of a stack, everything's ancestor.
pub const STACK_TYPE: &str = "pulumi:pulumi:Stack";
/// What the types of providers begin with; the package's name follows.
pub const PROVIDER_TYPES: &str = "pulumi:providers:";

/// A program ends with this code when its errors have been shown: the language host then adds
/// nothing.
pub const FAILED_AND_REPORTED: u8 = 32;

/// The variable by which the language host names a file. The file has text for as long as the
/// program is not complete, so that one that ends well in the middle is told from a complete one.
pub const UNFINISHED_VARIABLE: &str = "PULUMI_RUST_UNFINISHED";
