//! Templates as a table: what is written, what comes in, what comes out.
#![allow(clippy::unwrap_used, clippy::panic)]

mod random;

use super::*;
use crate::Strings;
use crate::context::RequestContext;
use http::{HeaderMap, HeaderValue, header};

/// A request that has one of everything.
struct Request {
    context: RequestContext,
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    stage_variables: Strings,
}

impl Request {
    fn new() -> Self {
        let text = |text: &str| text.to_owned();
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/html"));
        Self {
            context: RequestContext {
                request_id: text("request-1"),
                extended_request_id: text("extended-1="),
                time: time::macros::datetime!(2025-03-09 08:07:06.5 UTC),
                api_id: text("abcde12345"),
                stage: text("prod"),
                deployment_id: text("dep123"),
                http_method: text("PUT"),
                path: text("/prod/clicks"),
                protocol: "HTTP/1.1",
                domain_name: text("api.localhost:1"),
                source_ip: text("127.0.0.1"),
                user_agent: None,
                resource: Some(("res123".into(), "/clicks".into())),
                integration: None,
                error: None,
                outcome: None,
            },
            path: vec![(text("id"), text("7"))],
            query: vec![(text("q"), text("a b")), (text("id"), text("8"))],
            headers,
            stage_variables: [(text("colour"), text("red"))].into(),
        }
    }

    fn render(&self, template: &str, body: &str) -> Result<Rendered, String> {
        let template = Template::parse(template).map_err(|error| error.to_string())?;
        let scope = Scope {
            body,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            context: &self.context,
            stage_variables: &self.stage_variables,
        };
        template
            .render(&scope)
            .map_err(|error| format!("{error:?}"))
    }
}

/// Applies each template to the body and compares.
fn check(body: &str, table: &[(&str, &str)]) {
    let request = Request::new();
    for (template, expected) in table {
        let rendered = request.render(template, body);
        let text = rendered.map(|rendered| rendered.text);
        assert_eq!(text.as_deref(), Ok(*expected), "{template}");
    }
}

#[test]
fn text_and_dollars_stay() {
    check(
        "{}",
        &[
            ("", ""),
            ("plain", "plain"),
            ("5$ and $5, #1 and # alone", "5$ and $5, #1 and # alone"),
            ("a#hashtag b", "a#hashtag b"),
            ("C:\\dir \\\\ end\\", "C:\\dir \\\\ end\\"),
            ("ä €\n\r\n\ttab", "ä €\n\r\n\ttab"),
            ("## a comment\nb", "b"),
            ("a#* a\n comment *#b", "ab"),
            ("\\$context.stage", "$context.stage"),
            ("\\\\$context.stage", "\\prod"),
            ("\\#if", "#if"),
            ("\\${context.stage}", "${context.stage}"),
        ],
    );
}

#[test]
fn input_reads_the_payload() {
    check(
        r#" {"userId": "u1", "n": 1.50, "list": [1, {"a": "b"}], "no": null, "q": "a\"b"} "#,
        &[
            (
                "$input.json('$')",
                r#"{"userId":"u1","n":1.5,"list":[1,{"a":"b"}],"no":null,"q":"a\"b"}"#,
            ),
            ("$input.json('$.userId')", "\"u1\""),
            ("$input.json(\"$.list[1]\")", r#"{"a":"b"}"#),
            ("$input.json('$.no')", "null"),
            ("$input.json('$.absent')", "\"\""),
            ("$input.path('$.userId')", "u1"),
            ("$input.path('$.n')", "1.5"),
            ("$input.path('$.absent')", ""),
            ("$input.path('$.no')", ""),
            ("$input.path('$.list')", r#"[1,{"a":"b"}]"#),
            ("$input.path('$').list[1].a", "b"),
            ("$input.path('$').list.size()", "2"),
            ("$input.path('$.list')[0]", "1"),
            ("$input.path('$').get('userId')", "u1"),
            (
                "$input.path('$')",
                r#"{userId=u1, n=1.5, list=[1,{"a":"b"}], no=null, q=a"b}"#,
            ),
            ("${input.json('$.n')}0", "1.50"),
            ("$!input.path('$.absent')x", "x"),
        ],
    );
    check("not json", &[("$input.body", "not json")]);
    check("", &[("$input.body", "{}"), ("$input.json('$')", "{}")]);
}

#[test]
fn parameters_are_searched_in_path_query_and_header() {
    check(
        "{}",
        &[
            ("$input.params('id')", "7"),
            ("$input.params('q')", "a b"),
            ("$input.params('Accept')", "text/html"),
            ("[$input.params('absent')]", "[]"),
            ("$input.params().querystring.id", "8"),
            ("$input.params().get('path').get('id')", "7"),
            ("$input.params().header.keySet()", "[accept]"),
            (
                "#set($all = $input.params())#foreach($kind in $all.keySet())$kind:#foreach($name \
                 in $all.get($kind).keySet())$name=$all.get($kind).get($name);#end #end",
                "path:id=7; querystring:q=a b;id=8; header:accept=text/html; ",
            ),
        ],
    );
}

#[test]
fn context_and_stage_variables() {
    check(
        "{}",
        &[
            (
                "$context.stage $context.httpMethod $context.resourcePath",
                "prod PUT /clicks",
            ),
            ("$context.requestTime", "09/Mar/2025:08:07:06 +0000"),
            ("$context.requestTimeEpoch", "1741507626500"),
            ("$context.identity.sourceIp.", "127.0.0.1."),
            ("[$context.identity.user]", "[]"),
            ("$context.domainPrefix", "api"),
            ("$context.accountId", "000000000000"),
            ("$stageVariables.colour", "red"),
            ("${stageVariables['colour']}", "red"),
            ("$stageVariables.get('colour')", "red"),
            ("[$stageVariables.none]", "[]"),
        ],
    );
}

#[test]
fn utilities() {
    check(
        r#"{"s": "it's \"1/2\" ä\n", "j": "{\"key1\":\"var1\",\"key2\":{\"arr\":[1,2,3]}}"}"#,
        &[
            ("$util.base64Encode('click')", "Y2xpY2s="),
            ("$util.base64Decode('Y2xpY2s=')", "click"),
            (
                "$util.escapeJavaScript($input.path('$.s'))",
                r#"it\'s \"1\/2\" \u00E4\n"#,
            ),
            (
                "$util.escapeJavaScript($input.path('$.s')).replaceAll(\"\\\\'\",\"'\")",
                r#"it's \"1\/2\" \u00E4\n"#,
            ),
            ("$util.urlEncode('a b&ä~*')", "a+b%26%C3%A4%7E*"),
            ("$util.urlDecode('a+b%26%C3%A4%')", "a b&ä%"),
            (
                "#set ($o = $util.parseJson($input.path('$.j')))\n{\"v\": $o.key2.arr[0]}",
                "{\"v\": 1}",
            ),
            (
                "{\"Data\": \"$util.base64Encode($input.json('$.j'))\"}",
                "{\"Data\": \"IntcImtleTFcIjpcInZhcjFcIixcImtleTJcIjp7XCJhcnJcIjpbMSwyLDNdfX0i\"}",
            ),
        ],
    );
}

#[test]
fn directives() {
    check(
        r#"{"a": 1, "list": ["x", "y"], "empty": []}"#,
        &[
            ("#set($v = 'x')$v$v", "xx"),
            ("#set($v = \"a $context.stage b\")$v", "a prod b"),
            ("#set($v = '$context.stage')$v", "$context.stage"),
            ("#set($v = 1 + 2 * 3)$v", "7"),
            ("#set($v = (1 + 2) * 3 - -1)$v", "10"),
            (
                "#set($v = 7 / 2)$v #set($w = 7.0 / 2)$w #set($x = 7 % 4)$x",
                "3 3.5 3",
            ),
            ("#set($v = 'a' + 1)$v", "a1"),
            ("  #set($v = 1)  \nx", "  x"),
            ("#if(true)a#end", "a"),
            ("#if(false)a#else b#end", " b"),
            ("#if(false)a#{else}b#end", "b"),
            (
                "#if(false)\n a\n#elseif(true)\n b\n#else\n c\n#end\nd",
                " b\nd",
            ),
            ("#if($input.path('$.a') == 1)one#end", "one"),
            ("#if($input.path('$.none'))a#{else}b#end", "b"),
            ("#if($input.params('none') == '')none#end", "none"),
            (
                "#if(!$input.path('$.none') && 'x' == \"x\")both#end",
                "both",
            ),
            ("#if(1 < 2 and 2 >= 2 or false)yes#end", "yes"),
            ("#if(not (1 eq 2))yes#end#if(1 ne 1)no#end", "yes"),
            ("#if($input.path('$').containsKey('a'))yes#end", "yes"),
            ("#if($input.path('$.empty').isEmpty())yes#end", "yes"),
            ("#if($input.path('$.list').contains('y'))yes#end", "yes"),
            (
                "#foreach($i in $input.path('$.list'))$foreach.index:$i#if($foreach.hasNext),#end#end",
                "0:x,1:y",
            ),
            ("#foreach($i in [1..3])$i#end", "123"),
            ("#foreach($i in [3..1])$i$foreach.count#end", "312213"),
            ("#foreach($i in ['a', 2, true])$i #end", "a 2 true "),
            ("#foreach($i in 'none')$i#end", ""),
            (
                "#set($m = {'k': 'v', \"n\": 1})$m.k$m.get('n')$m.size()",
                "v12",
            ),
            ("#set($i = 9)#foreach($i in [1])$i#end$i", "19"),
        ],
    );
}

#[test]
fn a_loop_ends_where_aws_ends_it() {
    let request = Request::new();
    let rendered = request
        .render("#foreach($i in [1..5000])x#end", "")
        .unwrap();
    assert_eq!(rendered.text.len(), 1000);
}

#[test]
fn the_response_can_be_overridden() {
    let template = "#set($context.responseOverride.status = 418)\
                    #set($context.responseOverride.header.X-A = \"$context.stage\")";
    let rendered = Request::new().render(template, "").unwrap();
    assert_eq!(rendered.overrides.status, Some(418));
    assert_eq!(
        rendered.overrides.headers,
        [(http::HeaderName::from_static("x-a"), "prod".to_owned())]
    );
    for ignored in ["'418'", "99", "101", "600", "4.18"] {
        let template = format!("#set($context.responseOverride.status = {ignored})");
        let rendered = Request::new().render(&template, "").unwrap();
        assert_eq!(rendered.overrides.status, None, "{ignored}");
    }
}

#[test]
fn what_is_not_supported_is_named_with_its_place() {
    for (template, message) in [
        (
            "a\n  $input.unknown('x')",
            "line 2, column 3: $input.unknown(…)",
        ),
        ("$input", "line 1, column 1: $input is not supported"),
        ("$input.json('$..a')", "line 1, column 7: the JSONPath $..a"),
        (
            "$input.json($context.stage)",
            "a computed one is not supported",
        ),
        (
            "$util.toJson($input.path('$'))",
            "$util.toJson(…) is not supported",
        ),
        ("$context.nothing", "$context.nothing is not supported"),
        (
            "$context.error.message",
            "$context.error.message is not supported",
        ),
        ("$context.identity", "$context.identity is not supported"),
        ("x $undefined", "line 1, column 3: $undefined has no value"),
        (
            "#define($x)a#end",
            "line 1, column 1: #define is not supported",
        ),
        ("#macro(x)a#end", "#macro is not supported"),
        ("#parse('x')", "#parse is not supported"),
        ("#stop", "#stop is not supported"),
        ("#[[ raw ]]#", "line 1, column 1: #[["),
        ("\n#mine('x')", "line 2, column 1: #mine(…) is no directive"),
        ("#if(true) a", "line 1, column 1: this #if has no #end"),
        (
            "#foreach($i in [1]) a #else b #end",
            "this #foreach has no #end",
        ),
        ("#end", "there is an #end too many"),
        ("#else", "#else without its #if"),
        ("#if(true)a#else b#else c#end", "goes on after its #else"),
        ("#set($x)", "line 1, column 8: = is expected here, not )"),
        ("#set($x = )", "a value is expected here, not )"),
        ("#set($x = 'a)", "this text has no closing quote"),
        ("#set($input.x = 1)", "$input cannot be set"),
        ("#set($context.stage = 1)", "$context.stage cannot be set"),
        (
            "#set($context.requestOverride.header.x = 1)",
            "cannot be set",
        ),
        (
            "#set($x = 1)#set($x.y = 1)",
            "a property of $x cannot be set",
        ),
        ("$foreach.index", "$foreach exists within a #foreach alone"),
        (
            "#foreach($i in [1])$foreach.parent#end",
            "$foreach.parent is not supported",
        ),
        (
            "$input.path('$').matches('x')",
            "the method matches is not supported",
        ),
        (
            "$input.path('$').size(1)",
            "the method size is not supported",
        ),
        (
            "$input.body.replaceAll('(', 'x')",
            "the pattern ( is not supported",
        ),
        ("$input.body.replaceAll('a', '$1')", "a replacement with $"),
        ("#* no end", "this comment has no end"),
        ("${context.stage", "} is expected here, not the end"),
        (
            "#set($x = \"a $nothing\")",
            "line 1, column 14: $nothing has no value",
        ),
    ] {
        let error = Template::parse(template).unwrap_err().to_string();
        assert!(error.contains(message), "{template}: {error}");
    }
}

#[test]
fn what_fails_says_why() {
    let request = Request::new();
    for (template, body, message) in [
        ("$input.json('$')", "{", "PayloadIsNotJson"),
        ("$util.parseJson('{')", "", "parseJson"),
        ("$util.base64Decode('*')", "", "base64Decode"),
        ("#if('a' < 'b')#end", "", "compared"),
        ("#set($x = true * 2)", "", "computed"),
        (
            "#set($x = 'aaaaaaaaaa')#foreach($i in [1..100])#set($x = \"$x$x\")#end",
            "",
            "10 MB",
        ),
        (
            "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])x#end#end#end",
            "",
            "does not come to an end",
        ),
    ] {
        let error = request.render(template, body).unwrap_err();
        assert!(error.contains(message), "{template}: {error}");
    }
}

#[test]
fn nesting_is_limited() {
    for deep in [
        "#if(true)".repeat(10_000),
        format!("#set($x = {}1", "(".repeat(10_000)),
        format!("#set($x = {}1", "[".repeat(10_000)),
        format!("#set($x = {}1", "!".repeat(10_000)),
        "$util.urlEncode(".repeat(10_000),
        "$stageVariables[".repeat(10_000),
    ] {
        let error = Template::parse(&deep).unwrap_err().to_string();
        assert!(error.contains("levels of nesting"), "{error}");
    }
}
