//! `spec.metrics` of an analysis.

use super::provider::provider;
use crate::crds::schema::{Schema, field, int_or_string, object, required, string};

pub(super) fn metric() -> Schema {
    object(&[
        required("name", string(), "Name, unique in the analysis."),
        required("provider", provider(), "Where it is measured: exactly one."),
        field("interval", string(), "Time between measurements, e.g. 5m; measured once when absent."),
        field("initialDelay", string(), "Time before the first measurement, e.g. 30s."),
        field(
            "count",
            int_or_string(),
            "Number of measurements; without end when absent and interval is set.",
        ),
        field("successCondition", string(), "Expression over result that is true for a good measurement."),
        field("failureCondition", string(), "Expression over result that is true for a bad measurement."),
        field("failureLimit", int_or_string(), "Bad measurements tolerated; 0 when absent, -1 any number."),
        field("inconclusiveLimit", int_or_string(), "Inconclusive measurements tolerated; 0 when absent."),
        field("consecutiveErrorLimit", int_or_string(), "Errors in a row tolerated; 4 when absent."),
        field("consecutiveSuccessLimit", int_or_string(), "Good ones in a row that end it; off when absent."),
    ])
}
