//! From `pulumi package get-schema`: only what is selected stays, and what Gestalt cannot express
//! is mapped.

use anyhow::Result;
use pulumi_schema::Origin;
use serde_json::{Value, json};

const TOKENS: &str = r##"
package = "shop"
version = "1.0.0"
dropped_alternatives = ["shop:index/Document:Document"]

[provider]

[resources."shop:index/order:Order"]
without = ["huge"]
outputs = ["arn", "count", "lines", "status", "total"]
numbers = ["total"]

[types."shop:index/Line:Line"]
properties = ["article"]
"##;

fn whole() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "name": "shop",
        "version": "1.0.0",
        "language": { "rust": {} },
        "pluginDownloadURL": "https://example.org",
        "parameterization": {
            "baseProvider": { "name": "maker", "version": "2.0.0" },
            "parameter": "c2hvcA==",
        },
        "provider": { "inputProperties": { "key": { "type": "string", "secret": true } } },
        "types": {
            "shop:index/Line:Line": {
                "type": "object",
                "properties": { "article": text, "amount": { "type": "integer" } },
                "required": ["article"],
            },
            "shop:index/Size:Size": {
                "type": "string",
                "enum": [{ "name": "Small", "value": "s" }, { "value": "l" }],
            },
            "shop:index/Document:Document": { "type": "object" },
            "shop:index/Never:Never": { "type": "object" },
        },
        "resources": {
            "shop:index/order:Order": {
                "properties": {
                    "arn": { "type": "string", "secret": true },
                    "lines": {
                        "type": "array",
                        "items": { "$ref": "#/types/shop:index%2FLine:Line" },
                    },
                    "count": { "type": "integer", "replaceOnChanges": true },
                    "status": text,
                    "total": { "type": "integer" },
                },
                "required": ["arn", "lines", "total"],
                "requiredInputs": ["lines", "terms"],
                "aliases": [{ "type": "shop:index/cart:Cart" }, { "type": "shop:index/cart:Cart" }],
                "deprecationMessage": "use Basket",
                "inputProperties": {
                    "kind": { "type": "string", "const": "order" },
                    "days": {
                        "type": "integer",
                        "default": 3,
                        "defaultInfo": { "environment": ["SHOP_DAYS"] },
                    },
                    "huge": { "$ref": "#/types/shop:index%2FNever:Never" },
                    "lines": {
                        "type": "array",
                        "items": { "$ref": "#/types/shop:index%2FLine:Line" },
                        "description": "What is ordered",
                    },
                    "old": { "type": "string", "deprecationMessage": "use lines" },
                    "picture": { "$ref": "pulumi.json#/Asset" },
                    "shop": {
                        "type": "string",
                        "oneOf": [text, { "$ref": "#/resources/shop:index%2Fshop:Shop" }],
                        "willReplaceOnChanges": true,
                    },
                    "size": {
                        "type": "string",
                        "oneOf": [text, { "$ref": "#/types/shop:index%2FSize:Size" }],
                    },
                    "terms": {
                        "type": "string",
                        "oneOf": [text, { "$ref": "#/types/shop:index%2FDocument:Document" }],
                    },
                },
            },
        },
    })
}

#[test]
fn the_selection_is_cut_out_and_mapped() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let file = |name: &str| scratch.path().join(name);
    std::fs::write(file("tokens.toml"), TOKENS)?;
    std::fs::write(file("whole.json"), whole().to_string())?;
    let origin = Origin::Schema(file("whole.json"));
    pulumi_schema::generate(&file("tokens.toml"), &file("schema.json"), origin)?;

    let written: Value = serde_json::from_str(&std::fs::read_to_string(file("schema.json"))?)?;
    assert_eq!(
        written,
        json!({
            "name": "shop",
            "version": "1.0.0",
            "pluginDownloadURL": "https://example.org",
            "parameterization": {
                "baseProvider": { "name": "maker", "version": "2.0.0" },
                "parameter": "c2hvcA==",
            },
            "provider": {
                "inputProperties": { "key": { "type": "string", "secret": true } },
                "properties": {},
                "required": [],
                "requiredInputs": [],
            },
            "functions": {},
            "types": {
                "shop:index/Line:Line": {
                    "type": "object",
                    "properties": { "article": { "type": "string" } },
                    "required": ["article"],
                },
                "shop:index/Size:Size": {
                    "type": "string",
                    "enum": [{ "name": "Small", "value": "s" }, { "value": "l" }],
                },
            },
            "resources": {
                "shop:index/order:Order": {
                    "properties": {
                        "arn": { "type": "string", "secret": true },
                        "lines": {
                            "type": "array",
                            "items": { "$ref": "#/types/shop:index/Line:Line" },
                        },
                        "count": { "type": "integer", "replaceOnChanges": true },
                        "status": { "type": "string" },
                        "total": { "type": "number" },
                    },
                    "required": ["arn", "lines", "total"],
                    "requiredInputs": ["lines", "terms"],
                    "aliases": [{ "type": "shop:index/cart:Cart" }],
                    "deprecationMessage": "use Basket",
                    "inputProperties": {
                        "kind": { "type": "string", "const": "order" },
                        "days": {
                            "type": "integer",
                            "default": 3,
                            "defaultInfo": { "environment": ["SHOP_DAYS"] },
                        },
                        "lines": {
                            "type": "array",
                            "items": { "$ref": "#/types/shop:index/Line:Line" },
                        },
                        "picture": {
                            "type": "object",
                            "additionalProperties": { "type": "string" },
                            "x-mapped-from": "pulumi.json#/Asset",
                        },
                        "shop": { "type": "string" },
                        "size": {
                            "type": "string",
                            "oneOf": [
                                { "type": "string" },
                                { "$ref": "#/types/shop:index/Size:Size" },
                            ],
                        },
                        "terms": { "type": "string" },
                    },
                },
            },
        })
    );
    Ok(())
}
