pub(crate) const SPECIAL_SIG_KEY: &str = "4dabf18193072939515e22adb298388d";

pub(crate) const SPECIAL_SECRET_SIG: &str = "1b47061264138c4ac30d75fd1eb44270";

pub(crate) const SECRET_VALUE_NAME: &str = "value";
pub(crate) const UNKNOWN_VALUE: &str = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
