//! What a policy may have, and what it may not.

use super::*;

fn refusal(text: &str, kind: PolicyKind) -> String {
    match Document::parse(text, kind) {
        Ok(_) => String::from("accepted"),
        Err(reason) => reason,
    }
}

#[test]
fn single_elements_need_no_brackets() -> Result<(), String> {
    let bare =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let listed = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["*"]}]}"#;
    assert_eq!(
        Document::parse(bare, PolicyKind::Identity)?,
        Document::parse(listed, PolicyKind::Identity)?
    );
    Ok(())
}

/// Each row: the kind of policy, the document, a part of the refusal.
#[test]
fn malformed_documents_are_refused_with_the_reason() {
    use PolicyKind::{Identity, Resource, Trust};
    let trust =
        r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"a.amazonaws.com"},"Action":"#;
    for (kind, text, expected) in [
        (Identity, "{", "malformed"),
        (Identity, r#"{"Statement":[]}"#, "no statement"),
        (
            Identity,
            r#"{"Version":"2020-01-01","Statement":[]}"#,
            "Version",
        ),
        (
            Identity,
            r#"{"Statements":[]}"#,
            "unknown field `Statements`",
        ),
        (
            Identity,
            r#"{"Statement":{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}}"#,
            "duplicate field `Effect`",
        ),
        (
            Identity,
            r#"{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}"#,
            "unknown variant `allow`",
        ),
        (
            Identity,
            r#"{"Statement":{"Action":"*","Resource":"*"}}"#,
            "missing field `Effect`",
        ),
        (
            Identity,
            r#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#,
            "needs an Action",
        ),
        (
            Identity,
            r#"{"Statement":{"Effect":"Allow","Action":"*"}}"#,
            "needs a Resource",
        ),
        (
            Identity,
            r#"{"Statement":{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}}"#,
            "both Action and NotAction",
        ),
        (
            Identity,
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#,
            "must not have a Principal",
        ),
        (
            Identity,
            r#"{"Id":"x","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
            "must not have an Id",
        ),
        (
            Identity,
            r#"{"Statement":{"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"}}"#,
            "a Sid consists of",
        ),
        (
            Identity,
            r#"{"Statement":{"Effect":"Allow","Action":"PutObject","Resource":"*"}}"#,
            "form service:Name",
        ),
        (
            Identity,
            r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}}"#,
            "must be in ARN format",
        ),
        (
            Identity,
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}"}}"#,
            "policy variable",
        ),
        (
            Identity,
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":true},"Bool":{}}}}"#,
            "`Bool` is there twice",
        ),
        (
            Identity,
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Like":{"s3:prefix":"a"}}}}"#,
            "condition operator Like",
        ),
        (
            Resource,
            r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
            "needs a Principal",
        ),
        (
            Resource,
            r#"{"Statement":{"Effect":"Allow","NotPrincipal":"*","Action":"s3:*","Resource":"*"}}"#,
            "NotPrincipal",
        ),
        (
            Resource,
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:role/*"},"Action":"s3:*","Resource":"*"}}"#,
            "Invalid principal",
        ),
        (
            Resource,
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws::iam::000000000000:root"},"Action":"s3:*","Resource":"*"}}"#,
            "Invalid principal",
        ),
        (
            Resource,
            r#"{"Statement":{"Effect":"Allow","Principal":{"CanonicalUser":"a"},"Action":"s3:*","Resource":"*"}}"#,
            "types AWS, Federated and Service",
        ),
        (
            Trust,
            &format!(r#"{trust}"s3:GetObject"}}}}"#),
            "STS AssumeRole actions",
        ),
        (
            Trust,
            &format!(r#"{trust}"sts:AssumeRole","Resource":"*"}}}}"#),
            "must not have a Resource",
        ),
    ] {
        let reason = refusal(text, kind);
        assert!(reason.contains(expected), "{text}: {reason}");
    }
}

#[test]
fn variables_are_plain_text_in_the_old_version() -> Result<(), String> {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${x}"}}"#;
    Document::parse(text, PolicyKind::Identity)?;
    Ok(())
}

#[test]
fn principals_are_told_apart() -> Result<(), String> {
    let text = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":["*","000000000000",
            "arn:aws:iam::000000000000:root","arn:aws:iam::000000000000:role/r"],
            "Service":"cloudfront.amazonaws.com"},"Action":"s3:*","Resource":"*"}}"#;
    let account = Principal::Account("000000000000".into());
    assert_eq!(
        Document::parse(text, PolicyKind::Resource)?.statements[0].principals,
        Some(vec![
            Principal::Everyone,
            account.clone(),
            account,
            Principal::Arn("arn:aws:iam::000000000000:role/r".into()),
            Principal::Service("cloudfront.amazonaws.com".into()),
        ])
    );
    Ok(())
}
