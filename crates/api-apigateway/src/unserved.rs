//! Operations of the service model that are not served, so that a refusal can name them.
//!
//! Source: the service model of API Gateway v2, version 2018-11-29.

/// Returns the name of an operation that is known and not served.
pub(crate) fn name(method: &str, segments: &[&str]) -> Option<&'static str> {
    let path = segments.strip_prefix(&["v2"])?;
    UNSERVED.iter().find_map(|(known, pattern, name)| {
        let mut parts = pattern.split('/');
        let same = path.iter().all(|segment| {
            parts
                .next()
                .is_some_and(|part| part == "*" || part == *segment)
        });
        (*known == method && same && parts.next().is_none()).then_some(*name)
    })
}

/// Method, path after `/v2/` with `*` for a name, operation.
const UNSERVED: [(&str, &str, &str); 64] = [
    ("POST", "apis/*/authorizers", "CreateAuthorizer"),
    (
        "POST",
        "apis/*/integrations/*/integrationresponses",
        "CreateIntegrationResponse",
    ),
    ("POST", "apis/*/models", "CreateModel"),
    ("POST", "portals", "CreatePortal"),
    ("POST", "portalproducts", "CreatePortalProduct"),
    ("POST", "portalproducts/*/productpages", "CreateProductPage"),
    (
        "POST",
        "portalproducts/*/productrestendpointpages",
        "CreateProductRestEndpointPage",
    ),
    (
        "POST",
        "apis/*/routes/*/routeresponses",
        "CreateRouteResponse",
    ),
    ("POST", "domainnames/*/routingrules", "CreateRoutingRule"),
    ("POST", "vpclinks", "CreateVpcLink"),
    (
        "DELETE",
        "apis/*/stages/*/accesslogsettings",
        "DeleteAccessLogSettings",
    ),
    ("DELETE", "apis/*/authorizers/*", "DeleteAuthorizer"),
    (
        "DELETE",
        "apis/*/integrations/*/integrationresponses/*",
        "DeleteIntegrationResponse",
    ),
    ("DELETE", "apis/*/models/*", "DeleteModel"),
    ("DELETE", "portals/*", "DeletePortal"),
    ("DELETE", "portalproducts/*", "DeletePortalProduct"),
    (
        "DELETE",
        "portalproducts/*/sharingpolicy",
        "DeletePortalProductSharingPolicy",
    ),
    (
        "DELETE",
        "portalproducts/*/productpages/*",
        "DeleteProductPage",
    ),
    (
        "DELETE",
        "portalproducts/*/productrestendpointpages/*",
        "DeleteProductRestEndpointPage",
    ),
    (
        "DELETE",
        "apis/*/routes/*/requestparameters/*",
        "DeleteRouteRequestParameter",
    ),
    (
        "DELETE",
        "apis/*/routes/*/routeresponses/*",
        "DeleteRouteResponse",
    ),
    (
        "DELETE",
        "apis/*/stages/*/routesettings/*",
        "DeleteRouteSettings",
    ),
    (
        "DELETE",
        "domainnames/*/routingrules/*",
        "DeleteRoutingRule",
    ),
    ("DELETE", "vpclinks/*", "DeleteVpcLink"),
    ("DELETE", "portals/*/publish", "DisablePortal"),
    ("GET", "apis/*/exports/*", "ExportApi"),
    ("GET", "apis/*/authorizers/*", "GetAuthorizer"),
    ("GET", "apis/*/authorizers", "GetAuthorizers"),
    (
        "GET",
        "apis/*/integrations/*/integrationresponses/*",
        "GetIntegrationResponse",
    ),
    (
        "GET",
        "apis/*/integrations/*/integrationresponses",
        "GetIntegrationResponses",
    ),
    ("GET", "apis/*/models/*", "GetModel"),
    ("GET", "apis/*/models/*/template", "GetModelTemplate"),
    ("GET", "apis/*/models", "GetModels"),
    ("GET", "portals/*", "GetPortal"),
    ("GET", "portalproducts/*", "GetPortalProduct"),
    (
        "GET",
        "portalproducts/*/sharingpolicy",
        "GetPortalProductSharingPolicy",
    ),
    ("GET", "portalproducts/*/productpages/*", "GetProductPage"),
    (
        "GET",
        "portalproducts/*/productrestendpointpages/*",
        "GetProductRestEndpointPage",
    ),
    (
        "GET",
        "apis/*/routes/*/routeresponses/*",
        "GetRouteResponse",
    ),
    ("GET", "apis/*/routes/*/routeresponses", "GetRouteResponses"),
    ("GET", "domainnames/*/routingrules/*", "GetRoutingRule"),
    ("GET", "vpclinks/*", "GetVpcLink"),
    ("GET", "vpclinks", "GetVpcLinks"),
    ("PUT", "apis", "ImportApi"),
    ("GET", "portalproducts", "ListPortalProducts"),
    ("GET", "portals", "ListPortals"),
    ("GET", "portalproducts/*/productpages", "ListProductPages"),
    (
        "GET",
        "portalproducts/*/productrestendpointpages",
        "ListProductRestEndpointPages",
    ),
    ("GET", "domainnames/*/routingrules", "ListRoutingRules"),
    ("POST", "portals/*/preview", "PreviewPortal"),
    ("POST", "portals/*/publish", "PublishPortal"),
    (
        "PUT",
        "portalproducts/*/sharingpolicy",
        "PutPortalProductSharingPolicy",
    ),
    ("PUT", "domainnames/*/routingrules/*", "PutRoutingRule"),
    ("PUT", "apis/*", "ReimportApi"),
    (
        "DELETE",
        "apis/*/stages/*/cache/authorizers",
        "ResetAuthorizersCache",
    ),
    ("PATCH", "apis/*/authorizers/*", "UpdateAuthorizer"),
    (
        "PATCH",
        "apis/*/integrations/*/integrationresponses/*",
        "UpdateIntegrationResponse",
    ),
    ("PATCH", "apis/*/models/*", "UpdateModel"),
    ("PATCH", "portals/*", "UpdatePortal"),
    ("PATCH", "portalproducts/*", "UpdatePortalProduct"),
    (
        "PATCH",
        "portalproducts/*/productpages/*",
        "UpdateProductPage",
    ),
    (
        "PATCH",
        "portalproducts/*/productrestendpointpages/*",
        "UpdateProductRestEndpointPage",
    ),
    (
        "PATCH",
        "apis/*/routes/*/routeresponses/*",
        "UpdateRouteResponse",
    ),
    ("PATCH", "vpclinks/*", "UpdateVpcLink"),
];
