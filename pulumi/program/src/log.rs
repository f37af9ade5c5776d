//! Messages of a program to its user.

use pulumi_gestalt_rust::Output;
use pulumi_gestalt_rust_integration::report::{self, Severity};

use crate::program::Program;
use crate::resource::{Resource, Urn};

/// Says something to the user: the engine shows it once, among the diagnostics of the stack or of
/// a resource.
///
/// ```no_run
/// # use pulumi_program::{Output, Program, Urn};
/// # fn example(program: &Program, urn: &Urn, size: &Output<i64>) {
/// program.log().warning("no alarm reaches anybody: set `alarmEmail`");
/// let size = size.map(|size| format!("{size} bytes are a lot"));
/// program.log().about(urn).info(&size);
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Log<'a> {
    about: Option<Urn>,
    program: &'a Program,
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

impl<'a> Log<'a> {
    pub(crate) fn new(program: &'a Program) -> Self {
        Self {
            about: None,
            program,
        }
    }

    /// A resource or a component.
    pub fn about(mut self, resource: &impl Resource) -> Self {
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
        let message = move |text, urn| report::Message {
            severity,
            text,
            urn,
        };
        let engine = self.program.context().engine().clone();
        match (text, self.about) {
            (Text::Now(text), None) => {
                let runtime = self.program.runtime();
                runtime.block_on(engine.tell(message(text, None)));
            }
            (text, about) => self.program.context().engine().spawn(async move {
                let urn = match about {
                    Some(urn) => urn.resolve("what a message is about").await,
                    None => Ok(String::new()),
                };
                match (text.resolve().await, urn) {
                    (None, _) => {}
                    (Some(text), Ok(urn)) => engine.tell(message(text, Some(urn))).await,
                    (Some(_), Err(failure)) => engine.fail(failure).await,
                }
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
