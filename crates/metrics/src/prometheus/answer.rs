//! What Prometheus answers.

use analysis::condition::Sample;
use object::Value;
use runtime::http::HttpResponse;
use serde::Deserialize;

/// What came out of a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    /// As conditions see it.
    pub sample: Sample,
    /// As the status shows it, e.g. `[0.99,NaN]`.
    pub value: String,
    /// What Prometheus warns of.
    pub warnings: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    status: String,
    data: Data,
    error_type: String,
    error: String,
    warnings: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Data {
    result_type: String,
    result: Value,
}

/// Returns the numbers of an answer: one of a scalar, all of a vector, those of all series of a matrix in one list.
///
/// Errors: the server refused, in its own words; the answer cannot be read; its type is another.
pub(super) fn read(response: &HttpResponse) -> Result<Reading, String> {
    let code = response.status;
    let ok = (200..300).contains(&code);
    // 400, 422 and 503 carry an error in the same form.
    if !ok && !matches!(code, 400 | 422 | 503) {
        let kind = if code / 100 == 4 { "client_error: client error" } else { "server_error: server error" };
        return Err(format!("{kind}: {code}"));
    }
    let answer: Answer = serde_json::from_slice(&response.body)
        .map_err(|error| format!("bad_response: unreadable answer with status {code}: {error}"))?;
    if answer.status == "error" || !ok {
        return Err(format!("{}: {}", answer.error_type, answer.error));
    }
    let numbers = match answer.data.result_type.as_str() {
        "scalar" => return scalar(&answer.data.result, answer.warnings),
        "vector" => {
            rows(&answer.data.result).map(|row| number(&row["value"])).collect::<Result<Vec<_>, _>>()?
        }
        "matrix" => rows(&answer.data.result)
            .flat_map(|row| row["values"].as_array().into_iter().flatten().map(number).collect::<Vec<_>>())
            .collect::<Result<Vec<_>, _>>()?,
        _ => return Err("Prometheus metric type not supported".into()),
    };
    let texts: Vec<String> = numbers.iter().copied().map(text).collect();
    let value = format!("[{}]", texts.join(","));
    Ok(Reading { sample: Sample::Numbers(numbers), value, warnings: answer.warnings })
}

fn scalar(result: &Value, warnings: Vec<String>) -> Result<Reading, String> {
    let number = number(result)?;
    Ok(Reading { sample: Sample::Number(number), value: text(number), warnings })
}

fn rows(result: &Value) -> impl Iterator<Item = &Value> {
    result.as_array().into_iter().flatten()
}

/// Reads `[time, "number"]`.
fn number(pair: &Value) -> Result<f64, String> {
    let text = pair[1].as_str().unwrap_or_default();
    text.parse().map_err(|_| format!("bad_response: {pair} is not a sample"))
}

/// Returns a number as Go prints it without exponent.
fn text(number: f64) -> String {
    if number == f64::INFINITY {
        "+Inf".into()
    } else if number == f64::NEG_INFINITY {
        "-Inf".into()
    } else {
        number.to_string()
    }
}
