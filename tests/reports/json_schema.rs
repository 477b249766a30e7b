//! JSON that its own schema accepts, and that streams.

use serde_json::Value;
use wafcanary::report::{self, Format};

use super::{comparisons, fixture, rendered, rendered_run};

fn validate(schema: &schemars::Schema, document: &str) {
    let document: Value = serde_json::from_str(document).unwrap();
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn documents_are_valid_by_their_schemas() {
    for (_, comparison) in comparisons() {
        validate(&report::comparison_schema(), &rendered(&comparison, Format::Json));
    }
    validate(&report::run_schema(), &rendered_run(&fixture::run(), Format::Json));
}

#[test]
fn a_schema_refuses_what_is_no_report() {
    let schema = report::comparison_schema();
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    let mut document = serde_json::to_value(fixture::everything()).unwrap();
    assert!(validator.is_valid(&document));
    document["decision"] = "maybe".into();
    assert!(!validator.is_valid(&document));
}

#[test]
fn schemas_name_themselves_without_a_host() {
    for (schema, id) in [(report::comparison_schema(), "comparison.json"), (report::run_schema(), "run.json")] {
        assert_eq!(schema.get("$id"), Some(&Value::from(id)));
        assert!(schema.get("title").is_some_and(Value::is_string));
    }
}

#[test]
fn json_keeps_every_fact_and_one_case_to_a_line() {
    let comparison = fixture::everything();
    let text = rendered(&comparison, Format::Json);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), serde_json::to_value(&comparison).unwrap());
    assert_eq!(text.lines().filter(|line| line.starts_with("    {\"id\":")).count(), comparison.cases.len());
    assert!(text.ends_with("}\n"));
}

#[test]
fn json_lines_are_the_cases_and_then_the_summary() {
    let comparison = fixture::everything();
    let text = rendered(&comparison, Format::Jsonl);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), comparison.cases.len() + 1);
    let (summary, cases) = lines.split_last().unwrap();
    assert!(cases.iter().all(|line| line["event"] == "compared_case"));
    assert_eq!((&summary["event"], &summary["decision"]), (&"comparison".into(), &"fail".into()));
}

#[test]
fn the_lines_of_a_run_are_events_of_its_journal() {
    let run = fixture::run();
    let text = rendered_run(&run, Format::Jsonl);
    let lines: Vec<_> = text.lines().collect();
    let [events @ .., finished, decision] = &lines[..] else { panic!("{text}") };
    for event in events {
        serde_json::from_str::<wafcanary::run::Event>(event).unwrap();
    }
    assert_eq!(events.len(), run.cases.len() + 1);
    assert!(finished.contains("\"event\":\"run_finished\""), "{finished}");
    assert!(decision.starts_with(r#"{"event":"decision","decision":"fail","reasons":[{"#), "{decision}");
}
