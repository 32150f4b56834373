//! `spec.metrics[].provider` of an analysis.

use crate::crds::pod::template_metadata;
use crate::crds::schema::{
    Field, Schema, any_value, anything, boolean, field, int_or_string, int64, labels, list, object, one_of,
    open, required, string, strings,
};

pub(super) fn provider() -> Schema {
    let addressed = || object(&[address(), query()]);
    let influxdb =
        object(&[query(), field("profile", string(), "Secret with the access; influxdb when absent.")]);
    let skywalking = object(&[address(), query(), interval()]);
    let new_relic = object(&[
        query().needed(),
        field("profile", string(), "Secret with the access; newrelic when absent."),
        field("timeout", int64(), "Seconds; 5 when absent."),
    ]);
    object(&[
        field("prometheus", prometheus(), "A PromQL query."),
        field("web", web(), "An HTTP request."),
        field("job", job(), "A Job whose success is the verdict."),
        field("kayenta", kayenta(), "A Kayenta judgement."),
        field("datadog", datadog(), "A Datadog query."),
        field("newRelic", new_relic, "A New Relic query."),
        field("wavefront", addressed(), "A Wavefront query."),
        field("cloudWatch", cloud_watch(), "Amazon CloudWatch queries."),
        field("graphite", addressed(), "A Graphite query."),
        field("influxdb", influxdb, "An InfluxDB (Flux) query."),
        field("skywalking", skywalking, "An Apache SkyWalking (GraphQL) query."),
        field("plugin", anything(), "A metric plugin by namespace/name, with what it is told."),
    ])
}

fn address() -> Field {
    field("address", string(), "URL of the server.")
}

fn query() -> Field {
    field("query", string(), "Query.")
}

fn interval() -> Field {
    field("interval", string(), "Time span, e.g. 5m.")
}

fn headers() -> Field {
    let header = object(&[required("key", string(), "Name."), required("value", string(), "Value.")]);
    field("headers", list(header), "Headers of the request.")
}

fn insecure() -> Field {
    field("insecure", boolean(), "Whether the server's certificate is not verified.")
}

fn authentication() -> Field {
    let oauth2 = object(&[
        field("tokenUrl", string(), "URL of the token endpoint."),
        field("clientId", string(), "Client ID."),
        field("clientSecret", string(), "Client secret."),
        field("scopes", strings(), "Scopes."),
    ]);
    let sigv4 = object(&[
        field("region", string(), "Region."),
        field("profile", string(), "Profile."),
        field("roleArn", string(), "Role."),
    ]);
    let basic =
        open(&[field("username", string(), "Name of the user."), field("password", string(), "Password.")]);
    let ways = object(&[
        field("oauth2", oauth2, "OAuth 2 client credentials."),
        field("sigv4", sigv4, "AWS Signature Version 4."),
        field("basicAuth", basic, "User and password."),
    ]);
    field("authentication", ways, "How to log in.")
}

fn prometheus() -> Schema {
    let range = object(&[
        field("start", string(), "Expression of the begin, e.g. now() - duration('1h')."),
        field("end", string(), "Expression of the end."),
        field("step", string(), "Resolution, e.g. 1m."),
    ]);
    object(&[
        address(),
        query(),
        field("rangeQuery", range, "Ask for a range instead of an instant."),
        field("timeout", int64(), "Seconds; 30 when absent."),
        insecure(),
        headers(),
        authentication(),
    ])
}

fn web() -> Schema {
    object(&[
        required("url", string(), "URL."),
        field("method", string(), "GET (when absent), POST or PUT."),
        headers(),
        field("body", string(), "Body of the request."),
        field("jsonBody", any_value(), "JSON body of the request."),
        field("timeoutSeconds", int64(), "Seconds; 10 when absent."),
        field("jsonPath", string(), "JSONPath of the result in the answer; the whole answer when absent."),
        insecure(),
        authentication(),
    ])
}

fn job() -> Schema {
    object(&[
        field("metadata", template_metadata(), "Labels and annotations of the Job."),
        required("spec", anything(), "A JobSpec."),
    ])
}

fn datadog() -> Schema {
    let aggregators = ["avg", "min", "max", "sum", "last", "percentile", "mean", "l2norm", "area"];
    let secret = object(&[
        field("name", string(), "Name of the Secret."),
        field("namespaced", boolean(), "Whether it is in the analysis' namespace."),
    ]);
    object(&[
        field("apiVersion", one_of(&["v1", "v2"]).default("v1"), "API to use."),
        field("interval", string().default("5m"), "Time span of the query."),
        query(),
        field("queries", labels(), "Several queries by name; v2 only."),
        field("formula", string(), "Formula over the queries; v2 only."),
        field("aggregator", one_of(&aggregators), "How points become one value; v2 only, last when absent."),
        field("secretRef", secret, "Secret with the access."),
    ])
}

fn cloud_watch() -> Schema {
    let dimension = object(&[field("name", string(), "Name."), field("value", string(), "Value.")]);
    let metric = object(&[
        field("namespace", string(), "Namespace of the metric."),
        field("metricName", string(), "Name of the metric."),
        field("dimensions", list(dimension), "Dimensions."),
    ]);
    let period = || field("period", int_or_string(), "Seconds between points.");
    let stat = object(&[
        field("metric", metric, "The metric."),
        period(),
        field("stat", string(), "Statistic."),
        field("unit", string(), "Unit."),
    ]);
    let data = object(&[
        field("id", string(), "Name of the query."),
        field("expression", string(), "Expression over other queries."),
        field("label", string(), "Label."),
        field("metricStat", stat, "The metric to read."),
        period(),
        field("returnData", boolean(), "Whether it is part of the result."),
    ]);
    object(&[interval(), required("metricDataQueries", list(data), "The queries.")])
}

fn kayenta() -> Schema {
    let threshold = object(&[
        required("pass", int64(), "Least score of a success."),
        required("marginal", int64(), "Least score that is no failure."),
    ]);
    let bounds = || {
        object(&[
            required("scope", string(), "Scope."),
            required("region", string(), "Region."),
            required("step", int64(), "Seconds between points."),
            field("start", string(), "Begin."),
            field("end", string(), "End."),
        ])
    };
    let scope = object(&[
        required("name", string(), "Name."),
        required("controlScope", bounds(), "Of the stable version."),
        required("experimentScope", bounds(), "Of the new version."),
    ]);
    object(&[
        address().needed(),
        required("application", string(), "Application."),
        required("canaryConfigName", string(), "Canary configuration."),
        required("metricsAccountName", string(), "Account of the metrics."),
        required("configurationAccountName", string(), "Account of the configuration."),
        required("storageAccountName", string(), "Account of the storage."),
        required("threshold", threshold, "What score counts as what."),
        required("scopes", list(scope), "What to compare."),
        field("lookback", boolean(), "Whether each measurement begins at the first one's begin."),
    ])
}
