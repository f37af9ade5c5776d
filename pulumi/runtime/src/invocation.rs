//! A call of a provider's function.

use std::collections::HashSet;

use pulumi_gestalt_proto::pulumi::pulumirpc;

use crate::answer::{Answer, Answered};
use crate::engine::{Engine, Failure};
use crate::registration::Values;
use crate::wire;

/// A call of which everything is known but the function, which the program says first.
#[derive(Debug, Default)]
pub struct Invocation {
    pub arguments: Values,
    /// What it waits for besides, by URN.
    pub depends_on: HashSet<String>,
    /// What the options say; the function and its arguments come to it.
    pub request: pulumirpc::ResourceInvokeRequest,
}

impl Engine {
    /// Calls a function as soon as the rest of the call is known.
    pub fn invoke(
        &self,
        token: String,
        rest: impl Future<Output = Result<Invocation, Failure>> + Send + 'static,
    ) -> Answered {
        let engine = self.clone();
        Answered::start(self, token.clone(), async move {
            let answer = async {
                let invocation = rest.await.map_err(|failure| match failure {
                    Failure::Refused { message, urn } => Failure::Refused {
                        message: format!("{token} was not called: {message}"),
                        urn,
                    },
                    other => other,
                })?;
                engine.ask(token, invocation).await
            };
            match answer.await {
                Ok(answer) => answer,
                Err(failure) => {
                    engine.fail(failure).await;
                    Answer::failed()
                }
            }
        })
    }

    async fn ask(&self, token: String, invocation: Invocation) -> Result<Answer, Failure> {
        let Invocation {
            arguments,
            mut depends_on,
            mut request,
        } = invocation;
        let arguments = wire::encode_arguments(arguments).map_err(|inexact| {
            Failure::refused(format!("{token} was not called: its argument {inexact}"))
        })?;
        // A function asks about what is there: also about what its arguments come from.
        depends_on.extend(arguments.dependencies);
        let unknown = Answer::unknown(depends_on.clone());
        let Some(object) = arguments.object else {
            return Ok(unknown);
        };
        if !self.left_out().is_disjoint(&depends_on) {
            return Ok(unknown);
        }
        request.tok.clone_from(&token);
        request.args = Some(object);
        let what = format!("{token} gave no answer");
        let response = self
            .call(async |mut monitor| monitor.invoke(request).await)
            .await
            .map_err(|status| Failure::of(&status, None, &what))?;
        if !response.failures.is_empty() {
            let reasons: Vec<_> = response
                .failures
                .iter()
                .map(|failure| match failure.property.as_str() {
                    "" => failure.reason.clone(),
                    property => format!("{property}: {}", failure.reason),
                })
                .collect();
            let reasons = reasons.join("; ");
            return Err(Failure::refused(format!(
                "{token} refuses its arguments: {reasons}"
            )));
        }
        let object = response.r#return.unwrap_or_default();
        // A provider whose own configuration is still unknown answers nothing.
        if self.0.in_preview && object.fields.is_empty() {
            return Ok(unknown);
        }
        let mut fields = wire::decode_fields(object, &depends_on);
        if arguments.secret {
            fields.values_mut().for_each(|value| value.secret = true);
        }
        Ok(Answer {
            fields,
            rest_is_unknown: false,
            ..unknown
        })
    }
}
