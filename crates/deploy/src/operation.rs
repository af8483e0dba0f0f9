//! The operations that a deployment uses, as AWS's service models describe them.
//!
//! Source: botocore's `service-2.json` of each service: names, methods and URIs.

use api_protocol::caller::Service;

/// One operation of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The service.
    pub api: Api,
    /// The operation's name.
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path; `{Name}` stands for a parameter.
    pub path: &'static str,
    /// The parameters that travel in the query string, and their names there.
    pub query: &'static [(&'static str, &'static str)],
}

/// A service, with how it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// DynamoDB: AWS JSON 1.0.
    DynamoDb,
    /// Lambda: REST with JSON.
    Lambda,
    /// API Gateway v2: REST with JSON, members in camel case.
    ApiGateway,
    /// Certificate Manager: AWS JSON 1.1.
    Acm,
    /// Route 53: REST with XML.
    Route53,
}

impl Api {
    /// Returns the service as requests are dispatched by.
    pub fn service(self) -> Service {
        match self {
            Self::DynamoDb => Service::DynamoDb,
            Self::Lambda => Service::Lambda,
            Self::ApiGateway => Service::ApiGateway,
            Self::Acm => Service::Acm,
            Self::Route53 => Service::Route53,
        }
    }

    /// Returns the service's name on the command line.
    pub fn command(self) -> &'static str {
        match self {
            Self::DynamoDb => "dynamodb",
            Self::Lambda => "lambda",
            Self::ApiGateway => "apigatewayv2",
            Self::Acm => "acm",
            Self::Route53 => "route53",
        }
    }
}

const fn json(api: Api, name: &'static str) -> Operation {
    rest(api, name, "POST", "/")
}

const fn rest(api: Api, name: &'static str, method: &'static str, path: &'static str) -> Operation {
    Operation {
        api,
        name,
        method,
        path,
        query: &[],
    }
}

const fn with_query(
    operation: Operation,
    query: &'static [(&'static str, &'static str)],
) -> Operation {
    Operation { query, ..operation }
}

/// Lambda: `CreateFunction`.
pub const CREATE_FUNCTION: Operation = rest(
    Api::Lambda,
    "CreateFunction",
    "POST",
    "/2015-03-31/functions",
);
/// Lambda: `GetFunction`.
pub const GET_FUNCTION: Operation = rest(
    Api::Lambda,
    "GetFunction",
    "GET",
    "/2015-03-31/functions/{FunctionName}",
);
/// Lambda: `UpdateFunctionCode`.
pub const UPDATE_FUNCTION_CODE: Operation = rest(
    Api::Lambda,
    "UpdateFunctionCode",
    "PUT",
    "/2015-03-31/functions/{FunctionName}/code",
);
/// Lambda: `UpdateFunctionConfiguration`.
pub const UPDATE_FUNCTION_CONFIGURATION: Operation = rest(
    Api::Lambda,
    "UpdateFunctionConfiguration",
    "PUT",
    "/2015-03-31/functions/{FunctionName}/configuration",
);
/// Lambda: `PutFunctionConcurrency`.
pub const PUT_FUNCTION_CONCURRENCY: Operation = rest(
    Api::Lambda,
    "PutFunctionConcurrency",
    "PUT",
    "/2017-10-31/functions/{FunctionName}/concurrency",
);
/// Lambda: `AddPermission`.
pub const ADD_PERMISSION: Operation = rest(
    Api::Lambda,
    "AddPermission",
    "POST",
    "/2015-03-31/functions/{FunctionName}/policy",
);
/// Lambda: `GetPolicy`.
pub const GET_POLICY: Operation = rest(
    Api::Lambda,
    "GetPolicy",
    "GET",
    "/2015-03-31/functions/{FunctionName}/policy",
);

/// DynamoDB: `CreateTable`.
pub const CREATE_TABLE: Operation = json(Api::DynamoDb, "CreateTable");
/// DynamoDB: `DescribeTable`.
pub const DESCRIBE_TABLE: Operation = json(Api::DynamoDb, "DescribeTable");
/// DynamoDB: `UpdateTable`.
pub const UPDATE_TABLE: Operation = json(Api::DynamoDb, "UpdateTable");
/// DynamoDB: `DescribeTimeToLive`.
pub const DESCRIBE_TIME_TO_LIVE: Operation = json(Api::DynamoDb, "DescribeTimeToLive");
/// DynamoDB: `UpdateTimeToLive`.
pub const UPDATE_TIME_TO_LIVE: Operation = json(Api::DynamoDb, "UpdateTimeToLive");
/// DynamoDB: `ListTagsOfResource`.
pub const LIST_TAGS_OF_RESOURCE: Operation = json(Api::DynamoDb, "ListTagsOfResource");
/// DynamoDB: `TagResource`.
pub const TAG_TABLE: Operation = json(Api::DynamoDb, "TagResource");

/// Certificate Manager: `ImportCertificate`.
pub const IMPORT_CERTIFICATE: Operation = json(Api::Acm, "ImportCertificate");
/// Certificate Manager: `GetCertificate`.
pub const GET_CERTIFICATE: Operation = json(Api::Acm, "GetCertificate");

/// API Gateway: `CreateApi`.
pub const CREATE_API: Operation = rest(Api::ApiGateway, "CreateApi", "POST", "/v2/apis");
/// API Gateway: `GetApis`.
pub const GET_APIS: Operation =
    with_query(rest(Api::ApiGateway, "GetApis", "GET", "/v2/apis"), PAGES);
/// API Gateway: `CreateIntegration`.
pub const CREATE_INTEGRATION: Operation = rest(
    Api::ApiGateway,
    "CreateIntegration",
    "POST",
    "/v2/apis/{ApiId}/integrations",
);
/// API Gateway: `GetIntegrations`.
pub const GET_INTEGRATIONS: Operation = with_query(
    rest(
        Api::ApiGateway,
        "GetIntegrations",
        "GET",
        "/v2/apis/{ApiId}/integrations",
    ),
    PAGES,
);
/// API Gateway: `CreateRoute`.
pub const CREATE_ROUTE: Operation = rest(
    Api::ApiGateway,
    "CreateRoute",
    "POST",
    "/v2/apis/{ApiId}/routes",
);
/// API Gateway: `GetRoutes`.
pub const GET_ROUTES: Operation = with_query(
    rest(
        Api::ApiGateway,
        "GetRoutes",
        "GET",
        "/v2/apis/{ApiId}/routes",
    ),
    PAGES,
);
/// API Gateway: `UpdateRoute`.
pub const UPDATE_ROUTE: Operation = rest(
    Api::ApiGateway,
    "UpdateRoute",
    "PATCH",
    "/v2/apis/{ApiId}/routes/{RouteId}",
);
/// API Gateway: `CreateStage`.
pub const CREATE_STAGE: Operation = rest(
    Api::ApiGateway,
    "CreateStage",
    "POST",
    "/v2/apis/{ApiId}/stages",
);
/// API Gateway: `GetStage`.
pub const GET_STAGE: Operation = rest(
    Api::ApiGateway,
    "GetStage",
    "GET",
    "/v2/apis/{ApiId}/stages/{StageName}",
);
/// API Gateway: `CreateDomainName`.
pub const CREATE_DOMAIN_NAME: Operation = rest(
    Api::ApiGateway,
    "CreateDomainName",
    "POST",
    "/v2/domainnames",
);
/// API Gateway: `GetDomainName`.
pub const GET_DOMAIN_NAME: Operation = rest(
    Api::ApiGateway,
    "GetDomainName",
    "GET",
    "/v2/domainnames/{DomainName}",
);
/// API Gateway: `UpdateDomainName`.
pub const UPDATE_DOMAIN_NAME: Operation = rest(
    Api::ApiGateway,
    "UpdateDomainName",
    "PATCH",
    "/v2/domainnames/{DomainName}",
);
/// API Gateway: `TagResource`.
pub const TAG_API: Operation = rest(
    Api::ApiGateway,
    "TagResource",
    "POST",
    "/v2/tags/{ResourceArn}",
);
/// API Gateway: `CreateApiMapping`.
pub const CREATE_API_MAPPING: Operation = rest(
    Api::ApiGateway,
    "CreateApiMapping",
    "POST",
    "/v2/domainnames/{DomainName}/apimappings",
);
/// API Gateway: `GetApiMappings`.
pub const GET_API_MAPPINGS: Operation = with_query(
    rest(
        Api::ApiGateway,
        "GetApiMappings",
        "GET",
        "/v2/domainnames/{DomainName}/apimappings",
    ),
    PAGES,
);
/// API Gateway: `UpdateApiMapping`.
pub const UPDATE_API_MAPPING: Operation = rest(
    Api::ApiGateway,
    "UpdateApiMapping",
    "PATCH",
    "/v2/domainnames/{DomainName}/apimappings/{ApiMappingId}",
);

/// Route 53: `CreateHealthCheck`.
pub const CREATE_HEALTH_CHECK: Operation = rest(
    Api::Route53,
    "CreateHealthCheck",
    "POST",
    "/2013-04-01/healthcheck",
);
/// Route 53: `ListHealthChecks`.
pub const LIST_HEALTH_CHECKS: Operation = with_query(
    rest(
        Api::Route53,
        "ListHealthChecks",
        "GET",
        "/2013-04-01/healthcheck",
    ),
    &[("Marker", "marker")],
);
/// Route 53: `UpdateHealthCheck`.
pub const UPDATE_HEALTH_CHECK: Operation = rest(
    Api::Route53,
    "UpdateHealthCheck",
    "POST",
    "/2013-04-01/healthcheck/{HealthCheckId}",
);
/// Route 53: `ListTagsForResource`.
pub const LIST_TAGS_FOR_RESOURCE: Operation = rest(
    Api::Route53,
    "ListTagsForResource",
    "GET",
    "/2013-04-01/tags/{ResourceType}/{ResourceId}",
);
/// Route 53: `ChangeTagsForResource`.
pub const CHANGE_TAGS_FOR_RESOURCE: Operation = rest(
    Api::Route53,
    "ChangeTagsForResource",
    "POST",
    "/2013-04-01/tags/{ResourceType}/{ResourceId}",
);
/// Route 53: `CreateHostedZone`.
pub const CREATE_HOSTED_ZONE: Operation = rest(
    Api::Route53,
    "CreateHostedZone",
    "POST",
    "/2013-04-01/hostedzone",
);
/// Route 53: `ListHostedZones`.
pub const LIST_HOSTED_ZONES: Operation = with_query(
    rest(
        Api::Route53,
        "ListHostedZones",
        "GET",
        "/2013-04-01/hostedzone",
    ),
    &[("Marker", "marker")],
);
/// Route 53: `ListResourceRecordSets`.
pub const LIST_RESOURCE_RECORD_SETS: Operation = with_query(
    rest(
        Api::Route53,
        "ListResourceRecordSets",
        "GET",
        "/2013-04-01/hostedzone/{HostedZoneId}/rrset",
    ),
    &[("StartRecordName", "name"), ("StartRecordType", "type")],
);
/// Route 53: `ChangeResourceRecordSets`.
pub const CHANGE_RESOURCE_RECORD_SETS: Operation = rest(
    Api::Route53,
    "ChangeResourceRecordSets",
    "POST",
    "/2013-04-01/hostedzone/{HostedZoneId}/rrset/",
);
/// Route 53: `GetChange`.
pub const GET_CHANGE: Operation = rest(Api::Route53, "GetChange", "GET", "/2013-04-01/change/{Id}");

/// How API Gateway's lists are read page by page.
const PAGES: &[(&str, &str)] = &[("NextToken", "nextToken"), ("MaxResults", "maxResults")];
