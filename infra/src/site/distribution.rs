//! CloudFront in front of the site's bucket.

use aws::cloudfront::{cache_policy, distribution, origin_access_control, response_headers_policy};
use aws::types::cloudfront::{
    CachePolicyParametersInCacheKeyAndForwardedToOrigin as CacheKey,
    CachePolicyParametersInCacheKeyAndForwardedToOriginCookiesConfig as Cookies,
    CachePolicyParametersInCacheKeyAndForwardedToOriginHeadersConfig as Headers,
    CachePolicyParametersInCacheKeyAndForwardedToOriginQueryStringsConfig as QueryStrings,
    DistributionCustomErrorResponse, DistributionDefaultCacheBehavior, DistributionOrigin,
    DistributionRestrictions, DistributionRestrictionsGeoRestriction,
    DistributionViewerCertificate, ResponseHeadersPolicySecurityHeadersConfig as SecurityHeaders,
    ResponseHeadersPolicySecurityHeadersConfigContentSecurityPolicy as ContentSecurityPolicy,
    ResponseHeadersPolicySecurityHeadersConfigContentTypeOptions as ContentTypeOptions,
    ResponseHeadersPolicySecurityHeadersConfigFrameOptions as FrameOptions,
    ResponseHeadersPolicySecurityHeadersConfigReferrerPolicy as ReferrerPolicy,
    ResponseHeadersPolicySecurityHeadersConfigStrictTransportSecurity as StrictTransportSecurity,
};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Options, Output, all};

use crate::bucket::PrivateBucket;
use crate::config::Domain;
use crate::scope::Scope;

/// The name by which the cache behaviour refers to the bucket.
const ORIGIN: &str = "site";
const A_YEAR_SECONDS: i32 = 31_536_000;

pub struct Distribution {
    pub arn: Output<String>,
    pub domain_name: Output<String>,
}

pub fn create(scope: &Scope<'_>, parent: &Component, bucket: &PrivateBucket) -> Distribution {
    let program = scope.program;
    let options = Options::new().parent(parent);

    let access = origin_access_control::create_with_options(
        program,
        "mysfits-site",
        origin_access_control::OriginAccessControlArgs::builder()
            .description("Signs what CloudFront asks of the site's bucket")
            .origin_access_control_origin_type("s3")
            .signing_behavior("always")
            .signing_protocol("sigv4")
            .build_struct(),
        options.clone(),
    );
    let cache = cache_policy::create_with_options(
        program,
        "mysfits-site",
        cache_policy::CachePolicyArgs::builder()
            .comment("As long as the object's Cache-Control says")
            .min_ttl(0)
            .default_ttl(0)
            .max_ttl(A_YEAR_SECONDS)
            .parameters_in_cache_key_and_forwarded_to_origin(cache_key())
            .build_struct(),
        options.clone(),
    );
    let headers = response_headers_policy::create_with_options(
        program,
        "mysfits-site",
        response_headers_policy::ResponseHeadersPolicyArgs::builder()
            .comment("Security headers of the mysfits site")
            .security_headers_config(security_headers())
            .build_struct(),
        options.clone(),
    );

    let origins = all((&bucket.regional_domain_name, &access.id)).map(|(domain_name, access)| {
        vec![
            DistributionOrigin::builder()
                .origin_id(ORIGIN)
                .domain_name(domain_name)
                .origin_access_control_id(access)
                .build_struct(),
        ]
    });
    let behaviour = all((&cache.id, &headers.id)).map(|(cache, headers)| behaviour(cache, headers));
    let distribution = distribution::create_with_options(
        program,
        "mysfits-site",
        distribution::DistributionArgs::builder()
            .comment("The site of Mythical Mysfits")
            .enabled(true)
            .is_ipv6_enabled(true)
            .http_version("http2and3")
            .price_class("PriceClass_100")
            .default_root_object("index.html")
            .aliases(aliases(scope.config.site.domain.as_ref()))
            .origins(origins)
            .default_cache_behavior(behaviour)
            .custom_error_responses([not_found(403), not_found(404)])
            .restrictions(anywhere())
            .viewer_certificate(certificate(scope.config.site.domain.as_ref()))
            .build_struct(),
        options,
    );
    Distribution {
        arn: distribution.arn,
        domain_name: distribution.domain_name,
    }
}

/// Over TLS alone: CloudFront asks the bucket in the viewer's scheme, and the bucket refuses plain
/// HTTP.
fn behaviour(cache: String, headers: String) -> DistributionDefaultCacheBehavior {
    let reading = || vec!["GET".to_owned(), "HEAD".to_owned()];
    DistributionDefaultCacheBehavior::builder()
        .target_origin_id(ORIGIN)
        .viewer_protocol_policy("redirect-to-https")
        .allowed_methods(reading())
        .cached_methods(reading())
        .compress(true)
        .cache_policy_id(cache)
        .response_headers_policy_id(headers)
        .build_struct()
}

/// Nothing but the path, and the two compressions that CloudFront does itself.
fn cache_key() -> CacheKey {
    CacheKey::builder()
        .enable_accept_encoding_brotli(true)
        .enable_accept_encoding_gzip(true)
        .cookies_config(Cookies::builder().cookie_behavior("none").build_struct())
        .headers_config(Headers::builder().header_behavior("none").build_struct())
        .query_strings_config(
            QueryStrings::builder()
                .query_string_behavior("none")
                .build_struct(),
        )
        .build_struct()
}

/// The headers that a meta element cannot replace. What pages may connect to is said in their own
/// meta element, because it depends on the API, which depends on this distribution. TLS is promised
/// for the site's own host: the hosts below a domain of one's own are not part of this stack.
fn security_headers() -> SecurityHeaders {
    SecurityHeaders::builder()
        .content_security_policy(
            ContentSecurityPolicy::builder()
                .content_security_policy("frame-ancestors 'none'; object-src 'none'")
                .override_(true)
                .build_struct(),
        )
        .content_type_options(ContentTypeOptions::builder().override_(true).build_struct())
        .frame_options(
            FrameOptions::builder()
                .frame_option("DENY")
                .override_(true)
                .build_struct(),
        )
        .referrer_policy(
            ReferrerPolicy::builder()
                .referrer_policy("no-referrer")
                .override_(true)
                .build_struct(),
        )
        .strict_transport_security(
            StrictTransportSecurity::builder()
                .access_control_max_age_sec(A_YEAR_SECONDS)
                .override_(true)
                .build_struct(),
        )
        .build_struct()
}

/// The bucket answers 403 for what it does not have, for nobody may list it.
fn not_found(status: i32) -> DistributionCustomErrorResponse {
    DistributionCustomErrorResponse::builder()
        .error_code(status)
        .response_code(404)
        .response_page_path("/404.html")
        .error_caching_min_ttl(10)
        .build_struct()
}

fn anywhere() -> DistributionRestrictions {
    DistributionRestrictions::builder()
        .geo_restriction(
            DistributionRestrictionsGeoRestriction::builder()
                .restriction_type("none")
                .build_struct(),
        )
        .build_struct()
}

fn aliases(domain: Option<&Domain>) -> Option<Vec<String>> {
    domain.map(|domain| vec![domain.name.clone()])
}

/// CloudFront's own certificate brings its own minimum of TLS, which must not be set: another is a
/// difference forever.
fn certificate(domain: Option<&Domain>) -> DistributionViewerCertificate {
    let certificate = DistributionViewerCertificate::builder();
    match domain {
        None => certificate
            .cloudfront_default_certificate(true)
            .build_struct(),
        Some(domain) => certificate
            .acm_certificate_arn(domain.certificate_arn.clone())
            .ssl_support_method("sni-only")
            .minimum_protocol_version("TLSv1.2_2021")
            .build_struct(),
    }
}
