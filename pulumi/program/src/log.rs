//! What a program says to its user, besides its resources.

use std::marker::PhantomData;

use pulumi_gestalt_grpc_connection::report::Severity;
use pulumi_gestalt_grpc_connection::session::{self, Session};
use pulumi_gestalt_rust::Output;

use crate::options::Urn;
use crate::program::Program;

/// Says something to the user: the engine shows it once, among the diagnostics of the stack or of
/// a resource.
///
/// ```no_run
/// # use pulumi_program::{Output, Program};
/// # fn example(program: &Program, urn: &Output<String>, size: &Output<i64>) {
/// program.log().warning("no alarm reaches anybody: set `alarmEmail`");
/// let size = size.map(|size| format!("{size} bytes are a lot"));
/// program.log().about(urn).info(&size);
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Log<'a> {
    about: Option<Output<String>>,
    /// A program's log ends with it.
    program: PhantomData<&'a Program>,
}

/// A text, or an output of one: that is said when it is known, and not at all while it is unknown.
/// Of a secret only that it is one is said.
#[derive(Debug)]
pub struct Message(Text);

#[derive(Debug)]
enum Text {
    Now(String),
    Later(Output<String>),
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self(Text::Now(text.to_owned()))
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self(Text::Now(text))
    }
}

impl From<&Output<String>> for Message {
    fn from(text: &Output<String>) -> Self {
        Self(Text::Later(text.clone()))
    }
}

impl Log<'_> {
    pub(crate) fn new(_: &Program) -> Self {
        Self {
            about: None,
            program: PhantomData,
        }
    }

    /// A component, or the URN of a resource.
    pub fn about(mut self, resource: &impl Urn) -> Self {
        self.about = Some(resource.urn().clone());
        self
    }

    /// Shown with `pulumi up --debug`.
    pub fn debug(self, message: impl Into<Message>) {
        self.say(Severity::Debug, message.into());
    }

    pub fn info(self, message: impl Into<Message>) {
        self.say(Severity::Info, message.into());
    }

    pub fn warning(self, message: impl Into<Message>) {
        self.say(Severity::Warning, message.into());
    }

    /// The program goes on, and fails at its end.
    pub fn error(self, message: impl Into<Message>) {
        self.say(Severity::Error, message.into());
    }

    fn say(self, severity: Severity, Message(text): Message) {
        let message = move |text, urn| session::Message {
            severity,
            text,
            urn,
        };
        match (text, self.about) {
            (Text::Now(text), None) => Session::get().say(&message(text, None)),
            (text, about) => Session::get().say_later(async move {
                let urn = match about {
                    Some(urn) => urn.resolve().await.value,
                    None => None,
                };
                Some(message(text.resolve().await?, urn))
            }),
        }
    }
}

impl Text {
    async fn resolve(self) -> Option<String> {
        match self {
            Self::Now(text) => Some(text),
            Self::Later(output) => {
                let output = output.resolve().await;
                let text = output.value?;
                Some(if output.secret {
                    "[secret]".to_owned()
                } else {
                    text
                })
            }
        }
    }
}
