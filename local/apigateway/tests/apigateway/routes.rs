//! Which method answers a path, and with which parameters.

use crate::support::{Api, Mock, TestCloud, client};
use anyhow::Result;

/// An API whose methods answer with their own name, what came as `{…}` of the path, and the
/// path itself.
async fn api(cloud: &TestCloud) -> Result<Api> {
    let api = cloud.api().await?;
    let clicks = cloud.resource(&api, &api.root, "clicks").await?;
    let click = cloud.resource(&api, &clicks, "{click}").await?;
    let latest = cloud.resource(&api, &clicks, "latest").await?;
    let author = cloud.resource(&api, &click, "author").await?;
    let files = cloud.resource(&api, &api.root, "files").await?;
    let file = cloud.resource(&api, &files, "{path+}").await?;
    let index = cloud.resource(&api, &files, "index.html").await?;
    for (name, resource, verb) in [
        ("root", &api.root, "GET"),
        ("clicks", &clicks, "GET"),
        ("click", &click, "GET"),
        ("any click", &click, "ANY"),
        ("latest", &latest, "GET"),
        ("author", &author, "GET"),
        ("file", &file, "ANY"),
        ("index", &index, "GET"),
    ] {
        let template = format!(
            "{name} [$input.params('click')$input.params('path')] $context.resourcePath \
             $context.path $context.httpMethod"
        );
        cloud
            .mock(&api, (resource, verb), Mock::saying(&template))
            .await?;
    }
    cloud.deploy(&api).await?;
    Ok(api)
}

#[tokio::test]
async fn the_most_specific_resource_with_the_method_answers() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = api(&cloud).await?;
    for (request, expected) in [
        ("GET ", "root [] / /prod/ GET"),
        ("GET /", "root [] / /prod/ GET"),
        ("GET /clicks", "clicks [] /clicks /prod/clicks GET"),
        ("GET /clicks/", "clicks [] /clicks /prod/clicks/ GET"),
        ("GET /clicks?a=/b", "clicks [] /clicks /prod/clicks GET"),
        (
            "GET /clicks/7",
            "click [7] /clicks/{click} /prod/clicks/7 GET",
        ),
        (
            "GET /clicks/7/",
            "click [7] /clicks/{click} /prod/clicks/7/ GET",
        ),
        (
            "GET /clicks/a%20b%2Fc+d",
            "click [a b/c+d] /clicks/{click} /prod/clicks/a%20b%2Fc+d GET",
        ),
        (
            "GET /clicks/%+4x%4",
            "click [%+4x%4] /clicks/{click} /prod/clicks/%+4x%4 GET",
        ),
        (
            "DELETE /clicks/7",
            "any click [7] /clicks/{click} /prod/clicks/7 DELETE",
        ),
        (
            "GET /clicks/latest",
            "latest [] /clicks/latest /prod/clicks/latest GET",
        ),
        (
            "POST /clicks/latest",
            "any click [latest] /clicks/{click} /prod/clicks/latest POST",
        ),
        (
            "GET /clicks/latest/author",
            "author [latest] /clicks/{click}/author /prod/clicks/latest/author GET",
        ),
        (
            "PATCH /files/a/b.txt",
            "file [a/b.txt] /files/{path+} /prod/files/a/b.txt PATCH",
        ),
        (
            "GET /files/index.html",
            "index [] /files/index.html /prod/files/index.html GET",
        ),
        (
            "PUT /files/index.html",
            "file [index.html] /files/{path+} /prod/files/index.html PUT",
        ),
    ] {
        let answer = cloud.ask(&api, request, &[], "").await?;
        assert_eq!(answer.said(), (200, expected), "{request}");
    }
    Ok(())
}

#[tokio::test]
async fn what_nothing_answers_lacks_an_authentication_token() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = api(&cloud).await?;
    for request in [
        "POST /",
        "POST /clicks",
        "GET /click",
        "GET /Clicks",
        "GET /clicks//author",
        "GET /clicks/7/author/name",
        "GET /files",
        "TRACE /files/a",
    ] {
        let answer = cloud.ask(&api, request, &[], "").await?;
        assert_eq!(
            answer.said(),
            (403, r#"{"message":"Missing Authentication Token"}"#),
            "{request}"
        );
        assert_eq!(
            answer.header("x-amzn-errortype"),
            "MissingAuthenticationTokenException"
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_stage_is_forbidden() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = api(&cloud).await?;
    let client = client()?;
    let base = format!("http://127.0.0.1:{}", cloud.port());
    for path in [
        String::new(),
        "/".to_owned(),
        format!("/{}", api.id),
        format!("/{}/", api.id),
        format!("/{}/other", api.id),
        format!("/{}/other/clicks", api.id),
        format!("/{}/prod2", api.id),
        "/abcdefghij/prod/clicks".to_owned(),
        "/favicon.ico".to_owned(),
    ] {
        let response = client.get(format!("{base}{path}")).send().await?;
        assert_eq!(response.status().as_u16(), 403, "{path}");
        let headers = response.headers().clone();
        assert_eq!(headers["x-amzn-errortype"], "ForbiddenException", "{path}");
        assert_eq!(headers["content-type"], "application/json", "{path}");
        assert!(headers.contains_key("x-amzn-requestid"), "{path}");
        assert_eq!(
            response.text().await?,
            r#"{"message":"Forbidden"}"#,
            "{path}"
        );
    }
    Ok(())
}
