use super::*;
use object::json;

fn holds(program: &str, result: &Value) -> Result<bool, ConditionError> {
    evaluate(program, &Sample::Json(result.clone()), Time::from_unix(1_700_000_000))
}

#[test]
fn programs() {
    for (program, result, expected) in [
        (r#"result == "ok""#, json!("ok"), true),
        ("result == 'ok'", json!("nok"), false),
        ("result >= 0.95", json!(0.97), true),
        ("result == 1", json!(1), true),
        ("result[0] < 5", json!([4, 9]), true),
        ("len(result) == 2 && all(result, # > 3)", json!([4, 9]), true),
        (r#"result.status == "ok" and result.count > 1"#, json!({"status": "ok", "count": 2}), true),
        (r#""ok" == result"#, json!("ok"), true),
        ("len(result) > 0 && result[0] == 1", json!([]), false),
        ("result[0][1] == 4 && result[1].result[0] == 2", json!([[3, 4], {"result": [2]}]), true),
        ("result[0].a == 'result[9]'", json!([{"a": "result[9]"}]), true),
        ("asInt(result) == 12", json!("12"), true),
        ("asFloat(result) > 1.4", json!("1.5"), true),
        ("isNaN(result)", json!(1), false),
        ("fromJSON(result).a == 1", json!(r#"{"a": 1}"#), true),
        (r#"toJSON(result) contains "1""#, json!([1]), true),
        ("isNil(result)", Value::Null, true),
        ("default(result, 0) == 0", Value::Null, true),
        (r#"now() - date("2023-11-14T00:00:00Z") > duration("1h")"#, json!(1), true),
    ] {
        assert_eq!(holds(program, &result), Ok(expected), "{program} with {result}");
    }
}

#[test]
fn what_is_no_answer_is_an_error() {
    for (program, result, message) in [
        ("result", json!(1), "expected bool, but got float64"),
        ("1 + 1", json!(1), "expected bool, but got int"),
        (r#"result == "ok""#, json!(1), "invalid operation: == (mismatched types float64 and string)"),
        ("result > 5", json!("x"), "invalid operation: > (mismatched types string and int)"),
    ] {
        assert_eq!(holds(program, &result).unwrap_err().to_string(), message, "{program}");
    }
    for program in ["result ==", "nothing(result)", "result[", "asInt(result) == 1"] {
        assert!(matches!(holds(program, &json!("x")), Err(ConditionError::Program(_))), "{program}");
    }
    for program in ["result[0] > 1", "result[0] == 1", "result [0] != 1 || true"] {
        let error = holds(program, &json!([])).unwrap_err();
        assert!(
            matches!(&error, ConditionError::NoData(why) if why.contains("index out of range: 0")),
            "{error}"
        );
    }
    assert!(matches!(holds("result[1] == 4", &json!([4])), Err(ConditionError::Program(_))));
    assert_eq!(holds(&"1".repeat(20_000), &json!(1)), Err(ConditionError::TooLong));
}

#[test]
fn truth_table() {
    let now = Time::from_unix(0);
    for (success, failure, expected) in [
        ("", "", Phase::Successful),
        ("true", "", Phase::Successful),
        ("false", "", Phase::Failed),
        ("", "true", Phase::Failed),
        ("", "false", Phase::Successful),
        ("true", "true", Phase::Failed),
        ("true", "false", Phase::Successful),
        ("false", "true", Phase::Failed),
        ("false", "false", Phase::Inconclusive),
    ] {
        assert_eq!(
            judge(&Sample::Json(json!(1)), success, failure, now),
            Ok(expected),
            "{success:?} {failure:?}"
        );
    }
}

#[test]
fn numbers_that_json_cannot_hold() {
    let now = Time::from_unix(0);
    for (program, sample, expected) in [
        ("isNaN(result)", Sample::Number(f64::NAN), true),
        ("result > 0.9", Sample::Number(f64::NAN), false),
        ("isInf(result)", Sample::Number(f64::INFINITY), true),
        ("isNaN(result[0]) || result[0] >= 0.95", Sample::Numbers(vec![f64::NAN]), true),
        ("result[0] >= 0.95", Sample::Numbers(vec![f64::NAN]), false),
        ("len(result) == 0", Sample::Numbers(Vec::new()), true),
        ("all(result, # > 1)", Sample::Numbers(vec![2.0, f64::INFINITY]), true),
    ] {
        assert_eq!(evaluate(program, &sample, now), Ok(expected), "{program} with {sample:?}");
    }
    let empty = evaluate("result[0] > 1", &Sample::Numbers(Vec::new()), now);
    assert!(matches!(empty, Err(ConditionError::NoData(_))));
}

#[test]
fn times() {
    let now = Time::from_unix(1_700_000_000);
    assert_eq!(time("now()", now), Ok(now));
    assert_eq!(time(r#"now() - duration("1h30m")"#, now), Ok(Time::from_unix(1_700_000_000 - 5400)));
    assert_eq!(time("1 + 1", now), Err(ConditionError::NotTime("int")));
    assert!(matches!(time("now(", now), Err(ConditionError::Program(_))));
}
